'use strict';

// Wire → JavaScript value. Malformed bytes give ERR_RW_MALFORMED_VALUE, never a hang or a read beyond them.

const { types } = require('node:util');

const { KIND_ARRAY_BUFFER, copyOut, partBuffer, sizeOf, viewOver } = require('./bytes');
const { readError } = require('./error-values');
const { codecError, malformed } = require('./errors');
const {
  Date, Map, ObjectPrototype, RegExp, Set, areStoresSafe, arrayOf, bufferText, define, isBuiltIn, mapSet, setAdd, twice,
} = require('../runtime/intrinsics');
const { LOOK_AHEAD, OF_ANYTHING, OF_INTEGERS, OF_NUMBERS, newDoubles, newIntegers, newObjects } = require('./new-arrays');
const { compile } = require('./shapes');
const {
  FIRST_EXTENSION, FIRST_TAG, FLOAT64, HEADER_GRAPH, HEADER_TREE, HOLE, INT32, KEPT, LAST_EXTENSION, SHORT_LATIN1, TAIL,
} = require('../constants').TAGS;

const { latin1Slice, ucs2Slice } = bufferText;
const { fromCharCode } = String;
const { BigInt, Object } = globalThis;

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
  let units = 'b[p]';
  for (let i = 1; i < length; i++) units += `, b[p + ${i}]`;
  const read = compile(['f'], `return (b, p) => f(${units});`);
  return read === null ? (b, p) => latin1Slice.call(b, p, p + length) : read(fromCharCode);
}

/** Whether stores are safe (see intrinsics.js), as far as it is known. */
const UNKNOWN = 0;
const SAFE = 1;
const UNSAFE = 2;
/** So many keys are asked for one by one before it is found out. */
const FEW_KEYS = 3;

/** Objects that may be referred to, to begin with. */
const SOME_REFS = 64;
const KEPT_REFS = 4096;
const NOT_YET = 0;

const HEX = [];
for (let byte = 0; byte < 256; byte++) HEX[byte] = byte.toString(16).padStart(2, '0');

