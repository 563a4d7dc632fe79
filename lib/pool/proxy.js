'use strict';

/**
 * `pool.proxy()`: an object with a method for each function that the pool can run.
 *
 * Which functions there are need not be known: any name gives a method, and a task of a name that nobody has is rejected as `run`
 * rejects it. Some names are asked for by the language, and by tools that look at any object, so these do not begin a task:
 * - `then` gives nothing, or `await proxy` would run a task (no script can export it: `import` would take it for a promise's);
 * - symbols give nothing;
 * - `toJSON`, and the names that every object has (`toString`, `constructor`), are methods only where the script is known to
 *   export them.
 *
 * `with` is a reserved word, so it is taken for the options of all methods.
 */

const { inspect } = require('node:util');

const { lineOf } = require('../inspection');
const { ownOptions, submitOptions } = require('../task/options');
const { CONTEXT } = require('../task/task-context');
const { validateObject } = require('../validators');

const { prototype: OBJECT } = Object;

/** The name of the script's default export: `runTask` runs it. */
const DEFAULT = 'default';
const WITH = 'with';
/** As which it is shown. */
const PROXY = { constructor: { name: 'PoolProxy' } };

class ProxyHandler {
  #pool;
  #options;
  #namesOf;
  #methods = new Map();

  /** The same with more options. */
  #with = (more) => makeProxy(this.#pool, { ...this.#options, ...ownOptions(validateObject(more, 'options')) }, this.#namesOf);

  /**
   * @param {import('./worker-pool').WorkerPool} pool
   * @param {object | undefined} options of each task
   * @param {() => Iterable<string>} namesOf the names that are known
   */
  constructor(pool, options, namesOf) {
    this.#pool = pool;
    this.#options = options;
    this.#namesOf = namesOf;
  }

  #names() {
    return new Set(this.#namesOf());
  }

  #method(name) {
    let method = this.#methods.get(name);
    if (method === undefined) this.#methods.set(name, (method = methodOf(this.#pool, name, this.#options)));
    return method;
  }

  /** Calls the default export. */
  apply(target, self, given) {
    return this.#method(DEFAULT)(...given);
  }

  get(target, key) {
    if (key === inspect.custom) return target[key];
    if (typeof key === 'symbol' || key === 'then') return undefined;
    if (key === WITH) return this.#with;
    const isEverywhere = key === 'toJSON' || key in OBJECT;
    return isEverywhere && !this.#names().has(key) ? OBJECT[key] : this.#method(key);
  }

  has(target, key) {
    return typeof key === 'string' && this.#names().has(key);
  }

  ownKeys() {
    return [...this.#names()];
  }

  getOwnPropertyDescriptor(target, key) {
    if (!this.has(target, key)) return undefined;
    return { value: this.get(target, key), writable: false, enumerable: true, configurable: true };
  }

  // It shows what the pool can run, and nothing can be put there.
  set() {
    return false;
  }

  defineProperty() {
    return false;
  }

  deleteProperty() {
    return false;
  }

  setPrototypeOf() {
    return false;
  }

  preventExtensions() {
    return false;
  }
}

/** A method: a call runs the task. One argument, or none, is the input; more are the arguments of the script's function. */
function methodOf(pool, name, options) {
  const run = (input, given) =>
    name === DEFAULT ? pool.runTask(input, given) : pool.run(name, input, given);
  const method = (...given) =>
    given.length < 2 ? run(given[0], options) : run(given, { ...options, spread: true });
  Object.defineProperty(method, 'name', { value: name, configurable: true });
  /** The parts of the result. */
  method.iterate = (...given) => {
    const task = name === DEFAULT ? '' : name;
    return given.length < 2 ? pool.iterate(task, given[0], options) : pool.iterate(task, given, { ...options, spread: true });
  };
  /** The same method with options for its tasks, besides those it has. */
  method.with = (more) => methodOf(pool, name, { ...options, ...ownOptions(validateObject(more, 'options')) });
  return method;
}

/** The names that a worker has reported, as methods: the default export has none there. */
const methodNames = (exported) => [...exported].map((name) => (name === '' ? DEFAULT : name));

/**
 * @param {import('./worker-pool').WorkerPool} pool
 * @param {import('../task/native-pool').NativePool} native its native side, which has `workers` where it has a script
 * @param {object} [given] options of each task
 */
function poolProxy(pool, native, given) {
  const { workers } = native;
  const { [CONTEXT]: context, ...own } = ownOptions(given) ?? {};
  const isPlain = given === undefined || (context !== undefined && Object.keys(own).length === 0);
  const options = isPlain ? undefined : own;
  if (given !== undefined) submitOptions(typeof given === 'object' && given !== null && !Array.isArray(given) ? own : given, workers === undefined);
  // A scope's methods begin its tasks.
  return makeProxy(context?.caller ?? pool, options, workers === undefined ? () => native.tasks.names : () => methodNames(workers.exports ?? []));
}

function makeProxy(pool, options, namesOf) {
  const target = () => {};
  // A proxy's own properties must be among those that its handler names.
  for (const key of Reflect.ownKeys(target)) Reflect.deleteProperty(target, key);
  const shown = (depth, how, inspectValue) => lineOf(PROXY, () => [...new Set(namesOf())], how, inspectValue);
  Object.defineProperty(target, inspect.custom, { value: shown, configurable: true });
  return new Proxy(target, new ProxyHandler(pool, options, namesOf));
}

module.exports = { poolProxy };
