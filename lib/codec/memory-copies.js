'use strict';

// Memory as it is at one moment, for Node to carry later: resizable and growable buffers stay what they are, views of
// one buffer have one copy between them.

const { types } = require('node:util');
const nodeGlobals = require('../runtime/globals');
const { bufferOf, isOutOfBounds, isResizable, isView, lengthOf, offsetOf, sizeOf } = require('./bytes');
const { SafeMap } = require('../runtime/intrinsics');

const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { resize } = ArrayBuffer.prototype;
const typedName = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array).prototype, Symbol.toStringTag).get;

/** The class of a view that a program cannot have replaced by its prototype. */
function classOf(view) {
  const name = typedName.call(view);
  return name === undefined ? DataView : globalThis[name];
}

/** Whether a view is as long as its memory, whatever becomes of that. */
function followsLength(view, View) {
  const buffer = bufferOf(view);
  if (!isResizable(buffer)) return false;
  // Found out on memory of the same measures; what is never touched costs nothing.
  const byteOffset = offsetOf(view);
  const byteLength = lengthOf(view);
  if (byteLength === 0) return false;
  const clone = nodeGlobals.structuredClone(view);
  resize.call(bufferOf(clone), byteOffset + byteLength - (View.BYTES_PER_ELEMENT ?? 1));
  return !isOutOfBounds(clone);
}

/** The copies of one message. */
class MemoryCopies {
  #copies = new SafeMap();

  /** @param {ArrayBuffer | SharedArrayBuffer | ArrayBufferView} memory that is there */
  of(memory) {
    if (!isView(memory)) return this.#buffer(memory);
    const buffer = bufferOf(memory);
    // Node refuses memory that is gone.
    if (types.isSharedArrayBuffer(buffer) || isOutOfBounds(memory)) return memory;
    const View = classOf(memory);
    const size = View.BYTES_PER_ELEMENT ?? 1;
    const copy = this.#buffer(buffer);
    const byteOffset = offsetOf(memory);
    const byteLength = lengthOf(memory);
    // It has grown since it was copied.
    if (byteOffset + byteLength > sizeOf(copy)) return memory;
    return followsLength(memory, View) ? new View(copy, byteOffset) : new View(copy, byteOffset, byteLength / size);
  }

  #buffer(buffer) {
    if (types.isSharedArrayBuffer(buffer)) return buffer;
    let copy = this.#copies.get(buffer);
    if (copy === undefined) {
      copy = nodeGlobals.structuredClone(buffer);
      this.#copies.set(buffer, copy);
    }
    return copy;
  }
}

module.exports = { MemoryCopies };
