'use strict';

// Byte blocks: which JavaScript type they are, where their memory is, and how to make one again.

const { types } = require('node:util');

const { codecError } = require('./errors');
const { BYTES } = require('../constants');
const { SafeMap, arrayOf } = require('../runtime/intrinsics');

const { getOwnPropertyDescriptor, getPrototypeOf, keys: keysOf } = Object;
const { ArrayBuffer, Buffer, DataView, SharedArrayBuffer, Uint8Array } = globalThis;
const { isView } = ArrayBuffer;

const {
  ARRAY_BUFFER: KIND_ARRAY_BUFFER, BUFFER: KIND_BUFFER, DATA_VIEW: KIND_DATA_VIEW, UINT8: KIND_UINT8,
} = BYTES;

/** Classes by the name of their wire number; Float16Array from Node 24 on. */
const CLASSES = {
  __proto__: null,
  ARRAY_BUFFER: ArrayBuffer, BUFFER: Buffer, DATA_VIEW: DataView, INT8: Int8Array, UINT8: Uint8Array,
  UINT8_CLAMPED: Uint8ClampedArray, INT16: Int16Array, UINT16: Uint16Array, INT32: Int32Array, UINT32: Uint32Array,
  FLOAT32: Float32Array, FLOAT64: Float64Array, BIG_INT64: BigInt64Array, BIG_UINT64: BigUint64Array,
  FLOAT16: globalThis.Float16Array,
};

/** Classes, and sizes of an element, at the wire number. */
const VIEWS = arrayOf(keysOf(BYTES).length);
const ELEMENT_SIZES = arrayOf(VIEWS.length);
const kindByName = new SafeMap();
for (const name of keysOf(BYTES)) {
  const { [name]: kind } = BYTES;
  const { [name]: Class } = CLASSES;
  VIEWS[kind] = Class;
  ELEMENT_SIZES[kind] = Class?.BYTES_PER_ELEMENT ?? 1;
  if (Class !== undefined) kindByName.set(Class.name, kind);
}

// A program may shadow these by properties of its own; structured clone looks at the object itself.
const TypedArray = getPrototypeOf(Uint8Array);
const getter = (Class, key) => getOwnPropertyDescriptor(Class.prototype, key)?.get;
const nameOf = getter(TypedArray, Symbol.toStringTag);
const typedBuffer = getter(TypedArray, 'buffer');
const typedOffset = getter(TypedArray, 'byteOffset');
const typedLength = getter(TypedArray, 'byteLength');
const viewBuffer = getter(DataView, 'buffer');
const viewOffset = getter(DataView, 'byteOffset');
const viewLength = getter(DataView, 'byteLength');
const bufferLength = getter(ArrayBuffer, 'byteLength');
const sharedLength = getter(SharedArrayBuffer, 'byteLength');
const bufferResizable = getter(ArrayBuffer, 'resizable');
const { values, slice: sliceView, set: setBytes } = TypedArray.prototype;
const { slice } = ArrayBuffer.prototype;
const { from: bufferFrom } = Buffer;

const BufferPrototype = Buffer.prototype;
const Uint8ArrayPrototype = Uint8Array.prototype;

/** The wire number of a view's type; -1 when this codec knows none. A Buffer counts as a Uint8Array. */
function kindOfView(view) {
  const name = nameOf.call(view);
  if (name === undefined) return KIND_DATA_VIEW;
  return kindByName.get(name) ?? -1;
}

/** Whether a Uint8Array is one of Node's Buffers. */
function isBuffer(bytes) {
  let at = getPrototypeOf(bytes);
  while (at !== BufferPrototype) {
    if (at === Uint8ArrayPrototype || at === null || types.isProxy(at)) return false;
    at = getPrototypeOf(at);
  }
  return true;
}

/** The memory of a view. */
function bufferOf(view) {
  return nameOf.call(view) === undefined ? viewBuffer.call(view) : typedBuffer.call(view);
}

/** Where in its memory a view begins; a DataView whose memory is gone throws. */
function offsetOf(view) {
  return nameOf.call(view) === undefined ? viewOffset.call(view) : typedOffset.call(view);
}

