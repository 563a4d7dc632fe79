'use strict';

/** The options of a wait for messages, its errors, and how long a blocked thread stays in native code. */

const { now } = require('../runtime/clock');
const { PortClosedError, ReceiveTimeoutError } = require('../errors');
const { validateAbortSignal, validateLimit, validateNumber, validateOptions } = require('../validators');

/**
 * The longest time that a thread is blocked in native code, in milliseconds: `worker.terminate()` may have to wait so long, and
 * the documentation promises 50 ms for `receiveSync`.
 */
const SLICE = 50;

const OPTIONS = new Set(['timeout', 'signal']);

function closedError() {
  return new PortClosedError('The channel is closed, and everything that was posted before has been received');
}

function movedError() {
  return new PortClosedError('The port was transferred: use it where it went');
}

function timeoutError(timeout) {
  return new ReceiveTimeoutError(`No message came within ${timeout} ms`);
}

/** The options of `receive(timeout)` and `receive({ timeout, signal })`; an infinite timeout is none. */
function receiveOptions(options = {}) {
  const { timeout, signal } = typeof options === 'number' ? { timeout: options } : validateOptions(options, 'options', OPTIONS);
  const limit = validateLimit(timeout, 'timeout', 0);
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  return { timeout: limit, signal };
}

/** When `receiveSync` stops waiting; a time as of `now()`. */
function deadline(timeout) {
  validateNumber(timeout, 'timeout', 0);
  return now() + timeout;
}

/**
 * How long to block now. A function of its own that is called between two slices: a terminated thread ends at a call,
 * not (for a long time) at a loop's edge.
 */
function sliceOf(until) {
  return Math.max(0, Math.min(SLICE, until - now()));
}

module.exports = { closedError, deadline, movedError, receiveOptions, sliceOf, timeoutError };
