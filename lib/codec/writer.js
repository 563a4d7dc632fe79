'use strict';

// JavaScript value to wire. One writer serves one mode:
//   'value'    inputs of native tasks: a tree; what cannot cross is refused with its key path.
//   'message'  channel messages: exactly what structured clone would make, or nothing at all
//              (the caller then hands the value to Node's own port).

const { types } = require('node:util');
const nodeGlobals = require('../runtime/globals');
const { hasAccessor, mayRunCode } = require('./accessors');
const { isUncloneable, marks } = require('../runtime/clone-marks');
const { hasNamedProperties } = require('../runtime/array-properties');
const { exoticName, isOrdinary, isTakenApart, classFacts, platformName } = require('./object-kinds');
const {
  KIND_BUFFER, KIND_UINT8, bufferOf, copyOf, isBuffer, isDetached, isOutOfBounds, isResizable, isView, kindOfView,
  lengthOf, offsetOf, setBytes, sizeOf,
} = require('./bytes');
const { isErrorObject, writeClonedError, writeFullError } = require('./error-values');
const { describe } = require('./describe');
const { codecError } = require('./errors');
const { findPath, findCycle } = require('./value-path');
const {
  ArrayPrototype, ObjectPrototype, SafeMap, append, arrayOf, hasIndexedPrototypes, indexOf, isArray, mapForEach, setForEach, sizeOfMap, sizeOfSet,
  twice,
} = require('../runtime/intrinsics');
const { MemoryCopies } = require('./memory-copies');
const { isStackOverflow } = require('../runtime/stack-overflow');
const { flagsOf, sourceOf } = require('./regexps');
const { WriteBuffer } = require('./write-buffer');
const {
  HEADER_TREE, HEADER_GRAPH, DATE, ARRAY, ARRAY_TAILED, SHAPED, SHAPED_HOLEY, OBJECT, MAP, SET, BYTES,
  BYTES_PART, VIEW, REF, HOLE, TAIL, REGEXP, BOXED, CARRIED,
} = require('../constants').TAGS;

const { isArgumentsObject, isProxy } = types;
const { keys: keysOf, getOwnPropertyDescriptor, getPrototypeOf, hasOwn } = Object;
const getTime = Date.prototype.getTime;
const { valueOf: numberOf } = Number.prototype;
const { valueOf: stringOf } = String.prototype;
const { valueOf: booleanOf } = Boolean.prototype;
const { valueOf: bigintOf } = BigInt.prototype;

/** Thrown inside a writer to leave it: the message is for Node's own port. No Error: it needs no stack. */
const NOT_REPRESENTABLE = { notRepresentable: true };
/**
 * So many objects are compared one by one to find those that were met before, from there on a Map finds them. A Map costs
 * 40 to 130 ns for each object, since it grows again in each message; so a writer compares up to 256 of them, unless the last
 * message had more than that: then the comparisons would come on top of the Map.
 */
const FEW_REFS = 256;
const FEWER_REFS = 16;
/** Beyond so many `indexOf` compares, which V8 does by the CPU's vectors: 40 ns instead of 105 where there are 128 of them. */
const VERY_FEW_REFS = 16;
const LAST_REF = FEW_REFS - 1;
/** From here on a value is deep enough that it might be a cycle. */
const SUSPICIOUS_DEPTH = 64;
const NO_PARTS = Object.freeze([]);
const MAX_U32 = 0xffffffff;

/** Whether code of the program's may run after a block of bytes was met, as far as it is known. */
const UNKNOWN = 0;
const QUIET = 1;
const LOUD = 2;
/** So many things of a value are looked at to find out; and one more for so many bytes, whose copy would cost as much. */
const LOOK_AT = 32;
const BYTES_A_LOOK = 256;

/** Asks Node what becomes of a value: throws what it throws. Loaded late: few values come to that. */
function askNode(value) {
  require('../runtime/closed-port').closedPort().postMessage(value);
}

