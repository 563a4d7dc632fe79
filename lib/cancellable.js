'use strict';

/**
 * A promise that may end before its answer comes: by a time limit, by an AbortSignal, or by its owner (a pool or a port
 * that closes) that calls `reject`. The first outcome counts. Then the timer is cleared and the listener is taken off the
 * signal.
 *
 * A subclass adds in `endEarly` the work for an early end (cancel the task, leave a queue).
 */

const { errorBy, onAbort } = require('./abort');
const { LONGEST_TIMER, clearTimeout, setTimeout } = require('./runtime/clock');

class Cancellable {
  /**
   * The properties are assigned here and not declared, and no method is private: fields and private methods of a class that
   * others extend make each object of theirs 30 ns slower (Node 20 to 24), which is a tenth of a task with options.
   *
   * @param {(value: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   */
  constructor(resolve, reject) {
    /** Whether it has its outcome. */
    this.isSettled = false;
    // The others are for this class alone.
    this.settleWith = resolve;
    this.rejectWith = reject;
    this.timer = undefined;
    this.stopWatching = undefined;
  }

  resolve(value) {
    if (this.isSettled) return;
    this.isSettled = true;
    this.settleWith(value);
    this.release();
  }

  reject(error) {
    if (this.isSettled) return;
    this.isSettled = true;
    this.rejectWith(error);
    this.release();
  }

  /** The caller gets what `change` makes of the value. */
  through(change) {
    const resolve = this.settleWith;
    this.settleWith = (value) => resolve(change(value));
  }

  /**
   * Calls `timeUp` when the time is up, unless the promise has been settled by then, or this is called again.
   *
   * @param {number} milliseconds
   * @param {() => void} timeUp
   * @param {boolean} holds whether the timer keeps the event loop alive
   */
  limitTime(milliseconds, timeUp, holds) {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = setTimeout(timeUp, Math.min(milliseconds, LONGEST_TIMER));
    if (!holds) this.timer.unref();
    // A thread that blocks until this is settled (pool/run-sync.js) looks at the clock itself.
    this.rejectWith.inPlace?.limit(milliseconds, timeUp);
  }

  /**
   * Ends it early when the signal aborts, or now if the signal has; there may be several. A signal that throws when it is asked or listened to
   * ends it with what it throws.
   *
   * @param {AbortSignal} signal perhaps an object of the user's that only looks like one
   * @param {(signal: AbortSignal) => unknown} errorOf makes the error once the signal has aborted, for all that have this
   *   function; must not throw
   */
  watch(signal, errorOf) {
    let stopWatching;
    try {
      stopWatching = onAbort(signal, () => this.endEarly(() => errorBy(signal, errorOf)));
    } catch (error) {
      this.endEarly(() => error);
      return;
    }
    if (this.isSettled) return stopWatching();
    const others = this.stopWatching;
    this.stopWatching = others === undefined ? stopWatching : () => {
      others();
      stopWatching();
    };
  }

  /**
   * Ends it early.
   *
   * @param {() => unknown} errorOf makes the error; called only if the promise is rejected with it
   */
  endEarly(errorOf) {
    if (!this.isSettled) this.reject(errorOf());
  }

  /** Last, for where the stack is used up: the caller has the outcome by then. */
  release() {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.stopWatching?.();
    this.released();
  }

  /** For subclasses: the outcome was given, and nothing can end it any more. */
  released() {}
}

module.exports = { Cancellable };
