// Sends one trace with an official exporter of OpenTelemetry's: node send.mjs grpc|http|proto URL SPANS [TOKEN] [CA]
// Prints what became of it as one JSON line.
import { readFileSync } from 'node:fs';
import { Metadata, credentials } from '@grpc/grpc-js';
import { BasicTracerProvider, SimpleSpanProcessor, InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { OTLPTraceExporter as Grpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as Http } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as Proto } from '@opentelemetry/exporter-trace-otlp-proto';
import { context, trace } from '@opentelemetry/api';

const [kind, url, count, token, ca] = process.argv.slice(2);
const kept = new InMemorySpanExporter();
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'node-agent' }),
  spanProcessors: [new SimpleSpanProcessor(kept)],
});
const tracer = provider.getTracer('node');
const root = tracer.startSpan('invoke_agent node', { attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.id': 'node-agent' } });
const under = trace.setSpan(context.active(), root);
for (let number = 1; number < Number(count); number += 1) {
  tracer.startSpan(`execute_tool ${number}`, { attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'look' } }, under).end();
}
root.end();
await provider.forceFlush();

const headers = token ? { authorization: `Bearer ${token}` } : {};
const metadata = new Metadata();
if (token) metadata.set('authorization', `Bearer ${token}`);
const tls = ca ? { httpAgentOptions: { ca: readFileSync(ca) } } : {};
const exporter = kind === 'grpc'
  ? new Grpc({ url, metadata, compression: 'gzip', timeoutMillis: 10000, credentials: ca ? credentials.createSsl(readFileSync(ca)) : credentials.createInsecure() })
  : new (kind === 'proto' ? Proto : Http)({ url: `${url}/v1/traces`, headers, compression: 'gzip', timeoutMillis: 10000, ...tls });
const spans = kept.getFinishedSpans();
exporter.export(spans, async (result) => {
  console.log(JSON.stringify({ trace: root.spanContext().traceId, code: result.code, error: String(result.error ?? '') }));
  await exporter.shutdown();
});
