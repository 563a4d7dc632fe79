'use strict';

/**
 * Spans that ended in a worker go to the thread of the service, which alone has a connection to the collector. A script's
 * messages outside of tasks are the pool's `'message'` events.
 */

const { parentPort, threadId } = require('node:worker_threads');

const { ExportResultCode } = require('@opentelemetry/core');

const { currentExporter, resource } = require('./start');

/** An exporter, in a worker. */
class SpansToOwner {
  export(spans, done) {
    parentPort.postMessage({ spans: spans.map(recordOf) });
    done({ code: ExportResultCode.SUCCESS });
  }

  shutdown() {
    return Promise.resolve();
  }
}

/** What of a span can be cloned. */
function recordOf(span) {
  const { name, kind, parentSpanContext, startTime, endTime, duration, status, attributes, links, events, instrumentationScope } = span;
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span;
  return {
    context: plain(span.spanContext()),
    parentSpanContext: plain(parentSpanContext),
    attributes: { ...attributes, 'thread.id': threadId },
    name, kind, startTime, endTime, duration, status, links, events, instrumentationScope,
    droppedAttributesCount, droppedEventsCount, droppedLinksCount,
  };
}

/** Without `traceState`, which is an object with methods. */
const plain = (found) => found && { traceId: found.traceId, spanId: found.spanId, traceFlags: found.traceFlags, isRemote: found.isRemote };

/** Listens to the pool's messages. */
function receiveSpans(message) {
  const exporter = currentExporter();
  if (exporter === undefined || !Array.isArray(message?.spans)) return;
  const spans = message.spans.map(({ context, ...span }) => ({ ...span, ended: true, resource, spanContext: () => context }));
  exporter.export(spans, () => {});
}

module.exports = { SpansToOwner, receiveSpans };
