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
const { LONGEST_TIMER, now } = require('../runtime/clock');
const { TaskTimeoutError, takesNoMoreTasks } = require('../errors');
const { Outcome, SLICE, interruptCheck, refuseOptions } = require('../task/blocking');
const { validateLimit } = require('../validators');
const { UNDECIDED } = require('./task-router');

/** Not `undefined`, with which a task may have no more than the promise's resolve function. */
const NO_OPTIONS = Object.freeze({});

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
  const outcome = new Outcome(native);
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
