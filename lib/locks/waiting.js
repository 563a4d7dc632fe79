'use strict';

/** Waiting for a lock: a thread's sleep in slices, and a promise's wait by callback. */

const { onAbort } = require('../abort');
const { clearTimeout, now, setTimeout } = require('../clock');
const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
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
function breathe() {}

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
  const deadline = timeout === undefined ? Infinity : now() + timeout;
  for (;;) {
    const rest = deadline - now();
    const granted = binding.lockSleep(Math.max(0, Math.min(rest, SLICE)));
    breathe();
    if (granted !== undefined) return checked(granted);
    // What was granted in the meantime is told by the next look.
    if (rest <= 0 && binding.lockGiveUp()) throw tooLate(what, timeout);
    if (isStuck() && binding.lockGiveUp()) throw deadlock(what);
  }
}

/**
 * A promise of what is granted by the wait that `begin` begins. It keeps the event loop alive.
 *
 * @param {(id: number) => unknown} begin must not throw
 * @param {{ timeout?: number, signal?: AbortSignal }} terms
 * @param {string} what is waited for
 * @returns {Promise<number>}
 */
function waitFor(begin, terms, what) {
  return new Promise((resolve, reject) => {
    throwIfAborted(terms.signal, what);
    const wait = new Wait(resolve, reject, what);
    const id = delivery.add(wait, RECORD, what);
    const answer = begin(id);
    if (answer === NOT_YET) return wait.limit(id, terms);
    delivery.remove(id);
    resolve(checked(answer));
  });
}

/** What the delivery settles, and what may end it earlier. */
class Wait {
  #id;
  #resolve;
  #reject;
  #what;
  #timer;
  #ignoreSignal;

  constructor(resolve, reject, what) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#what = what;
  }

  limit(id, { timeout, signal }) {
    this.#id = id;
    if (timeout !== undefined) {
      this.#timer = setTimeout(() => this.#giveUp(() => tooLate(this.#what, timeout)), timeout);
    }
    if (signal !== undefined) this.#listen(signal);
  }

  #listen(signal) {
    try {
      this.#ignoreSignal = onAbort(signal, () => this.#giveUp(() => aborted(signal, this.#what)));
    } catch (error) {
      // A signal that cannot be listened to. Granted already, the lock is the caller's none the less.
      this.#giveUp(() => error);
    }
  }

  #giveUp(reason) {
    // Else it was granted already: the letter that says so is on its way, and wins.
    if (!binding.lockCancel(this.#id)) return;
    delivery.remove(this.#id);
    this.#release();
    this.#reject(reason());
  }

  #release() {
    clearTimeout(this.#timer);
    this.#ignoreSignal?.();
  }

  /** Called by the delivery. */
  settle(form, number, from) {
    this.#release();
    if (form === FORMS.NUMBER) return this.#resolve(number);
    const error = form === FORMS.ERROR
      ? errorFromCode(from.takeExtra(), from.takeExtra())
      : new InternalError(`a lock answered in the unknown form ${form}`);
    return this.#reject(error);
  }
}

function throwIfAborted(signal, what) {
  if (signal?.aborted) throw aborted(signal, what);
}

const tooLate = (what, timeout) => new LockTimeoutError(`${what} was not to be had within ${timeout} ms`);

const aborted = (signal, what) =>
  new LockAbortedError(`The wait for ${what.replace('The', 'the')} was aborted`, { cause: reasonOf(signal) });

const deadlock = (what) =>
  new LockDeadlockError(
    `${what} was given to a promise of this very thread, which cannot go on while the thread waits; ` +
      'do not mix the blocking and the asynchronous form of one lock in a thread',
  );

module.exports = { NOT_YET, checked, sleepFor, throwIfAborted, waitFor };
