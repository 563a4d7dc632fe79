'use strict';

// JavaScript value → wire. One writer serves one mode:
//   'value'    inputs of native tasks: a tree; what cannot cross is refused with its key path.
//   'message'  channel messages: exactly what structured clone would make, or nothing at all
//              (the caller then hands the value to Node's own port).

const { types } = require('node:util');
const nodeGlobals = require('../node-globals');
const { Slab } = require('./slab');
const { codecError } = require('./errors');
const { KIND_BUFFER, KIND_UINT8, kindOfView, isDetached, isOutOfBounds } = require('./bytes');
const { isErrorObject, writeClonedError, writeFullError } = require('./error-values');
const { exoticName, platformName, isOrdinary } = require('./brands');
const { hasNamedProperties } = require('./array-properties');
const { findPath, findCycle } = require('./explain');
const {
  HEADER_TREE, HEADER_GRAPH, DATE, ARRAY, ARRAY_TAILED, SHAPED, SHAPED_HOLEY, OBJECT, MAP, SET, BYTES,
  BYTES_PART, VIEW, REF, HOLE, TAIL, REGEXP, BOXED,
} = require('./tags');

const { isProxy } = types;
const { isArray } = Array;
const { keys: keysOf, getPrototypeOf, hasOwn, prototype: ObjectPrototype } = Object;
const mapForEach = Map.prototype.forEach;
const setForEach = Set.prototype.forEach;
const getTime = Date.prototype.getTime;
const setBytes = Uint8Array.prototype.set;
const regexpSource = Object.getOwnPropertyDescriptor(RegExp.prototype, 'source').get;
const regexpFlags = Object.entries({
  d: 'hasIndices', g: 'global', i: 'ignoreCase', m: 'multiline', s: 'dotAll', u: 'unicode', v: 'unicodeSets',
  y: 'sticky',
}).map(([flag, name]) => [flag, Object.getOwnPropertyDescriptor(RegExp.prototype, name)?.get])
  .filter(([, get]) => get !== undefined);

/** Thrown inside a writer to leave it: the message is for Node's own port. No Error: it needs no stack. */
const NOT_REPRESENTABLE = { notRepresentable: true };
/** Up to here repeated references are looked for by eye, from here by a Map. */
const FEW_REFS = 16;
/** From here on a value is deep enough that it might be a cycle. */
const SUSPICIOUS_DEPTH = 64;
const NO_PARTS = Object.freeze([]);
const MAX_U32 = 0xffffffff;

// Called as mapForEach.call(map, collectEntry, list): `this` is the list, so no closure is made.
function collectEntry(value, key) {
  this.push(key, value);
}
function collectItem(value) {
  this.push(value);
}

class Writer extends Slab {
  /**
   * @param {object} setup
   * @param {'value' | 'message'} setup.mode
   * @param {import('./shapes').WriteShapes} setup.shapes
   * @param {import('./extensions').Extensions} setup.extensions
   * @param {number} setup.maxDepth
   * @param {number} setup.maxBytes
   * @param {number} setup.inlineBytes byte blocks above this ride beside the wire
   */
  constructor({ mode, shapes, extensions, maxDepth, maxBytes, inlineBytes }) {
    super(maxBytes);
    this.message = mode === 'message';
    /** Messages: whether a Buffer arrives as one, with its own bytes only. */
    this.keepBuffers = false;
    this.shapes = shapes;
    this.extensions = extensions;
    this.maxDepth = maxDepth;
    this.inlineBytes = inlineBytes;
    /** What rides beside the wire: ArrayBuffers and views, to be copied by the native side. */
    this.parts = NO_PARTS;
    /** Length of the wire in `bytes`. */
    this.length = 0;
    this.busy = false;
    this.depth = 0;
    this.refs = new Array(FEW_REFS).fill(null);
    this.refCount = 0;
    this.refMap = null;
    this.repeated = false;
    this.searched = false;
    this.root = undefined;
    this.name = 'input';
  }

  /**
   * Writes one value; false when a message is not representable.
   * `bytes`, `length` and `parts` hold until the next.
   */
  encode(value, name) {
    this.busy = true;
    this.rewind();
    this.parts = NO_PARTS;
    this.pos = 1;
    this.depth = 0;
    this.searched = false;
    this.root = value;
    this.name = name;
    try {
      this.any(value);
      this.bytes[0] = this.repeated ? HEADER_GRAPH : HEADER_TREE;
      this.length = this.pos;
      return true;
    } catch (error) {
      this.length = 0;
      this.parts = NO_PARTS;
      if (error === NOT_REPRESENTABLE) return false;
      throw error;
    } finally {
      this.root = undefined;
      if (this.refCount > 0) this.forgetRefs();
      this.busy = false;
    }
  }

