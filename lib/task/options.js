'use strict';

/** The options of a pool and of a run: checked, and completed with their defaults. */

const { InvalidArgTypeError, InvalidArgValueError, OutOfRangeError } = require('../errors');
const {
  describe,
  readOptions,
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateInteger,
  validateLimit,
  validateNames,
  validateNumber,
  validateOptions,
  validatePriority,
  validateString,
  withoutPollution,
} = require('../validators');
const { LONGEST_TIMER } = require('../runtime/clock');
const { CALLEES, CONTEXT, contextOf } = require('./task-context');
const { defaultSize } = require('./default-size');
const { deterministicSettings } = require('./deterministic');
const { checkNiceIncrement } = require('./nice-increment');
const { queueOrder } = require('./queue-order');
const { limitsOption } = require('./task-limits');

const MAX_THREADS = 1024;
const KIB = 1024;

/** The options of every pool. */
const POOL = new Set([
  'aging',
  'cache',
  'callSites',
  'deterministic',
  'idleTimeout',
  'limits',
  'maxQueue',
  'maxThreads',
  'minThreads',
  'name',
  'niceIncrement',
  'packs',
  'queueOrder',
  'stackSize',
]);

/** Options that a pool without a script does not have, but other pools do. */
const NEEDS_SCRIPT = notHere(
  [
    'workerData', 'concurrentTasksPerWorker', 'killTimeout', 'wait', 'linger', 'recycle', 'argv', 'env', 'execArgv',
    'resourceLimits', 'setupTimeout', 'shutdownTimeout', 'stdin', 'stdout', 'stderr', 'trackUnmanagedFds',
  ],
  'it is for pools with a script: new WorkerPool(script, options)',
);

/** The options of a task. */
const RUN = new Set([
  'deadline',
  'key',
  'onProgress',
  'parallel',
  'priority',
  'progress',
  'runTimeout',
  'signal',
  'timeout',
  'transfer',
]);

/**
 * The options of a task of a script. A new option also goes into `isPolluted` and `submitOptions` below, and into
 * pool/map-task-options.js.
 */
const SCRIPT_RUN = new Set([
  ...RUN,
  'filename',
  'name',
  'onOutput',
  'spread',
  'worker',
]);

/** Options that pool/shared-runs.js reads, and takes away; `map` does not have them. */
const SHARED = ['cache', 'dedupe', 'retries'];
const RUN_ALONE = new Set([...RUN, 'cache', 'dedupe']);
const SCRIPT_RUN_ALONE = new Set([...SCRIPT_RUN, ...SHARED]);

/** Options of a script's task that a native one does not have. */
const OF_SCRIPTS = {
  ...notHere(['filename', 'name', 'onOutput', 'worker'], "it is for a script's functions, and this is a native task"),
  retries: "it is for a script's functions: a native task loses no worker",
  spread: 'a native task takes one input',
};

/** What a native task has of them. */
const NO_MORE = Object.freeze({
  __proto__: null,
  filename: undefined,
  name: undefined,
  onOutput: undefined,
  spread: undefined,
  worker: undefined,
});

/** Who says how many threads a pool may have. The native side keeps the place of one of them. */
const SIZE_FROM = ['option', 'environment', 'cpus'];

/** The same, for an error about that. */
const SAID_BY = {
  option: '',
  environment: ', of the environment variable RUST_WORKERS_THREADS',
  cpus: ', the number of CPUs that this process may use; give "maxThreads" too',
};

const CACHE = new Set(['max', 'ttl']);
const USUAL_CACHE = Object.freeze({ max: 1000, ttl: Infinity });

const CLOSE = new Set(['cancelQueued', 'force', 'timeout']);

function notHere(names, says) {
  return Object.fromEntries(names.map((name) => [name, says]));
}

/**
 * The second argument of `new WorkerPool(script, size | options)`, as options.
 *
 * @param {boolean} hasScript
 * @param {unknown} given
 */
function poolOptions(hasScript, given) {
  if (hasScript && typeof given === 'number') return { maxThreads: validateInteger(given, 'size', 1, MAX_THREADS) };
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given;
  // The option that was probably meant, as an example.
  const size = /^[1-9]\d*$/.test(describe(given).replaceAll("'", '')) ? Number(given) : 4;
  const received = `Received ${describe(given)}`;
  if (hasScript) {
    throw new InvalidArgTypeError(
      'The "size" argument must be a number of workers, or an object of options. ' +
        `${received}; for ${size} workers: new WorkerPool(script, ${size})`,
    );
  }
  throw new InvalidArgTypeError(
    'The "options" argument must be an object; or else a script, its path or URL, comes first. ' +
      `${received}; for ${size} threads: new WorkerPool({ maxThreads: ${size} }), ` +
      `for ${size} workers of a script: new WorkerPool(script, ${size})`,
  );
}

