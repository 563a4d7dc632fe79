'use strict';

// Wire → JavaScript value. Malformed bytes give ERR_RW_MALFORMED_VALUE, never a hang or a read beyond them.

const { types } = require('node:util');
const { codecError, malformed } = require('./errors');
const { compile } = require('./shapes');
const { KIND_ARRAY_BUFFER, viewOver, copyOut, partBuffer } = require('./bytes');
const { readError } = require('./error-values');
const {
  HEADER_TREE, HEADER_GRAPH, HOLE, TAIL, FIRST_EXTENSION, LAST_EXTENSION, SHORT_LATIN1,
} = require('./tags');

const { latin1Slice, utf8Slice, ucs2Slice } = Buffer.prototype;
const { fromCharCode } = String;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Up to this length one call of fromCharCode beats the call into C++ (measured on Node 20: 65 against 120
 * ns).
 */
const FEW_CHARACTERS = 24;
const shortReaders = [() => ''];
for (let length = 1; length <= FEW_CHARACTERS; length++) {
  // Made for the first text of this length.
  shortReaders.push((b, p) => (shortReaders[length] = shortReader(length))(b, p));
}

function shortReader(length) {
  const units = Array.from({ length }, (_, i) => `b[p + ${i}]`);
  const read = compile(['f'], `return (b, p) => f(${units.join(', ')});`);
  return read === null ? (b, p) => latin1Slice.call(b, p, p + length) : read(fromCharCode);
}