  /** Lets go of the byte blocks of the last value. */
  release() {
    this.parts = NO_PARTS;
  }

  any(value) {
    switch (typeof value) {
      case 'number': this.number(value); return;
      case 'string': this.string(value); return;
      case 'object':
        if (value === null) this.nothing(null);
        else this.object(value);
        return;
      case 'undefined':
      case 'boolean': this.nothing(value); return;
      case 'bigint': this.bigint(value); return;
      default: this.refuse(value);
    }
  }

  object(value) {
    if (isProxy(value)) this.refuse(value);
    if (this.message && this.isRepeated(value)) return;
    if (++this.depth > SUSPICIOUS_DEPTH) this.checkDepth();
    if (isArray(value)) this.array(value);
    else if (getPrototypeOf(value) === ObjectPrototype) this.plain(value);
    else this.special(value);
    this.depth--;
  }

  plain(value) {
    const keys = keysOf(value);
    const shape = this.shapes.find(keys);
    // Objects with inner slots behind Object.prototype (arguments, `Object.setPrototypeOf(date, …)`) have
    // no keys or an index first; others do not occur without someone working at it.
    if (shape === null) {
      if ((keys.length === 0 || keys[0] === '0') && !isOrdinary(value)) this.special(value);
      else this.unshaped(value, keys);
      return;
    }
    if (keys[0] === '0' && !isOrdinary(value)) {
      this.special(value);
      return;
    }
    const at = this.pos;
    this.tagged(SHAPED, shape.id);
    if (shape.compiled !== null) {
      shape.compiled(this, value, at);
      return;
    }
    for (let i = 0; i < keys.length; i++) {
      const item = value[keys[i]];
      if (item === undefined) this.maybeHole(value, keys[i], at);
      else this.any(item);
    }
  }

  // A getter may have deleted a key that was still to come: structured clone then leaves it out.
  maybeHole(value, key, at) {
    if (hasOwn(value, key)) {
      this.nothing(undefined);
    } else {
      this.bytes[at] = SHAPED_HOLEY;
      this.byte(HOLE);
    }
  }

  unshaped(value, keys) {
    const at = this.pos;
    this.tagged(OBJECT, keys.length);
    let missing = 0;
    for (let i = 0; i < keys.length; i++) {
      const item = value[keys[i]];
      if (item === undefined && !hasOwn(value, keys[i])) {
        missing++;
        continue;
      }
      this.string(keys[i]);
      this.any(item);
    }
    if (missing > 0) this.patch(at + 1, keys.length - missing);
  }

  patch(at, value) {
    const pos = this.pos;
    this.pos = at;
    this.u32(value);
    this.pos = pos;
  }

  array(value) {
    const length = value.length;
    if (length > this.maxBytes - this.pos && !this.message) this.tooLarge();
    const at = this.pos;
    this.tagged(ARRAY, length);
    let i = 0;
    if (this.message) {
      for (; i < length; i++) {
        const item = value[i];
        if (item === undefined && !hasOwn(value, i)) break;
        this.any(item);
      }
      if (i < length || hasNamedProperties(value)) this.tail(value, at, i);
    } else {
      for (; i < length; i++) this.any(value[i]);
    }
  }

  // The rest of an array with holes or properties of its own, key by key.
  tail(value, at, dense) {
    this.bytes[at] = ARRAY_TAILED;
    this.byte(TAIL);
    const countAt = this.pos;
    this.u32(0);
    let count = 0;
    for (const key of keysOf(value)) {
      const index = Number(key);
      if (index >= 0 && index < dense && Number.isInteger(index) && String(index) === key) continue;
      const item = value[key];
      if (item === undefined && !hasOwn(value, key)) continue;
      this.string(key);
      this.any(item);
      count++;
    }
    this.patch(countAt, count);
  }

  // Anything that is not an array and not made by `{}`.
  special(value) {
    const extension = this.extensions.find(value);
    if (extension !== null) {
      this.byte(extension.tag);
      extension.write(value, this);
    } else if (ArrayBuffer.isView(value)) {
      this.view(value);
    } else if (types.isMap(value)) {
      this.entries(MAP, value);
    } else if (types.isSet(value)) {
      this.entries(SET, value);
    } else if (types.isDate(value)) {
      this.byte(DATE);
      this.f64(getTime.call(value));
    } else if (types.isArrayBuffer(value)) {
      this.arrayBuffer(value);
    } else if (types.isNativeError(value)) {
      this.error(value);
    } else if (this.message) {
      this.specialMessage(value);
    } else {
      this.specialValue(value);
    }
  }

