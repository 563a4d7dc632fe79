'use strict';

/**
 * `WorkerPool.open(name, options)`: a pool of native threads that several JavaScript threads have open, each by an object of its own.
 *
 * The native side keeps the name (src/node/named_pools.rs). An object ends only its own tasks: so each of them can be cancelled by its
 * id, none goes by the intake, which has one writer, and the object gives the pool back when all of its tasks are done.
 */

const { inspect } = require('node:util');

const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { InvalidArgTypeError, InvalidArgValueError } = require('../errors');
const { GRACEFULLY, NativePool, UNANNOUNCED } = require('../task/native-pool');
const { nativePoolOptions, poolSettings } = require('../task/options');
const { namedLimits } = require('../task/task-limits');
const { describe, validateString } = require('../validators');
const { NativeSubmitter } = require('./native-submitter');

const delivery = deliveryOf(binding);

const NO_OPTIONS = Object.freeze({});

/** The native side of a pool that was opened by its name. */
class OpenedNativePool extends NativePool {
  isShared = true;

  /** Calls `then` when all tasks that it has submitted are answered. */
  whenDone(then) {
    if (this.inFlight === 0) return then();
    delivery.watch({
      look: () => {
        if (this.inFlight > 0) return false;
        then();
        return true;
      },
    });
  }
}

/** Submits every task so that it can be cancelled. */
class OpenedSubmitter extends NativeSubmitter {
  run(name, input, options = NO_OPTIONS, resolve, reject) {
    super.run(name, input, options, resolve, reject);
  }
}

/** Settings as JSON, which has no Infinity: it stands as null there, which no setting is. */
const encode = (settings) => JSON.stringify(settings);
const decode = (text) => JSON.parse(text, (_, value) => (value === null ? Infinity : value));

/** What an opening says of its pool. */
function descriptionOf(settings) {
  // What each object keeps for itself is not the pool's.
  const { maxThreadsFrom, deterministic, cache, callSites, packs, ...said } = settings;
  return encode(said);
}

/** Options that were given must be those that the pool was made with; the others do not matter. */
function agree(name, given, settings, description) {
  const first = decode(description);
  for (const option of Object.keys(first)) {
    if (given[option] === undefined || encode(settings[option]) === encode(first[option])) continue;
    throw new InvalidArgValueError(
      `"options.${option}" is ${inspect(settings[option])} here, and the pool '${name}' was opened with ${inspect(first[option])}. ` +
        'All that have it open share one: give the same value, or leave it out. To change the number of threads, call resize()',
    );
  }
}

/**
 * @param {unknown} name
 * @param {unknown} options
 * @param {unknown[]} more what else was passed
 * @returns {{ native: OpenedNativePool, settings: object }}
 */
function openPool(name, options = {}, more = []) {
  validateString(name, 'name');
  if (name === '') throw new InvalidArgValueError('The "name" argument must not be empty: all that open a pool of one name share it');
  if (typeof options === 'string' || typeof options?.href === 'string') {
    throw new InvalidArgValueError(
      `WorkerPool.open has pools of native threads, and no script. Received ${describe(options)}. The workers of a script belong to ` +
        'the thread that makes them: make the pool there, new WorkerPool(script, options), and send it the inputs of other threads',
    );
  }
  if (more.length > 0) throw new InvalidArgTypeError(`WorkerPool.open takes a name and options. Received a third argument, ${describe(more[0])}`);
  const given = nativePoolOptions(options);
  if (given.deterministic !== undefined) {
    throw new InvalidArgValueError(
      '"options.deterministic" is for a pool of one thread, new WorkerPool(options): what several threads submit comes in no certain order',
    );
  }
  // Its threads have its name, unless the options say another.
  const settings = poolSettings({ ...given, name: given.name ?? name });
  const { handle, description } = binding.openPool(name, settings, namedLimits(settings, false), descriptionOf(settings));
  try {
    agree(name, given, settings, description);
  } catch (error) {
    // It has submitted nothing, so it is given back at once.
    binding.closePool(handle, GRACEFULLY, UNANNOUNCED);
    binding.dropPool(handle);
    throw error;
  }
  return { native: new OpenedNativePool(binding, handle), settings: { ...settings, ...decode(description) } };
}

module.exports = { OpenedSubmitter, openPool };
