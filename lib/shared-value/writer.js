'use strict';

/** Writes a value to its memory: see layout.js. The value is read as structured clone reads it, each getter once and in its turn. */

const { types } = require('node:util');

const {
  KIND_ARRAY_BUFFER, KIND_BUFFER, KIND_UINT8, bufferOf, isBuffer, isDetached, isOutOfBounds, isView, kindOfView, lengthOf,
  setBytes, sizeOf,
} = require('../codec/bytes');
const { isWide } = require('../codec/is-wide');
const { isOrdinary } = require('../codec/object-kinds');
const { hasNamedProperties } = require('../runtime/array-properties');
const {
  ArrayPrototype, ObjectPrototype, SafeMap, append, bufferText, hasIndexedPrototypes, isArray,
} = require('../runtime/intrinsics');
const { isStackOverflow } = require('../runtime/stack-overflow');
const {
  ARRAY, BIGINT, BYTES, DATE, FALSE, FIRST_FREE, HAS_HOLES, HEADER, HIGH, HOLE, INT32, LATIN1, LOW, MAGIC, MET_AGAIN, NAN, NULL, OBJECT, ROOT,
  SHAPES, TRUE, UNDEFINED, UTF16,
} = require('./layout');
const { Blocks } = require('./blocks');
const { allocate, tooDeep, tooLarge, unsupported } = require('./refusal');
const { ShapeList } = require('./shape-list');

const { getPrototypeOf, hasOwn, keys: keysOf } = Object;
const { isProxy, isDate } = types;
const getTime = Date.prototype.getTime;
const { toString: bigintText } = BigInt.prototype;
const { latin1Write, ucs2Write } = bufferText;

const FIRST_CELLS = 512;
/** Places are Int32. */
const MOST_CELLS = 2 ** 31 - 1;
/** Shorter text is copied unit by unit, which is quicker than a call. */
const FEW_UNITS = 32;
/** Text from here on has its memory made for it: it is copied once. */
const LONG_TEXT = 64 * 1024;


/** Whether an object is what `{}` makes, or has no prototype; of any realm. */
function isPlain(prototype) {
  if (prototype === ObjectPrototype || prototype === null) return true;
  return !isProxy(prototype) && getPrototypeOf(prototype) === null && hasOwn(prototype, 'isPrototypeOf');
}

/** Whether an array is of no class of the program's. */
function isPlainArray(prototype) {
  return prototype === ArrayPrototype || (isArray(prototype) && !isProxy(prototype));
}

/** Whether an array has properties beside its elements. */
function hasNames(array) {
  const keys = keysOf(array);
  // Indexes come first.
  return keys.length > 0 && !isIndex(keys[keys.length - 1]);
}

const isIndex = (key) => `${key >>> 0}` === key && key >>> 0 !== 0xffffffff;

class Writer {
  root;
  cells;
  i32;
  f64;
  u8;
  /** The next cell that is free. */
  top = FIRST_FREE;
  shapes = new ShapeList();
  /** Objects -> place of their record, and tag. */
  met = new SafeMap();
  blocks;
  /** Whether a hole of an array may look like an element. */
  indexed = hasIndexedPrototypes();

  constructor(root) {
    this.root = root;
    this.blocks = new Blocks(root);
    if (typeof root === 'string' && root.length >= LONG_TEXT) this.useShared(root);
    else this.use(new ArrayBuffer(FIRST_CELLS * 8));
  }

  /** Text alone is written straight to where it will stand. */
  useShared(text) {
    const bytes = isWide(text) ? text.length * 2 : text.length;
    this.use(allocate(SharedArrayBuffer, FIRST_FREE * 8 + 8 * Math.ceil((4 + bytes) / 8)));
  }

  use(memory) {
    this.i32 = new Int32Array(memory);
    this.f64 = new Float64Array(memory);
    this.u8 = new Uint8Array(memory);
    this.cells = this.f64.length;
  }

  /** @returns {{ memory: SharedArrayBuffer, bytes: SharedArrayBuffer | undefined }} */
  write() {
    try {
      this.put(ROOT, this.root);
    } catch (error) {
      throw isStackOverflow(error) ? tooDeep() : error;
    }
    this.writeShapes();
    return { memory: this.taken(), bytes: this.blocks.finish() };
  }

