'use strict';

// The language as it was when this file was loaded: what a program changes later on built-in classes and their
// prototypes has no part in how values are read and written.
//
// A store (`object.key = value`, `array.push(value)`) asks the prototype chain first, and an accessor that stands on
// Object.prototype or Array.prototype would be given the value. So what holds values that cross is made with its
// properties already there, or gets them by `define`.

const {
  Array: { isArray, prototype: ArrayPrototype }, Date, Map, Object, Reflect, RegExp, Set, WeakMap,
} = globalThis;
const {
  defineProperty, getOwnPropertyDescriptor, getOwnPropertyNames, hasOwn, isExtensible, keys, setPrototypeOf,
  prototype: ObjectPrototype,
} = Object;
const { slice, concat, indexOf } = ArrayPrototype;

/** The methods of a class as its own: `Safe` has them whatever becomes of the prototype of `Class`. */
function hardened(Class) {
  const Safe = class extends Class {};
  for (const key of Reflect.ownKeys(Class.prototype)) {
    if (key !== 'constructor') defineProperty(Safe.prototype, key, getOwnPropertyDescriptor(Class.prototype, key));
  }
  setPrototypeOf(Safe.prototype, null);
  return Safe;
}

/** Gives an object a property of its own. */
function define(object, key, value, enumerable = true) {
  // V8 is quick about a descriptor made by `{}`; one must not inherit an accessor.
  const descriptor = 'get' in ObjectPrototype || 'set' in ObjectPrototype
    ? { __proto__: null, value, writable: true, enumerable, configurable: true }
    : { value, writable: true, enumerable, configurable: true };
  defineProperty(object, key, descriptor);
}

/**
 * Zeros to copy: as many as were ever asked for at once, doubled step by step, up to a mebibyte of them. Large arrays cost a third
 * so; and to make some by `define` would take a fifth of all that this package does when a worker starts.
 */
const MOST_AT_ONCE = 128 * 1024;
let zeros = [0];

/** An array of so many elements of its own, zeros for the time being: to store to them runs nobody's code. */
function arrayOf(length) {
  switch (length) {
    case 0: return [];
    case 1: return [0];
    case 2: return [0, 0];
    case 3: return [0, 0, 0];
    case 4: return [0, 0, 0, 0];
  }
  return zerosOf(length);
}

/** So many zeros. Unlike an array literal's, its elements begin as small integers whatever was stored in those before. */
function zerosOf(length) {
  if (length <= MOST_AT_ONCE) {
    while (zeros.length < length) zeros = concat.call(zeros, zeros);
    return slice.call(zeros, 0, length);
  }
  let array = zerosOf(MOST_AT_ONCE);
  while (array.length * 2 <= length) array = concat.call(array, array);
  return concat.call(array, zerosOf(length - array.length));
}

/** The same elements, and as many more. */
function twice(array) {
  return concat.call(array, arrayOf(array.length));
}

/** Adds an element of its own at the end of an array. */
function append(array, value) {
  define(array, array.length, value);
}

/** The array with one more element: another array where it was empty, which costs a twentieth of `append`. */
function added(array, value) {
  if (array.length === 0) return [value];
  append(array, value);
  return array;
}

/** Whether holes of arrays may look like elements: something stands on the prototypes under an index. */
function hasIndexedPrototypes() {
  // Array.prototype is an array itself. Of Object.prototype there is no quick question but for all that is enumerable.
  return ArrayPrototype.length > 0 || keys(ObjectPrototype).length > 0;
}

const ownNames = getOwnPropertyNames(ObjectPrototype);
/** Lengths of the names of the language's own properties of objects. */
const lengths = [];
for (const name of ownNames) lengths[name.length] = true;
const builtIn = new (hardened(Set))();
for (const name of ownNames) builtIn.add(name);
/** A program may have prepared Object.prototype for everybody. */
const wasClean = ownNames.every((name) => name === '__proto__' || hasOwn(getOwnPropertyDescriptor(ObjectPrototype, name), 'value'));

/** Whether every object has a property of this name from the language. */
function isBuiltIn(key) {
  return lengths[key.length] === true && builtIn.has(key);
}

/** Whether a store of a property that is not built in runs nobody's code and makes a property of the object's own. */
function areStoresSafe() {
  return wasClean && getOwnPropertyNames(ObjectPrototype).length === ownNames.length && isExtensible(ObjectPrototype) &&
    isExtensible(ArrayPrototype) && !hasIndexedPrototypes();
}

/** Buffers' own methods between text and bytes: see buffer-text.js. */
const bufferText = typeof Buffer.prototype.latin1Write === 'function' ? Buffer.prototype : require('./buffer-text');

module.exports = {
  ArrayPrototype, Date, Map, ObjectPrototype, RegExp, Set,
  SafeMap: hardened(Map), SafeSet: hardened(Set), SafeWeakMap: hardened(WeakMap),
  added, append, areStoresSafe, arrayOf, bufferText, concat, define, hasIndexedPrototypes, indexOf, isArray, isBuiltIn,
  mapForEach: Map.prototype.forEach, setForEach: Set.prototype.forEach,
  slice, twice, zerosOf,
  mapSet: Map.prototype.set, setAdd: Set.prototype.add,
  sizeOfMap: getOwnPropertyDescriptor(Map.prototype, 'size').get,
  sizeOfSet: getOwnPropertyDescriptor(Set.prototype, 'size').get,
};
