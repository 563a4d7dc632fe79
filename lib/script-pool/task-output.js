'use strict';

/**
 * The output of tasks whose callers want it, in a worker: what is written to `process.stdout` and `process.stderr` (so also
 * by `console`) in the async context of such a task goes to its caller, while the task runs, and not to the worker's own streams.
 *
 * The context tells whose output it is, also of several tasks at a time, and of code that others have begun. Not seen is what
 * does not go by `write` of these streams: native addons, child processes with inherited streams, `fs.writeSync(1, …)`.
 */

const { AsyncLocalStorage } = require('node:async_hooks');

const { takeWrites } = require('../runtime/stream-writes');
const { PROGRESS, STREAMS } = require('./told-output');

const tasks = new AsyncLocalStorage();
let isWatching = false;

/** A task with a caller that listens: its job, and whether its function is being called. */
class TaskOutput {
  isCalled = false;
  #runner;
  #job;

  constructor(runner, job) {
    this.#runner = runner;
    this.#job = job;
    job.reported = (value) => [PROGRESS, value];
  }

  get isRunning() {
    return this.isCalled || this.#runner.open.has(this.#job.id);
  }

  /** Tells the caller what was written. */
  tell(stream, chunk) {
    this.#runner.answers.output(this.#job, [stream, chunk]);
  }
}

/** Takes what the tasks write to a stream. */
function watch(number) {
  takeWrites(process[STREAMS[number]], () => {
    const output = tasks.getStore();
    return output?.isRunning ? (chunk) => output.tell(number, chunk) : undefined;
  });
}

/**
 * A function whose output goes to the caller of its task.
 *
 * @param {import('./runner').Runner} runner
 * @param {import('./task').Job} job
 * @param {Function} run
 */
function withOutput(runner, job, run) {
  if (!isWatching) {
    isWatching = true;
    for (let number = 1; number < STREAMS.length; number++) watch(number);
  }
  const output = new TaskOutput(runner, job);
  const call = (input) => {
    output.isCalled = true;
    try {
      return run(input);
    } finally {
      output.isCalled = false;
    }
  };
  return (input) => tasks.run(output, call, input);
}

module.exports = { withOutput };
