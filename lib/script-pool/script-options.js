'use strict';

/** The options of a script pool, beyond those of every pool: checked, and completed with their defaults. */

const { InvalidArgValueError } = require('../errors');
const { NO_SEED } = require('../task/deterministic');
const { POOL, poolOptions } = require('../task/options');
const { readOptions, validateInteger, validateLimit, validateNumber, validateOptions } = require('../validators');
const { LONGEST_TIMER } = require('../runtime/clock');
const { checkResourceLimits } = require('../runtime/memory-limits');

const { IDLE_BLOCK, IDLE_LINGER, IDLE_NEVER } = require('../constants').SCRIPTS;

/** Options of Node's Worker that are passed on as they are. */
const WORKER_OPTIONS = ['argv', 'env', 'execArgv', 'resourceLimits', 'stdin', 'stdout', 'stderr', 'trackUnmanagedFds'];

/** The options of a pool with a script. */
const SCRIPT_POOL = new Set([
  ...POOL,
  ...WORKER_OPTIONS,
  'concurrentTasksPerWorker',
  'killTimeout',
  'linger',
  'recycle',
  'setupTimeout',
  'shutdownTimeout',
  'wait',
  'workerData',
]);

const LIMITS = new Set(['codeRangeSizeMb', 'maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb', 'stackSizeMb']);

const RECYCLE = new Set(['afterTasks', 'maxMemoryMb', 'afterMs']);

/** Options of Node's Worker that a pool cannot have. */
const NOT_FOR_POOLS = {
  eval: 'the script of a pool is a file or a URL',
  transferList: 'workerData is cloned for each of the workers, so nothing in it can be given away',
};

/** How long a blocking wait holds the worker, in milliseconds: `terminate()` waits as long. */
const BLOCK_SLICE = 50;

const WAITS = { event: IDLE_LINGER, block: IDLE_BLOCK };

/** @returns {object} the second argument of `new WorkerPool`, as options whose names all exist */
function scriptPoolOptions(given) {
  return readOptions(poolOptions(true, given), 'options', SCRIPT_POOL, NOT_FOR_POOLS);
}

/**
 * @param {object} options as `scriptPoolOptions` returns them
 * @param {object} pool the settings of the pool (see task/options.js)
 * @param {boolean} fixed whether the size was given as a number: so many workers, always
 * @returns {object} `shown`: what `pool.options` has of them, under the names they have there
 */
function scriptSettings(options, pool, fixed) {
  const {
    workerData,
    concurrentTasksPerWorker = 1,
    killTimeout = 1000,
    wait = 'event',
    linger = 0,
    recycle: recycling,
    setupTimeout = Infinity,
    shutdownTimeout = 1000,
  } = options;
  validateInteger(concurrentTasksPerWorker, 'options.concurrentTasksPerWorker', 1, 65_536);
  validateLimit(killTimeout, 'options.killTimeout', 0, LONGEST_TIMER);
  validateLimit(setupTimeout, 'options.setupTimeout', 1, LONGEST_TIMER);
  validateLimit(shutdownTimeout, 'options.shutdownTimeout', 0, LONGEST_TIMER);
  if (!Object.hasOwn(WAITS, wait)) {
    throw new InvalidArgValueError('The "options.wait" argument must be \'event\' or \'block\'');
  }
  validateNumber(linger, 'options.linger', 0, BLOCK_SLICE);
  checkResourceLimits(options.resourceLimits);
  // Node passes over names that it does not know: a misspelt limit would be none.
  if (options.resourceLimits !== undefined) validateOptions(options.resourceLimits, 'options.resourceLimits', LIMITS);
  const recycle = recycling === undefined ? undefined : recycleOptions(recycling);
  const keep = fixed ? pool.maxThreads : pool.minThreads;
  // Where one task runs at a time, a second worker would only make it matter which of them it is.
  const isSingle = pool.deterministic !== NO_SEED;
  const most = isSingle ? 1 : pool.maxThreads;
  const worker = {};
  for (const name of WORKER_OPTIONS) if (options[name] !== undefined) worker[name] = options[name];
  const waitPolicy = wait === 'event' && linger === 0 ? IDLE_NEVER : WAITS[wait];
  const shown = { concurrentTasksPerWorker, killTimeout, wait, linger, setupTimeout, shutdownTimeout, ...worker };
  if (recycle !== undefined) shown.recycle = { ...recycle };
  if (workerData !== undefined) shown.workerData = workerData;
  return {
    shown,
    workerData,
    worker,
    concurrency: concurrentTasksPerWorker,
    killTimeout,
    setupTimeout,
    shutdownTimeout,
    waitPolicy,
    waitTime: waitPolicy === IDLE_BLOCK ? BLOCK_SLICE : linger,
    recycle,
    keep: Math.min(keep, most),
    fixed,
    idleTimeout: pool.idleTimeout,
    most,
    isSingle,
    limited: new Set(Object.keys(pool.limits.tasks)),
    width: pool.maxThreads,
    name: pool.name,
  };
}

function recycleOptions(recycle) {
  const { afterTasks, maxMemoryMb, afterMs } = validateOptions(recycle, 'options.recycle', RECYCLE);
  if (afterTasks !== undefined && afterTasks !== Infinity) validateInteger(afterTasks, 'options.recycle.afterTasks', 1);
  if (maxMemoryMb !== undefined) validateNumber(maxMemoryMb, 'options.recycle.maxMemoryMb', 1);
  if (afterMs !== undefined) validateNumber(afterMs, 'options.recycle.afterMs', 1);
  return { afterTasks, maxMemoryMb, afterMs };
}

module.exports = { scriptPoolOptions, scriptSettings };
