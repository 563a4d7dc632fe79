'use strict';

const { types } = require('node:util');
const { markAsUncloneable } = require('../runtime/worker-threads');

const { bufferOf, isView, sizeOf } = require('../codec/bytes');
const { InvalidArgTypeError, InvalidArgValueError, OutOfRangeError } = require('../errors');
const { showState } = require('../inspection');
const { memoryOf: memoryOfType, startSearching } = require('../transfer/registry');
const { validateInteger, validateOptions } = require('../validators');
const { AtomicView, atomicView } = require('./atomic-view');
const { countedNotify } = require('./counted-notify');
const { ELEMENT_TYPES } = require('./element-types');
const { regionHandle } = require('./region-handle');
const { rustAtomics } = require('./rust-atomics');

// See atomic-view.js. The methods stand here once more: one call less keeps them at the speed of `Atomics`.
const { add, and, compareExchange, exchange, isLockFree, load, or, store, sub, xor } =
  globalThis.Atomics ?? rustAtomics;
const { wait, waitAsync } = rustAtomics;

// A program may shadow these by own properties. Not every V8 has them.
const { growable, maxByteLength: mostBytes } = Object.getOwnPropertyDescriptors(SharedArrayBuffer.prototype);
const { grow } = SharedArrayBuffer.prototype;
const isGrowable = (buffer) => growable !== undefined && growable.get.call(buffer);
const mostOf = (buffer) => (mostBytes === undefined ? sizeOf(buffer) : mostBytes.get.call(buffer));

const OPTIONS = new Set(['maxByteLength']);

/** Memory that JavaScript threads and native tasks share: a real SharedArrayBuffer, with the methods of `Atomics`. */
class SharedBuffer {
  #buffer;
  /** Its Int32 cells. */
  #cells;
  /** Keeps the queue of waiters; made by the first. */
  #region;

  constructor(byteLength, options = {}) {
    this.#adopt(byteLength instanceof Adopted ? byteLength.buffer : allocate(byteLength, options));
  }

  static from(source) {
    return new SharedBuffer(new Adopted(sharedBufferOf(source)));
  }

