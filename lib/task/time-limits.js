'use strict';

/**
 * The time limits of a task that has a `deadline` or a `runTimeout`, perhaps beside a `timeout`: whichever is up first ends
 * the task. Loaded with the first such task; one that has only a `timeout` does without (pending.js).
 *
 * A deadline is kept as a moment of the clock of runtime/clock.js, which is the same in every thread of the process. The
 * native side has the same limits in the task's token, stops the task by itself, and knows whether it had started. How long a
 * script's task has run is counted from when its worker says that it has taken the task: only the owner can end a worker
 * whose script does not look.
 */

const { types } = require('node:util');

const { now } = require('../runtime/clock');
const { REASONS } = require('../constants');
const { DeadlineError, InvalidArgTypeError, OutOfRangeError, TaskTimeoutError, withoutStack } = require('../errors');
const { describe } = require('../validators');

/** A number of milliseconds from now is not above this: a larger one is a moment, and a `Date` was meant. */
const LONGEST = 1e11;

/** How the error of a map begins that ends by the time limit of one input. */
const INPUT = /^input \d+: /;

/**
 * The option `deadline` as a moment of the clock.
 *
 * @param {unknown} given
 * @param {string} name of the option
 * @returns {number | undefined} undefined where it is so far away that there is none
 */
function momentOf(given, name) {
  let left = given;
  if (types.isDate(given)) {
    left = Date.prototype.getTime.call(given) - Date.now();
    if (Number.isNaN(left)) throw new OutOfRangeError(`The "${name}" argument must be a valid Date. Received Invalid Date`);
  } else if (typeof given !== 'number') {
    throw new InvalidArgTypeError(
      `The "${name}" argument must be a number of milliseconds from now, or a Date. Received ${describe(given)}`,
    );
  } else if (Number.isNaN(given)) {
    throw new OutOfRangeError(`The "${name}" argument must be a number of milliseconds from now, or a Date. Received NaN`);
  } else if (given > LONGEST && given !== Infinity) {
    throw new OutOfRangeError(
      `The "${name}" argument must be a number of milliseconds from now, of at most ${LONGEST}. Received ${given}, ` +
        `which looks like a moment: pass new Date(${given})`,
    );
  }
  return left > LONGEST ? undefined : now() + left;
}

/** The sooner of two moments; undefined stands for never. */
function sooner(one, other) {
  if (one === undefined) return other;
  return other === undefined || one < other ? one : other;
}

/** Milliseconds that are left until a moment, as the option `deadline` takes them again. */
const leftUntil = (moment) => moment - now();

/** The error of a task whose deadline has passed. */
function deadlineError(task, started) {
  const what = started ? 'was still running at' : 'could not start before';
  return withoutStack(() => new DeadlineError(`task '${task}' ${what} its deadline`, { started }));
}

class TimeLimits {
  #pending;
  #holds;
  #timeout;
  /** The moments at which they are up. `#runEnd` is known once the task has started. */
  #timeUp;
  #deadline;
  #runEnd;
  #runTimeout;

  /**
   * @param {import('./pending').Pending} pending
   * @param {{ timeout?: number, deadline?: number, runTimeout?: number }} options `deadline`: a moment
   * @param {boolean} holds whether the timer keeps the event loop alive
   */
  constructor(pending, { timeout, deadline, runTimeout }, holds) {
    this.#pending = pending;
    this.#holds = holds;
    this.#timeout = timeout;
    this.#deadline = deadline;
    this.#runTimeout = runTimeout;
    if (timeout !== undefined) this.#timeUp = now() + timeout;
  }

  /** Ends the task if its deadline has passed; else waits for what is up first. */
  begin() {
    if (this.#deadline !== undefined && this.#deadline <= now()) {
      const { task } = this.#pending;
      this.#pending.end(withoutStack(() => new DeadlineError(`task '${task}' was submitted after its deadline`, { started: false })));
    } else {
      this.#wait();
    }
  }

  /** A worker of a script has taken the task, so many milliseconds ago. */
  started(ago) {
    if (this.#runTimeout === undefined || this.#pending.isSettled) return;
    this.#runEnd = now() - ago + this.#runTimeout;
    this.#wait();
  }

  get #first() {
    return sooner(sooner(this.#timeUp, this.#deadline), this.#runEnd);
  }

  #wait() {
    const first = this.#first;
    if (first === undefined) return;
    this.#pending.limitTime(Math.max(0, Math.ceil(first - now())), () => this.#look(), this.#holds);
  }

  /** The longest timer is shorter than the longest deadline. */
  #look() {
    if (this.#first > now()) this.#wait();
    else this.#pending.timerEnds();
  }

  /** Ends the task: the time is up that is up first. */
  timeUp() {
    const isDeadline = this.#deadline !== undefined && this.#first === this.#deadline;
    const reason = isDeadline ? REASONS.DEADLINE_PASSED : REASONS.TIMED_OUT;
    this.#pending.endLate(reason, (started) => (isDeadline ? deadlineError(this.#pending.task, started) : this.#timeoutError('')));
  }

  /** Whether the deadline has passed. */
  get isPastDeadline() {
    return this.#deadline !== undefined && this.#deadline <= now();
  }

  /** The caller's error for one of the native side, which may see first that a time is up. */
  told(error) {
    if (error instanceof DeadlineError) return deadlineError(this.#pending.task, error.started);
    if (!(error instanceof TaskTimeoutError)) return error;
    // It came by Node's port, without a reason.
    if (this.#timeout === undefined && this.#runTimeout === undefined) return deadlineError(this.#pending.task, true);
    return this.#timeoutError(INPUT.exec(error.message)?.[0] ?? '');
  }

  #timeoutError(where) {
    const { task } = this.#pending;
    const isRun = this.#timeout === undefined || (this.#runTimeout !== undefined && (where !== '' || now() < this.#timeUp));
    const text = isRun ? `ran for longer than ${this.#runTimeout} ms` : `took longer than ${this.#timeout} ms`;
    return withoutStack(() => new TaskTimeoutError(`${where}task '${task}' ${text}`));
  }
}

/** Lets the time limits of a task end it. */
function limitTask(pending, options, holds) {
  const limits = new TimeLimits(pending, options, holds);
  limits.begin();
  return limits;
}

module.exports = { deadlineError, leftUntil, limitTask, momentOf, sooner };