class Reader {
  shapes;
  extensions;
  maxDepth;
  bytes = null;
  pos = 0;
  end = 0;
  parts = null;
  // What few values have: `isMarked` then.
  isMarked = false;
  carried = undefined;
  revive = undefined;
  /** The objects that extensions wrote, when a writer's own wire is read back; and how many of them were met. */
  originals = undefined;
  met = 0;
  stores = UNKNOWN;
  graph = false;
  /** Objects by number; zeros where there is none yet. */
  refs = null;
  refCount = 0;
  depth = 0;
  busy = false;

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
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} offset where the value starts
   * @param {number} end where it ends
   * @param {(ArrayBuffer | Uint8Array | string)[]} parts what was out of band; becomes the value's own
   * @param {object[]} [carried] what Node carried, out of band
   * @param {(error: Error) => void} [revive] is shown each error that was read
   */
  decode(bytes, offset, end, parts, carried, revive) {
    this.busy = true;
    this.bytes = bytes;
    this.pos = offset + 1;
    this.end = end;
    this.parts = parts;
    this.depth = 0;
    if (carried !== undefined || revive !== undefined) {
      this.carried = carried;
      this.revive = revive;
      this.isMarked = true;
    }
    try {
      const header = end > offset && end <= bytes.length ? bytes[offset] & ~KEPT : 0;
      this.graph = header === HEADER_GRAPH;
      if (this.graph) this.refs ??= arrayOf(SOME_REFS);
      else if (header !== HEADER_TREE) throw malformed('no header');
      const value = this.any();
      if (this.pos !== end) throw malformed(`the value ends at ${this.pos}, the bytes at ${end}`);
      return value;
    } finally {
      this.bytes = null;
      this.parts = null;
      if (this.refCount > 0) this.forgetRefs();
      if (this.isMarked) this.forgetMarks();
      this.busy = false;
    }
  }

  /** Reads the wire that this thread has just written, with the very objects that extensions wrote. */
  reread(bytes, length, parts, carried, originals) {
    this.originals = originals;
    return this.decode(bytes, 0, length, parts, carried);
  }

  forgetMarks() {
    this.isMarked = false;
    this.carried = this.revive = undefined;
    this.stores = UNKNOWN;
  }

  forgetRefs() {
    const { refs, refCount } = this;
    this.refCount = 0;
    if (refs.length > KEPT_REFS) this.refs = null;
    else for (let i = 0; i < refCount; i++) refs[i] = NOT_YET;
  }

  // The cases are literals, in order, so that V8 makes a jump table of them; __test__/constants.test.js compares them.
  any() {
    const pos = this.pos;
    const tag = this.bytes[pos];
    if (pos >= this.end) this.truncated();
    this.pos = pos + 1;
    if (tag < FIRST_TAG) return tag;
    if (tag >= SHORT_LATIN1) return this.latin1(tag - SHORT_LATIN1);
    switch (tag) {
      case 0x80 /* UNDEFINED */: return undefined;
      case 0x81 /* NULL */: return null;
      case 0x82 /* FALSE */: return false;
      case 0x83 /* TRUE */: return true;
      case 0x84 /* INT32 */: return this.u32() | 0;
      case 0x85 /* FLOAT64 */: return this.f64();
      case 0x86 /* BIGINT */: return this.bigint();
      case 0x87 /* LATIN1 */: return this.latin1(this.u32());
      case 0x89 /* UTF16 */: return this.utf16();
      case 0x8a /* DATE */: return this.fill(this.reserve(), new Date(this.f64()));
      case 0x93 /* BYTES */: return this.inlineBytes();
      case 0x94 /* BYTES_PART */: return this.partBytes();
      case 0x95 /* VIEW */: return this.view();
      case 0x96 /* REF */: return this.reference();
      case 0x99 /* REGEXP */: return this.regexp();
      case 0x9a /* BOXED */: return this.fill(this.reserve(), Object(this.any()));
      case 0x9b /* CARRIED */: return this.fill(this.reserve(), this.carriedObject());
      case 0x9c /* TEXT_PART */: return this.textPart();
      default: return this.nested(tag);
    }
  }

  nested(tag) {
    if (++this.depth > this.maxDepth) {
      throw codecError('ERR_RW_VALUE_TOO_DEEP',
        `the value is nested more than ${this.maxDepth} levels deep: flatten it`);
    }
    let value;
    switch (tag) {
      case 0x8b /* ARRAY */: value = this.array(); break;
      case 0x8c /* ARRAY_TAILED */: value = this.tailedArray(); break;
      case 0x8d /* SHAPED */: value = this.shaped(); break;
      case 0x8e /* SHAPED_HOLEY */: value = this.holey(); break;
      case 0x8f /* OBJECT */: value = this.object(); break;
      case 0x90 /* MAP */: value = this.map(); break;
      case 0x91 /* SET */: value = this.set(); break;
      case 0x92 /* ERROR */: value = this.error(); break;
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

  /** Moves over `length` bytes and returns their start. */
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
    for (let i = start + length - 1; i >= start; i--) hex += HEX[this.bytes[i]];
    return negative ? -BigInt(hex) : BigInt(hex);
  }

  // References: in a graph every object has a number, counted as the writer met them.
  reserve() {
    if (!this.graph) return 0;
    if (this.refCount === this.refs.length) this.refs = twice(this.refs);
    return this.refCount++;
  }

  fill(slot, value) {
    if (this.graph) this.refs[slot] = value;
    return value;
  }

  reference() {
    const id = this.u32();
    const value = this.graph && id < this.refCount ? this.refs[id] : NOT_YET;
    if (value === NOT_YET) throw malformed(`no object has the number ${id}`);
    return value;
  }

  array() {
    const length = this.count(1);
    const kind = length > 0 ? this.lookAhead(length) : OF_ANYTHING;
    if (kind !== OF_ANYTHING) return this.numbers(length, kind);
    const array = newObjects(length);
    this.fill(this.reserve(), array);
    for (let i = 0; i < length; i++) array[i] = this.any();
    return array;
  }

  /** What the next elements are: an array that becomes another kind while it is filled costs more than to look. */
  lookAhead(length) {
    const { bytes } = this;
    let at = this.pos;
    let kind = OF_INTEGERS;
    for (let i = length < LOOK_AHEAD ? length : LOOK_AHEAD; i > 0; i--) {
      const tag = bytes[at];
      if (tag < FIRST_TAG) {
        at++;
      } else if (tag === INT32) {
        at += 5;
      } else if (tag === FLOAT64) {
        at += 9;
        kind = OF_NUMBERS;
      } else {
        return OF_ANYTHING;
      }
    }
    return kind;
  }

  /** An array that begins with numbers, and may be long and go on with anything. The three stores see other kinds of arrays. */
  numbers(length, kind) {
    const array = kind === OF_INTEGERS ? newIntegers(length) : newDoubles(length);
    this.fill(this.reserve(), array);
    const { bytes } = this;
    let i = 0;
    if (kind === OF_INTEGERS) {
      for (; i < length; i++) {
        const tag = bytes[this.pos];
        if (tag < FIRST_TAG) array[i] = this.byte();
        else if (tag === INT32) array[i] = this.any() | 0;
        else break;
      }
    }
    for (; i < length; i++) {
      const tag = bytes[this.pos];
      if (tag === FLOAT64) {
        this.pos++;
        array[i] = this.f64();
      } else if (tag < FIRST_TAG || tag === INT32) {
        array[i] = +this.any();
      } else {
        break;
      }
    }
    for (; i < length; i++) array[i] = this.any();
    return array;
  }

  tailedArray() {
    const length = this.u32();
    const array = [];
    this.fill(this.reserve(), array);
    this.lookAround();
    const safe = this.stores === SAFE;
    for (let i = 0; i < length && this.bytes[this.pos] !== TAIL; i++) {
      const item = this.any();
      if (safe) array[i] = item;
      else define(array, i, item);
    }
    if (this.byte() !== TAIL) throw malformed('an array has no tail');
    for (let count = this.count(2); count > 0; count--) {
      const key = this.stringValue();
      if (key === 'length') throw malformed('an array has a second length');
      const item = this.any();
      // An index; names may be those of methods.
      if (safe && key >= '0' && key < ':') array[key] = item;
      else define(array, key, item);
    }
    // Not before: an engine may allocate the whole array at once, and a few bytes of wire could ask for a huge one.
    array.length = length;
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
    if (this.graph) {
      if (shape.makeInGraph !== null) return shape.makeInGraph(this);
    } else if (shape.make !== null) {
      return shape.make(this);
    }
    this.shapes.used(shape);
    const object = {};
    this.fill(this.reserve(), object);
    const { keys } = shape;
    if (keys.length > FEW_KEYS) this.lookAround();
    for (let i = 0; i < keys.length; i++) this.put(object, keys[i], this.any());
    return object;
  }

  holey() {
    const object = {};
    const { keys } = this.shape();
    this.fill(this.reserve(), object);
    if (keys.length > FEW_KEYS) this.lookAround();
    for (let i = 0; i < keys.length; i++) {
      if (this.bytes[this.pos] === HOLE) this.byte();
      else this.put(object, keys[i], this.any());
    }
    return object;
  }

  object() {
    const object = {};
    this.fill(this.reserve(), object);
    let count = this.count(2);
    if (count > FEW_KEYS) this.lookAround();
    for (; count > 0; count--) {
      const key = this.stringValue();
      this.put(object, key, this.any());
    }
    return object;
  }

  lookAround() {
    if (this.stores !== UNKNOWN) return;
    this.stores = areStoresSafe() ? SAFE : UNSAFE;
    this.isMarked = true;
  }

  /** An own property for every key: a store would ask the prototypes first. */
  put(object, key, value) {
    const stores = this.stores;
    if (stores === SAFE ? isBuiltIn(key) : stores === UNSAFE || key in ObjectPrototype) define(object, key, value);
    else object[key] = value;
  }

  map() {
    const map = new Map();
    this.fill(this.reserve(), map);
    for (let count = this.count(2); count > 0; count--) {
      const key = this.any();
      mapSet.call(map, key, this.any());
    }
    return map;
  }

  set() {
    const set = new Set();
    this.fill(this.reserve(), set);
    for (let count = this.count(1); count > 0; count--) setAdd.call(set, this.any());
    return set;
  }

  error() {
    const error = readError(this, this.reserve());
    if (this.revive !== undefined) this.revive(error);
    return error;
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

  /** The out-of-band ArrayBuffer at this index. */
  part(index) {
    const buffer = this.parts && index < this.parts.length ? partBuffer(this.parts[index]) : null;
    if (buffer === null) throw malformed(`no part has the number ${index}`);
    return buffer;
  }

  /** The out-of-band text at this index. */
  textPart() {
    const index = this.u32();
    const text = this.parts && index < this.parts.length ? this.parts[index] : undefined;
    if (typeof text !== 'string') throw malformed(`no text has the number ${index}`);
    return text;
  }

  /** The object that Node carried at this index. */
  carriedObject() {
    const index = this.u32();
    const object = this.carried !== undefined && index < this.carried.length ? this.carried[index] : null;
    if (typeof object !== 'object' || object === null) throw malformed(`nothing was carried under the number ${index}`);
    return object;
  }

  block(kind, buffer) {
    const slot = this.reserve();
    if (kind === KIND_ARRAY_BUFFER) return this.fill(slot, buffer);
    const size = sizeOf(buffer);
    const view = viewOver(kind, buffer, 0, size);
    if (view === null) throw malformed(`a block of kind ${kind} has ${size} bytes`);
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
    if (this.originals === undefined) return this.fill(slot, extension.read(this));
    const original = this.originals[this.met++];
    this.fill(slot, original);
    extension.read(this);
    return original;
  }
}

module.exports = { Reader };
