'use strict';

/** The bytes of views and buffers in a value, one after the other in a memory of their own. */

const { bytesOf, setBytes } = require('../codec/bytes');
const { allocate } = require('./refusal');
const { types } = require('node:util');

const FIRST_BYTES = 4096;
/** Where a view begins suits elements of every size. */
const ALIGNMENT = 8;

class Blocks {
  #root;
  #memory;
  #length = 0;

  /** @param {unknown} root the value; where it is a view or a buffer itself, its bytes are copied once */
  constructor(root) {
    this.#root = root;
  }

  /**
   * Copies the bytes of a view or buffer, now: a getter may change them later.
   *
   * @returns {number} where they are
   */
  add(value, length) {
    const offset = Math.ceil(this.#length / ALIGNMENT) * ALIGNMENT;
    this.#reserve(offset + length, value === this.#root);
    setBytes.call(this.#memory, bytesOf(value), offset);
    this.#length = offset + length;
    return offset;
  }

  #reserve(length, isAlone) {
    const capacity = this.#memory === undefined ? 0 : this.#memory.length;
    if (this.#memory !== undefined && length <= capacity) return;
    const old = this.#memory;
    const memory = isAlone
      ? allocate(SharedArrayBuffer, length)
      : allocate(ArrayBuffer, Math.max(length, capacity * 2, FIRST_BYTES));
    this.#memory = new Uint8Array(memory);
    if (old !== undefined) setBytes.call(this.#memory, old.subarray(0, this.#length));
  }

  /** @returns {SharedArrayBuffer | undefined} undefined where the value has no bytes */
  finish() {
    if (this.#memory === undefined) return undefined;
    const { buffer } = this.#memory;
    if (types.isSharedArrayBuffer(buffer)) return buffer;
    const memory = allocate(SharedArrayBuffer, this.#length);
    setBytes.call(new Uint8Array(memory), new Uint8Array(buffer, 0, this.#length));
    return memory;
  }
}

module.exports = { Blocks };