  #adopt(buffer) {
    this.#buffer = buffer;
    // Of a growable buffer the array grows with it.
    this.#cells = isGrowable(buffer) ? new Int32Array(buffer) : new Int32Array(buffer, 0, Math.floor(sizeOf(buffer) / 4));
    // Cloned it would silently be `{}`. In messages of `Worker` and `parentPort` it is serialized (transfer.js); elsewhere its
    // `buffer` can be sent.
    markAsUncloneable?.(this);
    startSearching();
  }

  get buffer() {
    return this.#buffer;
  }

  get byteLength() {
    return sizeOf(this.#buffer);
  }

  get maxByteLength() {
    return mostOf(this.#buffer);
  }

  get growable() {
    return isGrowable(this.#buffer);
  }

  grow(byteLength) {
    validateInteger(byteLength, 'byteLength', 0);
    if (!this.growable) {
      throw new InvalidArgValueError('This SharedBuffer cannot grow: make it with { maxByteLength }');
    }
    if (byteLength < this.byteLength || byteLength > this.maxByteLength) {
      throw new OutOfRangeError(
        `The "byteLength" argument must be between ${this.byteLength} and ${this.maxByteLength}. Received ${byteLength}`,
      );
    }
    grow.call(this.#buffer, byteLength);
    return this;
  }

  as(type, byteOffset = 0, length = undefined) {
    const Elements = ELEMENT_TYPES.get(type);
    if (Elements === undefined) {
      const names = [...ELEMENT_TYPES.keys()].map((name) => `'${name}'`).join(', ');
      throw new InvalidArgValueError(`The "type" argument must be one of ${names}`);
    }
    const size = Elements.BYTES_PER_ELEMENT;
    validateInteger(byteOffset, 'byteOffset', 0, this.byteLength);
    if (byteOffset % size !== 0) {
      throw new OutOfRangeError(`The "byteOffset" argument must be a multiple of ${size} for '${type}'. Received ${byteOffset}`);
    }
    if (length === undefined) {
      if (this.growable) return atomicView(new Elements(this.#buffer, byteOffset), type);
      length = Math.floor((this.byteLength - byteOffset) / size);
    }
    validateInteger(length, 'length', 0, Math.floor((this.byteLength - byteOffset) / size));
    return atomicView(new Elements(this.#buffer, byteOffset, length), type);
  }

  load(index) {
    return load(this.#cells, index);
  }

  store(index, value) {
    return store(this.#cells, index, value);
  }

  add(index, value) {
    return add(this.#cells, index, value);
  }

  sub(index, value) {
    return sub(this.#cells, index, value);
  }

  and(index, value) {
    return and(this.#cells, index, value);
  }

  or(index, value) {
    return or(this.#cells, index, value);
  }

  xor(index, value) {
    return xor(this.#cells, index, value);
  }

  exchange(index, value) {
    return exchange(this.#cells, index, value);
  }

  compareExchange(index, expected, replacement) {
    return compareExchange(this.#cells, index, expected, replacement);
  }

  isLockFree(size = 4) {
    return isLockFree(size);
  }

  wait(index, value, timeout) {
    this.#region ??= regionHandle(this.#buffer);
    return wait(this.#cells, index, value, timeout);
  }

  async waitAsync(index, value, timeout) {
    this.#region ??= regionHandle(this.#buffer);
    return waitAsync(this.#cells, index, value, timeout).value;
  }

  notify(index, count) {
    return countedNotify(this.#cells, 0, 1, index, count);
  }

  /** Whether an object is one of this copy's, also one whose prototype was changed. */
  static isSharedBuffer(value) {
    return typeof value === 'object' && value !== null && #buffer in value;
  }

  /** Its SharedArrayBuffer, whatever its class has overridden. */
  static memory(shared) {
    return shared.#buffer;
  }
}

/** Tells the constructor that the memory is there already. */
class Adopted {
  buffer;

  constructor(buffer) {
    this.buffer = buffer;
  }
}

function allocate(byteLength, options) {
  validateInteger(byteLength, 'byteLength', 0);
  const { maxByteLength } = validateOptions(options, 'options', OPTIONS);
  if (maxByteLength !== undefined) validateInteger(maxByteLength, 'options.maxByteLength', byteLength);
  try {
    return new SharedArrayBuffer(byteLength, maxByteLength === undefined ? undefined : { maxByteLength });
  } catch (error) {
    throw new OutOfRangeError(`Could not allocate ${maxByteLength ?? byteLength} bytes of shared memory`, { cause: error });
  }
}

/**
 * The shared memory that an object stands for: itself, or that of a SharedBuffer or of its view, whichever copy of the
 * package made it.
 *
 * @param {unknown} value
 * @returns {SharedArrayBuffer | ArrayBufferView | undefined} undefined for everything else
 */
function memoryOf(value) {
  if (typeof value !== 'object' || value === null) return undefined;
  if (types.isSharedArrayBuffer(value)) return value;
  if (isView(value)) return types.isSharedArrayBuffer(bufferOf(value)) ? value : undefined;
  if (SharedBuffer.isSharedBuffer(value)) return SharedBuffer.memory(value);
  if (AtomicView.isAtomicView(value)) return AtomicView.memory(value);
  return memoryOfType(value);
}

function sharedBufferOf(source) {
  const memory = memoryOf(source);
  if (memory !== undefined) return isView(memory) ? bufferOf(memory) : memory;
  throw new InvalidArgTypeError('The "source" argument must be a SharedArrayBuffer or a view of one');
}

showState(SharedBuffer, (shared) => {
  const { byteLength, growable } = shared;
  return { byteLength, maxByteLength: growable ? shared.maxByteLength : undefined };
});

module.exports = { SharedBuffer, memoryOf };
