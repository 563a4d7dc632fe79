'use strict';

/** Waiting for a lock: a thread's sleep in slices, and a promise's wait by callback. */

const { now, setImmediate } = require('../runtime/clock');
const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { Cancellable } = require('../end-early');
const {
  errorFromCode, InternalError, LockAbortedError, LockDeadlockError, LockTimeoutError, reasonOf,
} = require('../errors');
const FORMS = require('../forms');

const delivery = deliveryOf(binding);

/** What a native call returns that has joined a queue, or found a lock busy. */
const NOT_YET = -1;

/** For an `id`: the thread itself sleeps. */
const SLEEP = -1;

/**
 * Milliseconds. V8 cannot interrupt a native call, so `terminate()` waits for the end of a slice; the end of the
 * thread's own heap comes on top.
 */
const SLICE = 20;

/** The pending promises of locks, as the delivery wants to know what an entry belongs to. */
const RECORD = { inFlight: 0, holds: true };

/** The answer of a native call; throws when it is a refusal, `[code, message]`. */
function checked(answer) {
  if (typeof answer === 'object') throw errorFromCode(answer[0], answer[1]);
  return answer;
}

/** What V8 looks at interrupts for: without a call between two slices a loop may run 100 of them first. */
function interruptCheck() {}

const never = () => false;

/**
 * Blocks this thread until the wait that `begin` begins has ended.
 *
 * @param {(id: number) => unknown} begin
 * @param {number | undefined} timeout in milliseconds
 * @param {string} what is waited for
 * @param {() => boolean} [isStuck] asked between slices: does it wait for this very thread?
 * @returns {number} what was granted
 */
function sleepFor(begin, timeout, what, isStuck = never) {
  const answer = checked(begin(SLEEP));
  if (answer !== NOT_YET) return answer;
  watchSleep();
  try {
    const deadline = timeout === undefined ? Infinity : now() + timeout;
    for (;;) {
      const rest = deadline - now();
      const granted = binding.lockSleep(Math.max(0, Math.min(rest, SLICE)));
      interruptCheck();
      if (granted !== undefined) return checked(granted);
      // What was granted in the meantime is told by the next look.
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
 * Code that is stopped from outside, as by the `timeout` of `vm`, comes to no `finally`. A thread that is marked as
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
 * A promise of what is granted by the wait that `begin` begins. It keeps the event loop alive.
 *
 * A signal's methods may be a user's, so they are called before the wait has begun, when there is nothing to lose, and
 * after the promise was settled.
 *
 * @param {(id: number) => unknown} begin
 * @param {{ timeout?: number, signal?: AbortSignal }} limits
 * @param {string} what is waited for
 * @returns {Promise<number>}
 */
function waitFor(begin, limits, what) {
  return new Promise((resolve, reject) => {
    const { signal, timeout } = limits;
    throwIfAborted(signal, what);
    const wait = new Wait(resolve, reject, what);
    if (signal !== undefined) wait.watch(signal, (aborted) => abortedError(aborted, what));
    if (!wait.isSettled) wait.begin(begin, timeout);
  });
}

/** What the delivery settles, and what may end it earlier. */
class Wait extends Cancellable {
  /** The delivery's, while the wait is under way. */
  #id;
  #what;

  constructor(resolve, reject, what) {
    super(resolve, reject);
    this.#what = what;
  }

  begin(begin, timeout) {
    const id = delivery.add(this, RECORD, this.#what);
    try {
      const answer = checked(begin(id));
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
    const error = form === FORMS.ERROR
      ? errorFromCode(from.takeExtra(), from.takeExtra())
      : new InternalError(`a lock answered in the unknown form ${form}`);
    return this.reject(error);
  }
}

function throwIfAborted(signal, what) {
  if (signal?.aborted) throw abortedError(signal, what);
}

const tooLate = (what, timeout) => new LockTimeoutError(`${what} was not to be had within ${timeout} ms`);

const abortedError = (signal, what) =>
  new LockAbortedError(`The wait for ${what.replace('The', 'the')} was aborted`, { cause: reasonOf(signal) });

const deadlock = (what) =>
  new LockDeadlockError(
    `${what} was given to a promise of this very thread, which cannot go on while the thread waits; ` +
      'do not mix the blocking and the asynchronous form of one lock in a thread',
  );

module.exports = { NOT_YET, checked, sleepFor, throwIfAborted, waitFor };