/** The copy that Node makes of an object without keys and prototype, which may have any inner slots. */
function isOrdinaryForNode(value) {
  askNode(value);
  return getPrototypeOf(nodeGlobals.structuredClone(value)) === ObjectPrototype;
}

/** Whether an object holds no other, and reading it runs no code. */
function isShallow(object, keys) {
  for (let i = 0; i < keys.length; i++) {
    const descriptor = getOwnPropertyDescriptor(object, keys[i]);
    if (!hasOwn(descriptor, 'value')) return false;
    const { value } = descriptor;
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') return false;
  }
  return true;
}

/** Beyond them the keys of an array are names like any other. */
const isIndex = (number) => number >= 0 && number < MAX_U32 && number % 1 === 0;

/** Whether this may be what Object.prototype has under the name of a key that a getter has deleted meanwhile. */
function mayBeInherited(item) {
  return item === undefined || typeof item === 'function' || item === ObjectPrototype;
}

// Called as mapForEach.call(map, collectEntry, list): `this` is the list, so no closure is made.
function collectEntry(value, key) {
  this.items[this.count++] = key;
  this.items[this.count++] = value;
}
function collectItem(value) {
  this.items[this.count++] = value;
}

class Writer extends WriteBuffer {
  message;
  /** Messages: whether a Buffer arrives as one, with its own bytes only. */
  keepBuffers = false;
  shapes;
  extensions;
  maxDepth;
  inlineBytes;
  reread;
  /** Out-of-band values: ArrayBuffers, views and texts, to be copied by the native side. */
  parts = NO_PARTS;
  /** Messages: what Node is to carry, by the number that the wire has in its place. Undefined while there is none. */
  carried = undefined;
  /** Messages: the objects that extensions have written, in the order in which they were met. Undefined without any. */
  originals = undefined;
  /** Messages, after `takeOver`: copies of memory that only Node can carry. Undefined without any. */
  memory = undefined;
  secondReading;
  /** Made for the first message that is read twice. */
  second = undefined;
  /** The value that `encode` left to Node. */
  left = undefined;
  /** Length of the wire in `bytes`. */
  length = 0;
  busy = false;
  depth = 0;
  /** FEW_REFS or FEWER_REFS. */
  few = FEW_REFS;
  /** From the end, so that `indexOf` can begin at the last. */
  refs = arrayOf(FEW_REFS);
  refCount = 0;
  refMap = null;
  /** Of the containers among them: how many keys, elements or entries each had when it was met. */
  sizes = arrayOf(FEW_REFS);
  repeated = false;
  // What is found out about one value, where it was asked: `isMarked` then.
  isMarked = false;
  /** Whether it was searched for cycles. */
  searched = false;
  /** Whether an extension is writing. */
  extending = false;
  quiet = UNKNOWN;
  /** So many things of the value were looked at for it. */
  looked = 0;
  /** Arrays may seem to have what they have not (see intrinsics.js). Asked at the first array. */
  indexed = undefined;
  /** Memory that is transferred. */
  given = undefined;
  root = undefined;
  name = 'input';

  /**
   * @param {object} setup
   * @param {'value' | 'message'} setup.mode
   * @param {import('./shapes').WriteShapes} setup.shapes
   * @param {import('./extensions').Extensions} setup.extensions
   * @param {number} setup.maxDepth
   * @param {number} setup.maxBytes
   * @param {number} setup.inlineBytes byte blocks above this are out of band
   * @param {number} setup.longText in messages, texts of so many units are out of band
   * @param {(writer: Writer) => unknown} setup.reread reads what the writer has just written
   * @param {(writer: Writer) => { isSame(writer: Writer): boolean }} setup.secondReading for messages: see second-reading.js
   */
  constructor({ mode, shapes, extensions, maxDepth, maxBytes, inlineBytes, longText, reread, secondReading }) {
    super(maxBytes);
    this.message = mode === 'message';
    if (this.message) this.longText = longText;
    this.shapes = shapes;
    this.extensions = extensions;
    this.maxDepth = maxDepth;
    this.inlineBytes = inlineBytes;
    this.reread = reread;
    this.secondReading = secondReading;
  }