  specialMessage(value) {
    const prototype = getPrototypeOf(value);
    if (types.isRegExp(value)) {
      this.byte(REGEXP);
      this.string(regexpSource.call(value));
      let flags = '';
      for (const [flag, get] of regexpFlags) if (get.call(value)) flags += flag;
      this.string(flags);
    } else if (types.isBoxedPrimitive(value) && !types.isSymbolObject(value)) {
      this.byte(BOXED);
      if (types.isNumberObject(value)) this.number(Number.prototype.valueOf.call(value));
      else if (types.isStringObject(value)) this.string(String.prototype.valueOf.call(value));
      else if (types.isBooleanObject(value)) this.nothing(Boolean.prototype.valueOf.call(value));
      else this.bigint(BigInt.prototype.valueOf.call(value));
    } else if ((prototype === null || prototype === ObjectPrototype) && isOrdinary(value)) {
      this.unshaped(value, keysOf(value));
    } else {
      // A class instance may be one of Node's own transferable or cloneable objects, and nothing but Node can
      // tell.
      throw NOT_REPRESENTABLE;
    }
  }

  // As structured clone: own enumerable properties of any ordinary object, whatever its class.
  specialValue(value) {
    if (isErrorObject(value)) this.error(value);
    else if (types.isSharedArrayBuffer(value)) this.refuse(value);
    else if (exoticName(value) !== null || platformName(value) !== null) this.refuse(value);
    else this.unshaped(value, keysOf(value));
  }

  entries(tag, value) {
    const list = [];
    if (tag === MAP) mapForEach.call(value, collectEntry, list);
    else setForEach.call(value, collectItem, list);
    this.tagged(tag, tag === MAP ? list.length / 2 : list.length);
    for (let i = 0; i < list.length; i++) this.any(list[i]);
  }

  error(value) {
    if (this.message) {
      if (value instanceof nodeGlobals.DOMException) throw NOT_REPRESENTABLE;
      writeClonedError(this, value);
    } else {
      writeFullError(this, value);
    }
  }

  arrayBuffer(value) {
    if (isDetached(value)) this.refuse(value);
    // Resizable: a task gets the bytes there are; a message must stay resizable, which Node's port can do.
    if (this.message && value.resizable === true) throw NOT_REPRESENTABLE;
    this.block(0, value, value, 0, value.byteLength);
  }

  view(value) {
    let kind = kindOfView(value);
    if (kind < 0 || isOutOfBounds(value)) this.refuse(value);
    const { buffer, byteOffset, byteLength } = value;
    if (types.isSharedArrayBuffer(buffer)) {
      const extension = this.extensions.find(buffer);
      if (extension === null || byteOffset + byteLength > MAX_U32) this.refuse(value);
      this.nested(kind, buffer, byteOffset, byteLength);
      return;
    }
    if (!this.message) {
      if (kind === KIND_UINT8 && value instanceof Buffer) kind = KIND_BUFFER;
      this.block(kind, value, buffer, byteOffset, byteLength);
      return;
    }
    if (buffer.resizable === true || byteOffset + byteLength > MAX_U32) throw NOT_REPRESENTABLE;
    if (this.keepBuffers && kind === KIND_UINT8 && value instanceof Buffer) {
      // A number for the buffer of its own that it will have there; the one it has here may be a pool of many.
      this.remember(null);
      this.block(KIND_BUFFER, value, buffer, byteOffset, byteLength);
      return;
    }
    // A view with its buffer to itself is one block; else the buffer is written once, whole, and the views
    // point into it: structured clone does the same.
    if (byteLength === buffer.byteLength && this.lookUp(buffer) < 0) {
      this.remember(buffer);
      this.block(kind, value, buffer, 0, byteLength);
    } else {
      this.nested(kind, buffer, byteOffset, byteLength);
    }
  }

  nested(kind, buffer, byteOffset, byteLength) {
    this.byte(VIEW);
    this.byte(kind);
    this.u32(byteOffset);
    this.u32(byteLength);
    this.object(buffer);
  }

