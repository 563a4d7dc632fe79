'use strict';

/** One task under way, as the caller's side keeps it: its promise's functions and what may end it early. */

const { addAbortListener, removeAbortListener } = require('./abort-listeners');
const { abortError, errorFromCode, TaskTimeoutError } = require('./errors');
const FORMS = require('./forms');
const { decode, decodeBytes } = require('./values');

class Pending {
  /** Given by `Delivery.add`. */
  id = 0;

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
  }

  /**
   * Lets a signal or a time limit end it early: the promise is rejected at once, the task stops at its next
   * checkpoint.
   */
  control({ signal, timeout }) {
    new Control(this, signal, timeout);
  }

  /** The answer, when it is more than undefined or a number. */
  settle(form, number, delivery) {
    try {
      switch (form) {
        case FORMS.NULL:
          return this.resolve(null);
        case FORMS.TRUE:
          return this.resolve(true);
        case FORMS.FALSE:
          return this.resolve(false);
        case FORMS.BYTES:
          return this.resolve(decodeBytes(number, delivery.takeExtra()));
        case FORMS.WIRE: {
          const offset = number & 0xffff;
          return this.resolve(decode(delivery.wire, offset, offset + (number - offset) / 0x10000, []));
        }
        case FORMS.WIRE_APART: {
          const wire = Buffer.from(delivery.takeExtra());
          return this.resolve(decode(wire, 0, wire.length, delivery.takeExtra()));
        }
        case FORMS.ERROR:
          return this.reject(errorFromCode(delivery.takeExtra(), delivery.takeExtra(), { task: this.task }));
        default:
          throw new Error(`unknown form ${form}`);
      }
    } catch (error) {
      return this.reject(errorFromCode('ERR_RW_INTERNAL', `the answer cannot be read: ${error.message}`));
    }
  }
}

/** What may end a task early. Its listeners and timer go with the task's end. */
class Control {
  #pending;
  #signal;
  #timer;
  #onAbort;

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
      this.#signal = signal;
      this.#onAbort = () => this.#end(abortError(signal), false);
      addAbortListener(signal, this.#onAbort);
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
    if (this.#signal !== undefined) removeAbortListener(this.#signal, this.#onAbort);
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }
}

module.exports = { Pending };
