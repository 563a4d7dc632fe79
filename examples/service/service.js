'use strict';

/** The service: its routes, and what each of them does beside the work. */

const { LogController, fastify } = require('fastify');
const { SpanKind, context, propagation, trace } = require('@opentelemetry/api');

const { retryAfter, statusOf } = require('./answers');
const { createMetrics } = require('./metrics');
const { startTracingOfService } = require('./tracing/start');
const { inSpan, tracer } = require('./tracing/task-metadata');
const { openWay } = require('./ways');

const PRIMES = {
  params: { type: 'object', properties: { limit: { type: 'integer', minimum: 2, maximum: 10_000_000_000 } } },
  headers: { type: 'object', properties: { 'x-timeout-ms': { type: 'integer', minimum: 1 } } },
};

/** @param {ReturnType<import('./settings').readSettings>} settings */
async function buildService(settings) {
  const traces = startTracingOfService(settings.traces);
  const way = openWay(settings);
  const metrics = createMetrics(way.pool);
  const service = fastify({
    logger: { level: settings.logLevel, mixin: traceOfLog },
    // What asks every second would hide the rest.
    logController: new LogController({ disableRequestLogging: ({ url }) => url === '/health' || url === '/metrics' }),
  });

  service.decorateRequest('trace', null);
  service.addHook('onRequest', (request, reply, done) => {
    const above = propagation.extract(context.active(), request.headers);
    const { url = 'none' } = request.routeOptions;
    const span = tracer().startSpan(`${request.method} ${url}`, { kind: SpanKind.SERVER }, above);
    request.trace = trace.setSpan(above, span);
    context.with(request.trace, done);
  });
  service.addHook('onResponse', async (request, reply) => {
    const { url = 'none' } = request.routeOptions;
    metrics.answered(url, reply.statusCode, reply.elapsedTime / 1000);
    const span = trace.getSpan(request.trace);
    span.setAttribute('http.response.status_code', reply.statusCode);
    span.end();
  });

  service.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status === undefined) return reply.send(error);
    request.log.warn({ err: error, code: error.code, way: settings.way }, 'task failed');
    if (error.code === 'ERR_RW_QUEUE_FULL') reply.header('retry-after', retryAfter(way.pool));
    return reply.code(status).send({ code: error.code, message: error.message });
  });

  service.get('/primes/:limit', { schema: PRIMES }, async (request, reply) => {
    const { limit } = request.params;
    const timeout = Math.min(settings.taskTimeout, request.headers['x-timeout-ms'] ?? Infinity);
    const signal = clientSignal(reply);
    const attributes = { 'task.name': 'primes', 'task.way': settings.way };
    const run = () => inSpan('task primes', { attributes }, () => way.run(limit, { signal, timeout }));
    return { limit, primes: await context.with(request.trace, run) };
  });
  service.get('/health', async () => ({ ok: true }));
  service.get('/metrics', async (request, reply) => {
    reply.type(metrics.contentType);
    return metrics.text();
  });
  if (settings.traces === 'memory') service.get('/traces', async () => traces.exporter.getFinishedSpans().map(shownSpan));

  // The requests have their answers by then.
  service.addHook('onClose', async () => {
    await way.close();
    await traces?.shutdown();
  });
  return service;
}

/** Aborts when the client has gone before it had its answer. */
function clientSignal(reply) {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** Each line of the log names the trace that it belongs to. */
function traceOfLog() {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}

function shownSpan(span) {
  const { name, attributes, status, parentSpanContext } = span;
  const { traceId, spanId } = span.spanContext();
  return { name, traceId, spanId, parentSpanId: parentSpanContext?.spanId, attributes, status };
}

module.exports = { buildService };
