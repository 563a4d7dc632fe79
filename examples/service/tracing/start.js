'use strict';

/** OpenTelemetry for one thread: the service's own, or a worker's. */

const { context, propagation, trace } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const { W3CTraceContextPropagator } = require('@opentelemetry/core');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, ConsoleSpanExporter, InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } =
  require('@opentelemetry/sdk-trace');

const resource = resourceFromAttributes({ 'service.name': 'rust-workers-service' });

/** The exporter of this thread, once tracing has started. */
let current;

/** @param {import('@opentelemetry/sdk-trace').SpanExporter} exporter */
function startTracing(exporter, Processor = SimpleSpanProcessor) {
  const provider = new TracerProvider({ resource, spanProcessors: [new Processor({ exporter })] });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  current = exporter;
  return provider;
}

/** The exporter that a setting names. In a service of your own: `new OTLPTraceExporter()`. */
function startTracingOfService(traces) {
  if (traces === 'none') return undefined;
  const inMemory = traces === 'memory';
  const exporter = inMemory ? new InMemorySpanExporter() : new ConsoleSpanExporter();
  const provider = startTracing(exporter, inMemory ? SimpleSpanProcessor : BatchSpanProcessor);
  return { exporter, shutdown: () => provider.shutdown() };
}

module.exports = { currentExporter: () => current, resource, startTracing, startTracingOfService };