// An own property for every key: plain assignment of `__proto__` would set the prototype.
function assign(object, key, value) {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

class Reader {
  /**
   * @param {object} setup
   * @param {import('./shapes').ReadShapes} setup.shapes
   * @param {import('./extensions').Extensions} setup.extensions
   * @param {number} setup.maxDepth
   */
  constructor({ shapes, extensions, maxDepth }) {
    this.shapes = shapes;
    this.extensions = extensions;
    this.maxDepth = maxDepth;
    this.bytes = null;
    this.pos = 0;
    this.end = 0;
    this.parts = null;
    this.graph = false;
    this.refs = null;
    this.depth = 0;
    this.busy = false;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} offset where the value starts
   * @param {number} end where it ends
   * @param {(ArrayBuffer | Uint8Array)[]} parts what rode beside it; becomes the value's own
   */
  decode(bytes, offset, end, parts) {
    this.busy = true;
    this.bytes = bytes;
    this.pos = offset + 1;
    this.end = end;
    this.parts = parts;
    this.depth = 0;
    try {
      const header = end > offset && end <= bytes.length ? bytes[offset] : 0;
      this.graph = header === HEADER_GRAPH;
      if (this.graph) this.refs = [];
      else if (header !== HEADER_TREE) throw malformed('no header');
      const value = this.any();
      if (this.pos !== end) throw malformed(`the value ends at ${this.pos}, the bytes at ${end}`);
      return value;
    } finally {
      this.bytes = null;
      this.parts = null;
      this.refs = null;
      this.busy = false;
    }
  }

  // The cases are literals, in the order of tags.js, so that V8 makes a jump table of them.
  any() {
    const pos = this.pos;
    const tag = this.bytes[pos];
    if (pos >= this.end) this.truncated();
    this.pos = pos + 1;
    if (tag < 0x80) return tag;
    if (tag >= SHORT_LATIN1) return this.latin1(tag - SHORT_LATIN1);
    switch (tag) {
      case 0x80: return undefined;
      case 0x81: return null;
      case 0x82: return false;
      case 0x83: return true;
      case 0x84: return this.u32() | 0;
      case 0x85: return this.f64();
      case 0x86: return this.bigint();
      case 0x87: return this.latin1(this.u32());
      case 0x88: return this.utf8();
      case 0x89: return this.utf16();
      case 0x8a: return this.fill(this.reserve(), new Date(this.f64()));
      case 0x93: return this.inlineBytes();
      case 0x94: return this.partBytes();
      case 0x95: return this.view();
      case 0x96: return this.reference();
      case 0x99: return this.regexp();
      case 0x9a: return this.fill(this.reserve(), Object(this.any()));
      default: return this.nested(tag);
    }
  }

  nested(tag) {
    if (++this.depth > this.maxDepth) {
      throw codecError(RangeError, 'ERR_RW_VALUE_TOO_DEEP',
        `the value is nested more than ${this.maxDepth} levels deep: flatten it`);
    }
    let value;
    switch (tag) {
      case 0x8b: value = this.array(); break;
      case 0x8c: value = this.tailedArray(); break;
      case 0x8d: value = this.shaped(); break;
      case 0x8e: value = this.holey(); break;
      case 0x8f: value = this.object(); break;
      case 0x90: value = this.map(); break;
      case 0x91: value = this.set(); break;
      case 0x92: value = readError(this, this.reserve()); break;
      default: value = this.extension(tag);
    }
    this.depth--;
    return value;
  }

  truncated() {
    throw malformed('they end too early');
  }

  byte() {
    if (this.pos >= this.end) this.truncated();
    return this.bytes[this.pos++];
  }

  u32() {
    const bytes = this.bytes;
    const pos = this.pos;
    if (pos + 4 > this.end) this.truncated();
    this.pos = pos + 4;
    return (bytes[pos] | (bytes[pos + 1] << 8) | (bytes[pos + 2] << 16) | (bytes[pos + 3] << 24)) >>> 0;
  }

  f64() {
    const bytes = this.bytes;
    const pos = this.pos;
    if (pos + 8 > this.end) this.truncated();
    this.pos = pos + 8;
    if (littleEndian) for (let i = 0; i < 8; i++) floatBytes[i] = bytes[pos + i];
    else for (let i = 0; i < 8; i++) floatBytes[7 - i] = bytes[pos + i];
    return float[0];
  }

  /** A count of things that take at least `size` bytes each. */
  count(size) {
    const count = this.u32();
    if (count * size > this.end - this.pos) this.truncated();
    return count;
  }

  /** Moves over `length` bytes and gives their start. */
  take(length) {
    const start = this.pos;
    if (start + length > this.end) this.truncated();
    this.pos = start + length;
    return start;
  }

  latin1(length) {
    const start = this.take(length);
    if (length <= FEW_CHARACTERS) return shortReaders[length](this.bytes, start);
    return latin1Slice.call(this.bytes, start, start + length);
  }

  utf8() {
    const length = this.u32();
    const start = this.take(length);
    return utf8Slice.call(this.bytes, start, start + length);
  }

  utf16() {
    const length = this.u32() * 2;
    const start = this.take(length);
    return ucs2Slice.call(this.bytes, start, start + length);
  }

  /** A value that must be a string. */
  stringValue() {
    const value = this.any();
    if (typeof value !== 'string') throw malformed('a string is missing');
    return value;
  }

  bigint() {
    const negative = this.byte() === 1;
    const length = this.count(8) * 8;
    const start = this.take(length);
    if (length === 0) return 0n;
    let hex = '0x';
    for (let i = start + length - 1; i >= start; i--) hex += this.bytes[i].toString(16).padStart(2, '0');
    return negative ? -BigInt(hex) : BigInt(hex);
  }

  // References: in a graph every object has a number, counted as the writer met them.
  reserve() {
    return this.graph ? this.refs.push(undefined) - 1 : 0;
  }

  fill(slot, value) {
    if (this.graph) this.refs[slot] = value;
    return value;
  }

  reference() {
    const id = this.u32();
    const value = this.graph ? this.refs[id] : undefined;
    if (value === undefined) throw malformed(`no object has the number ${id}`);
    return value;
  }

  array() {
    const length = this.count(1);
    const array = [];
    this.fill(this.reserve(), array);
    for (let i = 0; i < length; i++) array.push(this.any());
    return array;
  }

  tailedArray() {
    const length = this.u32();
    const array = [];
    this.fill(this.reserve(), array);
    for (let i = 0; i < length && this.bytes[this.pos] !== TAIL; i++) array.push(this.any());
    if (this.byte() !== TAIL) throw malformed('an array has no tail');
    array.length = length;
    for (let count = this.count(2); count > 0; count--) {
      const key = this.stringValue();
      if (key === 'length') throw malformed('an array has a second length');
      assign(array, key, this.any());
    }
    return array;
  }

  shape() {
    const id = this.u32();
    const shape = this.shapes.get(id);
    if (shape === null) throw malformed(`no shape has the number ${id}`);
    return shape;
  }

  shaped() {
    const shape = this.shape();
    if (shape.make !== null && !this.graph) return shape.make(this);
    this.shapes.used(shape);
    const object = {};
    this.fill(this.reserve(), object);
    const { keys } = shape;
    for (let i = 0; i < keys.length; i++) assign(object, keys[i], this.any());
    return object;
  }

  holey() {
    const object = {};
    const { keys } = this.shape();
    this.fill(this.reserve(), object);
    for (const key of keys) {
      if (this.bytes[this.pos] === HOLE) this.byte();
      else assign(object, key, this.any());
    }
    return object;
  }

  object() {
    const object = {};
    this.fill(this.reserve(), object);
    for (let count = this.count(2); count > 0; count--) {
      const key = this.stringValue();
      assign(object, key, this.any());
    }
    return object;
  }

  map() {
    const map = new Map();
    this.fill(this.reserve(), map);
    for (let count = this.count(2); count > 0; count--) {
      const key = this.any();
      map.set(key, this.any());
    }
    return map;
  }

  set() {
    const set = new Set();
    this.fill(this.reserve(), set);
    for (let count = this.count(1); count > 0; count--) set.add(this.any());
    return set;
  }

  regexp() {
    const slot = this.reserve();
    const source = this.stringValue();
    const flags = this.stringValue();
    try {
      return this.fill(slot, new RegExp(source, flags));
    } catch {
      throw malformed('a regular expression does not parse');
    }
  }

  inlineBytes() {
    const kind = this.byte();
    const length = this.u32();
    return this.block(kind, copyOut(this.bytes, this.take(length), length));
  }

  partBytes() {
    const kind = this.byte();
    return this.block(kind, this.part(this.u32()));
  }

  /** The ArrayBuffer that rode beside the wire at this index. */
  part(index) {
    const buffer = this.parts && index < this.parts.length ? partBuffer(this.parts[index]) : null;
    if (buffer === null) throw malformed(`no part has the number ${index}`);
    return buffer;
  }

  block(kind, buffer) {
    const slot = this.reserve();
    if (kind === KIND_ARRAY_BUFFER) return this.fill(slot, buffer);
    const view = viewOver(kind, buffer, 0, buffer.byteLength);
    if (view === null) throw malformed(`a block of kind ${kind} has ${buffer.byteLength} bytes`);
    this.fill(slot, view);
    this.fill(this.reserve(), buffer);
    return view;
  }

  view() {
    const slot = this.reserve();
    const kind = this.byte();
    const byteOffset = this.u32();
    const byteLength = this.u32();
    const buffer = this.any();
    const view = types.isAnyArrayBuffer(buffer)
      ? viewOver(kind, buffer, byteOffset, byteLength)
      : null;
    if (view === null) throw malformed('a view does not fit its buffer');
    return this.fill(slot, view);
  }

  extension(tag) {
    const known = tag >= FIRST_EXTENSION && tag <= LAST_EXTENSION;
    const extension = known ? this.extensions.byTag(tag) : undefined;
    if (extension === undefined) throw malformed(`0x${tag?.toString(16)} is no tag`);
    const slot = this.reserve();
    return this.fill(slot, extension.read(this));
  }
}

module.exports = { Reader };
