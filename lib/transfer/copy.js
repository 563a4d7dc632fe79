'use strict';

/**
 * The copy of a value in which a record stands for each object of ours: read as structured clone reads, which is what
 * Node does to the copy afterwards. Depth first, a container's keys taken when it is reached, each property read
 * once and only if it is still there. So a getter runs once, in its turn, and the value that it returns is sent.
 */

const { types } = require('node:util');

const { isOrdinary, isTakenApart, classFacts } = require('../codec/object-kinds');
const { bufferOf, isOutOfBounds } = require('../codec/bytes');
const { append } = require('../runtime/intrinsics');
const { MemoryCopies } = require('../codec/memory-copies');
const { flagsOf, sourceOf } = require('../codec/regexps');
const { closedPort } = require('../runtime/closed-port');
const { typeOf } = require('./registry');
const { Exploration, entriesOf, isOfNode, membersOf } = require('./search');
const { isUncloneable, marks } = require('../runtime/clone-marks');

const { hasOwn, keys: keysOf } = Object;
const { getTime } = Date.prototype;

/** Defines, so that `__proto__` is a property like any other and no setter hears of it. */
function put(object, key, value) {
  if (!(key in object)) {
    object[key] = value;
    return;
  }
  Object.defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

// Containers that are being copied: `next` copies one step further, and returns false when there is none left.

class Properties {
  copy;
  #source;
  #keys;
  #copyOf;
  #at = 0;

  constructor(source, copy, keys, copyOf) {
    this.#source = source;
    this.copy = copy;
    this.#keys = keys;
    this.#copyOf = copyOf;
  }

  next() {
    if (this.#at === this.#keys.length) return false;
    const key = this.#keys[this.#at++];
    if (hasOwn(this.#source, key)) put(this.copy, key, this.#copyOf(this.#source[key]));
    return true;
  }
}

class Members {
  copy;
  #members;
  #copyOf;
  #at = 0;

  constructor(source, copyOf) {
    this.copy = new Set();
    this.#members = membersOf(source);
    this.#copyOf = copyOf;
  }

  next() {
    if (this.#at === this.#members.length) return false;
    this.copy.add(this.#copyOf(this.#members[this.#at++]));
    return true;
  }
}

class Entries {
  copy;
  #entries;
  #copyOf;
  #at = 0;
  #key;

  constructor(source, copyOf) {
    this.copy = new Map();
    this.#entries = entriesOf(source);
    this.#copyOf = copyOf;
  }

  // A key and its value are two steps: what is inside the key is read before the value.
  next() {
    if (this.#at === this.#entries.length) return false;
    const copied = this.#copyOf(this.#entries[this.#at]);
    if (this.#at++ % 2 === 0) this.#key = copied;
    else this.copy.set(this.#key, copied);
    return true;
  }
}

/**
 * An Error, as structured clone reads one: its name as a text; then its message, as a text too, and its cause, where these
 * are no getters; then its stack.
 */
class ErrorParts {
  copy;
  #source;
  #copyOf;
  #at = 0;

  constructor(source, copyOf) {
    this.copy = new Error();
    this.#source = source;
    this.#copyOf = copyOf;
  }

  next() {
    const { copy } = this;
    const source = this.#source;
    switch (this.#at++) {
      case 0:
        put(copy, 'name', `${source.name}`);
        return true;
      case 1:
        this.#property('message', (text) => `${text}`);
        return true;
      case 2:
        this.#property('cause', this.#copyOf);
        return true;
      case 3:
        put(copy, 'stack', source.stack);
        return true;
      default:
        return false;
    }
  }

  #property(key, copyOf) {
    const descriptor = Object.getOwnPropertyDescriptor(this.#source, key);
    if (descriptor !== undefined && hasOwn(descriptor, 'value')) put(this.copy, key, copyOf(descriptor.value));
  }
}

/** Whether structured clone takes it as an Error. A DOMException is one for V8, and Node carries it itself. */
const isClonedError = (object) => types.isNativeError(object) && !isOfNode(object);

/** Whether structured clone takes this without a question and without running code of the program's. */
function isHarmless(value) {
  const type = typeof value;
  if (type !== 'object') return type !== 'function' && type !== 'symbol';
  return (
    value === null || (ArrayBuffer.isView(value) && !isOutOfBounds(value)) || types.isAnyArrayBuffer(value) || types.isDate(value) ||
    types.isRegExp(value) || (types.isBoxedPrimitive(value) && !types.isSymbolObject(value))
  );
}

/** Throws Node's own error for a value that Node refuses, in the value's turn. */
function letNodeRefuse(value) {
  if (!isHarmless(value)) closedPort().postMessage(value);
}

/** Whether it has no inner slots. Objects that have some, behind the prototype of objects, have no keys, or an index first. */
function isPlain(object, keys) {
  const isUsual = keys.length > 0 && keys[0] !== '0' && Object.getPrototypeOf(object) === Object.prototype;
  if (isUsual) return true;
  const { name, isOpaque } = classFacts(object);
  return !isOpaque && isTakenApart(name) && isOrdinary(object);
}

/** Whether this is surely a container for structured clone, and no object of the platform's. */
function isContainer(object) {
  if (Array.isArray(object) || types.isMap(object) || types.isSet(object) || isClonedError(object)) return true;
  if (ArrayBuffer.isView(object)) return false;
  const prototype = Object.getPrototypeOf(object);
  if (prototype === null || prototype === Object.prototype) return true;
  return keysOf(object).length > 0 && !isOfNode(object);
}

class Copying {
  #exploration = new Exploration();
  #recordOf;
  #listed;
  #known = new Map();
  #memory = new MemoryCopies();
  #open = [];

  /**
   * @param {(object: object, type: object, isTurn: boolean) => object} recordOf what stands for an object of a
   *   transferable type; `isTurn` if all that Node would refuse before it has been refused
   * @param {Set<object>} listed the objects on the transfer list
   */
  constructor(recordOf, listed) {
    this.#recordOf = recordOf;
    this.#listed = listed;
  }

  /**
   * @param {unknown} value
   * @param {() => void} first called before the first getter
   * @returns {unknown} the copy, or the value itself where nothing in it has to be copied
   */
  of(value, first) {
    if (!types.isProxy(value)) this.#exploration.add(value);
    if (this.#exploration.hasGetters) first();
    const copy = this.#copyOf(value);
    // The container reached last is copied before those around it go on.
    while (this.#open.length > 0) if (!this.#open.at(-1).next()) this.#open.pop();
    return copy;
  }

  #copyOf = (value) => {
    if (typeof value !== 'object' || value === null || types.isProxy(value)) return this.#asIs(value);
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const copy = this.#copyOfObject(value);
    this.#known.set(value, copy);
    return copy;
  };

  #copyOfObject(object) {
    const type = typeOf(object);
    // An object that moves is not cloned.
    if (marks.some && !type?.moves && isUncloneable(object)) return this.#asIs(object);
    if (type !== undefined) return this.#recordOf(object, type, this.#exploration.hasGetters);
    // A value that a getter returned, or put in the place of another, was not there before.
    this.#exploration.add(object);
    const container = this.#isCopied(object) ? this.#opened(object) : undefined;
    if (container === undefined) return this.#asIs(object);
    append(this.#open, container);
    return container.copy;
  }

  /**
   * Whether the copy is to have a copy of this container: of those that lead to an object of ours or to a getter; and of
   * all containers where there are getters, since a getter may change what was read before it. (A container that is not
   * copied must not hold one that is: there would be two.)
   */
  #isCopied(container) {
    return this.#exploration.leadsThere(container) || (this.#exploration.hasGetters && isContainer(container));
  }

  /** A value for Node to take, or to refuse. */
  #asIs(value) {
    if (!this.#exploration.hasGetters || this.#listed.has(value)) return value;
    letNodeRefuse(value);
    return this.#now(value);
  }

  /** The value as it is now, since a getter that is still to come may change it. */
  #now(value) {
    if (typeof value !== 'object' || value === null) return value;
    if (types.isDate(value)) return new Date(getTime.call(value));
    if (types.isRegExp(value)) return new RegExp(sourceOf(value), flagsOf(value));
    if (!ArrayBuffer.isView(value) && !types.isArrayBuffer(value)) return value;
    return this.#listed.has(ArrayBuffer.isView(value) ? bufferOf(value) : value) ? value : this.#memory.of(value);
  }

  #opened(source) {
    const copyOf = this.#copyOf;
    if (Array.isArray(source)) return new Properties(source, new Array(source.length), keysOf(source), copyOf);
    if (types.isMap(source)) return new Entries(source, copyOf);
    if (types.isSet(source)) return new Members(source, copyOf);
    if (isClonedError(source)) return new ErrorParts(source, copyOf);
    const keys = keysOf(source);
    return isPlain(source, keys) ? new Properties(source, {}, keys, copyOf) : undefined;
  }
}

module.exports = { Copying, put };
