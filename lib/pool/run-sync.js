'use strict';

/**
 * `runSync`: blocks this thread until its task is answered.
 *
 * The task is submitted as `run` submits it. Then the thread waits for the events of its environment and reads them, quietly: the
 * promises of other tasks are settled and what the workers ask for is given, but nothing of the program's runs, since the caller
 * is in the middle of its own code (lib/delivery.js). So whatever a task may need of its owner it gets, and an answer is known by its
 * task's id: one that comes too late finds no entry, and never reaches a later call.
 *
 * What an event loop would do besides is done here, between two slices of the wait: time limits, ends of workers, and the
 * deadlines of tasks that do not stop (`WorkerManager.lookWhileBlocked`). A Worker's thread starts, and loads the script, without its
 * parent's event loop. Between two slices a JavaScript function is called, where V8 sees that the thread must end, or that the `timeout`
 * of `vm` is over: then the task goes on, and nobody gets its answer.
 */

const { binding } = require('../native');
const { settleBy } = require('../answer-errors');
const { LONGEST_TIMER, now } = require('../runtime/clock');
const { InvalidArgValueError, TaskTimeoutError, takesNoMoreTasks } = require('../errors');
const { validateLimit, validateObject } = require('../validators');
const { UNDECIDED } = require('./task-router');

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

/** Not `undefined`, with which a task may have no more than the promise's resolve function. */
const NO_OPTIONS = Object.freeze({});

/** Where the task's outcome comes to, and its time limit. */
class Outcome {
  isSettled = false;
  hasFailed = false;
  value;
  native;
  #ends = Infinity;
  #timeUp;

  resolve = (outcome) => settleBy(outcome, (value) => this.#settle(false, value), this.reject);

  reject = (error) => this.#settle(true, error);

  constructor() {
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
    this.native.isBlocked = true;
    this.#timeUp();
    this.native.isBlocked = false;
    return 0;
  }
}

/** V8 looks for interrupts in calls of this function. */
function interruptCheck() {}

/**
 * @param {import('../task/native-pool').NativePool} native
 * @param {import('./admission').Admission} admission
 * @param {import('./task-router').TaskRouter | import('./native-submitter').NativeSubmitter} tasks
 * @param {string} task
 * @param {unknown} input
 * @param {object} [options]
 * @returns {unknown} the task's output
 * @throws what `run` would reject with
 */
function runSync(native, admission, tasks, task, input, options = NO_OPTIONS) {
  if (options !== NO_OPTIONS) refuseOptions(options);
  if (admission.isClosed) throw takesNoMoreTasks(task);
  const { workers } = native;
  const outcome = new Outcome();
  outcome.native = native;
  if (workers !== undefined && tasks.ownerOf(task, options) === UNDECIDED) options = awaitExports(workers, task, options);
  tasks.run(task, input, options, outcome.resolve, outcome.reject);
  blockUntil(() => isSettled(outcome, native), () => outcome.untilLimit(), workers);
  // The caller is on the stack, so it costs nothing to show it.
  if (outcome.hasFailed) require('./call-sites').throwHere(outcome.value, `WorkerPool.runSync (task '${String(task)}')`);
  return outcome.value;
}

/** A pool whose order can be repeated begins nothing of itself, and its steps come by the event loop. */
function isSettled(outcome, native) {
  if (!outcome.isSettled) native.step?.();
  return outcome.isSettled;
}

function refuseOptions(options) {
  validateObject(options, 'options');
  for (const name in options) {
    if (name in REFUSED && Object.hasOwn(options, name)) {
      throw new InvalidArgValueError(`unknown option '${name}'; runSync does not have it: ${REFUSED[name]}`);
    }
  }
}

/** Blocks until it is known what the script exports; the options with the time that is left. */
function awaitExports(workers, task, options) {
  const { timeout } = options;
  const until = now() + (validateLimit(timeout, 'options.timeout', 0, LONGEST_TIMER) ?? Infinity);
  workers.loadFailure = undefined;
  let isKnown = false;
  workers.whenLoaded(() => (isKnown = true));
  const isOver = () => isKnown || workers.exports !== undefined || workers.loadFailure !== undefined || now() >= until;
  blockUntil(isOver, () => Math.max(0, until - now()), workers);
  if (workers.exports !== undefined) {
    return until === Infinity ? options : Object.create(options, { timeout: { value: Math.max(0, until - now()) } });
  }
  if (workers.loadFailure !== undefined) throw workers.loadFailure;
  throw new TaskTimeoutError(`task '${task}' took longer than ${timeout} ms: the script has not been loaded by then`);
}

function blockUntil(isDone, untilLimit, workers) {
  let looked = workers === undefined ? Infinity : now();
  while (!isDone()) {
    const time = Math.min(SLICE, untilLimit());
    if (isDone()) return;
    binding.waitForEvents(time);
    interruptCheck();
    if (now() - looked < SLICE) continue;
    workers.lookWhileBlocked();
    looked = now();
  }
}

module.exports = { runSync };
