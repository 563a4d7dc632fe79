'use strict';

const { forgotten } = require('../forgotten');
const { binding } = require('../native');
const { sizeOf } = require('../codec/bytes');
const { InvalidArgTypeError } = require('../errors');
const { showState } = require('../inspection');
const { markAsUncloneable } = require('../runtime/worker-threads');
const { startSearching } = require('../transfer/registry');
const { copyOfTree, copyOfView } = require('./copy');
const { Tree } = require('./tree');
const { sourceOf } = require('./views');
const { write } = require('./writer');

/** The collector sees a small object; it is told what hangs on it. */
const released = forgotten('releaseBytes');

/** Tells the constructor that the memory is there. */
class Written {
  memory;
  bytes;

  constructor(memory, bytes) {
    this.memory = memory;
    this.bytes = bytes;
  }
}

/** The memory of a handle, and whether an object is one. Set by the class, which alone sees its private parts. */
let memoryOf;
let isSharedValue;

/** A value that stands once in memory and is read by every thread that has a handle of it. Made by `share`. */
class SharedValue {
  #tree;

  static {
    memoryOf = (shared) => {
      const { memory, bytes } = shared.#tree;
      return { memory, bytes };
    };
    // Also of an object whose prototype was changed.
    isSharedValue = (value) => typeof value === 'object' && value !== null && #tree in value;
  }

  constructor(written) {
    if (!(written instanceof Written)) {
      throw new InvalidArgTypeError('A SharedValue is made by share(value)');
    }
    this.#tree = new Tree(written.memory, written.bytes);
    const { byteLength } = this;
    binding.holdBytes(byteLength);
    released.register(this, byteLength);
    // Cloned it would silently be `{}`. In messages of this package it is serialized: see transfer.js.
    markAsUncloneable?.(this);
    startSearching();
  }

  get value() {
    return this.#tree.root;
  }

  get byteLength() {
    const { memory, bytes } = this.#tree;
    return sizeOf(memory) + (bytes === undefined ? 0 : sizeOf(bytes));
  }

  copy() {
    return copyOfTree(this.#tree);
  }

  toJSON() {
    return this.value;
  }

  static copyOf(view) {
    const source = sourceOf(view);
    if (source === undefined) {
      throw new InvalidArgTypeError('The "view" argument must be an object or an array of a SharedValue');
    }
    return copyOfView(source);
  }
}

const over = (memory, bytes) => new SharedValue(new Written(memory, bytes));

/**
 * Writes a value once to memory that all threads can read.
 *
 * @param {unknown} value
 * @returns {SharedValue}
 */
function share(value) {
  const { memory, bytes } = write(value);
  return over(memory, bytes);
}

showState(SharedValue, (shared) => ({ byteLength: shared.byteLength, value: shared.value }));

module.exports = { SharedValue, isSharedValue, memoryOf, over, share };
