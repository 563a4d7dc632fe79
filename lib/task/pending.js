'use strict';

/** One task under way that may end early, reports how far it is, or must be rejected here. */

const { AsyncResource } = require('node:async_hooks');

const { setImmediate } = require('../runtime/clock');
const { errorBy, hasFired } = require('../abort');
const { isError } = require('../answer-errors');
const { Cancellable } = require('../cancellable');
const { abortError, TaskTimeoutError, withoutStack } = require('../errors');
const { FORMS } = require('../constants');
const { throwUncaught } = require('../runtime/turn');
const { callUser } = require('../user-code');

class Pending extends Cancellable {
  /** Given by `Delivery.add`. */
  id = 0;
  /** Whether it ended early: then its answer is dropped. */
  ended = false;
  pool;
  task;

  /** The time limit, in milliseconds. */
  #timeout;
  #signal;
  /** Told how far the task is, and the async context in which it is. */
  #onProgress;
  #context;

  /**
   * @param {(value: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {import('./native-pool').NativePool} pool
   * @param {string} task its name
   */
  constructor(resolve, reject, pool, task) {
    super(resolve, reject);
    this.pool = pool;
    this.task = task;
  }

  /** Tells `onProgress` how far the task is, in the async context of this call and not in that of the delivery. */
  listen(onProgress) {
    this.#onProgress = onProgress;
    this.#context = new AsyncResource('rust-workers.task');
  }

  /**
   * Lets a signal or a time limit end it early: the promise is rejected at once, the task stops at its next
   * checkpoint. Called before the task is submitted (`ended` tells then that it need not be), or after.
   *
   * @param {{ signal?: AbortSignal, timeout?: number }} options
   * @param {boolean} [holds] whether the time limit keeps the event loop alive; else the task does, as far as its pool
   *   lets it
   */
  control({ signal, timeout }, holds = false) {
    if (timeout !== undefined) {
      this.#timeout = timeout;
      this.limitTime(timeout, () => this.#timerEnds(timeout), holds);
    }
    if (signal !== undefined) {
      this.#signal = signal;
      this.watch(signal, abortError);
    }
  }

  /** Whether it has ended early; now, if its signal has aborted and did not come to it yet. */
  #hasEnded() {
    const signal = this.#signal;
    if (signal !== undefined && !this.ended && hasFired(signal)) this.endEarly(() => errorBy(signal, abortError));
    return this.ended;
  }

  /** An event loop that was busy sees its timers before the answers that came in time. */
  #timerEnds(timeout) {
    if (this.id !== 0) this.pool.catchUp?.();
    if (this.isSettled) return;
    // A map is settled by what follows from its tasks' answers.
    if (this.pool.settlesLater) setImmediate(() => this.timeUp(timeout));
    else this.timeUp(timeout);
  }

  /** Ends it because it took too long. */
  timeUp(timeout) {
    this.end(this.#timeUpError(timeout), true);
  }

  #timeUpError(timeout) {
    const advice = timeout === 0 ? '. For no limit, leave `timeout` out' : '';
    return withoutStack(() => new TaskTimeoutError(`task '${this.task}' took longer than ${timeout} ms${advice}`));
  }

  endEarly(errorOf) {
    if (!this.ended) this.end(errorOf());
  }

  /** Ends it early. */
  end(error, timedOut = false) {
    if (this.ended) return;
    this.ended = true;
    this.reject(error);
    if (this.id !== 0) this.pool.cancel(this.id, timedOut);
  }

  released() {
    this.#context?.emitDestroy();
  }

  /** The task reports how far it is. */
  report(form, number, delivery) {
    if (this.#hasEnded()) return delivery.skip(form, number);
    let value;
    try {
      value = this.pool.readAnswer(form, number, delivery, this.task);
    } catch (error) {
      return throwUncaught(error);
    }
    delivery.later(this, 'tell', value);
  }

  /** Gives a report to the caller's listener, unless the task ended early. */
  tell(value) {
    if (this.ended || this.#onProgress === undefined) return;
    this.#context.runInAsyncScope(callUser, undefined, this.#onProgress, undefined, value);
  }

  /** The answer has come. */
  settle(form, number, delivery) {
    if (this.#hasEnded()) return delivery.skip(form, number);
    let value;
    try {
      if (isError(form)) return this.#fail(this.pool.readError(form, number, delivery, this.task), delivery);
      value = this.pool.readAnswer(form, number, delivery, this.task);
    } catch (error) {
      if (form === FORMS.VIA_FALLBACK_LATE) this.#fail(error, delivery);
      else this.#come('reject', error, delivery);
      return;
    }
    this.#come('resolve', value, delivery);
  }

  /** With an error of ours. */
  #fail(error, delivery) {
    // The native side may see first that the time is up.
    const isTimeUp = this.#timeout !== undefined && error instanceof TaskTimeoutError;
    this.#come('reject', isTimeUp ? this.#timeUpError(this.#timeout) : error, delivery);
  }

  /** After the reports that came before it. */
  #come(method, value, delivery) {
    if (this.#onProgress === undefined) this[method](value);
    else delivery.later(this, method, value);
  }
}

module.exports = { Pending };
