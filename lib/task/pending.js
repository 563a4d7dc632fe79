'use strict';

/** One task under way that may end early, reports how far it is, or must be rejected here. */

const { AsyncResource } = require('node:async_hooks');

const { setImmediate } = require('../runtime/clock');
const { errorBy, hasFired } = require('../abort');
const { isError } = require('../answer-errors');
const { Cancellable } = require('../cancellable');
const { abortError, TaskTimeoutError, withoutStack } = require('../errors');
const { FORMS, REASONS } = require('../constants');
const { throwUncaught } = require('../runtime/turn');
const { callUser } = require('../user-code');

const { CANCELLED, TIMED_OUT } = REASONS;

class Pending extends Cancellable {
  /** Given by `Delivery.add`. */
  id = 0;
  /** Whether it ended early: then its answer is dropped. */
  ended = false;
  pool;
  task;
  /** Of a native task: what the functions that it calls get from it: `{ priority, deadline, callees }`. */
  gives;

  /** The time limit, in milliseconds; or, where there is a deadline or a limit of the run, all limits (time-limits.js). */
  #timeout;
  #limits;
  /** What counts it, until nothing of it is left (task-context.js); and the signal of that, beside its own. */
  #counted;
  #outerSignal;
  #signal;
  /** Whether it is told of the latest report only, and that in a turn of its own; the report that waits for that turn. */
  #onlyLatest = false;
  #untold;
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
  listen(onProgress, onlyLatest = false) {
    this.#onProgress = onProgress;
    this.#onlyLatest = onlyLatest;
    this.#context = new AsyncResource('rust-workers.task');
  }

  /**
   * Lets a signal or a time limit end it early: the promise is rejected at once, the task stops at its next
   * checkpoint. Called before the task is submitted (`ended` tells then that it need not be), or after.
   *
   * @param {{ signal?: AbortSignal, timeout?: number, deadline?: number, runTimeout?: number }} options as `submitOptions`
   *   returns them
   * @param {boolean} [holds] whether the time limit keeps the event loop alive; else the task does, as far as its pool
   *   lets it
   */
  control(options, holds = false) {
    const { signal, timeout, outerSignal } = options;
    if (options.context !== undefined) {
      this.#counted = options.context;
      options.context.enter();
    }
    if (options.deadline !== undefined || options.runTimeout !== undefined) {
      this.#limits = require('./time-limits').limitTask(this, options, holds);
      if (this.ended) return;
    } else if (timeout !== undefined) {
      this.#timeout = timeout;
      this.limitTime(timeout, () => this.timerEnds(), holds);
    }
    if (signal !== undefined) {
      this.#signal = signal;
      this.watch(signal, abortError);
    }
    if (outerSignal !== undefined && !this.ended) {
      this.#outerSignal = outerSignal;
      this.watch(outerSignal, abortError);
    }
  }

  /** Nothing of it is left: it was answered, or never submitted. */
  over() {
    if (this.#counted === undefined) return;
    const counted = this.#counted;
    this.#counted = undefined;
    counted.leave();
  }

  resolve(value) {
    super.resolve(value);
    this.over();
  }

  /** Called where no answer of the native side will come any more; else it is `end`. */
  reject(error) {
    super.reject(error);
    this.over();
  }

  /** Whether it has ended early; now, if its signal has aborted and did not come to it yet. */
  #hasEnded() {
    this.#endBy(this.#signal);
    this.#endBy(this.#outerSignal);
    return this.ended;
  }

  #endBy(signal) {
    if (signal !== undefined && !this.ended && hasFired(signal)) this.endEarly(() => errorBy(signal, abortError));
  }

  /** An event loop that was busy sees its timers before the answers that came in time. */
  timerEnds() {
    if (this.id !== 0) this.pool.catchUp?.();
    if (this.isSettled) return;
    // A map is settled by what follows from its tasks' answers.
    if (this.pool.settlesLater) setImmediate(() => this.timeUp());
    else this.timeUp();
  }

  /** Ends it because its time is up. */
  timeUp() {
    if (this.#limits === undefined) this.end(this.#timeUpError(this.#timeout), TIMED_OUT);
    else this.#limits.timeUp();
  }

  /** Whether its deadline has passed. */
  get isPastDeadline() {
    return this.#limits !== undefined && this.#limits.isPastDeadline;
  }

  #timeUpError(timeout) {
    const advice = timeout === 0 ? '. For no limit, leave `timeout` out' : '';
    return withoutStack(() => new TaskTimeoutError(`task '${this.task}' took longer than ${timeout} ms${advice}`));
  }

  endEarly(errorOf) {
    if (!this.ended) this.end(errorOf());
  }

  /** Ends it early. */
  end(error, reason = CANCELLED) {
    if (this.ended) return;
    this.ended = true;
    super.reject(error);
    if (this.id === 0) this.over();
    else this.pool.cancel(this.id, reason);
  }

  /** Ends it early, by an error that says whether it had started. */
  endLate(reason, errorOf) {
    if (this.ended) return;
    this.ended = true;
    const started = this.id !== 0 && this.pool.cancel(this.id, reason);
    super.reject(errorOf(started));
    if (this.id === 0) this.over();
  }

  released() {
    this.#context?.emitDestroy();
  }

  /** The task reports how far it is. */
  report(form, number, delivery) {
    if (form === FORMS.TASK_STARTED) return this.#limits?.started(number);
    if (this.#hasEnded()) return delivery.skip(form, number);
    let value;
    try {
      value = this.pool.readAnswer(form, number, delivery, this.task);
    } catch (error) {
      return throwUncaught(error);
    }
    if (this.#onlyLatest) this.#tellSoon(value);
    else delivery.later(this, 'tell', value);
  }

  /** Several batches may come in one turn of the loop: each turn has one call of the listener. */
  #tellSoon(value) {
    const isFirst = this.#untold === undefined;
    this.#untold = { value };
    if (isFirst) setImmediate(() => this.#takeUntold((untold) => this.tell(untold)));
  }

  #takeUntold(use) {
    if (this.#untold === undefined) return;
    const { value } = this.#untold;
    this.#untold = undefined;
    use(value);
  }

  /** Gives a report to the caller's listener, unless the task ended early. */
  tell(value) {
    if (this.ended || this.#onProgress === undefined) return;
    this.#context.runInAsyncScope(callUser, undefined, this.#onProgress, undefined, value);
  }

  /** The answer has come. */
  settle(form, number, delivery) {
    if (this.#hasEnded()) {
      this.over();
      return delivery.skip(form, number);
    }
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
    if (this.#limits !== undefined) return this.#come('reject', this.#limits.told(error), delivery);
    const isTimeUp = this.#timeout !== undefined && error instanceof TaskTimeoutError;
    this.#come('reject', isTimeUp ? this.#timeUpError(this.#timeout) : error, delivery);
  }

  /** After the reports that came before it. */
  #come(method, value, delivery) {
    if (this.#onProgress === undefined) return this[method](value);
    this.#takeUntold((untold) => delivery.later(this, 'tell', untold));
    delivery.later(this, method, value);
  }
}

module.exports = { Pending };
