'use strict';

/**
 * What a task gets from where it is submitted: a scope (lib/structure/scope.js), or the task that runs there, in a worker of a pool
 * (lib/structure/inheritance.js). It stands in the options of the call under a symbol, so that one call of the pool serves all:
 *
 * - `priority`: that of a task whose options have none;
 * - `join(options)`: puts what the task gets into its checked options, and itself as `context` where it counts its tasks;
 * - `enter()`, `leave()`: one of its tasks has begun to be submitted; nothing of it is left, in any thread.
 *
 * Of a scope's proxy it has no more than `caller`: the scope, whose methods run the tasks.
 */

const CONTEXT = Symbol('rust-workers.context');

/** In a worker of a pool: what tasks get from the running one. */
let running;

/** @param {() => object} contextOfRunning what tasks get that are submitted now */
function inheritFrom(contextOfRunning) {
  running = contextOfRunning;
}

/** What a task gets whose options are these. */
const contextOf = (options) => options[CONTEXT] ?? running?.();

const { getOwnPropertyNames, getPrototypeOf, prototype: OBJECT } = Object;

/** What an options object inherits from its class, as values: its getters run with the object as `this`, once each. */
function inheritedOf(options) {
  const values = {};
  for (let holder = getPrototypeOf(options); holder !== null && holder !== OBJECT; holder = getPrototypeOf(holder)) {
    for (const name of getOwnPropertyNames(holder)) {
      if (name !== 'constructor' && !Object.hasOwn(values, name)) values[name] = options[name];
    }
  }
  return values;
}

/**
 * The options of a call with a context.
 *
 * @param {unknown} options as the caller gave them; the call refuses what is no object
 * @param {object} context
 * @throws what getters of the options throw
 */
function withContext(options, context) {
  if (options === undefined) return { [CONTEXT]: context };
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options;
  const prototype = getPrototypeOf(options);
  const base = prototype === OBJECT || prototype === null ? prototype : inheritedOf(options);
  return { __proto__: base, ...options, [CONTEXT]: context };
}

/**
 * In the options of `run`, of a native task: named functions of this thread, which the task may call (lib/pool/native-calls.js). A call of
 * a name that is not among them goes to the pool's script. Internal.
 */
const CALLEES = Symbol('rust-workers.callees');

module.exports = { CALLEES, CONTEXT, contextOf, inheritFrom, withContext };
