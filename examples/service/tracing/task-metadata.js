'use strict';

/**
 * Carries the trace into the pool's workers: a task's input goes in an envelope, `{ metadata, input }`, whose metadata are the
 * headers of the W3C trace context (`traceparent`). The worker opens it, and the spans of its function are children of the
 * task's span.
 */

const { SpanStatusCode, context, propagation, trace } = require('@opentelemetry/api');

const tracer = () => trace.getTracer('rust-workers-service');

/** The input, with the trace of the context that is running. */
function withTrace(input) {
  const metadata = {};
  propagation.inject(context.active(), metadata);
  return { metadata, input };
}

/** The script's functions, each of them with a span of its own in the trace that came with its input. */
function traced(functions) {
  const entries = Object.entries(functions).map(([name, run]) => [
    name,
    ({ metadata, input }) => context.with(propagation.extract(context.active(), metadata), () => inSpan(`run ${name}`, {}, () => run(input))),
  ]);
  return Object.fromEntries(entries);
}

/**
 * Runs a function, sync or async, in a span that ends with it.
 *
 * @param {string} name
 * @param {import('@opentelemetry/api').SpanOptions} options
 * @param {() => unknown} run
 */
function inSpan(name, options, run) {
  return tracer().startActiveSpan(name, options, (span) => {
    const failed = (error) => {
      if (error?.code !== undefined) span.setAttribute('error.type', String(error.code));
      span.setStatus({ code: SpanStatusCode.ERROR, message: error?.message });
      span.end();
      throw error;
    };
    let result;
    try {
      result = run();
    } catch (error) {
      failed(error);
    }
    if (typeof result?.then !== 'function') {
      span.end();
      return result;
    }
    return result.then((value) => {
      span.end();
      return value;
    }, failed);
  });
}

module.exports = { inSpan, traced, tracer, withTrace };
