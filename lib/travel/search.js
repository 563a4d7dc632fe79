'use strict';

/**
 * Finds objects that travel inside a value, where structured clone would look: elements and own enumerable properties
 * of ordinary objects and arrays, entries of Maps, members of Sets, the cause of an Error.
 *
 * To search is not to read: no code of a user's runs. A property that only a getter can tell, or a Proxy, is noted and
 * left alone.
 */

const { types } = require('node:util');

const { hasNamedProperties } = require('../codec/array-properties');
const { kindOf } = require('./registry');

const { isProxy, isMap, isSet, isNativeError } = types;
const { isArray } = Array;
const { hasOwn, keys: keysOf, getOwnPropertyDescriptor, getPrototypeOf, prototype: ObjectPrototype } = Object;
const { __lookupGetter__: lookupGetter } = ObjectPrototype;
const mapForEach = Map.prototype.forEach;
const setForEach = Set.prototype.forEach;

/** What has nothing inside. */
function isLeaf(value) {
  return typeof value !== 'object' || value === null || ArrayBuffer.isView(value);
}

/** How Node marks what it can transfer or clone by itself, such as streams, file handles and keys: methods so named. */
const MARKS = new Set(['messaging_transfer_symbol', 'messaging_clone_symbol']);
/** prototype -> whether it has a mark. */
const marked = new WeakMap();

const hasMark = (object) => Object.getOwnPropertySymbols(object).some(({ description }) => MARKS.has(description));

function inheritsMark(object) {
  const prototype = getPrototypeOf(object);
  // A Proxy would see that it is asked.
  if (prototype === null || isProxy(prototype)) return false;
  let known = marked.get(prototype);
  if (known === undefined) {
    known = hasMark(prototype) || inheritsMark(prototype);
    marked.set(prototype, known);
  }
  return known;
}

/** Whether this is a thing of Node's that it takes to another thread by itself: nothing to look into. */
function isTransferable(object) {
  return hasMark(object) || inheritsMark(object);
}

function collectEntry(entry, key) {
  this.push(key, entry);
}
function collectMember(member) {
  this.push(member);
}

/** The keys and entries of a Map, in turn, whatever its class has overridden. */
function entriesOf(map) {
  const entries = [];
  mapForEach.call(map, collectEntry, entries);
  return entries;
}

function membersOf(set) {
  const members = [];
  setForEach.call(set, collectMember, members);
  return members;
}

/** The values inside a container that has come to this thread, keys of a Map included. It holds no getters. */
function inside(container) {
  if (isArray(container) || getPrototypeOf(container) === ObjectPrototype) return Object.values(container);
  if (isMap(container)) return entriesOf(container);
  if (isSet(container)) return membersOf(container);
  return isTransferable(container) ? [] : Object.values(container);
}

/**
 * A search, for a purpose of its own: it has `meet(object, container)`, which returns true to end the search, and
 * `getter(container)`, for a property that only a getter can tell.
 */
class Search {

  /**
   * Looks at what stands in a container. Objects that travel, and Proxies, are not to be looked into.
   *
   * @returns {boolean} whether `meet` wants no more
   */
  lookInto(container) {
    if (isArray(container)) return this.#elements(container);
    const prototype = getPrototypeOf(container);
    if (prototype === ObjectPrototype || prototype === null) return this.#properties(container, keysOf(container));
    if (isMap(container)) return this.#all(entriesOf(container), container);
    if (isSet(container)) return this.#all(membersOf(container), container);
    if (isNativeError(container)) return hasOwn(container, 'cause') && this.#properties(container, ['cause']);
    const keys = keysOf(container);
    return keys.length > 0 && !isTransferable(container) && this.#properties(container, keys);
  }

