'use strict';

/** Elements of one type on shared memory. */

const { bufferOf, lengthOf, offsetOf } = require('../codec/bytes');
const { startSearching } = require('../transfer/registry');
const { countedNotify } = require('./counted-notify');
const { isFloat } = require('./element-types');
const { regionHandle } = require('./region-handle');
const { rustAtomics } = require('./rust-atomics');

// V8's own operations are machine instructions; a native call would cost ten times as much. V8 has a flag that removes them.
const { add, and, compareExchange, exchange, isLockFree, load, or, store, sub, xor } =
  globalThis.Atomics ?? rustAtomics;
const { wait, waitAsync } = rustAtomics;

/** Atomic operations on a typed array over a SharedArrayBuffer, with the meanings and errors of `Atomics`. */
class AtomicView {
  #array;
  #type;
  /** In cells of 4 bytes: where the array begins, and how wide an element is, if threads can wait on it. */
  #first;
  #width;
  /** Keeps the queue of waiters; made by the first. */
  #region;

  constructor(array, type) {
    this.#array = array;
    this.#type = type;
    this.#first = offsetOf(array) >> 2;
    this.#width = array.BYTES_PER_ELEMENT >> 2;
    startSearching();
  }

  /** The typed array. */
  get array() {
    return this.#array;
  }

  get type() {
    return this.#type;
  }

  get buffer() {
    return bufferOf(this.#array);
  }

  get byteOffset() {
    return offsetOf(this.#array);
  }

  get byteLength() {
    return lengthOf(this.#array);
  }

  get length() {
    return this.#array.length;
  }

  load(index) {
    return load(this.#array, index);
  }

  store(index, value) {
    return store(this.#array, index, value);
  }

  add(index, value) {
    return add(this.#array, index, value);
  }

  sub(index, value) {
    return sub(this.#array, index, value);
  }

  and(index, value) {
    return and(this.#array, index, value);
  }

  or(index, value) {
    return or(this.#array, index, value);
  }

  xor(index, value) {
    return xor(this.#array, index, value);
  }

  exchange(index, value) {
    return exchange(this.#array, index, value);
  }

  compareExchange(index, expected, replacement) {
    return compareExchange(this.#array, index, expected, replacement);
  }

  isLockFree(size = this.#array.BYTES_PER_ELEMENT) {
    return isLockFree(size);
  }

  wait(index, value, timeout) {
    this.#region ??= regionHandle(bufferOf(this.#array));
    return wait(this.#array, index, value, timeout);
  }

  async waitAsync(index, value, timeout) {
    this.#region ??= regionHandle(bufferOf(this.#array));
    return waitAsync(this.#array, index, value, timeout).value;
  }

  notify(index, count) {
    return countedNotify(this.#array, this.#first, this.#width, index, count);
  }

  /** Whether an object is a view of this copy's, also one whose prototype was changed. */
  static isAtomicView(value) {
    return typeof value === 'object' && value !== null && #array in value;
  }

  /** Its typed array. */
  static memory(view) {
    return view.#array;
  }
}

/** Floats have plain loads and stores; everything else is a TypeError, as with `Atomics`. */
class FloatView extends AtomicView {
  load(index) {
    return this.array[elementIndex(this.array, index)];
  }

  store(index, value) {
    const at = elementIndex(this.array, index);
    const number = +value;
    this.array[at] = number;
    return number;
  }
}
Object.defineProperty(FloatView, 'name', { value: 'AtomicView' });

/** The index as `Atomics` takes it. */
function elementIndex(array, index) {
  const at = Math.trunc(+index) || 0;
  if (at < 0 || at >= array.length) throw new RangeError('Invalid atomic access index');
  return at;
}

/**
 * @param {Int8Array | Float64Array} array over a SharedArrayBuffer
 * @param {string} type its name in element-types.js
 */
function atomicView(array, type) {
  return isFloat(type) ? new FloatView(array, type) : new AtomicView(array, type);
}

module.exports = { AtomicView, atomicView };