/** The bytes of a view; a DataView whose memory is gone throws. */
function lengthOf(view) {
  return nameOf.call(view) === undefined ? viewLength.call(view) : typedLength.call(view);
}

/** The bytes of an ArrayBuffer or a SharedArrayBuffer. */
function sizeOf(buffer) {
  return types.isArrayBuffer(buffer) ? bufferLength.call(buffer) : sharedLength.call(buffer);
}

/** Whether an ArrayBuffer may change its length. */
function isResizable(buffer) {
  return bufferResizable !== undefined && bufferResizable.call(buffer);
}

/** A `Uint8Array` over the bytes of a view or a buffer. */
function bytesOf(memory) {
  if (!isView(memory)) return new Uint8Array(memory);
  return new Uint8Array(bufferOf(memory), offsetOf(memory), lengthOf(memory));
}

/**
 * The out-of-band values of a wire as the native side takes them: pairs of bytes and whether it may have their memory, which
 * is false here.
 *
 * @param {(ArrayBuffer | ArrayBufferView)[]} parts
 * @param {(part: ArrayBuffer | ArrayBufferView) => Uint8Array} [toBytes]
 */
function pairsOf(parts, toBytes = bytesOf) {
  const pairs = arrayOf(parts.length * 2);
  for (let i = 0; i < parts.length; i++) {
    pairs[i * 2] = toBytes(parts[i]);
    pairs[i * 2 + 1] = false;
  }
  return pairs;
}

/** A copy of the bytes of a view or a buffer, in memory of its own. */
function copyOf(memory) {
  const bytes = bytesOf(memory);
  try {
    return new Uint8Array(bytes);
  } catch {
    throw codecError('ERR_RW_VALUE_TOO_LARGE',
      `there is no memory for a copy of ${lengthOf(bytes)} bytes: pass less at a time, or give them away by \`transfer\``);
  }
}

/** Whether the ArrayBuffer's memory has been transferred. */
function isDetached(buffer) {
  if (bufferLength.call(buffer) !== 0) return false;
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
    if (lengthOf(view) !== 0) return false;
    // A typed array out of bounds says 0, but cannot make an iterator.
    if (types.isTypedArray(view)) values.call(view);
    const buffer = bufferOf(view);
    return types.isArrayBuffer(buffer) && isDetached(buffer);
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
  if (byteOffset + byteLength > sizeOf(buffer)) return null;
  if (kind === KIND_BUFFER) return bufferFrom(buffer, byteOffset, byteLength);
  return new View(buffer, byteOffset, byteLength / size);
}

/** An ArrayBuffer of its own with these bytes of `bytes`. */
function copyOut(bytes, start, length) {
  const buffer = typedBuffer.call(bytes);
  const from = typedOffset.call(bytes) + start;
  if (types.isArrayBuffer(buffer)) return slice.call(buffer, from, from + length);
  // The wire lies in shared memory.
  return typedBuffer.call(sliceView.call(new Uint8Array(buffer, from, length)));
}

/** A part handed over by the native side (an ArrayBuffer or a Uint8Array) as an ArrayBuffer of its own. */
function partBuffer(part) {
  if (types.isArrayBuffer(part)) return part;
  if (!isView(part)) return null;
  const buffer = bufferOf(part);
  const [byteOffset, byteLength] = [offsetOf(part), lengthOf(part)];
  if (byteOffset === 0 && types.isArrayBuffer(buffer) && byteLength === sizeOf(buffer)) return buffer;
  return typedBuffer.call(sliceView.call(new Uint8Array(buffer, byteOffset, byteLength)));
}

module.exports = {
  KIND_ARRAY_BUFFER, KIND_BUFFER, KIND_DATA_VIEW, KIND_UINT8,
  bufferOf, bytesOf, copyOf, copyOut, isBuffer, isDetached, isOutOfBounds, isResizable, isView, kindOfView, lengthOf, offsetOf,
  pairsOf, partBuffer, setBytes, sizeOf, viewOver,
};
