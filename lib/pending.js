'use strict';

/** One task under way that may end early, or must be rejected here: its promise's functions, and what ends it. */

const { onAbort } = require('./abort');
const { clearTimeout, setTimeout } = require('./clock');
const { abortError, TaskTimeoutError } = require('./errors');

class Pending {
  /**
   * @param {(value: unknown) => void} resolve
   * @param {(error: Error) => void} reject
   * @param {import('./pool-record').PoolRecord} pool
   * @param {string} task its name
   */
  constructor(resolve, reject, pool, task) {
    this.resolve = resolve;
    this.reject = reject;
    this.pool = pool;
    this.task = task;
    /** Given by `Delivery.add`. */
    this.id = 0;
    /** Told how far the task is, if anybody wants to know. */
    this.onProgress = undefined;
  }

  /**
   * Lets a signal or a time limit end it early: the promise is rejected at once, the task stops at its next
   * checkpoint.
   */
  control({ signal, timeout }) {
    new Control(this, signal, timeout);
  }

  /** The task reports how far it is. */
  report(form, number, delivery) {
    const value = this.pool.readAnswer(form, number, delivery, this.task);
    this.onProgress?.(value);
  }

  /** The answer has come. */
  settle(form, number, delivery) {
    try {
      this.resolve(this.pool.readAnswer(form, number, delivery, this.task));
    } catch (error) {
      this.reject(error);
    }
  }
}

/** What may end a task early. Its listeners and timer go with the task's end. */
class Control {
  #pending;
  #timer;
  #ignoreSignal;

  constructor(pending, signal, timeout) {
    this.#pending = pending;
    const { resolve, reject } = pending;
    pending.resolve = (value) => {
      this.#release();
      resolve(value);
    };
    pending.reject = (error) => {
      this.#release();
      reject(error);
    };
    if (signal !== undefined) {
      this.#ignoreSignal = onAbort(signal, () => this.#end(abortError(signal), false));
    }
    if (timeout !== undefined) {
      const late = () => this.#end(new TaskTimeoutError(`task '${pending.task}' took longer than ${timeout} ms`), true);
      this.#timer = setTimeout(late, timeout);
      // The task itself holds the event loop, as far as its pool does.
      this.#timer.unref();
    }
  }

  #end(error, timedOut) {
    const { id, pool, reject } = this.#pending;
    reject(error);
    pool.cancel(id, timedOut);
  }

  #release() {
    if (this.#ignoreSignal !== undefined) this.#ignoreSignal();
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }
}

module.exports = { Pending };