  /**
   * Writes one value; false when a message is not representable: `takeLeft` then returns the value that Node must carry.
   * `bytes`, `length` and `parts` hold until the next.
   *
   * @param {unknown} value
   * @param {string} name what error messages call it
   * @param {{ has(buffer: ArrayBuffer): boolean }} [given] memory that is transferred: its bytes are those it has when it
   *   goes
   */
  encode(value, name, given) {
    this.busy = true;
    this.rewind();
    this.parts = NO_PARTS;
    this.length = 0;
    this.pos = 1;
    this.depth = 0;
    this.root = value;
    this.name = name;
    if (given !== undefined) {
      this.given = given;
      this.isMarked = true;
    }
    try {
      this.any(value);
      this.bytes[0] = this.repeated ? HEADER_GRAPH : HEADER_TREE;
      this.length = this.pos;
      if (this.carried === undefined) return true;
      this.left = this.reread(this);
      this.release();
    } catch (error) {
      // Node goes some levels deeper than a writer in JavaScript.
      const isTooDeep = this.carried !== undefined && isStackOverflow(error);
      this.release();
      if (error !== NOT_REPRESENTABLE && !isTooDeep) throw error;
      this.left = value;
    } finally {
      this.root = undefined;
      if (this.refCount > 0) this.forgetRefs();
      if (this.isMarked) this.forgetMarks();
      this.busy = false;
    }
    return false;
  }

  /**
   * What Node is to carry after `encode` said false: the value itself; or, where getters of it have run, the value as it
   * was read, so that they do not run again. Once.
   */
  takeLeft() {
    const { left } = this;
    this.left = undefined;
    return left;
  }

  /** Lets go of what belongs to the last wire, out of band. */
  release() {
    this.length = 0;
    this.parts = NO_PARTS;
    this.carried = undefined;
    this.memory = undefined;
  }

  any(value) {
    // V8 compiles these comparisons to one each, a switch to a call.
    if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') this.string(value);
    else if (value === null || value === undefined || typeof value === 'boolean') this.nothing(value);
    else if (typeof value === 'object') this.object(value);
    else if (typeof value === 'bigint') this.bigint(value);
    else this.refuse(value);
  }

  object(value) {
    if (isProxy(value) || (marks.some && isUncloneable(value))) this.refuse(value);
    if (this.message && this.writeIfRepeated(value)) return;
    if (++this.depth > SUSPICIOUS_DEPTH) this.checkDepth();
    if (isArray(value)) this.array(value);
    else if (getPrototypeOf(value) === ObjectPrototype) this.plain(value);
    else this.special(value);
    this.depth--;
  }

  plain(value) {
    const keys = keysOf(value);
    if (this.message) this.met(keys.length);
    const shape = this.shapes.find(keys);
    // Objects with inner slots behind Object.prototype (arguments, `Object.setPrototypeOf(date, …)`) have
    // no keys or an index first; others do not occur without someone working at it.
    if (shape === null) {
      if ((keys.length === 0 || keys[0] === '0') && !isOrdinary(value)) this.special(value);
      else this.unshaped(value, keys);
      return;
    }
    if (keys.length === 0 ? isArgumentsObject(value) : keys[0] === '0' && !isOrdinary(value)) {
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
      if (mayBeInherited(item) && !hasOwn(value, keys[i])) this.hole(at);
      else this.any(item);
    }
  }

  // A getter may have deleted a key that was still to come: structured clone then leaves it out.
  maybeHole(value, key, at) {
    if (hasOwn(value, key)) this.nothing(undefined);
    else this.hole(at);
  }

  hole(at) {
    this.bytes[at] = SHAPED_HOLEY;
    this.byte(HOLE);
  }