/**
 * @param {object} options as the user passed them, checked for names that do not exist
 * @returns {object} as `createPool` takes them; `maxThreadsFrom` by its place in SIZE_FROM
 */
function poolSettings(options) {
  const given = options.maxThreads;
  const { maxThreads, from } = given === undefined ? defaultSize(MAX_THREADS) : { maxThreads: given, from: 'option' };
  const {
    minThreads = 0,
    idleTimeout = 10_000,
    maxQueue = Infinity,
    stackSize = 2 * KIB * KIB,
    name = 'rust-workers',
    niceIncrement = 0,
  } = options;
  validateInteger(maxThreads, 'options.maxThreads', 1, MAX_THREADS);
  validateInteger(minThreads, 'options.minThreads', 0, MAX_THREADS);
  if (minThreads > maxThreads) {
    throw new OutOfRangeError(
      `"options.minThreads" (${minThreads}) must not be above "options.maxThreads" (${maxThreads}${SAID_BY[from]})`,
    );
  }
  validateNumber(idleTimeout, 'options.idleTimeout', 0);
  if (maxQueue === 'auto') {
    throw new InvalidArgTypeError(
      'The "options.maxQueue" argument must be an integer of at least 0, or Infinity. Received \'auto\'; ' +
        `what piscina makes of that is the square of maxThreads, here ${maxThreads ** 2}`,
    );
  }
  if (maxQueue !== Infinity) validateInteger(maxQueue, 'options.maxQueue', 0);
  validateInteger(stackSize, 'options.stackSize', 256 * KIB, 1024 * KIB * KIB);
  validateString(name, 'options.name');
  if (name.includes('\0')) throw new InvalidArgValueError('"options.name" must not contain a NUL character');
  checkNiceIncrement(niceIncrement);
  const packs = options.packs === undefined ? undefined : { packs: require('./packs').packsOption(options.packs) };
  const order = { ...queueOrder(options), limits: limitsOption(options.limits) };
  const cache = cacheSettings(options.cache);
  const { callSites = process.env.RUST_WORKERS_CALL_SITES === '1' } = options;
  validateBoolean(callSites, 'options.callSites');
  return {
    minThreads, maxThreads, maxThreadsFrom: SIZE_FROM.indexOf(from), idleTimeout, maxQueue, stackSize, name, niceIncrement, cache,
    callSites,
    ...packs,
    ...order,
    ...deterministicSettings(options),
  };
}

/**
 * Arguments of `new WorkerPool` that would go unheard.
 *
 * @param {boolean} hasScript
 * @param {unknown} first
 * @param {unknown} second the size or the options of a pool with a script
 * @param {unknown} third nothing
 */
function refuseMore(hasScript, first, second, third) {
  const forms = 'There are new WorkerPool(script, size), new WorkerPool(script, options) and new WorkerPool(options)';
  if (third !== undefined) {
    throw new InvalidArgTypeError(`A pool takes two arguments at the most. Received a third one, ${describe(third)}. ${forms}`);
  }
  if (!hasScript && second !== undefined) {
    throw new InvalidArgTypeError(
      'The "script" argument must be the path or the URL of a file where another argument follows. ' +
        `Received ${describe(first)}. ${forms}`,
    );
  }
}

/** The options of a pool without a script. */
function nativePoolOptions(given) {
  return readOptions(poolOptions(false, given), 'options', POOL, NEEDS_SCRIPT);
}

/** Whether `Object.prototype` has one of the options of a run: with their names spelled out it costs next to nothing. */
function isPolluted() {
  const { prototype } = Object;
  return (
    'deadline' in prototype ||
    'filename' in prototype ||
    'key' in prototype ||
    'name' in prototype ||
    'onOutput' in prototype ||
    'onProgress' in prototype ||
    'parallel' in prototype ||
    'priority' in prototype ||
    'progress' in prototype ||
    'runTimeout' in prototype ||
    'signal' in prototype ||
    'spread' in prototype ||
    'timeout' in prototype ||
    'transfer' in prototype ||
    'worker' in prototype
  );
}

/** The bag of one run's options, checked for names that do not exist; `known` as in `validateOptions`. */
function runOptions(options, known, notKnownHere) {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw new InvalidArgTypeError(
      `The "options" argument must be an object. Received ${describe(options)}. ` +
        'A task has one input: to give it more, pass an array or an object',
    );
  }
  validateNames(options, 'options', known, notKnownHere);
  if (!isPolluted()) return options;
  return { __proto__: null, ...withoutPollution(options, known), [CONTEXT]: options[CONTEXT], [CALLEES]: options[CALLEES] };
}

