'use strict';

/** What a job is for the pool: the task's name, its input, its options and its time limit. */

const { InvalidArgTypeError, TaskTimeoutError } = require('../errors');
const { describe, validateOptions } = require('../validators');
const { deadlineOf, timeoutOf } = require('./options');

/** What the `task` function may say of a run. The signal, the time limit and the progress are the job's. */
const TASK_OPTIONS = new Set(['priority', 'transfer', 'parallel']);
const NOT_HERE = {
  signal: 'a job is stopped by worker.cancelJob()',
  timeout: "set 'timeout' or 'deadline' of the worker: each may be a function of the job",
  onProgress: "what the task reports goes to job.updateProgress()",
  name: 'it is the first element of the array',
};

/** The name by which a job asks for the script's default export, or for its 'message' listener. */
const DEFAULT = 'default';
const NATIVE = /^native:/;

/** The longest time limit that a pool takes; a later one is none. */
const LONGEST = 2 ** 31 - 1;

/** A job as its script sees it with `input: 'job'`. */
function viewOf(job) {
  const { id, name, queueName, data, opts, timestamp, attemptsMade, attemptsStarted, stalledCounter } = job;
  return { id, name, queueName, data, opts, timestamp, attemptsMade, attemptsStarted, stalledCounter };
}

/** @returns {{ limit?: number, end: number }} the milliseconds left, and the deadline, in milliseconds since 1970 */
function limitOf(job, { timeout, deadline }) {
  const most = timeoutOf(typeof timeout === 'function' ? timeout(job) : timeout, 'options.timeout');
  const end = deadlineOf(typeof deadline === 'function' ? deadline(job) : deadline, 'options.deadline');
  const limit = Math.min(most, Math.max(0, end - Date.now()));
  return { limit: limit > LONGEST ? undefined : limit, end };
}

/**
 * @param {object} job BullMQ's
 * @param {object} settings as `processorOptions` returns them
 * @returns {Promise<{ name: string, input: unknown, options: object, limit?: number, end: number }>}
 */
async function submissionOf(job, settings) {
  const { task } = settings;
  const given = typeof task === 'function' ? await task(job) : task ?? job.name;
  const [name, input = settings.input === 'job' ? viewOf(job) : job.data, options = {}] = Array.isArray(given) ? given : [given];
  if (typeof name !== 'string') {
    throw new InvalidArgTypeError(
      `The "task" option must give a task's name, or [name, input, options]. Received ${describe(given)}`,
    );
  }
  const checked = { ...validateOptions(options, "the task's options", TASK_OPTIONS, NOT_HERE) };
  return { name, input, options: checked, ...limitOf(job, settings) };
}

/**
 * Runs a submission. In a pool with a script a name is the script's, unless it begins with `native:`; only the script's
 * functions report progress.
 *
 * @param {import('../pool/worker-pool').WorkerPool} pool
 * @param {AbortSignal} signal
 * @param {(value: unknown) => void} onProgress
 * @returns {Promise<unknown>} the task's output
 */
async function submit(pool, { name, input, options, limit }, signal, onProgress) {
  if (limit === 0) throw new TaskTimeoutError('the time of the job was up before it began');
  const controlled = { ...options, signal, timeout: limit };
  const hasScript = pool.options.concurrentTasksPerWorker !== undefined;
  if (!hasScript || NATIVE.test(name)) return pool.run(name, input, controlled);
  return pool.runTask(input, { ...controlled, onProgress, name: name === DEFAULT ? undefined : name });
}

/** How many tasks the pool runs at a time. */
function capacityOf(pool) {
  const { maxThreads, concurrentTasksPerWorker = 1 } = pool.options;
  return maxThreads * concurrentTasksPerWorker;
}

module.exports = { capacityOf, submissionOf, submit };
