'use strict';

/** What is given away with a value: named by a list, or found in it. */

const { types } = require('node:util');
const { MessagePort } = require('../runtime/worker-threads');

const { closedPort } = require('../runtime/closed-port');
const { mayRunCode } = require('../codec/accessors');
const { exoticName } = require('../codec/type-tags');
const { bufferOf, isBuffer, isView, lengthOf, sizeOf } = require('../codec/bytes');
const { describe } = require('../codec/describe');
const { findPath } = require('../codec/explain');
const { SafeSet, append, isArray, mapForEach, setForEach } = require('../runtime/intrinsics');
const { InvalidArgTypeError, UnsupportedValueError } = require('../errors');
const { arrive, departure } = require('../transfer');
const nodeGlobals = require('../runtime/globals');
const { kindOf } = require('../transfer/registry');
const { Moved } = require('./task');

const { getOwnPropertyDescriptor, getPrototypeOf, keys: keysOf } = Object;

/** Stands for "whatever there is in the value". */
const AUTO = 'auto';

/** On a list that was found, by any copy of the package: what Node will not move of it is copied. */
const FOUND = Symbol.for('rust-workers.found');

/**
 * Marks what a task returns to be moved to the caller instead of copied.
 *
 * @param {unknown} value the result
 * @param {readonly object[] | 'auto'} [list] what is given away; 'auto': every ArrayBuffer and MessagePort in it
 * @returns {Moved} for the task to return
 */
function move(value, list = AUTO) {
  if (list !== AUTO && !Array.isArray(list)) {
    throw new InvalidArgTypeError('The "list" argument must be an array of transferable objects, or \'auto\'');
  }
  return new Moved(value, list === AUTO ? transferablesOf(value) : list);
}

/**
 * Every ArrayBuffer and MessagePort in a value, at any depth of arrays, plain objects, Maps and Sets. Getters are not
 * called: they run once, when the value is read.
 */
function transferablesOf(root) {
  const found = new SafeSet();
  const seen = new SafeSet();
  let open = { value: root, rest: undefined };
  const add = (value) => (open = { value, rest: open });
  const push = (item, key) => {
    add(item);
    add(key);
  };
  while (open !== undefined) {
    const { value } = open;
    open = open.rest;
    if (typeof value !== 'object' || value === null || seen.has(value) || types.isProxy(value)) continue;
    seen.add(value);
    const memory = isView(value) ? bufferOf(value) : value;
    if (types.isAnyArrayBuffer(memory)) {
      // Shared memory is shared anyway, and Node's pool of small Buffers is not theirs to give.
      if (types.isArrayBuffer(memory) && !isPooled(value, memory)) found.add(memory);
    } else if (value instanceof MessagePort) {
      found.add(value);
    } else if (types.isMap(value)) {
      mapForEach.call(value, push);
    } else if (types.isSet(value)) {
      setForEach.call(value, push);
    } else if (isArray(value) || isPlainObject(value)) {
      const keys = keysOf(value);
      for (let i = 0; i < keys.length; i++) add(getOwnPropertyDescriptor(value, keys[i]).value);
    }
  }
  const list = [];
  found.forEach((object) => append(list, object));
  return Object.defineProperty(list, FOUND, { value: true });
}

function isPooled(value, memory) {
  return types.isUint8Array(value) && isBuffer(value) && lengthOf(value) < sizeOf(memory);
}

