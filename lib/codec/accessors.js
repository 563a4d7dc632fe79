'use strict';

// Does reading a value run code of the program's? By property descriptors alone, so that to ask runs none.

const { types } = require('node:util');

const { hasNamedProperties } = require('../runtime/array-properties');
const { isView } = require('./bytes');
const { ObjectPrototype, isArray, mapForEach, setForEach, sizeOfMap, sizeOfSet } = require('../runtime/intrinsics');

const { hasOwn, keys: keysOf, getPrototypeOf } = Object;
const { getOwnPropertyDescriptor } = Reflect;
const { isProxy } = types;

/** Arrays longer than this are not looked through: they count as having one. */
const LONG = 1000;

const intrinsicErrors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]
  .map(({ prototype }) => prototype);
/** V8's own, on the errors of newer Nodes. */
const stackGetter = getOwnPropertyDescriptor(new Error(), 'stack')?.get;

const isData = (descriptor, type) => descriptor === undefined || typeof descriptor.value === type;

/** Whether the name, message and stack of an error are the language's own. */
function isUsualError(error) {
  const prototype = getPrototypeOf(error);
  if (!intrinsicErrors.some((known) => known === prototype && isData(getOwnPropertyDescriptor(known, 'name'), 'string'))) {
    return false;
  }
  const stack = getOwnPropertyDescriptor(error, 'stack');
  return isData(getOwnPropertyDescriptor(error, 'name'), 'string') &&
    isData(getOwnPropertyDescriptor(error, 'message'), 'string') &&
    (isData(stack, 'string') || stack.get === stackGetter);
}

/**
 * Whether reading this object, not what is in it, may have run the program's code.
 *
 * @param {object | null} object
 * @param {number} size how many keys, elements or entries it had before
 */
function hasAccessor(object, size) {
  if (object === null || isView(object) || types.isAnyArrayBuffer(object)) return false;
  if (types.isMap(object)) return sizeOfMap.call(object) !== size;
  if (types.isSet(object)) return sizeOfSet.call(object) !== size;
  if (types.isDate(object) || types.isRegExp(object)) return false;
  if (types.isNativeError(object)) return !isUsualError(object);
  if (isArray(object) && (object.length !== size || size > LONG)) return true;
  const keys = keysOf(object);
  if (!isArray(object) && getPrototypeOf(object) === ObjectPrototype && keys.length !== size) return true;
  for (let i = 0; i < keys.length; i++) {
    if (!hasOwn(getOwnPropertyDescriptor(object, keys[i]), 'value')) return true;
  }
  return false;
}

let budget = 0;
let found = false;

function visitEntry(value, key) {
  if (!found) found = isLoud(value) || isLoud(key);
}

function isLoud(value) {
  if (typeof value !== 'object' || value === null) return false;
  if (--budget < 0) return true;
  if (isProxy(value) || isView(value) || types.isAnyArrayBuffer(value)) return false;
  if (types.isMap(value) || types.isSet(value)) {
    if (types.isMap(value)) mapForEach.call(value, visitEntry);
    else setForEach.call(value, visitEntry);
    return found;
  }
  if (types.isNativeError(value)) return true;
  const keys = keysWithin(value);
  if (keys === undefined) return true;
  if (isArray(value)) {
    // By number, which is quicker than by key.
    for (let i = 0; i < keys; i++) {
      const descriptor = getOwnPropertyDescriptor(value, i);
      if (descriptor !== undefined && isLoudProperty(descriptor)) return true;
    }
    return false;
  }
  for (let i = 0; i < keys.length; i++) if (isLoudProperty(getOwnPropertyDescriptor(value, keys[i]))) return true;
  return false;
}

function isLoudProperty(descriptor) {
  if (!hasOwn(descriptor, 'value')) return true;
  return typeof descriptor.value === 'object' && isLoud(descriptor.value);
}

/** The keys of an object; of an array, its length, when all are indices. Undefined when there are too many. */
function keysWithin(object) {
  if (!isArray(object)) {
    const keys = keysOf(object);
    budget -= keys.length;
    return budget < 0 ? undefined : keys;
  }
  budget -= object.length;
  return budget < 0 || hasNamedProperties(object) ? undefined : object.length;
}

/**
 * Whether reading on in a value may run the program's code. Looks at so many things at the most; true when that is not
 * enough to tell.
 *
 * @param {object} root
 * @param {number} most
 * @param {object} [child] what is being read now, if it is a direct child: only what comes after it counts
 */
function mayRunCode(root, most, child) {
  budget = most;
  found = false;
  if (child === undefined || types.isMap(root) || types.isSet(root) || types.isNativeError(root)) return isLoud(root);
  const keys = keysWithin(root);
  if (keys === undefined) return true;
  const count = isArray(root) ? keys : keys.length;
  let met = false;
  for (let i = 0; i < count; i++) {
    const descriptor = getOwnPropertyDescriptor(root, isArray(root) ? i : keys[i]);
    if (descriptor === undefined) continue;
    if (met) {
      if (isLoudProperty(descriptor)) return true;
    } else {
      met = hasOwn(descriptor, 'value') && descriptor.value === child;
    }
  }
  // A getter returned it.
  return !met;
}

module.exports = { hasAccessor, mayRunCode };
