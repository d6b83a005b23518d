"""What people look at: console pages, Grafana, Jaeger, Collector and Prometheus files. Nothing is built here yet."""