  /** The memory, no longer than what is written. */
  taken() {
    const { buffer } = this.u8;
    const length = this.top * 8;
    if (buffer.byteLength === length && types.isSharedArrayBuffer(buffer)) return buffer;
    const memory = allocate(SharedArrayBuffer, length);
    setBytes.call(new Uint8Array(memory), new Uint8Array(buffer, 0, length));
    return memory;
  }

  /** The place of `count` cells. */
  reserve(count) {
    const place = this.top;
    const top = place + count;
    if (top > this.cells) this.grow(top);
    this.top = top;
    return place;
  }

  grow(needed) {
    if (needed > MOST_CELLS) throw tooLarge(needed * 8);
    const old = this.u8;
    this.use(allocate(ArrayBuffer, Math.max(needed, this.cells * 2) * 8));
    setBytes.call(this.u8, new Uint8Array(bufferOf(old), 0, this.top * 8));
  }

  tag(cell, tag, low) {
    const i32 = this.i32;
    i32[cell * 2 + HIGH] = tag;
    i32[cell * 2 + LOW] = low;
  }

  put(cell, value) {
    switch (typeof value) {
      case 'number': this.number(cell, value); return;
      case 'string': this.string(cell, value); return;
      case 'boolean': this.tag(cell, value ? TRUE : FALSE, 0); return;
      case 'undefined': this.tag(cell, UNDEFINED, 0); return;
      case 'bigint': this.bigint(cell, value); return;
      case 'object':
        if (value === null) this.tag(cell, NULL, 0);
        else this.object(cell, value);
        return;
      default: throw unsupported(this.root, value);
    }
  }

