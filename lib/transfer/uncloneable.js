'use strict';

/**
 * `markAsUncloneable`: what is marked must not be copied to another thread, at whatever depth.
 *
 * Node keeps the mark where only its own structured clone sees it, and what does not go through that (our wire form, the
 * copy of a container with an object of ours in it) would pass over it. So the function is observed: ours does what Node's
 * does and writes the object down, and takes Node's place in its module. A function that somebody has taken out of the
 * module before this package was loaded is not observed.
 */

const workerThreads = require('node:worker_threads');
const { syncBuiltinESMExports } = module.constructor;
const { types } = require('node:util');

const { hostCopy } = require('../runtime/host-realm');
const { shared } = require('./thread-state');

const state = shared.uncloneable;

/** Where runtime/worker-threads.js finds Node's function. */
const ORIGINAL = Symbol.for('rust-workers.original');

/** Node's function, and what was marked by it. */
function observe(mark) {
  function markAsUncloneable(object) {
    // A Proxy makes Node throw.
    mark(object);
    if ((typeof object !== 'object' && typeof object !== 'function') || object === null) return;
    state.objects.add(object);
    state.some = true;
  }
  Object.defineProperty(markAsUncloneable, ORIGINAL, { __proto__: null, value: mark });
  Reflect.set(workerThreads, 'markAsUncloneable', markAsUncloneable);
  // For those who import it.
  syncBuiltinESMExports();
  return markAsUncloneable;
}

/** Undefined where this Node has none. */
function observed() {
  const { markAsUncloneable } = workerThreads;
  const isObserved = markAsUncloneable === undefined || markAsUncloneable[ORIGINAL] !== undefined;
  return isObserved ? markAsUncloneable : observe(markAsUncloneable);
}

/** By the copy that outlives the realms of test files: Node's module would keep the realm of a function in it. */
const observedByHost = () => hostCopy(module).observed();

/** V8 looks for the mark on ordinary objects and on Errors. */
function isBeyondMarks(object) {
  return (
    Array.isArray(object) || ArrayBuffer.isView(object) || types.isMap(object) || types.isSet(object) ||
    types.isDate(object) || types.isRegExp(object) || types.isAnyArrayBuffer(object) || types.isBoxedPrimitive(object)
  );
}

/** Whether structured clone refuses this object because it is marked. To be asked only if `marks.some`. */
function isUncloneable(object) {
  return state.objects.has(object) && !isBeyondMarks(object);
}

module.exports = { isUncloneable, marks: state, observed };
module.exports.markAsUncloneable = observedByHost();
