'use strict';

/** The options of the calls that take many inputs: their own, and those of each task. */

const { AsyncResource } = require('node:async_hooks');

const { OF_SCRIPTS, RUN, SCRIPT_RUN, submitOptions } = require('../task/options');
const { CALLEES, CONTEXT } = require('../task/task-context');
const { validateBoolean, validateInteger, validateOptions } = require('../validators');

const MAP = ['settle'];
const STREAM = ['concurrency', 'highWaterMark', 'ordered', 'settle'];

/** Options that `run` and `runTask` alone have; and those that a native task does not have either. */
const OF_ONE = Object.fromEntries(
  ['cache', 'dedupe', 'retries'].map((name) => [name, 'it is an option of single tasks: of run and runTask']),
);
const OF_NEITHER = { ...OF_SCRIPTS, ...OF_ONE };

/** The names of each call's options, by whether its task is native. */
const known = new Map();

function knownTo(own, native) {
  let names = known.get(own);
  if (names === undefined) {
    names = { native: new Set([...RUN, ...own]), script: new Set([...SCRIPT_RUN, ...own]) };
    known.set(own, names);
  }
  return native ? names.native : names.script;
}

/**
 * Reads each option once.
 *
 * @param {unknown} given
 * @param {readonly string[]} own names of the call's own options
 * @param {boolean} native
 * @returns {[own: object, run: object]} those of the call, and those of each task
 */
function divide(given, own, native) {
  const bag = validateOptions(given, 'options', knownTo(own, native), native ? OF_NEITHER : OF_ONE);
  const mine = { __proto__: null };
  const run = { __proto__: null };
  for (const name of own) mine[name] = bag[name];
  for (const name of native ? RUN : SCRIPT_RUN) {
    const { [name]: value } = bag;
    if (value !== undefined) run[name] = value;
  }
  for (const internal of [CALLEES, CONTEXT]) if (given[internal] !== undefined) run[internal] = given[internal];
  return [mine, run];
}

/** What is told of the tasks is told in the async context of this call, whichever one they are submitted in. */
function bindListeners(options) {
  for (const name of ['onOutput', 'onProgress']) {
    if (options[name] !== undefined) options[name] = AsyncResource.bind(options[name]);
  }
}

const validateCount = (value, name, least) => (value === Infinity ? value : validateInteger(value, name, least));

/** The options of `map`: as `submitOptions` returns them, and `settle`. */
function mapOptions(given, native) {
  const [{ settle = false }, run] = divide(given, MAP, native);
  validateBoolean(settle, 'options.settle');
  const checked = submitOptions(run, native);
  checked.settle = settle;
  bindListeners(checked);
  return checked;
}

/**
 * The options of `stream`.
 *
 * @param {unknown} given
 * @param {boolean} native whether the task is native
 * @param {number} usual how many tasks are under way where the caller does not say
 * @param {readonly string[]} [more] names of further options, of what is built on a stream
 * @returns {{ concurrency: number, highWaterMark: number, ordered: boolean, settle: boolean, signal?: AbortSignal,
 *   outerSignal?: AbortSignal, deadline?: number, transferOf?: (input: unknown) => unknown, transfer?: object[] | 'auto', run: object, more: object }} `run`: the options of
 *   each task
 */
function streamOptions(given, native, usual, more = []) {
  const [mine, run] = divide(given, streamNames(more), native);
  const { concurrency = usual, highWaterMark = concurrency, ordered = true, settle = false, ...others } = mine;
  validateCount(concurrency, 'options.concurrency', 1);
  validateCount(highWaterMark, 'options.highWaterMark', 0);
  validateBoolean(ordered, 'options.ordered');
  validateBoolean(settle, 'options.settle');
  const transferOf = typeof run.transfer === 'function' ? run.transfer : undefined;
  if (transferOf !== undefined) delete run.transfer;
  const { signal, outerSignal, transfer, deadline, priority, context } = submitOptions(run, native);
  if (context !== undefined) {
    run[CONTEXT] = context.inner;
    run.priority = priority;
  }
  bindListeners(run);
  delete run.deadline;
  delete run.signal;
  delete run.transfer;
  const hasHighWaterMark = mine.highWaterMark !== undefined;
  return {
    concurrency, highWaterMark, hasHighWaterMark, ordered, settle, signal, outerSignal, deadline, transferOf, transfer, run, more: others,
  };
}

