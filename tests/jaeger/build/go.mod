module agentcop.test/jaeger

go 1.25.0

tool github.com/jaegertracing/jaeger/cmd/jaeger

require github.com/jaegertracing/jaeger v1.76.0

// Jaeger's own, which Go takes only from the main module.
replace github.com/Shopify/sarama => github.com/Shopify/sarama v1.33.0
