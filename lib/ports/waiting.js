'use strict';

/** Waiting for messages: options, limits and their errors. */

const { now } = require('../runtime/clock');
const { Cancellable } = require('../end-early');
const { PortClosedError, ReceiveTimeoutError, reasonOf } = require('../errors');
const { validateAbortSignal, validateNumber, validateOptions } = require('../validators');
const { Unreadable } = require('./batch');

/** The longest a thread is blocked in native code, in milliseconds: so long `worker.terminate()` may have to wait. */
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

/** A `receive` that waits for a message, and has a limit. */
class LimitedReceiver extends Cancellable {
  #dismiss;

  /**
   * @param {(message: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {(receiver: LimitedReceiver) => void} dismiss takes it off the list of those that wait
   */
  constructor(resolve, reject, dismiss) {
    super(resolve, reject);
    this.#dismiss = dismiss;
  }

  /** @param {{ timeout?: number, signal?: AbortSignal }} options one of them is given */
  limit({ timeout, signal }) {
    // The port itself holds the event loop while a `receive` waits.
    if (timeout !== undefined) this.limitTime(timeout, () => this.endEarly(() => timeoutError(timeout)), false);
    if (signal !== undefined) this.watch(signal, reasonOf);
  }

  endEarly(errorOf) {
    if (this.isSettled) return;
    this.#dismiss(this);
    this.reject(errorOf());
  }
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

module.exports = { LimitedReceiver, closedError, deadline, movedError, opened, receiveTerms, sliceOf, timeoutError };