function isPlainObject(value) {
  const prototype = getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Whether Node moves this object: not memory of WebAssembly, of its Buffer pool, or marked as untransferable. */
function isMovable(object) {
  if (kindOf(object)?.moves) return true;
  try {
    closedPort().postMessage(undefined, [object, object]);
    // Older Nodes pass over what they do not move.
    return false;
  } catch (error) {
    // It looks at each before it finds that one stands there twice, and then moves none.
    return /duplicate/i.test(error.message);
  }
}

/** So many things of a value are looked at for getters. */
const LOOK_AT = 100;

/**
 * Does something with a value and a list; where Node refuses what was only found, without that. As a rule all of it can
 * be moved, so that is tried first; unless a getter might run twice for it.
 */
function withMovable(value, list, act) {
  if (list[FOUND] !== true) return act(list);
  if (list.length > 0 && mayRunCode(value, LOOK_AT)) return act(list.filter(isMovable));
  try {
    return act(list);
  } catch (error) {
    const movable = list.filter(isMovable);
    if (movable.length === list.length) throw error;
    return act(movable);
  }
}

/**
 * The value as it will arrive, taken now: what is in `list` is detached here.
 *
 * @param {unknown} value
 * @param {object[]} list
 * @returns {{ isBundle: boolean, value: unknown, list: object[] }} to be posted on, once where `list` is not empty
 * @throws what Node throws for what cannot be cloned or transferred
 */
function takeAside(value, list) {
  return leaving(value, list, (sent, isBundle, given) => {
    const [taken, moved] = nodeGlobals.structuredClone([sent, given], { transfer: given });
    return { isBundle, value: taken, list: moved };
  }, 'input');
}

/** What was taken aside, for this thread after all. */
function takeBack({ isBundle, value }) {
  return isBundle ? arrive(value) : value;
}

/** Whether what was given away with what was taken aside is memory, and nothing else. */
function givesOnlyMemory({ isBundle, list }) {
  return !isBundle && list.length > 0 && list.every(types.isArrayBuffer);
}

/** Lets go of what was taken aside and will not be sent: memory at once, and ports close. */
function discard({ isBundle, value, list }) {
  if (isBundle) discardArrived({ isBundle, value });
  else letGo(list);
}

/** Lets go of what has arrived and is for nobody: its ports close. */
function discardArrived({ isBundle, value }) {
  try {
    letGo(transferablesOf(takeBack({ isBundle, value })));
  } catch {
    // It could not be read, so nobody has it.
  }
}

/** Memory at once; ports close. What has gone already has gone. */
function letGo(list) {
  for (const object of list) {
    if (kindOf(object)?.moves || object instanceof MessagePort) object.close();
    else if (!types.isArrayBuffer(object) || sizeOf(object) > 0) closedPort().postMessage(undefined, [object]);
  }
}

/**
 * Sends a value by `send(value, isBundle, list)`, with objects of ours in it ready to travel.
 *
 * @param {string} name what errors call the value
 */
function leaving(value, list, send, name) {
  try {
    return withMovable(value, list, (given) => {
      const own = departure(value, given);
      if (own === undefined) return send(value, false, [...given]);
      return own.leave((bundle, rest) =>
        own.isPlain ? send(bundle.value, false, [...rest]) : send(bundle, true, [...rest]),
      );
    });
  } catch (error) {
    explain(error, value, name);
    throw error;
  }
}

const isRefused = (value) =>
  typeof value === 'function' || typeof value === 'symbol' ||
  (typeof value === 'object' && value !== null && exoticName(value) !== null);

/** To and from scripts, more can pass than to native tasks. */
const wordsOf = (refused) =>
  types.isPromise(refused)
    ? 'a Promise, which cannot cross to another thread: did you forget `await`?'
    : describe(refused).replace(/to a task; .*$/, 'to another thread; pass what structured clone takes');

/** Node does not say where in a value the trouble is: an error of its structured clone gets a cause that does. */
function explain(error, value, name) {
  if (error?.name !== 'DataCloneError' || error.cause !== undefined) return;
  let refused;
  const path = findPath(value, name, (at) => isRefused(at) && ((refused = at), true));
  if (path === null) return;
  const cause = new UnsupportedValueError(`${path} is ${wordsOf(refused)}`);
  Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
}

module.exports = {
  AUTO, discard, discardArrived, givesOnlyMemory, leaving, letGo, move, takeAside, takeBack, transferablesOf,
};
