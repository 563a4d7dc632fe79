'use strict';

// Byte blocks: which JavaScript type they are, and how to make one again.

const { types } = require('node:util');

const KIND_ARRAY_BUFFER = 0;
const KIND_BUFFER = 1;
const KIND_DATA_VIEW = 2;
const KIND_UINT8 = 4;

/**
 * Constructors at their wire number (src/value/bytes.rs holds the same list); Float16Array from Node 24
 * on.
 */
const VIEWS = [
  ArrayBuffer, Buffer, DataView, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array,
  Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, globalThis.Float16Array,
];
const ELEMENT_SIZES = [1, 1, 1, 1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2];

const kindByName = new Map();
for (let kind = 3; kind < VIEWS.length; kind++) if (VIEWS[kind]) kindByName.set(VIEWS[kind].name, kind);

const TypedArray = Object.getPrototypeOf(Uint8Array);
const nameOf = Object.getOwnPropertyDescriptor(TypedArray.prototype, Symbol.toStringTag).get;
const { values } = TypedArray.prototype;
const { slice } = ArrayBuffer.prototype;

/** The wire number of a view's type; -1 when this codec knows none. A Buffer counts as a Uint8Array. */
function kindOfView(view) {
  const name = nameOf.call(view);
  if (name === undefined) return KIND_DATA_VIEW;
  return kindByName.get(name) ?? -1;
}

/** True when the ArrayBuffer's memory has been given away. */
function isDetached(buffer) {
  if (buffer.byteLength !== 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** True for a view whose memory is gone, or has shrunk away from under it. */
function isOutOfBounds(view) {
  try {
    // A DataView out of bounds throws here.
    if (view.byteLength !== 0) return false;
    // A typed array out of bounds says 0, but cannot make an iterator.
    if (types.isTypedArray(view)) values.call(view);
    return isDetached(view.buffer);
  } catch {
    return true;
  }
}

/** A view of this kind over a part of `buffer`; null when kind and place do not fit. */
function viewOver(kind, buffer, byteOffset, byteLength) {
  const View = VIEWS[kind];
  if (View === undefined || kind === KIND_ARRAY_BUFFER) return null;
  const size = ELEMENT_SIZES[kind];
  if (byteOffset % size !== 0 || byteLength % size !== 0) return null;
  if (byteOffset + byteLength > buffer.byteLength) return null;
  if (kind === KIND_BUFFER) return Buffer.from(buffer, byteOffset, byteLength);
  return new View(buffer, byteOffset, byteLength / size);
}

/** An ArrayBuffer of its own with these bytes of `bytes`. */
function copyOut(bytes, start, length) {
  const from = bytes.byteOffset + start;
  if (bytes.buffer instanceof ArrayBuffer) return slice.call(bytes.buffer, from, from + length);
  // The wire lies in shared memory.
  return new Uint8Array(bytes.buffer, from, length).slice().buffer;
}

/** A part handed over by the native side (an ArrayBuffer or a Uint8Array) as an ArrayBuffer of its own. */
function partBuffer(part) {
  if (types.isArrayBuffer(part)) return part;
  if (!ArrayBuffer.isView(part)) return null;
  const { buffer, byteOffset, byteLength } = part;
  if (byteOffset === 0 && byteLength === buffer.byteLength && types.isArrayBuffer(buffer)) return buffer;
  return new Uint8Array(buffer, byteOffset, byteLength).slice().buffer;
}

module.exports = {
  KIND_ARRAY_BUFFER, KIND_BUFFER, KIND_DATA_VIEW, KIND_UINT8,
  kindOfView, isDetached, isOutOfBounds, viewOver, copyOut, partBuffer,
};
