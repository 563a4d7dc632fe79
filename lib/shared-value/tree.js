'use strict';

/**
 * Reads a shared value in its memory (layout.js), part by part, as it is asked for.
 *
 * Objects and arrays are shown by views (views.js). A view, once made, is kept by the view that it is in, or by the tree if
 * there are several ways to it: so a part of the value is one object in this thread, however often and on whichever way it is
 * reached. So is a long text.
 */

const { types } = require('node:util');

const { KIND_ARRAY_BUFFER, KIND_UINT8, sizeOf, viewOver } = require('../codec/bytes');
const { compile } = require('../codec/shapes');
const { MalformedValueError } = require('../errors');
const { SafeMap, append, bufferText } = require('../runtime/intrinsics');
const {
  ARRAY, BIGINT, BYTES, DATE, FALSE, HEADER, HIGH, HOLE, INT32, LATIN1, LOW, MAGIC, MET_AGAIN, NO_TAG, NULL, OBJECT, ROOT, SHAPES, TRUE,
  UNDEFINED, UTF16,
} = require('./layout');
const { LONG, longText } = require('./long-text');
const { arrayView, objectView } = require('./views');

const { latin1Slice, ucs2Slice } = bufferText;
const { stringify } = JSON;
const { fromCharCode } = String;
const { BigInt, Date } = globalThis;
const { keys: keysOf } = Object;

/** Of a shape, for copies. */
const USES_BEFORE_COMPILE = 8;
/** Up to here characters are put together without a call into C++. */
const FEW_UNITS = 12;

/** Up to so many keys are compared one by one. */
const FEW_KEYS = 8;

/** A key list, and which key is where in it. */
class Shape {
  tree;
  /** As V8 keeps names of properties: it compares them by address. */
  keys;
  /** Key -> index; undefined where there are few. */
  #places = undefined;
  /** The indexes of the first two parts that were views; -1 while there are none. See ObjectView. */
  first = -1;
  second = -1;
  #uses = 0;
  #copy = undefined;

  constructor(tree, keys) {
    this.tree = tree;
    const names = { __proto__: null };
    for (let i = 0; i < keys.length; i++) names[keys[i]] = i;
    this.keys = keysOf(names);
    if (keys.length <= FEW_KEYS) return;
    this.#places = new SafeMap();
    for (let i = 0; i < keys.length; i++) this.#places.set(this.keys[i], i);
  }

  /** -1 where there is no such key. */
  indexOf(key) {
    if (this.#places !== undefined) return this.#places.get(key) ?? -1;
    const { keys } = this;
    for (let i = 0; i < keys.length; i++) if (keys[i] === key) return i;
    return -1;
  }

  /**
   * A function that makes a plain object of a record without holes, `(copy, cell) => object`; undefined while this shape is
   * not often asked for it, or where code must not be made of text.
   */
  get copy() {
    if (this.#uses < USES_BEFORE_COMPILE && ++this.#uses === USES_BEFORE_COMPILE) {
      // A literal defines its properties. A computed key, because `__proto__:` would set the prototype instead.
      const properties = this.keys.map((key, i) =>
        `${key === '__proto__' ? "['__proto__']" : stringify(key)}: copy.cell(cell + ${i})`);
      this.#copy = compile(['copy', 'cell'], `return { ${properties.join(', ')} };`) ?? undefined;
    }
    return this.#copy;
  }
}

class Tree {
  memory;
  bytes;
  i32;
  f64;
  u8;
  #shapes = new SafeMap();
  /** Place of a record -> its view or its text: of the root, of what there are several ways to, of bytes and of long texts. */
  #made = new SafeMap();

  /**
   * @param {SharedArrayBuffer} memory
   * @param {SharedArrayBuffer | undefined} bytes
   */
  constructor(memory, bytes) {
    if (!types.isSharedArrayBuffer(memory) || sizeOf(memory) % 8 !== 0 || sizeOf(memory) < 24) throw malformed();
    if (bytes !== undefined && !types.isSharedArrayBuffer(bytes)) throw malformed();
    this.memory = memory;
    this.bytes = bytes;
    this.i32 = new Int32Array(memory);
    this.f64 = new Float64Array(memory);
    this.u8 = new Uint8Array(memory);
    if (this.i32[HEADER * 2 + LOW] !== MAGIC) throw malformed();
  }

