'use strict';

/**
 * Finds objects of transferable types inside a value, where structured clone would look: elements and own enumerable
 * properties of ordinary objects and arrays, entries of Maps, members of Sets, the cause of an Error.
 *
 * To search is not to read: no code of the program's runs. A property whose value only a getter knows, or a Proxy, is noted
 * and left alone.
 */

const { types } = require('node:util');

const { hasNamedProperties } = require('../runtime/array-properties');
const { CLONED, TRANSFERRED, ownMarksOf } = require('../runtime/clone-marks');
const { append, arrayOf } = require('../runtime/intrinsics');
const { typeOf } = require('./registry');

const { isProxy, isMap, isSet, isNativeError } = types;
const { isArray } = Array;
const { hasOwn, keys: keysOf, getOwnPropertyDescriptor, getPrototypeOf, prototype: ObjectPrototype } = Object;
const { __lookupGetter__: lookupGetter } = ObjectPrototype;
const mapForEach = Map.prototype.forEach;
const setForEach = Set.prototype.forEach;
const { get: sizeOfMap } = getOwnPropertyDescriptor(Map.prototype, 'size');
const { get: sizeOfSet } = getOwnPropertyDescriptor(Set.prototype, 'size');

/** Whether a value has nothing inside. */
function isLeaf(value) {
  return typeof value !== 'object' || value === null || ArrayBuffer.isView(value);
}

/**
 * Node marks the objects that it takes to another thread by itself, such as streams, file handles and keys.
 *
 * @param {number} marks CLONED, TRANSFERRED, or both
 * @returns {(object: object) => boolean} whether an object has one of them
 */
function marking(marks) {
  /** prototype -> whether it has a mark. */
  const known = new WeakMap();
  const hasMark = (object) => (ownMarksOf(object) & marks) !== 0;
  const inheritsMark = (object) => {
    const prototype = getPrototypeOf(object);
    // A Proxy would see that it is asked.
    if (prototype === null || isProxy(prototype)) return false;
    let answer = known.get(prototype);
    if (answer === undefined) {
      answer = hasMark(prototype) || inheritsMark(prototype);
      known.set(prototype, answer);
    }
    return answer;
  };
  return (object) => hasMark(object) || inheritsMark(object);
}

/** Whether this has to be on a transfer list, or can be. */
const isNodeTransferable = marking(TRANSFERRED);

/** Whether this is an object of Node's that Node takes to another thread by itself: it is not looked into. */
const isOfNode = marking(TRANSFERRED | CLONED);

/** The keys and values of a Map, in turn, whatever its class has overridden. */
function entriesOf(map) {
  const entries = arrayOf(sizeOfMap.call(map) * 2);
  let at = 0;
  mapForEach.call(map, (entry, key) => {
    entries[at++] = key;
    entries[at++] = entry;
  });
  return entries;
}

function membersOf(set) {
  const members = arrayOf(sizeOfSet.call(set));
  let at = 0;
  setForEach.call(set, (member) => (members[at++] = member));
  return members;
}

/** The values inside a container that has come to this thread, keys of a Map included. It holds no getters. */
function inside(container) {
  if (isArray(container) || getPrototypeOf(container) === ObjectPrototype) return Object.values(container);
  if (isMap(container)) return entriesOf(container);
  if (isSet(container)) return membersOf(container);
  return isOfNode(container) ? [] : Object.values(container);
}

/**
 * The elements of a longer array are read, so that a getter among them runs once more than it should: to ask for each
 * descriptor first takes thirty times as long, and nothing shows in advance whether that is necessary.
 */
const ASKED = 256;

/**
 * Looks at all objects that stand in a container.
 *
 * @param {object} container no Proxy, and no object of a transferable type
 * @param {{ meet(object: object, container: object): boolean, getter(container: object): boolean }} search called for
 *   each object, and for a property whose value only a getter knows; either may return true, to end the search
 * @returns {boolean} whether it was ended
 */
function lookInto(container, search) {
  if (isArray(container)) return elements(container, search);
  const prototype = getPrototypeOf(container);
  if (prototype === ObjectPrototype || prototype === null) return properties(container, keysOf(container), search);
  if (isMap(container)) return all(entriesOf(container), container, search);
  if (isSet(container)) return all(membersOf(container), container, search);
  if (ArrayBuffer.isView(container)) return false;
  // A DOMException is one for V8, and Node carries it itself.
  if (isNativeError(container) && !isOfNode(container)) return hasOwn(container, 'cause') && properties(container, ['cause'], search);
  const keys = keysOf(container);
  return keys.length > 0 && !isOfNode(container) && properties(container, keys, search);
}

