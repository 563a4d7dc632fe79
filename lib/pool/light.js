'use strict';

/**
 * `pool.light()`: functions that run in an interpreter on the pool's threads. docs/light.md says what for.
 *
 * The interpreter is a native pack (packs/light), which the pool uses from the first light object on: `light.define` compiles the functions
 * and gives a number, `light.run` calls one by its number, `light.drop` forgets them. So calls are native tasks like others.
 */

const { inspect } = require('node:util');

const { Rejection } = require('../answer-errors');
const { InvalidArgTypeError, InvalidArgValueError, LightClosedError, OutOfRangeError, errorFromCode } = require('../errors');
const { lineOf } = require('../inspection');
const { lightLibrary } = require('../native/light-library');
const { lightSource } = require('../light/sources');
const { callsOf, outcomesOf, resultsOf } = require('./light-map');
const { hasThrown, valueOf } = require('./light-output');
const { ownOptions } = require('../task/options');
const { CALLEES } = require('../task/task-context');
const { namedByMessage } = require('../flow/outcomes');
const { describe, validateBoolean, validateFunction, validateInteger, validateIterable, validateNumber, validateObject, validateOptions } = require('../validators');

const DEFINE = 'light.define';
const RUN = 'light.run';
const DROP = 'light.drop';

const OPTIONS = new Set(['clock', 'globals', 'host', 'memory', 'random', 'stack', 'state', 'timeout']);

const MIB = 1 << 20;
const MEMORY = 8 * MIB;
const LEAST_MEMORY = 512 << 10;
const MOST_MEMORY = 1024 * MIB;
const STACK = 256 << 10;
const LEAST_STACK = 16 << 10;
const MOST_STACK = 64 * MIB;

const CLOCK = 1;
const RANDOM = 2;
const STATE = 4;

/** What a light object has beside its functions; `then`, or it would be a promise. */
const RESERVED = new Set(['close', 'map', 'ready', 'run', 'then', 'with']);

/** What errors call what was given. */
const ARGUMENTS = 'arguments';
const GLOBALS = 'options.globals';

/** The pools that have the pack: to look for its library costs more than a definition. */
const prepared = new WeakSet();

function useLibrary(pool) {
  if (prepared.has(pool)) return;
  pool.use(lightLibrary());
  prepared.add(pool);
}

/** Which definitions to drop when their objects are forgotten. */
const forgotten = new FinalizationRegistry(({ pool, id }) => drop(pool.deref(), id));

async function drop(pool, id) {
  if (pool === undefined || pool.closed) return;
  try {
    await pool.run(DROP, id);
  } catch {
    // The pool closes, or is full: what it kept goes with the threads' memory.
  }
}

/** Functions, and what they were defined as; all views of a light object have one. */
class Definition {
  id;
  ready;
  #pool;
  #run;
  #closing;
  #running = 0;
  #idle;

  /** @param {Function} run the pool's, for calls */
  constructor(pool, run, names, given, callees, timeout) {
    this.#pool = pool;
    this.#run = run;
    this.names = names;
    this.callees = callees;
    this.timeout = timeout;
    this.ready = this.#define(given);
    // Whoever calls a function hears of it.
    this.ready.catch(() => {});
  }

  async #define(given) {
    try {
      this.id = await this.#pool.run(DEFINE, given);
    } catch (error) {
      throw asOurs(error, GLOBALS);
    }
    forgotten.register(this, { pool: new WeakRef(this.#pool), id: this.id }, this);
  }

  get isClosed() {
    return this.#closing !== undefined;
  }

  /** @param {number} index of the function */
  call(index, given, options) {
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(closed());
      this.#running++;
      if (this.id !== undefined) return this.#submit([this.id, index, given], options, resolve, reject);
      this.ready.then(
        () => this.#submit([this.id, index, given], options, resolve, reject),
        (error) => this.#failed(reject, error),
      );
    });
  }