  /** The whole value. */
  get root() {
    return this.read(ROOT);
  }

  /** Whether nothing stands in a cell. */
  isHole(cell) {
    return this.i32[cell * 2 + HIGH] === HOLE;
  }

  /**
   * The view in a cell of a view, if there is one way to it; undefined if not. Whose view it is keeps it.
   *
   * @param {number} cell
   */
  newView(cell) {
    const { i32 } = this;
    const tag = i32[cell * 2 + HIGH];
    if (tag !== OBJECT && tag !== ARRAY) return undefined;
    const place = i32[cell * 2 + LOW];
    if ((i32[place * 2 + HIGH] & MET_AGAIN) !== 0) return undefined;
    return tag === OBJECT ? objectView(this, place) : arrayView(this, place);
  }

  /** The value in a cell. */
  read(cell) {
    const i32 = this.i32;
    const high = i32[cell * 2 + HIGH];
    if (high >= 0 || high <= NO_TAG) return this.f64[cell];
    const low = i32[cell * 2 + LOW];
    switch (high) {
      case INT32: return low;
      case LATIN1:
      case UTF16: return this.text(high, low);
      case OBJECT: return this.#made.get(low) ?? this.#keep(low, objectView(this, low));
      case ARRAY: return this.#made.get(low) ?? this.#keep(low, arrayView(this, low));
      case TRUE: return true;
      case FALSE: return false;
      case NULL: return null;
      case UNDEFINED:
      case HOLE: return undefined;
      default: return this.other(high, low);
    }
  }

  #keep(place, value) {
    this.#made.set(place, value);
    return value;
  }

  /** What is made anew each time, since nobody can keep it from being changed; and views of bytes. */
  other(tag, place) {
    switch (tag) {
      case DATE: return new Date(this.read(place));
      case BIGINT: return this.#bigint(place);
      case BYTES: return this.#made.get(place) ?? this.#keep(place, this.#view(place));
      default: throw malformed();
    }
  }

  text(tag, place) {
    const u8 = this.u8;
    const length = this.i32[place * 2];
    const start = place * 8 + 4;
    if (length >= LONG) return this.#made.get(place) ?? this.#keep(place, longText(this, start, length, tag === UTF16));
    if (tag === UTF16) return ucs2Slice.call(u8, start, start + length * 2);
    if (length > FEW_UNITS) return latin1Slice.call(u8, start, start + length);
    let text = '';
    for (let i = start; i < start + length; i++) text += fromCharCode(u8[i]);
    return text;
  }

  #bigint(place) {
    const { i32 } = this;
    let value = 0n;
    for (let word = i32[place * 2]; word > 0; word--) {
      const at = (place + word) * 2;
      value = (value << 64n) | (BigInt(i32[at + HIGH] >>> 0) << 32n) | BigInt(i32[at + LOW] >>> 0);
    }
    return i32[place * 2 + 1] === 1 ? -value : value;
  }

  #view(place) {
    const view = this.bytes && viewOver(this.kindAt(place), this.bytes, this.read(place + 1), this.read(place + 2));
    if (!view) throw malformed();
    return view;
  }

  /** The kind of the view of bytes. Of an ArrayBuffer only its bytes are here. */
  kindAt(place) {
    const kind = this.i32[place * 2 + LOW];
    return kind === KIND_ARRAY_BUFFER ? KIND_UINT8 : kind;
  }

  /** The shape of an object's record. */
  shapeAt(place) {
    const number = this.i32[place * 2 + LOW];
    return this.#shapes.get(number) ?? this.#readShape(number);
  }

  #readShape(number) {
    const table = this.i32[SHAPES * 2 + LOW];
    const place = this.i32[(table + number) * 2 + LOW];
    const count = this.i32[place * 2 + LOW];
    const keys = [];
    for (let i = 0; i < count; i++) append(keys, this.read(place + 1 + i));
    const shape = new Shape(this, keys);
    this.#shapes.set(number, shape);
    return shape;
  }
}

const malformed = () => new MalformedValueError('this memory does not hold a shared value');

module.exports = { Tree };