  block(kind, value, buffer, byteOffset, byteLength) {
    if (byteLength > this.inlineBytes) {
      const index = this.part(value);
      this.byte(BYTES_PART);
      this.byte(kind);
      this.u32(index);
      return;
    }
    this.byte(BYTES);
    this.byte(kind);
    this.u32(byteLength);
    if (this.pos + byteLength > this.capacity) this.grow(byteLength);
    setBytes.call(this.bytes, new Uint8Array(buffer, byteOffset, byteLength), this.pos);
    this.pos += byteLength;
  }

  /** Puts something beside the wire and gives its index there. */
  part(value) {
    if (this.parts === NO_PARTS) this.parts = [];
    return this.parts.push(value) - 1;
  }

  isRepeated(value) {
    const id = this.lookUp(value);
    if (id >= 0) {
      this.repeated = true;
      this.tagged(REF, id);
      return true;
    }
    this.remember(value);
    return false;
  }

  lookUp(value) {
    const count = this.refCount;
    if (count <= FEW_REFS) {
      const refs = this.refs;
      for (let i = 0; i < count; i++) if (refs[i] === value) return i;
      return -1;
    }
    return this.refMap.get(value) ?? -1;
  }

  remember(value) {
    const id = this.refCount++;
    if (id < FEW_REFS) {
      this.refs[id] = value;
      return;
    }
    if (id === FEW_REFS) {
      this.refMap ??= new Map();
      for (let i = 0; i < FEW_REFS; i++) this.refMap.set(this.refs[i], i);
    }
    this.refMap.set(value, id);
  }

  forgetRefs() {
    const few = Math.min(this.refCount, FEW_REFS);
    for (let i = 0; i < few; i++) this.refs[i] = null;
    if (this.refCount > FEW_REFS) {
      if (this.refCount > 4096) this.refMap = null;
      else this.refMap.clear();
    }
    this.refCount = 0;
    this.repeated = false;
  }

  // Below the suspicious depth a cycle cannot be told from a deep value, and need not be.
  checkDepth() {
    if (this.message) {
      if (this.depth > this.maxDepth) throw NOT_REPRESENTABLE;
      return;
    }
    if (!this.searched) {
      // Once for the whole value: what has no cycle now will not have one at its next deep place.
      this.searched = true;
      const cycle = findCycle(this.root, this.name);
      if (cycle !== null) {
        throw codecError(TypeError, 'ERR_RW_CYCLIC_VALUE',
          `${cycle.from} refers back to ${cycle.to}: a value for a task must not contain itself`);
      }
    }
    if (this.depth > this.maxDepth) {
      const tooDeep = (value, depth) => depth >= this.maxDepth && typeof value === 'object';
      const path = findPath(this.root, this.name, tooDeep);
      throw codecError(RangeError, 'ERR_RW_VALUE_TOO_DEEP',
        `${path ?? this.name} is nested more than ${this.maxDepth} levels deep: flatten the value`);
    }
  }

  tooLarge() {
    if (this.message) throw NOT_REPRESENTABLE;
    throw codecError(RangeError, 'ERR_RW_VALUE_TOO_LARGE',
      `${this.name} takes more than ${this.maxBytes} bytes: pass less at a time, or typed arrays`);
  }

  /** Leaves the writer: `value` cannot cross. */
  refuse(value) {
    if (this.message) throw NOT_REPRESENTABLE;
    const path = findPath(this.root, this.name, (at) => Object.is(at, value)) ?? `something in ${this.name}`;
    throw codecError(TypeError, 'ERR_RW_UNSUPPORTED_VALUE', `${path} is ${describe(value)}`);
  }
}

const ADVICE = 'pass plain data (numbers, strings, arrays, objects, Map, Set, Date, Error, typed arrays)';

function describe(value) {
  if (typeof value === 'function') return `a function: functions cannot cross to a task; ${ADVICE}`;
  if (typeof value === 'symbol') return `a symbol: symbols cannot cross to a task; ${ADVICE}`;
  if (types.isSharedArrayBuffer(value) || types.isSharedArrayBuffer(value.buffer)) {
    return 'shared memory: pass a SharedBuffer over it';
  }
  if (types.isArrayBuffer(value)) return 'a detached ArrayBuffer: its memory has been given away';
  if (ArrayBuffer.isView(value)) {
    return kindOfView(value) < 0
      ? 'a view of a type this version of rust-workers does not know: pass a Uint8Array over its bytes'
      : 'a view of a detached or shrunk ArrayBuffer: its memory is gone';
  }
  return `${exoticName(value) ?? platformName(value)}, which cannot cross to a task; ${ADVICE}`;
}

module.exports = { Writer };