/**
 * Checks the options of one run. Each is read once: it may be a getter.
 *
 * @param {object} options
 * @param {boolean} [native] whether the task is native: it takes fewer
 * @returns {{ priority: number, key?: string, signal?: AbortSignal, timeout?: number, deadline?: number, runTimeout?: number,
 *   transfer?: object[] | 'auto', parallel: boolean, filename?: string | URL, name?: string,
 *   onOutput?: Function, onProgress?: Function, spread: boolean, callForm: number, worker?: number, context?: object,
 *   outerSignal?: AbortSignal }} `deadline`: a moment of the clock of runtime/clock.js; 'auto' is for scripts, which look for
 *   themselves; `context`: see task-context.js; `outerSignal`: its signal, beside one of the task's own
 */
function submitOptions(options, native = false) {
  const bag = native ? runOptions(options, RUN_ALONE, OF_SCRIPTS) : runOptions(options, SCRIPT_RUN_ALONE);
  const context = contextOf(bag);
  const usual = context === undefined ? 0 : context.priority;
  const { priority = usual, key, signal, timeout, deadline, runTimeout, transfer, parallel = false, onProgress, progress = 'all' } = bag;
  const { filename, name, onOutput, spread = false, worker } = native ? NO_MORE : bag;
  validatePriority(priority, 'options.priority');
  if (key !== undefined) validateString(key, 'options.key');
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  const limit = validateLimit(timeout, 'options.timeout', 0, LONGEST_TIMER);
  const runLimit = validateLimit(runTimeout, 'options.runTimeout', 0, LONGEST_TIMER);
  const moment = deadline === undefined ? undefined : require('./time-limits').momentOf(deadline, 'options.deadline');
  const isAuto = transfer === 'auto';
  if (transfer !== undefined && !isAuto && !Array.isArray(transfer)) {
    throw new InvalidArgTypeError(
      'The "options.transfer" argument must be an array of ArrayBuffers and ports, or \'auto\' for all that are in the input. ' +
        `Received ${describe(transfer)}`,
    );
  }
  validateBoolean(parallel, 'options.parallel');
  if (onOutput !== undefined) validateFunction(onOutput, 'options.onOutput');
  if (onProgress !== undefined) validateFunction(onProgress, 'options.onProgress');
  if (progress !== 'all' && progress !== 'latest') {
    throw new InvalidArgValueError(`The "options.progress" argument must be 'all' or 'latest'. Received ${describe(progress)}`);
  }
  if (name !== undefined && typeof name !== 'string') {
    throw new InvalidArgValueError('The "options.name" argument must be the name of a function that the script exports');
  }
  validateBoolean(spread, 'options.spread');
  if (worker !== undefined) validateInteger(worker, 'options.worker', 0);
  const checked = {
    priority,
    key,
    signal,
    timeout: limit,
    deadline: moment,
    runTimeout: runLimit,
    transfer: isAuto && native ? undefined : transfer,
    parallel,
    filename,
    name,
    onOutput,
    onProgress,
    progress,
    spread,
    worker,
    // Of a script's task: in which form its function is called. lib/script-pool sets it.
    callForm: 0,
    context: undefined,
    outerSignal: undefined,
    // Functions of this thread that it may call (task-context.js).
    callees: bag[CALLEES],
    // Of the tasks of a map: what stops all of them (cancel-group.js).
    group: undefined,
  };
  context?.join(checked);
  return checked;
}

/** The options of a call as an object of their own, to be joined with others: those that they inherit from a class too. */
function ownOptions(given) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const own = { ...given };
  const others = [...SCRIPT_RUN_ALONE, 'highWaterMark'].filter((name) => !Object.hasOwn(own, name));
  return { ...withoutPollution(given, others), ...own };
}

/** Whether options of a run ask for what pool/shared-runs.js does. */
function sharesRuns(options) {
  if (typeof options !== 'object' || options === null) return false;
  try {
    // Not read: they may be getters, which run once.
    return 'cache' in options || 'dedupe' in options || 'retries' in options;
  } catch {
    // A Proxy may refuse to tell.
    return false;
  }
}

/** The settings of a pool's cache. */
function cacheSettings(given) {
  if (given === undefined) return USUAL_CACHE;
  const { max = USUAL_CACHE.max, ttl = USUAL_CACHE.ttl } = validateOptions(given, 'options.cache', CACHE);
  validateInteger(max, 'options.cache.max', 1);
  validateNumber(ttl, 'options.cache.ttl', 0);
  return Object.freeze({ max, ttl });
}

/** @returns {{ force: boolean, timeout?: number, cancelQueued: boolean }} the options of `close` */
function closeOptions(options) {
  const { force = false, timeout, cancelQueued = false } = validateOptions(options, 'options', CLOSE);
  if (timeout !== undefined) validateNumber(timeout, 'options.timeout', 0);
  validateBoolean(force, 'options.force');
  validateBoolean(cancelQueued, 'options.cancelQueued');
  return { force, timeout, cancelQueued };
}

module.exports = {
  MAX_THREADS, OF_SCRIPTS, POOL, RUN, SCRIPT_RUN, SIZE_FROM, closeOptions, nativePoolOptions, ownOptions, poolOptions, poolSettings,
  refuseMore, sharesRuns, submitOptions,
};