  /** @param {boolean} [isOther] whether a key that a getter has deleted may be found on a prototype of any sort */
  unshaped(value, keys, isOther = false) {
    const at = this.pos;
    this.tagged(OBJECT, keys.length);
    let missing = 0;
    for (let i = 0; i < keys.length; i++) {
      if (isOther && !hasOwn(value, keys[i])) {
        missing++;
        continue;
      }
      const item = value[keys[i]];
      if (!isOther && mayBeInherited(item) && !hasOwn(value, keys[i])) {
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
    if (this.message) this.met(length);
    const at = this.pos;
    this.tagged(ARRAY, length);
    let i = 0;
    // An array of another realm, or of a class of the program's, has prototypes of its own.
    const isOther = getPrototypeOf(value) !== ArrayPrototype;
    if (isOther || (this.indexed === undefined ? this.lookAround() : this.indexed)) {
      // Elements on the prototypes are not the array's.
      if (this.message) this.tail(value, at, 0, length);
      else for (; i < length; i++) this.any(hasOwn(value, i) ? value[i] : undefined);
    } else if (this.message) {
      for (; i < length; i++) {
        const item = value[i];
        if (item === undefined && !hasOwn(value, i)) break;
        this.any(item);
      }
      if (i < length || hasNamedProperties(value)) this.tail(value, at, i, length);
    } else {
      for (; i < length; i++) this.any(value[i]);
    }
  }

  lookAround() {
    this.isMarked = true;
    return (this.indexed = hasIndexedPrototypes());
  }

  // The rest of an array with holes or properties of its own, key by key.
  tail(value, at, dense, length) {
    this.bytes[at] = ARRAY_TAILED;
    this.byte(TAIL);
    const countAt = this.pos;
    this.u32(0);
    let count = 0;
    const keys = keysOf(value);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      const index = +key;
      // Not again what is written; nor elements that a getter has added.
      if ((index < dense || index >= length) && isIndex(index) && `${index}` === key) continue;
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
    if (isView(value)) {
      this.view(value);
    } else if (types.isAnyArrayBuffer(value)) {
      if (types.isArrayBuffer(value)) this.arrayBuffer(value);
      else this.other(value, this.extensions.find(value));
    } else if (types.isMap(value)) {
      this.entries(MAP, value);
    } else if (types.isSet(value)) {
      this.entries(SET, value);
    } else if (types.isDate(value)) {
      this.byte(DATE);
      this.f64(getTime.call(value));
    } else if (types.isNativeError(value)) {
      this.error(value);
    } else {
      // A Proxy among the prototypes would see that it is asked.
      this.other(value, classFacts(value).hasProxy ? null : this.extensions.find(value));
    }
  }

  other(value, extension) {
    if (extension !== null) this.extended(extension, value);
    else if (this.message) this.specialMessage(value);
    else this.specialValue(value);
  }

  // An object of ours, or shared memory.
  extended(extension, value) {
    const { pos, refCount } = this;
    this.byte(extension.tag);
    if (!this.message) {
      extension.write(value, this);
      return;
    }
    const before = this.extending;
    this.extending = this.isMarked = true;
    this.originals ??= [];
    const count = this.originals.length;
    append(this.originals, value);
    try {
      extension.write(value, this);
      this.extending = before;
    } catch (error) {
      this.extending = before;
      // The outermost goes as it is.
      if (error !== NOT_REPRESENTABLE || before) throw error;
      this.pos = pos;
      this.forgetRefsFrom(refCount);
      this.originals.length = count;
      this.takeOver();
      this.carry(value);
    }
  }

  specialMessage(value) {
    const prototype = getPrototypeOf(value);
    if (types.isRegExp(value)) {
      this.byte(REGEXP);
      this.string(sourceOf(value));
      this.string(flagsOf(value));
    } else if (types.isBoxedPrimitive(value) && !types.isSymbolObject(value)) {
      this.byte(BOXED);
      if (types.isNumberObject(value)) this.number(numberOf.call(value));
      else if (types.isStringObject(value)) this.string(stringOf.call(value));
      else if (types.isBooleanObject(value)) this.nothing(booleanOf.call(value));
      else this.bigint(bigintOf.call(value));
    } else if ((prototype === null || prototype === ObjectPrototype) && isOrdinary(value)) {
      const keys = keysOf(value);
      if (keys.length > 0 || isOrdinaryForNode(value)) this.unshaped(value, keys);
      else this.instance(value);
    } else {
      this.instance(value);
    }
  }

  // A class instance may be one of Node's own transferable or cloneable objects, and only Node knows for certain.
  instance(value) {
    this.takeOver();
    const { name, isCarried } = classFacts(value);
    if (!isCarried && isOrdinary(value) && isTakenApart(name)) this.unknown(value, keysOf(value));
    else if (types.isSharedArrayBuffer(value)) this.carry(value);
    else this.ask(value);
  }

  // Only Node knows most kinds of inner slots, and we may ask Node only where that runs no code.
  unknown(value, keys) {
    if (!isShallow(value, keys)) {
      this.unshaped(value, keys, true);
      return;
    }
    askNode(value);
    this.carry(nodeGlobals.structuredClone(value));
  }

  // As structured clone: own enumerable properties of any ordinary object, whatever its class.
  specialValue(value) {
    if (isErrorObject(value)) this.error(value);
    else if (types.isSharedArrayBuffer(value)) this.refuse(value);
    else if (exoticName(value) !== null || platformName(value) !== null) this.refuse(value);
    else this.unshaped(value, keysOf(value));
  }

  entries(tag, value) {
    const isMap = tag === MAP;
    const size = isMap ? sizeOfMap.call(value) : sizeOfSet.call(value);
    if (this.message) this.met(size);
    this.tagged(tag, size);
    if (size === 0) return;
    const list = { items: arrayOf(isMap ? size * 2 : size), count: 0 };
    if (isMap) mapForEach.call(value, collectEntry, list);
    else setForEach.call(value, collectItem, list);
    const { items } = list;
    for (let i = 0; i < items.length; i++) this.any(items[i]);
  }

  error(value) {
    if (!this.message) {
      writeFullError(this, value);
    } else if (classFacts(value).name !== null) {
      // A DOMException.
      this.takeOver();
      this.ask(value);
    } else {
      writeClonedError(this, value);
    }
  }

  arrayBuffer(value) {
    if (isDetached(value)) this.refuse(value);
    // Resizable: a task gets the bytes there are; a message must stay resizable, which Node's port can do.
    if (this.message && isResizable(value)) {
      this.takeOver();
      this.carryMemory(value);
      return;
    }
    this.block(0, value, value, 0, sizeOf(value));
  }

  view(value) {
    let kind = kindOfView(value);
    if (isOutOfBounds(value)) this.refuse(value);
    const buffer = bufferOf(value);
    const byteOffset = offsetOf(value);
    const byteLength = lengthOf(value);
    if (this.message ? this.isForNode(kind, buffer, byteOffset + byteLength) : kind < 0) {
      if (!this.message) this.refuse(value);
      this.takeOver();
      this.carryMemory(value);
      return;
    }
    if (types.isSharedArrayBuffer(buffer)) {
      if (this.extensions.find(buffer) === null || byteOffset + byteLength > MAX_U32) this.refuse(value);
      this.nested(kind, buffer, byteOffset, byteLength);
      return;
    }
    if (!this.message) {
      if (kind === KIND_UINT8 && isBuffer(value)) kind = KIND_BUFFER;
      this.block(kind, value, buffer, byteOffset, byteLength);
      return;
    }
    if (this.keepBuffers && kind === KIND_UINT8 && isBuffer(value)) {
      // A number for the buffer of its own that it will have there; the one it has here may be a pool of many.
      this.remember(null);
      this.block(KIND_BUFFER, value, buffer, byteOffset, byteLength);
      return;
    }
    // A view with its buffer to itself is one block; else the buffer is written once, whole, and the views
    // point into it: structured clone does the same.
    if (byteLength === sizeOf(buffer) && this.lookUp(buffer) < 0) {
      this.remember(buffer);
      this.block(kind, value, buffer, 0, byteLength);
    } else {
      this.nested(kind, buffer, byteOffset, byteLength);
    }
  }

  /** Whether a message with such a view is Node's business. */
  isForNode(kind, buffer, end) {
    if (kind < 0 || end > MAX_U32) return true;
    return types.isArrayBuffer(buffer) ? isResizable(buffer) : this.extensions.find(buffer) === null;
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
      const index = this.part(this.mayChange(value, buffer, byteLength) ? copyOf(value) : value);
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

  /**
   * Whether code of the program's may run before the native side copies a block. Structured clone takes the bytes when
   * it meets them; where nothing can change them meanwhile, one copy is enough.
   */
  mayChange(value, buffer, byteLength) {
    if (this.quiet === QUIET || value === this.root) return false;
    if (this.given !== undefined && this.given.has(buffer)) return false;
    const most = LOOK_AT + Math.floor(byteLength / BYTES_A_LOOK);
    if (most > this.looked * 2) {
      this.looked = most;
      this.isMarked = true;
      const child = this.depth === 2 ? value : undefined;
      this.quiet = this.carried === undefined && !mayRunCode(this.root, most, child) ? QUIET : LOUD;
    }
    return this.quiet === LOUD;
  }

  /** Puts a value out of band and returns its index there. */
  part(value) {
    if (this.parts === NO_PARTS) this.parts = [value];
    else append(this.parts, value);
    return this.parts.length - 1;
  }

  /** Writes a reference to an object that was written before, and returns true; else remembers the object. */
  writeIfRepeated(value) {
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
    if (count > this.few) return this.refMap.get(value) ?? -1;
    const refs = this.refs;
    if (count > VERY_FEW_REFS) {
      const at = indexOf.call(refs, value, FEW_REFS - count);
      return at < 0 ? -1 : LAST_REF - at;
    }
    for (let i = FEW_REFS - count; i < FEW_REFS; i++) if (refs[i] === value) return LAST_REF - i;
    return -1;
  }

  remember(value) {
    const id = this.refCount++;
    if (id < this.few) {
      this.refs[LAST_REF - id] = value;
      return;
    }
    if (id === this.few) {
      this.refMap ??= new SafeMap();
      for (let i = 0; i < this.few; i++) this.refMap.set(this.refs[LAST_REF - i], i);
    }
    this.refMap.set(value, id);
  }

  forgetRefs() {
    const few = Math.min(this.refCount, this.few);
    for (let i = 0; i < few; i++) this.refs[LAST_REF - i] = null;
    if (this.refCount > this.few) {
      if (this.refCount > 4096) {
        this.refMap = null;
        this.sizes = arrayOf(FEW_REFS);
      } else {
        this.refMap.clear();
      }
    }
    this.few = this.refCount > FEW_REFS ? FEWER_REFS : FEW_REFS;
    this.refCount = 0;
    this.repeated = false;
  }

  forgetMarks() {
    this.isMarked = false;
    this.searched = false;
    this.extending = false;
    this.originals = undefined;
    this.quiet = UNKNOWN;
    this.looked = 0;
    this.indexed = undefined;
    this.given = undefined;
  }

  /** The container remembered last has so many items. */
  met(size) {
    const id = this.refCount - 1;
    if (id >= this.sizes.length) this.sizes = twice(this.sizes);
    this.sizes[id] = size;
  }

  /** Forgets the objects from this number on: they are not on the wire after all. */
  forgetRefsFrom(count) {
    if (this.refCount > this.few) {
      this.refMap.forEach((id, value, all) => {
        if (id >= count) all.delete(value);
      });
      if (count <= this.few) this.refMap.clear();
    }
    this.refCount = count;
  }

  /**
   * Messages: there is something in the value that is not this codec's to write, and Node is to carry it all. As long
   * as none of the program's code has run, Node can start again with the value itself. Else the writer goes on, so that
   * each getter runs once and in its turn, and Node gets what was read.
   */
  takeOver() {
    if (this.carried !== undefined) return;
    if (!this.hasRunCode() && this.readsTheSame()) throw NOT_REPRESENTABLE;
    this.carried = [];
    this.quiet = LOUD;
    this.isMarked = true;
  }

  /**
   * Whether the value still is what was read up to here, bit by bit: a getter may have put data in its own place. Where
   * `hasRunCode` found nothing, to read it again runs no code.
   */
  readsTheSame() {
    // Nothing was read yet.
    if (this.pos === 1) return true;
    this.second ??= this.secondReading(this);
    return this.second.isSame(this);
  }

  /** Whether anything that was read has a getter; or had one, that removed itself: it has another size then. */
  hasRunCode() {
    if (this.refCount > this.few) {
      let found = false;
      this.refMap.forEach((id, value) => {
        found ||= hasAccessor(value, this.sizes[id]);
      });
      return found;
    }
    for (let i = 0; i < this.refCount; i++) if (hasAccessor(this.refs[LAST_REF - i], this.sizes[i])) return true;
    return false;
  }

  /** Messages, after `takeOver`: this object stays as it is, for Node to carry. */
  carry(value) {
    this.tagged(CARRIED, this.carried.length);
    append(this.carried, value);
  }

  /** The same for memory: as it is now. */
  carryMemory(value) {
    this.memory ??= new MemoryCopies();
    this.carry(this.memory.of(value));
  }

  /** The same for what Node may refuse: it does so now. */
  ask(value) {
    askNode(value);
    this.carry(value);
  }

  // Below the suspicious depth a cycle looks like a deep value, which does no harm.
  checkDepth() {
    if (this.message) {
      if (this.depth > this.maxDepth) this.takeOver();
      return;
    }
    if (!this.searched) {
      // Once for the whole value: what has no cycle now will not have one at its next deep place.
      this.searched = this.isMarked = true;
      const cycle = findCycle(this.root, this.name);
      if (cycle !== null) {
        throw codecError('ERR_RW_CYCLIC_VALUE',
          `${cycle.from} refers back to ${cycle.to}: a value for a task must not contain itself`);
      }
    }
    if (this.depth > this.maxDepth) {
      const tooDeep = (value, depth) => depth >= this.maxDepth && typeof value === 'object';
      const path = findPath(this.root, this.name, tooDeep);
      throw codecError('ERR_RW_VALUE_TOO_DEEP',
        `${path ?? this.name} is nested more than ${this.maxDepth} levels deep: flatten the value`);
    }
  }

  tooLarge() {
    if (this.message) {
      this.takeOver();
      return;
    }
    throw codecError('ERR_RW_VALUE_TOO_LARGE',
      `${this.name} takes more than ${this.maxBytes} bytes: pass less at a time, or typed arrays`);
  }

  noMemory(bytes) {
    if (this.message) throw NOT_REPRESENTABLE;
    throw codecError('ERR_RW_VALUE_TOO_LARGE',
      `there is no memory for the ${bytes} bytes that ${this.name} takes: pass less at a time`);
  }

  /** Leaves the writer: `value` cannot cross. */
  refuse(value) {
    if (this.message) {
      if (this.extending) throw NOT_REPRESENTABLE;
      this.takeOver();
      // Node has the words for it.
      askNode(value);
      throw NOT_REPRESENTABLE;
    }
    const path = findPath(this.root, this.name, (at) => Object.is(at, value)) ?? `something in ${this.name}`;
    throw codecError('ERR_RW_UNSUPPORTED_VALUE', `${path} is ${describe(value)}`);
  }
}

module.exports = { NOT_REPRESENTABLE, Writer };