  number(cell, value) {
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) this.tag(cell, INT32, value);
    else if (value !== value) this.tag(cell, NAN, 0);
    else this.f64[cell] = value;
  }

  string(cell, text) {
    const { length } = text;
    if (length > FEW_UNITS) {
      this.longString(cell, text);
      return;
    }
    const place = this.reserve((length + 11) >> 3);
    const u8 = this.u8;
    let at = place * 8 + 4;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 255) {
        this.top = place;
        this.wideString(cell, text);
        return;
      }
      u8[at++] = unit;
    }
    this.finishString(cell, LATIN1, place, length);
  }

  finishString(cell, tag, place, length) {
    // Before the text, whichever half of the cell that is.
    this.i32[place * 2] = length;
    this.tag(cell, tag, place);
  }

  longString(cell, text) {
    if (isWide(text)) {
      this.wideString(cell, text);
      return;
    }
    const { length } = text;
    const place = this.reserve(Math.ceil((length + 4) / 8));
    latin1Write.call(this.u8, text, place * 8 + 4, length);
    this.finishString(cell, LATIN1, place, length);
  }

  wideString(cell, text) {
    const { length } = text;
    const place = this.reserve(Math.ceil((length * 2 + 4) / 8));
    ucs2Write.call(this.u8, text, place * 8 + 4, length * 2);
    this.finishString(cell, UTF16, place, length);
  }

  bigint(cell, value) {
    const isNegative = value < 0n;
    const hex = bigintText.call(isNegative ? -value : value, 16);
    const words = Math.ceil(hex.length / 16);
    const place = this.reserve(1 + words);
    this.i32[place * 2] = words;
    this.i32[place * 2 + 1] = isNegative ? 1 : 0;
    for (let word = 0, end = hex.length; word < words; word++, end -= 16) {
      const low = end > 8 ? hex.slice(end - 8, end) : hex.slice(0, end);
      const high = end > 8 ? hex.slice(Math.max(0, end - 16), end - 8) : '0';
      this.i32[(place + 1 + word) * 2 + LOW] = Number(`0x${low}`) | 0;
      this.i32[(place + 1 + word) * 2 + HIGH] = Number(`0x${high}`) | 0;
    }
    this.tag(cell, BIGINT, place);
  }

  object(cell, value) {
    if (isProxy(value)) throw unsupported(this.root, value);
    const before = this.met.get(value);
    if (before !== undefined) {
      const tag = this.i32[before * 2 + HIGH];
      const place = this.i32[before * 2 + LOW];
      this.tag(cell, tag, place);
      if (tag === OBJECT || tag === ARRAY) this.i32[place * 2 + HIGH] |= MET_AGAIN;
      return;
    }
    this.met.set(value, cell);
    const prototype = getPrototypeOf(value);
    if (isArray(value)) this.array(cell, value, prototype);
    else if (isView(value) || types.isAnyArrayBuffer(value)) this.block(cell, value);
    else if (isDate(value)) this.date(cell, value);
    else if (isPlain(prototype)) this.plain(cell, value);
    else throw unsupported(this.root, value);
  }

  date(cell, value) {
    const place = this.reserve(1);
    this.number(place, getTime.call(value));
    this.tag(cell, DATE, place);
  }

  plain(cell, value) {
    const keys = keysOf(value);
    const { length } = keys;
    // Objects with inner slots and no keys, or an index first, are no plain ones: see lib/codec/writer.js.
    if ((length === 0 || keys[0] === '0') && !isOrdinary(value)) throw unsupported(this.root, value);
    const place = this.reserve(1 + length);
    this.i32[place * 2 + LOW] = this.shapes.numberOf(keys);
    this.tag(cell, OBJECT, place);
    for (let i = 0; i < length; i++) {
      const item = value[keys[i]];
      const at = place + 1 + i;
      // A getter may have deleted a key that was still to come.
      if ((item === undefined || keys[i] in ObjectPrototype) && !hasOwn(value, keys[i])) this.hole(place, at);
      else this.put(at, item);
    }
  }

  hole(record, cell) {
    this.i32[record * 2 + HIGH] |= HAS_HOLES;
    this.tag(cell, HOLE, 0);
  }

  array(cell, value, prototype) {
    const { length } = value;
    if (!isPlainArray(prototype)) throw unsupported(this.root, value);
    const place = this.reserve(1 + length);
    this.i32[place * 2 + LOW] = length;
    this.tag(cell, ARRAY, place);
    const isLoose = this.indexed || prototype !== ArrayPrototype;
    for (let i = 0; i < length; i++) {
      const isHole = isLoose && !hasOwn(value, i);
      const item = isHole ? undefined : value[i];
      if (isHole || (item === undefined && !hasOwn(value, i))) {
        this.hole(place, place + 1 + i);
      } else {
        this.put(place + 1 + i, item);
      }
    }
    const hasHoles = (this.i32[place * 2 + HIGH] & HAS_HOLES) !== 0;
    if ((hasHoles || hasNamedProperties(value)) && hasNames(value)) throw unsupported(this.root, value);
  }

  block(cell, value) {
    if (isView(value) ? isOutOfBounds(value) : isDetached(value)) throw unsupported(this.root, value);
    let kind = isView(value) ? kindOfView(value) : KIND_ARRAY_BUFFER;
    if (kind < 0) throw unsupported(this.root, value);
    if (kind === KIND_UINT8 && isBuffer(value)) kind = KIND_BUFFER;
    const length = isView(value) ? lengthOf(value) : sizeOf(value);
    const place = this.reserve(3);
    this.i32[place * 2 + LOW] = kind;
    this.tag(cell, BYTES, place);
    this.number(place + 2, length);
    this.number(place + 1, this.blocks.add(value, length));
  }

  writeShapes() {
    const lists = this.shapes.lists;
    const table = this.reserve(lists.length);
    for (let i = 0; i < lists.length; i++) {
      const keys = lists[i];
      const place = this.reserve(1 + keys.length);
      this.i32[place * 2 + LOW] = keys.length;
      this.tag(table + i, INT32, place);
      for (let k = 0; k < keys.length; k++) this.string(place + 1 + k, keys[k]);
    }
    this.i32[HEADER * 2 + LOW] = MAGIC;
    this.i32[HEADER * 2 + HIGH] = lists.length;
    this.tag(SHAPES, INT32, table);
  }
}

/**
 * @param {unknown} value
 * @returns {{ memory: SharedArrayBuffer, bytes: SharedArrayBuffer | undefined }}
 */
const write = (value) => new Writer(value).write();

module.exports = { write };
