'use strict';

/**
 * Facts about an object that only Node's structured clone knows: whether it was marked as uncloneable, and whether Node
 * carries it to another thread by itself.
 *
 * Node keeps the mark of `markAsUncloneable` (since 21.1) in a private symbol that its serializer alone sees; what does not
 * go through that (our wire form, the copy of a container with an object of ours in it) would pass over it. So the function
 * is observed: ours does what Node's does and remembers the object, and takes Node's place in its module. A function that
 * somebody has taken out of the module before this package was loaded is not observed.
 *
 * Node marks what it carries, such as streams, file handles and keys, by methods under the symbols described as
 * `messaging_clone_symbol` and `messaging_transfer_symbol` (in Node 20 to 26, since 14).
 *
 * Relies on: the module object of worker_threads being writable; these two descriptions.
 * Without: objects marked before, or by a function that was taken out, are cloned; an object of a class of Node's that
 * nothing else tells counts as one of the program's, and is taken apart as structured clone would take it.
 * Test: __test__/runtime/clone-marks.test.js, __test__/worker/uncloneable.test.js.
 */

const workerThreads = require('node:worker_threads');
const { types } = require('node:util');

const { hostCopy, keptOn } = require('./host-realm');
const { isBun } = require('./which');
const { MessagePort: NodeMessagePort } = require('./worker-threads');

/** Where worker-threads.js finds Node's function. */
const ORIGINAL = Symbol.for('rust-workers.original');

/** The state that all copies of this package in one thread share; on a class that is the same in every realm. */
const KEY = Symbol.for('rust-workers.uncloneable.1');

/** @returns {{ some: boolean, objects: WeakSet<object> }} `some`: whether anything was ever marked */
const makeMarks = () => ({ some: false, objects: new WeakSet() });

/** Node's function, and what was marked by it. */
function observe(mark) {
  function markAsUncloneable(object) {
    // A Proxy makes Node throw.
    mark(object);
    if ((typeof object !== 'object' && typeof object !== 'function') || object === null) return;
    marks.objects.add(object);
    marks.some = true;
  }
  Object.defineProperty(markAsUncloneable, ORIGINAL, { __proto__: null, value: mark });
  Reflect.set(workerThreads, 'markAsUncloneable', markAsUncloneable);
  // For modules that import it.
  const { syncBuiltinESMExports } = isBun ? require('node:module') : module.constructor;
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
  return marks.objects.has(object) && !isBeyondMarks(object);
}

const { getOwnPropertySymbols } = Object;

/** Bits: Node clones it, and Node transfers it. */
const CLONED = 1;
const TRANSFERRED = 2;

/** How Node marks an object by symbols of its own: CLONED, TRANSFERRED, both, or 0. */
function ownMarksOf(object) {
  const symbols = getOwnPropertySymbols(object);
  let found = 0;
  for (let i = 0; i < symbols.length; i++) {
    const { description } = symbols[i];
    if (description === 'messaging_clone_symbol') found |= CLONED;
    else if (description === 'messaging_transfer_symbol') found |= TRANSFERRED;
  }
  return found;
}

module.exports = { CLONED, TRANSFERRED, isUncloneable, makeMarks, observed, ownMarksOf };

// Made by the copy that outlives the realms of test files.
const marks = keptOn(NodeMessagePort, KEY, module, (host) => host.makeMarks());
module.exports.marks = marks;
module.exports.markAsUncloneable = observedByHost();