function properties(container, keys, search) {
  for (let i = 0; i < keys.length; i++) {
    const descriptor = getOwnPropertyDescriptor(container, keys[i]);
    if (!hasOwn(descriptor, 'value')) {
      if (search.getter(container)) return true;
      continue;
    }
    const { value } = descriptor;
    if (typeof value === 'object' && value !== null && search.meet(value, container)) return true;
  }
  return false;
}

function elements(array, search) {
  const { length } = array;
  const isAsked = length <= ASKED;
  for (let i = 0; i < length; i++) {
    // Far cheaper for an element than its descriptor. The value may be inherited: the descriptors show that.
    if (isAsked && lookupGetter.call(array, i) !== undefined) return properties(array, keysOf(array), search);
    const value = array[i];
    if (value === undefined && !hasOwn(array, i)) return properties(array, keysOf(array), search);
    if (typeof value === 'object' && value !== null && search.meet(value, array)) return true;
  }
  return hasNamedProperties(array) && properties(array, keysOf(array).slice(length), search);
}

function all(values, container, search) {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'object' && value !== null && search.meet(value, container)) return true;
  }
  return false;
}

/** File handles, streams and other transferables of Node's in a message that has arrived: they can only move on. */
function nodeTransferablesIn(value) {
  const seen = new Set([value]);
  const found = [];
  for (const at of seen) {
    if (isLeaf(at)) continue;
    if (isNodeTransferable(at)) found.push(at);
    else for (const child of inside(at)) seen.add(child);
  }
  return found;
}

/** So many containers are searched without remembering which they were. Most messages have fewer. */
const FEW = 32;

/** Looks for the first object of ours, or getter. */
class Glance {
  #countsGetters;
  #left = FEW;
  #seen;

  /** @param {boolean} countsGetters whether a getter counts: it may give anything */
  constructor(countsGetters) {
    this.#countsGetters = countsGetters;
  }

  meet(object) {
    if (isProxy(object)) return false;
    if (typeOf(object) !== undefined) return true;
    if (this.#seen === undefined) {
      if (--this.#left >= 0) return lookInto(object, this);
      // Too many: from here each is remembered, and looked into after the others.
      this.#seen = new Set();
    }
    this.#seen.add(object);
    return false;
  }

  getter() {
    return this.#countsGetters;
  }

  finds(object) {
    if (this.meet(object)) return true;
    // An object that was looked into before may be met again, but only once.
    if (this.#seen === undefined) return false;
    // It grows meanwhile.
    for (const waiting of this.#seen) if (lookInto(waiting, this)) return true;
    return false;
  }
}

/** Whether there is an object of ours in this value, or may be: a getter may give anything. */
function mustBeSerialized(value) {
  return !isLeaf(value) && new Glance(true).finds(value);
}

/** Whether there is an object of ours in this value, getters not asked. */
function holdsOurs(value) {
  return !isLeaf(value) && new Glance(false).finds(value);
}

/** Finds all containers from which an object of ours, or a getter, can be reached. */
class Exploration {
  hasGetters = false;
  /** object -> containers in which it stands. */
  #parents = new Map();
  #waiting = new Set();
  /** Objects of ours, containers with a getter, and all that lead there. */
  #leading = new Set();
  /** Those among them whose parents are not among them yet. */
  #untold = new Set();

  meet(object, container) {
    if (isProxy(object)) return false;
    const parents = this.#parents.get(object);
    if (parents !== undefined) {
      append(parents, container);
      if (this.#leading.has(object)) this.#leads(container);
      return false;
    }
    this.#parents.set(object, container === undefined ? [] : [container]);
    if (typeOf(object) !== undefined) this.#leads(object);
    else this.#waiting.add(object);
    return false;
  }

  getter(container) {
    this.hasGetters = true;
    this.#leads(container);
    return false;
  }

  #leads(object) {
    if (this.#leading.has(object)) return;
    this.#leading.add(object);
    this.#untold.add(object);
  }

  /** Looks through a value that was not known before. */
  add(value) {
    if (isLeaf(value) || this.#parents.has(value)) return;
    this.meet(value);
    // Both grow meanwhile.
    for (const waiting of this.#waiting) lookInto(waiting, this);
    this.#waiting.clear();
    for (const told of this.#untold) for (const parent of this.#parents.get(told)) this.#leads(parent);
    this.#untold.clear();
  }

  /** Whether an object of ours, or a property whose value only a getter knows, can be reached from here. */
  leadsThere(container) {
    return this.#leading.has(container);
  }
}

module.exports = {
  Exploration, entriesOf, holdsOurs, inside, isLeaf, isOfNode, membersOf, mustBeSerialized, nodeTransferablesIn,
};
