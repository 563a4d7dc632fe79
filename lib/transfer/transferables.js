'use strict';

/**
 * Finds the objects that are transferred with a value: the ArrayBuffers and ports in it. The value is looked through before
 * it is read, so no code of the program's runs: getters are not called, and Proxies are passed over.
 */

const { types } = require('node:util');

const { bufferOf, isBuffer, isView, lengthOf, sizeOf } = require('../codec/bytes');
const { SafeSet, append, isArray, mapForEach, setForEach } = require('../runtime/intrinsics');
const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');

const { getOwnPropertyDescriptor, getOwnPropertyNames, getPrototypeOf, keys: keysOf, prototype: ObjectPrototype } = Object;

/** On a list of `transferablesIn`, of any copy of the package: what Node will not move of it is copied. */
const FOUND = Symbol.for('rust-workers.found');

const NOTHING = Object.freeze([]);

/**
 * Walks through a value, entries of Maps and members of Sets included.
 *
 * @param {unknown} root
 * @param {(object: object) => boolean} take is shown each object once; true: nothing inside it is of interest
 * @param {(object: object) => string[]} propertiesOf the properties of an object that are looked at
 */
function walk(root, take, propertiesOf) {
  const seen = new SafeSet();
  let open = { value: root, rest: undefined };
  const add = (value) => (open = { value, rest: open });
  const addEntry = (item, key) => {
    add(item);
    add(key);
  };
  while (open !== undefined) {
    const { value } = open;
    open = open.rest;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (take(value) || types.isProxy(value)) continue;
    if (types.isMap(value)) {
      mapForEach.call(value, addEntry);
    } else if (types.isSet(value)) {
      setForEach.call(value, addEntry);
    } else {
      const keys = propertiesOf(value);
      for (let i = 0; i < keys.length; i++) add(getOwnPropertyDescriptor(value, keys[i]).value);
    }
  }
}

/** Whether this is a part of Node's pool of small Buffers, which is not the caller's to give. */
function isPooled(value, memory) {
  return types.isUint8Array(value) && isBuffer(value) && lengthOf(value) < sizeOf(memory);
}

/** Of arrays and plain objects those that structured clone reads; objects of classes are not looked into. */
function dataProperties(object) {
  if (isArray(object)) return keysOf(object);
  const prototype = getPrototypeOf(object);
  return prototype === null || prototype === ObjectPrototype ? keysOf(object) : NOTHING;
}

/**
 * Every ArrayBuffer and MessagePort in a value, at any depth of arrays, plain objects, Maps and Sets.
 *
 * @param {unknown} root
 * @returns {object[]} a list that says that it was found
 */
function transferablesIn(root) {
  const found = new SafeSet();
  walk(root, (value) => {
    if (types.isProxy(value)) return true;
    const memory = isView(value) ? bufferOf(value) : value;
    if (types.isAnyArrayBuffer(memory)) {
      // Shared memory is shared anyway.
      if (types.isArrayBuffer(memory) && !isPooled(value, memory)) found.add(memory);
      return true;
    }
    if (!(value instanceof NodeMessagePort)) return false;
    found.add(value);
    return true;
  }, dataProperties);
  const list = [];
  found.forEach((object) => append(list, object));
  return Object.defineProperty(list, FOUND, { value: true });
}

/**
 * Takes out of `list` what is in a value, at any depth: in objects of classes too, and in their hidden properties, since
 * the caller has named the objects.
 *
 * @param {unknown} root
 * @param {Set<object>} list
 * @returns {object[]}
 */
function listedIn(root, list) {
  const found = [];
  walk(root, (value) => {
    if (list.size === 0) return true;
    const object = isView(value) ? bufferOf(value) : value;
    const isListed = list.delete(object);
    if (isListed) append(found, object);
    return isListed || object !== value;
  }, getOwnPropertyNames);
  return found;
}

module.exports = { FOUND, listedIn, transferablesIn };