  #properties(container, keys) {
    for (let i = 0; i < keys.length; i++) {
      const descriptor = getOwnPropertyDescriptor(container, keys[i]);
      if (!hasOwn(descriptor, 'value')) {
        this.getter(container);
        continue;
      }
      const { value } = descriptor;
      if (typeof value === 'object' && value !== null && this.meet(value, container)) return true;
    }
    return false;
  }

  #elements(array) {
    const { length } = array;
    for (let i = 0; i < length; i++) {
      // Far cheaper for an element than its descriptor.
      if (lookupGetter.call(array, i) !== undefined) return this.#properties(array, keysOf(array));
      const value = array[i];
      if (value === undefined && !hasOwn(array, i)) return this.#properties(array, keysOf(array));
      if (typeof value === 'object' && value !== null && this.meet(value, array)) return true;
    }
    return hasNamedProperties(array) && this.#properties(array, keysOf(array).slice(length));
  }

  #all(values, container) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (typeof value === 'object' && value !== null && this.meet(value, container)) return true;
    }
    return false;
  }
}

/** So many containers are remembered in a list; most messages have fewer. */
const FEW = 16;

/** Looks for the first thing that makes a message one that cannot be handed on as it is. */
class Glance extends Search {
  found = false;
  #minds;
  #waiting = [];
  #seen = [];
  #manySeen;

  /** @param {boolean} mindsGetters whether a getter counts as found: it may give anything */
  constructor(mindsGetters) {
    super();
    this.#minds = mindsGetters;
  }

  meet(object) {
    if (ArrayBuffer.isView(object) || isProxy(object)) return false;
    if (kindOf(object) !== undefined) {
      this.found = true;
      return true;
    }
    if (this.#isNew(object)) this.#waiting.push(object);
    return false;
  }

  #isNew(object) {
    if (this.#manySeen !== undefined) {
      const { size } = this.#manySeen;
      return this.#manySeen.add(object).size > size;
    }
    if (this.#seen.includes(object)) return false;
    if (this.#seen.push(object) > FEW) this.#manySeen = new Set(this.#seen);
    return true;
  }

  getter() {
    if (this.#minds) this.found = true;
  }

  at(value) {
    this.meet(value);
    while (!this.found && this.#waiting.length > 0) this.lookInto(this.#waiting.pop());
    return this.found;
  }
}

/** Whether something in this value travels, or may: a getter may give anything. */
function needsCare(value) {
  return !isLeaf(value) && new Glance(true).at(value);
}

/** Whether something in this value travels, getters aside. */
function holdsTraveler(value) {
  return !isLeaf(value) && new Glance(false).at(value);
}

/** Finds the ways to whatever makes a message one that cannot be handed on as it is. */
class Exploration extends Search {
  hasGetters = false;
  /** object -> containers in which it stands. */
  #parents = new Map();
  #waiting = [];
  /** What travels, or has a getter, or leads there. */
  #leading = new Set();
  /** Those of which the parents do not know yet. */
  #untold = [];

  meet(object, container) {
    if (ArrayBuffer.isView(object) || isProxy(object)) return false;
    const parents = this.#parents.get(object);
    if (parents !== undefined) {
      parents.push(container);
      if (this.#leading.has(object)) this.#leads(container);
      return false;
    }
    this.#parents.set(object, container === undefined ? [] : [container]);
    if (kindOf(object) !== undefined) this.#leads(object);
    else this.#waiting.push(object);
    return false;
  }

  getter(container) {
    this.hasGetters = true;
    this.#leads(container);
  }

  #leads(object) {
    if (this.#leading.has(object)) return;
    this.#leading.add(object);
    this.#untold.push(object);
  }

  /** Looks through a value that was not known before. */
  add(value) {
    if (isLeaf(value) || this.#parents.has(value)) return;
    this.meet(value);
    while (this.#waiting.length > 0) this.lookInto(this.#waiting.pop());
    while (this.#untold.length > 0) for (const parent of this.#parents.get(this.#untold.pop())) this.#leads(parent);
  }

  /** Whether something that travels, or that only a getter tells, can be reached from here. */
  isWay(container) {
    return this.#leading.has(container);
  }
}

module.exports = { Exploration, entriesOf, holdsTraveler, inside, isLeaf, isTransferable, membersOf, needsCare };
