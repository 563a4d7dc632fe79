'use strict';

/**
 * `pool.exec`: a function in the place of a script's. Its source is read and checked once, and sent once to the native side, where each
 * worker finds it (script-pool/exec-functions.js). What it captures goes with the arguments of each task.
 */

const { binding } = require('../native');
const { InvalidArgTypeError, InvalidArgValueError, takesNoMoreTasks } = require('../errors');
const { NAMER, OF_FILE, capturedOf, isSloppy, nameOf, refuse, sourceOf } = require('../exec/function-source');
const { placeOfText } = require('../exec/place');
const { divide } = require('../flow/options');
const { LAST_SOURCE, callForm } = require('../script-pool/call-form');
const { ScriptPending } = require('../script-pool/script-submitter');
const { ownOptions, submitOptions } = require('../task/options');
const { describe, validateObject } = require('../validators');

/** So many sources of a pool, and so many analyses, are kept; then those that were not used for longest go. */
const MOST = 256;

const OWN = ['capture'];
const NOTHING = Object.freeze({});

/** Under this name are the tasks of all functions: names are never forgotten. */
const NAME = 'exec';

/** By text: what `sourceOf` found. */
const analyses = new Map();
/** fn -> its analysis and its place */
const known = new WeakMap();

/** Puts an entry at the end, and drops the first ones. */
function keep(map, key, value, isFree = () => true) {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MOST) return;
  for (const [other, entry] of map) {
    if (other === key || !isFree(entry)) continue;
    map.delete(other);
    return entry;
  }
}

/** What is known of a function: two of the same text are the same one, unless they ask for their files. */
function analyse(fn) {
  const before = typeof fn === 'function' ? known.get(fn) : undefined;
  if (before !== undefined) return before;
  const text = typeof fn === 'function' ? Function.prototype.toString.call(fn) : '';
  const same = analyses.get(text);
  let found = same !== undefined && same.isSloppy === isSloppy(fn) && !same.asksForFile ? same : undefined;
  if (found === undefined) {
    found = sourceOf(fn);
    found.isSloppy = isSloppy(fn);
    const names = [...found.needed, ...found.asked];
    found.asksForFile = names.some((name) => OF_FILE.has(name)) || /\bimport\b/.test(text);
    found.place = placeOfText(text);
    found.uses = names.filter((name) => OF_FILE.has(name) || name === NAMER);
  }
  keep(analyses, text, found);
  known.set(fn, found);
  return found;
}

/** The sources that the native side of one pool keeps. */
class Sources {
  #handle;
  /** By all that makes one; and, for each analysis, by what is captured. */
  #byKey = new Map();
  #byAnalysis = new WeakMap();
  #last = 0;

  constructor(handle) {
    this.#handle = handle;
  }

  /** @param {string[]} captured the names of what it captures */
  of(analysis, captured) {
    let some = this.#byAnalysis.get(analysis);
    if (some === undefined) this.#byAnalysis.set(analysis, (some = new Map()));
    const names = captured.join();
    let found = some.get(names);
    if (found === undefined || !found.isKept) some.set(names, (found = this.#find(analysis, captured)));
    const dropped = keep(this.#byKey, found.key, found, (source) => source.tasks === 0);
    if (dropped !== undefined) {
      dropped.isKept = false;
      binding.dropSource(this.#handle, dropped.number);
    }
    return found;
  }

  #find({ text, isMethod, isStrict, uses, place }, captured) {
    const key = JSON.stringify({ text, isMethod, isStrict, captured, uses: uses.filter((name) => !captured.includes(name)), place });
    const found = this.#byKey.get(key);
    if (found !== undefined) return found;
    if (this.#last === LAST_SOURCE) throw new InvalidArgValueError(`A pool takes ${LAST_SOURCE} functions at the most: make another pool`);
    const number = ++this.#last;
    binding.keepSource(this.#handle, number, key);
    return { number, key, tasks: 0, isKept: true };
  }
}

const sourcesOf = new WeakMap();

class ExecPending extends ScriptPending {
  #source;
  #args;

  constructor(resolve, reject, pool, name, source, args) {
    super(resolve, (error) => reject(withInput(error, args)), pool, name);
    this.#source = source;
    this.#args = args;
    source.tasks++;
  }

  resolve(value) {
    // As `rejectBy` gives an error.
    if (typeof value?.then === 'function') value.then(undefined, (error) => withInput(error, this.#args));
    super.resolve(value);
  }

  released() {
    this.#source.tasks--;
    super.released();
  }
}

/** What was refused is what the caller has passed. */
function withInput(error, args) {
  if (error?.code === 'ERR_RW_QUEUE_FULL') error.input = args;
  return error;
}

/**
 * A function as a task: its source, and its input.
 *
 * @returns {{ source: { number: number, tasks: number }, input: [unknown[], unknown[]], name: string }}
 */
function prepare(native, fn, args, capture = NOTHING) {
  const analysis = analyse(fn);
  validateObject(capture, 'options.capture');
  const { asked, globals, needed, uses } = analysis;
  // What is captured goes before a global of the same name, as in the function's own file.
  const captured = capturedOf([...needed, ...asked, ...globals], capture);
  const missing = needed.filter((name) => !captured.includes(name) && !uses.includes(name));
  if (missing.length > 0) throw refuse(fn, missing);
  if (!Array.isArray(args)) {
    throw new InvalidArgTypeError(`The "args" argument must be an array of arguments: exec(fn, [input]). Received ${describe(args)}`);
  }
  let sources = sourcesOf.get(native);
  if (sources === undefined) sourcesOf.set(native, (sources = new Sources(native.handle)));
  const source = sources.of(analysis, captured);
  const called = nameOf(fn);
  return { source, input: [args, captured.map((name) => capture[name])], name: called === '' ? NAME : `${NAME}: ${called}` };
}

/**
 * `pool.exec(fn, args, options)`
 *
 * @param {import('./worker-pool').WorkerPool} pool
 * @param {object} parts of the pool, as flow.js has them
 * @param {() => { native: object, scriptTasks: object }} workersOf gives the side of the pool that has workers
 */
function exec(pool, { admission }, workersOf, fn, args = [], options = {}) {
  if (typeof fn === 'string') return execNamed(pool, fn, args, options);
  return new Promise((resolve, reject) => {
    const [{ capture }, run] = divide(options, OWN, false);
    const checked = submitOptions(ofFunction(run));
    if (admission.isClosed) throw takesNoMoreTasks(NAME);
    // A pool without a script has workers from the first function on that can be analysed.
    analyse(fn);
    const { native, scriptTasks } = workersOf();
    const { source, input, name } = prepare(native, fn, args, capture);
    checked.callForm = callForm({ source: source.number });
    scriptTasks.begin(new ExecPending(resolve, reject, native, name, source, args), NAME, input, checked);
  });
}

/** As workerpool has it: the name of a function, and its arguments. */
function execNamed(pool, name, args, options) {
  if (!Array.isArray(args)) {
    return Promise.reject(new InvalidArgTypeError(`The "args" argument must be an array of arguments: exec(name, [input]). Received ${describe(args)}`));
  }
  return args.length < 2 ? pool.run(name, args[0], options) : pool.run(name, args, { ...ownOptions(options), spread: true });
}

/** The options of a task, without those that say which function of the script it is. */
function ofFunction(run) {
  for (const name of ['filename', 'name', 'spread']) {
    if (name in run) throw new InvalidArgValueError(`unknown option '${name}'; the function itself is given, and its arguments as an array`);
  }
  return run;
}

module.exports = { analyse, exec, ofFunction, prepare };
