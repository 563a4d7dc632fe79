'use strict';

/** The options of a script pool, beyond those of every pool: checked, and completed with their defaults. */

const { InvalidArgValueError } = require('../errors');
const {
  validateFunction,
  validateInteger,
  validateNumber,
  validateObject,
} = require('../validators');
const { AUTO } = require('./transfer');
const { BLOCK, LINGER, TAKE } = require('./steps');

/** Options of Node's Worker that are passed on as they are. */
const WORKER_OPTIONS = ['argv', 'env', 'execArgv', 'resourceLimits', 'stdin', 'stdout', 'stderr', 'trackUnmanagedFds'];

/** How long a blocking wait holds the worker, in milliseconds: `terminate()` waits as long. */
const BLOCK_SLICE = 50;

const WAITS = { event: LINGER, block: BLOCK };

/**
 * @param {object} options as the user gave them
 * @param {object} pool the settings of the pool (see pool-options.js)
 * @param {boolean} fixed whether the size was given as a number: so many workers, always
 */
function scriptSettings(options, pool, fixed) {
  const {
    workerData,
    concurrentTasksPerWorker = 1,
    killTimeout = 1000,
    wait = 'event',
    linger = 0,
    recycle,
  } = options;
  validateInteger(concurrentTasksPerWorker, 'options.concurrentTasksPerWorker', 1, 65_536);
  if (killTimeout !== Infinity) validateNumber(killTimeout, 'options.killTimeout', 0, 2 ** 31 - 1);
  if (!Object.hasOwn(WAITS, wait)) {
    throw new InvalidArgValueError('The "options.wait" argument must be \'event\' or \'block\'');
  }
  validateNumber(linger, 'options.linger', 0, BLOCK_SLICE);
  if (recycle !== undefined) checkRecycle(recycle);
  const keep = fixed ? pool.maxThreads : pool.minThreads;
  const worker = {};
  for (const name of WORKER_OPTIONS) if (options[name] !== undefined) worker[name] = options[name];
  const patience = wait === 'event' && linger === 0 ? TAKE : WAITS[wait];
  return {
    workerData,
    worker,
    concurrency: concurrentTasksPerWorker,
    killTimeout,
    patience,
    patienceTime: patience === BLOCK ? BLOCK_SLICE : linger,
    recycle,
    keep,
    idleTimeout: keep === pool.maxThreads ? Infinity : pool.idleTimeout,
    most: pool.maxThreads,
    name: pool.name,
  };
}

function checkRecycle(recycle) {
  validateObject(recycle, 'options.recycle');
  const { afterTasks, maxMemoryMb, afterMs } = recycle;
  if (afterTasks !== undefined && afterTasks !== Infinity) validateInteger(afterTasks, 'options.recycle.afterTasks', 1);
  if (maxMemoryMb !== undefined) validateNumber(maxMemoryMb, 'options.recycle.maxMemoryMb', 1);
  if (afterMs !== undefined) validateNumber(afterMs, 'options.recycle.afterMs', 1);
}

/** Options of a run that only scripts take. */
function scriptTerms({ onProgress, name, transfer }) {
  if (onProgress !== undefined) validateFunction(onProgress, 'options.onProgress');
  if (name !== undefined && typeof name !== 'string') {
    throw new InvalidArgValueError('The "options.name" argument must be the name of a function that the script exports');
  }
  return { onProgress, name, auto: transfer === AUTO };
}

module.exports = { scriptSettings, scriptTerms };
