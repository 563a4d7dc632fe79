'use strict';

/** What threads that block until a task is answered have in common: pool/run-sync.js, and script-pool/blocked-worker.js. */

const { settleBy } = require('../answer-errors');
const { now } = require('../runtime/clock');
const { InvalidArgValueError } = require('../errors');
const { validateObject } = require('../validators');

/** Milliseconds: what a slice takes, and so what `terminate()` waits for. */
const SLICE = 20;

/** Options of `run` that a thread which is blocked cannot serve. */
const REFUSED = {
  __proto__: null,
  signal: 'no signal can abort while this thread is blocked: use `timeout`',
  onOutput: 'nothing can be told while this thread is blocked',
  onProgress: 'nothing can be told while this thread is blocked',
  progress: 'nothing can be told while this thread is blocked',
  dedupe: 'nobody else can wait for this task while this thread is blocked',
  cache: 'it is for run()',
  retries: 'it is for run()',
};

/** Where the task's outcome comes to, and its time limit. */
class Outcome {
  isSettled = false;
  hasFailed = false;
  value;
  #native;
  #ends = Infinity;
  #timeUp;

  resolve = (outcome) => settleBy(outcome, (value) => this.#settle(false, value), this.reject);

  reject = (error) => this.#settle(true, error);

  /** @param {{ isBlocked?: boolean }} native the pool of the task: told that this thread is blocked while a time limit ends it */
  constructor(native) {
    this.#native = native;
    // `Cancellable` tells it of the time limit.
    this.reject.inPlace = this;
  }

  #settle(hasFailed, value) {
    if (this.isSettled) return;
    this.isSettled = true;
    this.hasFailed = hasFailed;
    this.value = value;
  }

  /** The task gets a time limit, in place of the one that it had. */
  limit(milliseconds, timeUp) {
    this.#ends = now() + milliseconds;
    this.#timeUp = timeUp;
  }

  /** How long there is nothing to do for its time limit. One that is due ends the task, or is followed by another. */
  untilLimit() {
    if (this.#ends === Infinity) return Infinity;
    const left = this.#ends - now();
    if (left > 0) return left;
    this.#ends = Infinity;
    this.#native.isBlocked = true;
    this.#timeUp();
    this.#native.isBlocked = false;
    return 0;
  }
}

/** V8 looks for interrupts in calls of this function. */
function interruptCheck() {}

function refuseOptions(options) {
  validateObject(options, 'options');
  for (const name in options) {
    if (name in REFUSED && Object.hasOwn(options, name)) {
      throw new InvalidArgValueError(`unknown option '${name}'; runSync does not have it: ${REFUSED[name]}`);
    }
  }
}

module.exports = { Outcome, SLICE, interruptCheck, refuseOptions };
