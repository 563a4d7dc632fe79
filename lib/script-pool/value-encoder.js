'use strict';

/**
 * Encodes values for scripts and of scripts: inputs, results and reports. The other side gets what structured clone makes of
 * the value, in the cheapest form that fits (see INPUTS in src/node/input.rs). Values that only Node's own ports can carry
 * do not go through the queue, and transferred objects do not.
 */

const { types } = require('node:util');

const {
  KIND_ARRAY_BUFFER, KIND_BUFFER, KIND_UINT8, bufferOf, bytesOf, isBuffer, isResizable, isView, kindOfView, lengthOf,
  offsetOf, pairsOf, setBytes, sizeOf,
} = require('../codec/bytes');
const {
  COPY: INPUT_COPY, DIRECT: INPUT_DIRECT, KIND_SHIFT, PIN: INPUT_PIN, WIRE: INPUT_WIRE,
} = require('../constants').INPUTS;

const KIB = 1024;

/** Wires that are kept stand in blocks of so many bytes, several in one. */
const BLOCK = 64 * KIB;
let block = new ArrayBuffer(0);
let used = 0;

/** Memory for a wire of so many bytes. */
function keptMemory(length) {
  if (length > BLOCK / 8) return new Uint8Array(length);
  if (used + length > sizeOf(block)) {
    block = new ArrayBuffer(BLOCK);
    used = 0;
  }
  used += length;
  return new Uint8Array(block, used - length, length);
}

/** Encodes one value at a time, for one owner: a value is good until the next. */
class ValueEncoder {
  form = INPUT_DIRECT;
  /**
   * The value for the native call; for INPUT_WIRE the bytes that begin with the wire. After `encode` said
   * false: what Node's port has to carry, which is the value as it was read where getters have run.
   */
  value = undefined;
  length = 0;
  parts = undefined;

  #keepBuffers;
  /** Made for the first value that needs it, as is the codec: a worker starts sooner without. */
  #writer;

  /** @param {boolean} [keepBuffers] whether Buffers in a value stay Buffers: those of a script arrive as Uint8Arrays */
  constructor(keepBuffers = false) {
    this.#keepBuffers = keepBuffers;
  }

  /**
   * @param {unknown} value
   * @returns {boolean} false when only Node's own port can carry it
   */
  encode(value) {
    switch (typeof value) {
      case 'number':
      case 'undefined':
      case 'boolean':
        return this.#set(INPUT_DIRECT, value);
      case 'object':
        if (value === null) return this.#set(INPUT_DIRECT, value);
        if (isWholeBytes(value)) return this.#bytes(value);
    }
    // A getter of the value may send something too: with a writer of its own, before this one has ended.
    if (this.#writer === undefined || this.#writer.busy) this.#writer = require('../task/values').messageWriter();
    const writer = this.#writer;
    writer.keepBuffers = this.#keepBuffers;
    if (!writer.encode(value, 'message')) {
      this.#set(INPUT_DIRECT, writer.takeLeft());
      return false;
    }
    const { parts } = writer;
    this.form = INPUT_WIRE;
    this.value = writer.bytes;
    this.length = writer.length;
    this.parts = parts.length > 0 ? pairsOf(parts) : undefined;
    return true;
  }

  /**
   * As `encode`, where the value's memory is handed to the native side instead of copied: no other code has it.
   *
   * @param {unknown} value
   * @param {ArrayBuffer[]} given the objects that are transferred
   */
  encodeGiven(value, given) {
    if (!this.encode(value)) return false;
    if (this.form === INPUT_WIRE && this.parts !== undefined) {
      for (let i = 0; i < this.parts.length; i += 2) this.parts[i + 1] = given.includes(this.parts[i].buffer);
    } else if (this.form !== INPUT_WIRE && this.form !== INPUT_DIRECT && given.includes(this.value.buffer)) {
      this.form += INPUT_PIN - INPUT_COPY;
    }
    return true;
  }

  /**
   * A copy of the value, as it is now.
   *
   * @param {unknown} value
   * @returns {{ value: unknown } | undefined} undefined when only Node's own port can carry it, as with `encode`
   */
  copy(value) {
    return this.encode(value) ? { value: this.copyOf(value) } : undefined;
  }

  /** A copy of the value that was encoded last; lets go of that. */
  copyOf(value) {
    const { form, value: shown, length, parts } = this;
    this.release();
    const { decode, decodeBytes } = require('../task/values');
    if (form === INPUT_DIRECT) return value;
    if (form !== INPUT_WIRE) {
      const kind = this.#keepBuffers && isBuffer(value) ? KIND_BUFFER : form >> KIND_SHIFT;
      return decodeBytes(kind, memoryOf(shown));
    }
    const memory = [];
    for (let i = 0; i < parts?.length; i += 2) memory[i / 2] = memoryOf(parts[i]);
    return decode(shown, 0, length, memory);
  }

  /**
   * What was encoded last, to be submitted later; lets go of it.
   *
   * @returns {{ form: number, value: Uint8Array, length: number, parts: undefined } | undefined} undefined when it is no wire, or
   *   one with memory beside it
   */
  keep() {
    const { form, value, length, parts } = this;
    if (form !== INPUT_WIRE || parts !== undefined) return undefined;
    const kept = keptMemory(length);
    setBytes.call(kept, new Uint8Array(bufferOf(value), offsetOf(value), length));
    this.release();
    return { form, value: kept, length, parts: undefined };
  }

  /** After `encode` said false: what Node's port has to carry. */
  takeForNode() {
    const { value } = this;
    this.value = undefined;
    return value;
  }

  /** Lets go of the value. */
  release() {
    this.value = undefined;
    this.parts = undefined;
  }

  #bytes(value) {
    const kind = isView(value) ? kindOfView(value) : KIND_ARRAY_BUFFER;
    return this.#set(INPUT_COPY | (kind << KIND_SHIFT), bytesOf(value));
  }

  #set(form, value) {
    this.form = form;
    this.value = value;
    this.length = 0;
    this.parts = undefined;
    return true;
  }
}

/**
 * Whether it is nothing but bytes: an ArrayBuffer, or a view on a whole one. A Buffer counts too where it is a part of
 * Node's pool, since structured clone would copy the whole pool for it.
 */
function isWholeBytes(value) {
  if (types.isArrayBuffer(value)) return isPlain(value);
  if (!isView(value)) return false;
  const kind = kindOfView(value);
  if (kind < 0) return false;
  const buffer = bufferOf(value);
  if (!types.isArrayBuffer(buffer) || !isPlain(buffer)) return false;
  return lengthOf(value) === sizeOf(buffer) || (kind === KIND_UINT8 && isBuffer(value));
}

/** The bytes of a view, in memory of their own. */
function memoryOf(bytes) {
  const memory = new ArrayBuffer(lengthOf(bytes));
  setBytes.call(new Uint8Array(memory), bytes);
  return memory;
}

/** Memory that is still there and keeps its length. */
function isPlain(buffer) {
  return sizeOf(buffer) > 0 && !isResizable(buffer);
}

module.exports = { ValueEncoder };
