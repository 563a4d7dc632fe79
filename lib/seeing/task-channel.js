'use strict';

/**
 * `diagnostics_channel` events of tasks: `tracingChannel('rust-workers:task')`.
 *
 * A call of the pool is traced by Node's own `tracePromise`, so the events are what subscribers know from elsewhere: `start` and `end`
 * around the submission, in which the stores that are bound to `start` hold; `error`, `asyncStart` and `asyncEnd` when the promise
 * settles, in the async context of the call. All get one object, `{ pool, method, task, input }`, and later `result` or `error`.
 *
 * Where nobody subscribes, a call asks five constants and goes on.
 */

const { tracingChannel } = require('node:diagnostics_channel');

const channel = tracingChannel('rust-workers:task');
const { start, end, asyncStart, asyncEnd, error } = channel;

/** Whether the call that comes next is traced already, or is part of one that is. */
let isInside = false;

/** Whether anybody wants to know. */
const isWanted = () =>
  start.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers || asyncStart.hasSubscribers || end.hasSubscribers;

/** Whether the call that asks this is to be traced. */
function isTraced() {
  if (!isWanted()) return false;
  if (!isInside) return true;
  isInside = false;
  return false;
}

/**
 * @template T
 * @param {() => T} call which first asks `isTraced`
 * @returns {T}
 */
function untraced(call) {
  // Where nobody subscribes, nobody would take it back.
  isInside = isWanted();
  return call();
}

/**
 * @template T
 * @param {{ pool: object, method: string, task: string, input: unknown }} context
 * @param {() => Promise<T>} call
 * @returns {Promise<T>}
 */
const trace = (context, call) => channel.tracePromise(() => untraced(call), context);

/** The same for a call that gives its result in place. */
const traceSync = (context, call) => channel.traceSync(() => untraced(call), context);

module.exports = { isTraced, trace, traceSync, untraced };