  /** @param {number} index of the function */
  async map(index, inputs, options) {
    if (this.isClosed) throw closed();
    validateIterable(inputs, 'inputs');
    this.#running++;
    try {
      if (this.id === undefined) await this.ready;
      const outputs = await this.#pool.map(RUN, callsOf(inputs, this.id, index), options);
      return options?.settle === true ? outcomesOf(outputs, (error) => asOurs(error, ARGUMENTS)) : resultsOf(outputs);
    } catch (error) {
      throw namedByMessage(asOurs(error, ARGUMENTS));
    } finally {
      if (--this.#running === 0) this.#idle?.();
    }
  }

  #submit(input, options, resolve, reject) {
    const failed = (error) => this.#failed(reject, error);
    const done = (outcome) => {
      if (outcome instanceof Rejection) outcome.then(undefined, failed);
      else if (hasThrown(outcome)) this.#settled(reject, outcome[1]);
      else this.#settled(resolve, valueOf(outcome));
    };
    try {
      this.#run(RUN, input, options, done, failed);
    } catch (error) {
      // The stack is used up.
      failed(error);
    }
  }

  #settled(settle, value) {
    settle(value);
    if (--this.#running === 0) this.#idle?.();
  }

  #failed(reject, error) {
    this.#settled(reject, asOurs(error, ARGUMENTS));
  }

  close() {
    return (this.#closing ??= this.#close());
  }

  async #close() {
    if (this.#running > 0) await new Promise((resolve) => (this.#idle = resolve));
    if (await this.ready.then(() => false, () => true)) return;
    forgotten.unregister(this);
    await drop(this.#pool, this.id);
  }
}

const closed = () => new LightClosedError('this light object is closed: pool.light makes another one');

/**
 * The pack knows codes, and not classes.
 *
 * @param {string} given what the caller has given, for errors that say where in it they are
 */
function asOurs(error, given) {
  const { code, message } = error ?? {};
  if (typeof code !== 'string' || !code.startsWith('ERR_RW_') || !OURS.has(code)) return error;
  const own = errorFromCode(code, message);
  if (!(error instanceof own.constructor)) return own;
  return nameAs(error, given);
}

/** What it names by its place in the input of `light.run`, [id, index, arguments], or of `light.define`, as its caller knows it. */
function nameAs(error, given) {
  const { message, stack } = error;
  error.message = message.replace(/^input\[2\]/, given).replace(/^(inputs\[\d+\])\[2\]\[0\]/, '$1');
  if (error.message !== message && typeof stack === 'string') error.stack = stack.replace(message, () => error.message);
  return error;
}

const OURS = new Set([
  'ERR_RW_LIGHT_CLOSED', 'ERR_RW_LIGHT_MEMORY', 'ERR_RW_LIGHT_SOURCE', 'ERR_RW_LIGHT_STACK', 'ERR_RW_LIGHT_UNSETTLED',
  'ERR_RW_CYCLIC_VALUE', 'ERR_RW_UNSUPPORTED_VALUE', 'ERR_RW_VALUE_TOO_DEEP', 'ERR_RW_VALUE_TOO_LARGE',
]);

/** An object with a method for each function. */
class Light {
  #definition;
  #options;

  /**
   * @param {Definition} definition
   * @param {object | undefined} options of each call
   */
  constructor(definition, options) {
    this.#definition = definition;
    this.#options = callOptions(definition, options);
    definition.names.forEach((name, index) => {
      const method = (...given) => definition.call(index, given, this.#options);
      Object.defineProperty(method, 'name', { value: name, configurable: true });
      Object.defineProperty(this, name, { value: method, enumerable: true });
    });
  }

  get ready() {
    return this.#definition.ready;
  }

  run(name, input, options) {
    return this.#with(name, options, (index, more) => this.#definition.call(index, input === undefined ? [] : [input], more));
  }

  map(name, inputs, options) {
    return this.#with(name, options, (index, more) => this.#definition.map(index, inputs, more));
  }

  /** The function of this name, with these options besides the object's own. */
  #with(name, options, call) {
    const { names } = this.#definition;
    const index = names.indexOf(name);
    if (index === -1) {
      return Promise.reject(new InvalidArgValueError(`The "name" argument must be one of the functions: ${names.join(', ')}. Received ${describe(name)}`));
    }
    return call(index, options === undefined ? this.#options : callOptions(this.#definition, { ...this.#options, ...ownOptions(options) }));
  }

  with(options) {
    return new Light(this.#definition, { ...this.#options, ...ownOptions(validateObject(options, 'options')) });
  }

  close() {
    return this.#definition.close();
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close();
  }

  [inspect.custom](depth, options, inspectValue) {
    return lineOf(this, () => ({ functions: this.#definition.names, closed: this.#definition.isClosed }), options, inspectValue);
  }
}

/** The options of a call: those of the object, and what the definition adds to all. */
function callOptions({ timeout, callees }, options) {
  if (timeout === undefined && callees === undefined) return options;
  const all = { ...options };
  if (timeout !== undefined && all.runTimeout === undefined) all.runTimeout = timeout;
  if (callees !== undefined) all[CALLEES] = callees;
  return all;
}

/**
 * What light code calls: its arguments come as an array. `this` has the signal, and no argument, since code could pass one that looks like it.
 */
function calleesOf(host) {
  const names = Object.keys(host);
  if (names.length === 0) return [names, undefined];
  if (CALLEES === undefined) throw new InvalidArgValueError('"options.host" needs tasks that can call functions, which this build of rust-workers has not');
  const callees = {};
  for (const name of names) {
    const callee = validateFunction(host[name], `options.host.${name}`);
    callees[name] = (given, signal) => Reflect.apply(callee, { signal }, given);
  }
  return [names, callees];
}

/** No two things may have one name. */
function refuseTwice(...lists) {
  const seen = new Set();
  for (const name of lists.flat()) {
    if (seen.has(name)) throw new InvalidArgValueError(`'${name}' is the name of two: functions, \`globals\` and \`host\` are all globals of light code`);
    seen.add(name);
  }
  return seen;
}

/**
 * `pool.light(functions, options)`
 *
 * @param {import('./worker-pool').WorkerPool} pool
 * @param {Function} run as `run` of the pool, into functions that settle a promise
 * @param {Record<string, string | Function>} functions
 * @param {object} [options]
 * @returns {Light}
 */
function light(pool, run, functions, options = {}) {
  validateObject(functions, 'functions');
  const given = validateOptions(options, 'options', OPTIONS);
  const { memory = MEMORY, stack = STACK, timeout, globals = {}, host = {}, clock = false, random = false, state = false } = given;
  validateInteger(memory, 'options.memory', LEAST_MEMORY, MOST_MEMORY);
  validateInteger(stack, 'options.stack', LEAST_STACK, MOST_STACK);
  if (timeout !== undefined) {
    validateNumber(timeout, 'options.timeout', 0);
    if (timeout === Infinity) throw new OutOfRangeError('"options.timeout" must be a number of milliseconds; leave it out for none');
  }
  validateObject(globals, 'options.globals');
  validateObject(host, 'options.host');
  const flags = [[clock, 'clock', CLOCK], [random, 'random', RANDOM], [state, 'state', STATE]].reduce((all, [value, name, flag]) => {
    validateBoolean(value, `options.${name}`);
    return value ? all | flag : all;
  }, 0);
  const names = Object.keys(functions);
  if (names.length === 0) throw new InvalidArgTypeError('The "functions" argument must be an object with functions, { name: source }. It has none');
  const reserved = names.find((name) => RESERVED.has(name));
  if (reserved !== undefined) throw new InvalidArgValueError(`A function of a light object cannot be called '${reserved}': that is a name of the object itself`);
  const [hostNames, callees] = calleesOf(host);
  const known = refuseTwice(names, Object.keys(globals), hostNames);
  const sources = names.map((name) => lightSource(name, functions[name], known));
  useLibrary(pool);
  const definition = new Definition(pool, run, names, [names, sources, { ...globals }, hostNames, memory, stack, flags], callees, timeout);
  return new Light(definition, undefined);
}

module.exports = { light };