const lists = new Map([['', STREAM]]);
function streamNames(more) {
  const key = more.join();
  let list = lists.get(key);
  if (list === undefined) lists.set(key, (list = [...STREAM, ...more]));
  return list;
}

/** Options of Node's Transform, which are passed on. */
const SIDES = ['objectMode', 'readableHighWaterMark', 'readableObjectMode', 'writableHighWaterMark', 'writableObjectMode'];

/**
 * The options of `transform`: those of `stream`, but that `highWaterMark` is that of both sides of the Transform.
 *
 * @returns {[options: object, sides: object]} as `streamOptions` returns them; and what the Transform is to be told
 */
function transformOptions(given, native, usual) {
  const options = streamOptions(given, native, usual, SIDES);
  const { objectMode = true, readableObjectMode = objectMode, writableObjectMode = objectMode, ...waterMarks } = options.more;
  validateBoolean(objectMode, 'options.objectMode');
  validateBoolean(readableObjectMode, 'options.readableObjectMode');
  validateBoolean(writableObjectMode, 'options.writableObjectMode');
  const sides = { readableObjectMode, writableObjectMode };
  if (options.hasHighWaterMark) sides.highWaterMark = options.highWaterMark;
  for (const name of ['readableHighWaterMark', 'writableHighWaterMark']) {
    const { [name]: value } = waterMarks;
    if (value !== undefined) sides[name] = validateCount(value, `options.${name}`, 0);
  }
  options.highWaterMark = options.concurrency;
  return [options, sides];
}

/** The options of `forEach` and `reduce`, and those of a script's function; the others of a task are refused. */
const MANY = ['deadline', 'priority', 'signal', 'timeout'];
const MANY_OF_SCRIPT = ['filename', 'onOutput', 'worker'];
const EACH = { native: new Set(MANY), script: new Set([...MANY, ...MANY_OF_SCRIPT]) };
const REDUCE = new Set([...EACH.script, 'associative']);
const NOT_OF_MANY = {
  ...OF_ONE,
  concurrency: "here 'maxThreads' and the inputs decide",
  name: 'the name of the task is the first argument',
  onProgress: 'it is an option of single tasks, and of map and stream',
  parallel: 'the inputs are divided among the threads anyway',
  runTimeout: "here 'timeout' is that of the whole call",
  settle: 'it is an option of map and stream',
  transfer: 'it is an option of map and stream: here the inputs are copied',
};
const NOT_OF_MANY_NATIVE = { ...OF_SCRIPTS, ...NOT_OF_MANY };

/** @returns {object} the options of `forEach`, as `submitOptions` returns them */
function forEachOptions(given, native) {
  return manyOptions(validateOptions(given, 'options', native ? EACH.native : EACH.script, native ? NOT_OF_MANY_NATIVE : NOT_OF_MANY));
}

/** @returns {[options: object, associative: boolean]} the options of `reduce` */
function reduceOptions(given) {
  const bag = validateOptions(given, 'options', REDUCE, NOT_OF_MANY);
  const { associative = false } = bag;
  return [manyOptions(bag), validateBoolean(associative, 'options.associative')];
}

function manyOptions(bag) {
  const options = { __proto__: null };
  for (const name of EACH.script) {
    const { [name]: value } = bag;
    if (value !== undefined) options[name] = value;
  }
  if (bag[CONTEXT] !== undefined) options[CONTEXT] = bag[CONTEXT];
  const checked = submitOptions(options);
  bindListeners(checked);
  return checked;
}

/** The task has turned out to be native: it has no options of a script's. */
function refuseOfScript(options) {
  for (const name of MANY_OF_SCRIPT) if (options[name] !== undefined) forEachOptions({ [name]: options[name] }, true);
}

module.exports = { divide, forEachOptions, mapOptions, reduceOptions, refuseOfScript, streamOptions, transformOptions };
