'use strict';

/** Waiting for a lock: a thread's sleep in slices, and a promise's wait by callback. */

const { now, setImmediate } = require('../runtime/clock');
const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { isError, takeError } = require('../answer-errors');
const { Cancellable } = require('../cancellable');
const {
  errorFromCode, InternalError, LockAbortedError, LockDeadlockError, LockTimeoutError, reasonOf,
} = require('../errors');
const { FORMS, LOCK_WAITS } = require('../constants');

const delivery = deliveryOf(binding);

/** The answer of a native call that has joined a queue, or found a lock busy. */
const { NOT_YET } = LOCK_WAITS;

/** Passed as `id`: block this thread instead of answering by callback. */
const { SLEEP } = LOCK_WAITS;

/**
 * Milliseconds. V8 cannot interrupt a native call, so `terminate()` takes the rest of a slice, plus the time to tear the
 * thread's heap down; both must fit into the 100 ms that the documentation promises. Other waits have slices of 50 ms
 * (`SLICE` in src/shared/wait/mod.rs, the most that `lockSleep` accepts); here `isStuck` is asked between two slices too.
 */
const SLICE = 20;

/** The pending promises of locks, in the form of a pool: the delivery counts the entries of each pool. */
const AS_POOL = { inFlight: 0, holds: true, resource: 'RustWorkersLock' };

/** The answer of a native call; throws when it is a refusal, `[code, message]`. */
function orThrow(answer) {
  if (typeof answer === 'object') throw errorFromCode(answer[0], answer[1]);
  return answer;
}

/**
 * V8 looks for interrupts in calls of this function. Without a call between two slices, V8 may notice the interrupt only
 * after 100 slices.
 */
function interruptCheck() {}

const never = () => false;

/**
 * Blocks this thread until the wait that `begin` begins has ended.
 *
 * @param {(id: number) => unknown} begin
 * @param {number | undefined} timeout in milliseconds
 * @param {string} what is waited for, such as `mutex`: for error messages
 * @param {() => boolean} [isStuck] asked between slices: does it wait for this very thread?
 * @returns {number} the granted number
 */
function blockUntilGranted(begin, timeout, what, isStuck = never) {
  const answer = orThrow(begin(SLEEP));
  if (answer !== NOT_YET) return answer;
  watchSleep();
  try {
    const deadline = timeout === undefined ? Infinity : now() + timeout;
    for (;;) {
      const rest = deadline - now();
      const granted = binding.lockSleep(Math.max(0, Math.min(rest, SLICE)));
      interruptCheck();
      if (granted !== undefined) return orThrow(granted);
      // If it was granted in the meantime, the next turn takes it.
      if (rest <= 0 && binding.lockGiveUp()) throw tooLate(what, timeout);
      if (isStuck() && binding.lockGiveUp()) throw deadlock(what);
    }
  } finally {
    sleeps = false;
  }
}

let sleeps = false;
let isWatched = false;

/**
 * Code that is stopped from outside, as by the `timeout` of `vm`, runs no `finally`. A thread that is marked as
 * sleeping in the next turn of the event loop does not sleep: the lock must not be granted to it.
 */
function watchSleep() {
  sleeps = true;
  if (isWatched) return;
  isWatched = true;
  setImmediate(() => {
    isWatched = false;
    if (sleeps) binding.lockGiveUp();
    sleeps = false;
  });
}

/**
 * A promise of the number that the wait of `begin` is granted. It keeps the event loop alive.
 *
 * A signal's methods may be a user's. So they are called before the wait has begun, when nothing can be lost, and after
 * the promise was settled.
 *
 * @param {(id: number) => unknown} begin
 * @param {{ timeout?: number, signal?: AbortSignal }} limits
 * @param {string} what is waited for, such as `mutex`: for error messages
 * @returns {Promise<number>}
 */
function promiseOfGrant(begin, limits, what) {
  return new Promise((resolve, reject) => {
    const { signal, timeout } = limits;
    throwIfAborted(signal, what);
    const wait = new Wait(resolve, reject, what);
    if (signal !== undefined) wait.watch(signal, (aborted) => abortedError(aborted, what));
    if (!wait.isSettled) wait.start(begin, timeout);
  });
}

/** A wait: settled by the delivery, or ended early. */
class Wait extends Cancellable {
  /** The delivery's, while the wait is under way. */
  #id;
  #what;

  constructor(resolve, reject, what) {
    super(resolve, reject);
    this.#what = what;
  }

  start(begin, timeout) {
    const id = delivery.add(this, AS_POOL, this.#what);
    try {
      const answer = orThrow(begin(id));
      if (answer !== NOT_YET) {
        delivery.remove(id);
        return this.resolve(answer);
      }
    } catch (error) {
      delivery.remove(id);
      return this.reject(error);
    }
    this.#id = id;
    if (timeout !== undefined) this.limitTime(timeout, () => this.endEarly(() => tooLate(this.#what, timeout)), true);
  }

  endEarly(errorOf) {
    if (this.isSettled) return;
    if (this.#id !== undefined) {
      // Else it was granted already: the event that says so is on its way, and wins.
      if (!binding.lockCancel(this.#id)) return;
      delivery.remove(this.#id);
    }
    this.reject(errorOf());
  }

  /** Called by the delivery. */
  settle(form, number, from) {
    if (form === FORMS.NUMBER) return this.resolve(number);
    const error = isError(form)
      ? errorFromCode(...takeError(form, number, from))
      : new InternalError(`a lock answered in the unknown form ${form}`);
    return this.reject(error);
  }
}

function throwIfAborted(signal, what) {
  if (signal?.aborted) throw abortedError(signal, what);
}

const tooLate = (what, timeout) => new LockTimeoutError(`The wait for the ${what} timed out after ${timeout} ms`);

const abortedError = (signal, what) =>
  new LockAbortedError(`The wait for the ${what} was aborted`, { cause: reasonOf(signal) });

const deadlock = (what) =>
  new LockDeadlockError(
    `The ${what} was given to a promise of this very thread, which cannot go on while the thread waits; ` +
      'do not mix the blocking and the asynchronous form of one lock in a thread',
  );

module.exports = { NOT_YET, blockUntilGranted, orThrow, promiseOfGrant, throwIfAborted };
