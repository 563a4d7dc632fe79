'use strict';

/** Waiting for messages: options, limits and their errors. */

const { onAbort } = require('../abort');
const { clearTimeout, now, setTimeout } = require('../clock');
const { PortClosedError, ReceiveTimeoutError } = require('../errors');
const { validateAbortSignal, validateNumber, validateOptions } = require('../validators');
const { Unreadable } = require('./batch');

/** The longest a thread is blocked in native code, in milliseconds: so long `worker.terminate()` may have to wait. */
const SLICE = 50;
const LONGEST_TIMER = 2 ** 31 - 1;

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

/** The message itself; throws when it could not be read. */
function opened(message) {
  if (message instanceof Unreadable) throw message.error;
  return message;
}

/** The options of `receive(timeout)` and `receive({ timeout, signal })`; an infinite timeout is none. */
function receiveTerms(options = {}) {
  const { timeout, signal } = typeof options === 'number' ? { timeout: options } : validateOptions(options, 'options', OPTIONS);
  if (timeout !== undefined) validateNumber(timeout, 'timeout', 0);
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  return { timeout: timeout === Infinity ? undefined : timeout, signal };
}

/** Ends a waiting `receive` by time or by signal. `dismiss` takes it off the list. */
function limit(receiver, timeout, signal, dismiss) {
  const { resolve, reject } = receiver;
  let timer;
  let takeBack;
  const release = () => {
    clearTimeout(timer);
    takeBack?.();
  };
  const end = (error) => {
    dismiss(receiver);
    receiver.reject(error);
  };
  receiver.resolve = (value) => {
    release();
    resolve(value);
  };
  receiver.reject = (error) => {
    release();
    reject(error);
  };
  // The port itself holds the event loop while somebody waits.
  if (timeout !== undefined) {
    timer = setTimeout(() => end(timeoutError(timeout)), Math.min(timeout, LONGEST_TIMER)).unref();
  }
  if (signal !== undefined) takeBack = onAbort(signal, () => end(signal.reason));
}

/** When `receiveSync` gives up; a time as of `now()`. */
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

module.exports = { closedError, deadline, limit, movedError, opened, receiveTerms, sliceOf, timeoutError };
