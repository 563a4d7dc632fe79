'use strict';

// Writes the value that a script threw. Unlike the other writers, this one refuses nothing and never throws: it replaces
// a part that cannot be sent by a text that describes the part, as util.inspect would, and sends every other part.
// Getters are the program's code: each runs once, inside try/catch.

const { isUncloneable, marks } = require('../runtime/clone-marks');
const { types } = require('node:util');

const { hasNamedProperties } = require('../runtime/array-properties');
const { className, exoticName, isOrdinary, classFacts, ownText } = require('./object-kinds');
const { bufferOf, isDetached, isOutOfBounds, isResizable, isView, kindOfView, sizeOf } = require('./bytes');
const { HAS_MESSAGE, HAS_NAME, HAS_STACK, classNameOf, isErrorObject, knowsClass, ownKeys } = require('./error-values');
const { isArray, sizeOfMap, sizeOfSet } = require('../runtime/intrinsics');
const {
  ARRAY, ARRAY_TAILED, ERROR, HEADER_GRAPH, HEADER_TREE, MAP, OBJECT, SET, TAIL, VIEW,
} = require('../constants').TAGS;
const { Writer } = require('./writer');

const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn, keys: keysOf } = Object;
const functionText = Function.prototype.toString;
const { slice } = String.prototype;
const urlText = typeof URL === 'function' ? URL.prototype.toString : undefined;

/** Levels that are written: a cause of a cause, a property of a property. */
const MOST_LEVELS = 200;
/** Properties, elements or entries of one object. */
const MOST_ITEMS = 100_000;
const MOST_OBJECTS = 100_000;
/** UTF-16 units of all texts together. Texts beyond that are cut. */
const MOST_UNITS = 256 * 1024 * 1024;
/** UTF-16 units that are kept of a text that is cut. */
const KEPT_UNITS = 10_000;
/** Bytes of all blocks, and of the wire. */
const MOST_BLOCK_BYTES = 256 * 1024 * 1024;
const MOST_BYTES = 1024 * 1024 * 1024;

/** Stands for a property whose getter threw. */
class Unreadable {
  #text;

  constructor(text) {
    this.#text = text;
  }

  /** The text to send instead; undefined if the object is no `Unreadable`. */
  static textOf(object) {
    return #text in object ? object.#text : undefined;
  }
}

const isObject = (value) => typeof value === 'object' && value !== null;

/** The item itself; for an `Unreadable`, the text to send instead. */
const shown = (item) => (isObject(item) && !types.isProxy(item) ? Unreadable.textOf(item) ?? item : item);

/** Reads a property, once. */
function read(object, key) {
  try {
    return object[key];
  } catch (error) {
    return new Unreadable(`[Getter: threw ${briefly(error)}]`);
  }
}

/** A short text for a thrown value. Runs no code of the program's. */
function briefly(error) {
  if (typeof error === 'string') return error;
  if (!isObject(error) || types.isProxy(error)) return describe(error);
  return ownText(error, 'message') ?? describe(error);
}

function describeFunction(value) {
  const name = ownText(value, 'name');
  let kind = 'Function';
  if (types.isGeneratorFunction(value)) kind = 'GeneratorFunction';
  else if (types.isAsyncFunction(value)) kind = 'AsyncFunction';
  else if (slice.call(functionText.call(value), 0, 5) === 'class') return `[class ${name || '(anonymous)'}]`;
  return name ? `[${kind}: ${name}]` : `[${kind} (anonymous)]`;
}

/** A text that replaces a value which cannot be sent. Runs no code of the program's. */
function describe(value) {
  if (typeof value === 'symbol') return `Symbol(${value.description ?? ''})`;
  if ((typeof value === 'object' || typeof value === 'function') && types.isProxy(value)) return '[Proxy]';
  if (typeof value === 'function') return describeFunction(value);
  if (typeof value !== 'object' || value === null) return `${value}`;
  if (isArray(value)) return `[Array(${value.length})]`;
  if (isErrorObject(value)) return `[${className(value)}: ${ownText(value, 'message') ?? ''}]`;
  return `[${className(value)}]`;
}

/** The name of the nearest class of an error that the wire has a name for. */
function errorClass(error) {
  for (let at = getPrototypeOf(error); at !== null && !types.isProxy(at); at = getPrototypeOf(at)) {
    // Where intrinsics are frozen, `constructor` is an accessor.
    const own = classNameOf(at);
    if (own !== undefined) return own;
    const Class = getOwnPropertyDescriptor(at, 'constructor')?.value;
    const name = typeof Class === 'function' && !types.isProxy(Class) ? ownText(Class, 'name') : undefined;
    if (name !== undefined && knowsClass(name)) return name;
  }
  return 'Error';
}

/** Whether a key is an index below `count`. */
function isIndexBelow(key, count) {
  const index = +key;
  return index >= 0 && index < count && index % 1 === 0 && `${index}` === key;
}

class ErrorWriter extends Writer {
  #clone;
  #arrivesAsItself;
  #units = 0;
  #objects = 0;
  #blockBytes = 0;
  /** Whether texts are written as they are, without a limit. */
  #exact = false;

  /**
   * @param {object} setup the options of every writer
   * @param {object} node
   * @param {(value: object) => void} node.clone throws for a value that Node cannot send to another thread
   * @param {(value: object) => boolean | undefined} node.arrivesAsItself for an object of ours: whether the other thread
   *   gets the object while this thread keeps it; undefined for any other object
   */
  constructor(setup, { clone, arrivesAsItself }) {
    super({ ...setup, mode: 'message', maxBytes: MOST_BYTES });
    this.#clone = clone;
    this.#arrivesAsItself = arrivesAsItself;
    this.keepBuffers = true;
  }

  /** Writes a thrown value. Never throws. Afterwards `carried` has the values that Node must send, out of band. */
  write(thrown) {
    this.busy = true;
    try {
      this.#begin();
      this.any(thrown);
    } catch (error) {
      // No memory, or no stack left.
      this.#begin();
      this.byte(ERROR);
      super.string('Error');
      this.byte(HAS_MESSAGE);
      super.string(`${cut(describe(thrown))}: it could not be read: ${cut(briefly(error))}`);
      this.u32(0);
    }
    this.bytes[0] = this.repeated ? HEADER_GRAPH : HEADER_TREE;
    this.length = this.pos;
    if (this.refCount > 0) this.forgetRefs();
    this.forgetMarks();
    this.busy = false;
  }

  #begin() {
    if (this.refCount > 0) this.forgetRefs();
    this.rewind();
    this.release();
    this.carried = [];
    this.pos = 1;
    this.depth = this.#units = this.#objects = this.#blockBytes = 0;
    this.#exact = false;
  }

  any(value) {
    switch (typeof value) {
      case 'string': this.string(value); return;
      case 'function':
      case 'symbol': this.string(describe(value)); return;
      default: super.any(value);
    }
  }

  string(text) {
    if (!this.#exact && this.#units + text.length > MOST_UNITS) {
      super.string(`${cut(text)}… ${text.length} characters`);
      return;
    }
    this.#units += text.length;
    super.string(text);
  }

  object(value) {
    if (types.isProxy(value)) return this.string('[Proxy]');
    if (marks.some && isUncloneable(value)) return this.string('[uncloneable]');
    const text = Unreadable.textOf(value);
    if (text !== undefined) return this.string(text);
    if (this.lookUp(value) >= 0) return void this.isRepeated(value);
    if (this.depth >= MOST_LEVELS || ++this.#objects > MOST_OBJECTS) return this.string(describe(value));
    this.depth++;
    this.#whole(value);
    this.depth--;
  }

  // Each branch calls `remember` only after it is certain that the object is sent: a later reference needs the object.
  #whole(value) {
    const { name, isCarried, isCloned, hasProxy } = classFacts(value);
    if (isArray(value)) this.array(value);
    else if (isView(value) || types.isAnyArrayBuffer(value)) this.#memory(value);
    else if (isErrorObject(value)) this.error(value);
    else if (types.isMap(value)) this.entries(MAP, value);
    else if (types.isSet(value)) this.entries(SET, value);
    else if (types.isDate(value) || types.isRegExp(value) || this.#isBoxed(value)) this.#leaf(value);
    else if (!hasProxy && this.#arrivesAsItself(value) !== undefined) this.#ours(value);
    else if (name !== null || isCarried || !isOrdinary(value)) this.#platform(value, name, isCloned);
    else this.plain(value);
  }

  #isBoxed(value) {
    return types.isBoxedPrimitive(value) && !types.isSymbolObject(value);
  }

  #leaf(value) {
    if (this.#units > MOST_UNITS) return this.string(describe(value));
    this.remember(value);
    this.#exact = true;
    super.special(value);
    this.#exact = false;
  }

  /** Node sends shared memory, and views that only Node can copy. */
  #memory(value) {
    const buffer = isView(value) ? bufferOf(value) : value;
    if (types.isSharedArrayBuffer(buffer) || (isView(value) && kindOfView(value) < 0)) return this.#carry(value);
    if (isView(value) ? isOutOfBounds(value) : isDetached(value)) {
      return this.string(`[${className(value)}: its memory is gone]`);
    }
    if (isResizable(buffer)) return this.#resizable(value);
    if (this.lookUp(buffer) < 0 && (this.#blockBytes += sizeOf(buffer)) > MOST_BLOCK_BYTES) {
      return this.string(`[${className(value)}: ${sizeOf(buffer)} bytes]`);
    }
    this.remember(value);
    super.special(value);
  }

  /** Copies resizable memory at once: a getter that runs later may change it. */
  #resizable(value) {
    if (!this.#isCloneable(value)) return this.string(describe(value));
    this.remember(value);
    this.carryMemory(value);
  }

  /** Writes a view and, unless it is written already, the buffer under it. */
  nested(kind, buffer, byteOffset, byteLength) {
    this.byte(VIEW);
    this.byte(kind);
    this.u32(byteOffset);
    this.u32(byteLength);
    if (this.lookUp(buffer) >= 0) return void this.isRepeated(buffer);
    this.remember(buffer);
    super.special(buffer);
  }

  mayChange() {
    return true;
  }

  #ours(value) {
    if (this.#arrivesAsItself(value)) this.#carry(value);
    else this.string(describe(value));
  }

  /** Writes an object that only Node may be able to copy. */
  #platform(value, name, isCloned) {
    if (name === 'a URL') return this.string(`[URL: ${urlText.call(value)}]`);
    const exotic = exoticName(value);
    // Structured clone may turn an object of another class into an empty object.
    const isUnknown = name === null && !classFacts(value).isCarried;
    const isCandidate = isCloned || exotic !== null || isUnknown || name?.startsWith('a WebAssembly.');
    if (isCandidate && this.#isCloneable(value)) return this.#carry(value);
    this.string(exotic === null ? describe(value) : `[${slice.call(exotic, exotic.indexOf(' ') + 1)}]`);
  }

  #isCloneable(value) {
    try {
      this.#clone(value);
      return true;
    } catch {
      return false;
    }
  }

  #carry(value) {
    this.remember(value);
    this.carry(value);
  }

  plain(value) {
    this.remember(value);
    this.tagged(OBJECT, 0);
    const countAt = this.pos - 4;
    this.patch(countAt, this.#properties(value, keysOf(value)));
  }

  /** Writes own properties, each as key and value. Returns how many it wrote. */
  #properties(object, keys) {
    let count = 0;
    for (let i = 0; i < keys.length; i++) {
      if (!hasOwn(object, keys[i])) continue;
      if (count === MOST_ITEMS) {
        this.string('…');
        this.string(`${keys.length - i} more`);
        return count + 1;
      }
      const item = read(object, keys[i]);
      this.string(keys[i]);
      this.any(item);
      count++;
    }
    return count;
  }

  array(value) {
    this.remember(value);
    const at = this.pos;
    const { length } = value;
    this.tagged(ARRAY, length);
    let i = 0;
    for (; i < length && i < MOST_ITEMS && hasOwn(value, i); i++) this.any(read(value, i));
    if (i === length && !hasNamedProperties(value)) return;
    this.bytes[at] = ARRAY_TAILED;
    this.byte(TAIL);
    const countAt = this.pos;
    this.u32(0);
    // The list of keys of so many elements would take too much memory.
    if (i === MOST_ITEMS || length > 100 * MOST_ITEMS) {
      this.string('…');
      this.string(`${length - i} more`);
      this.patch(countAt, 1);
    } else {
      this.patch(countAt, this.#properties(value, keysOf(value).filter((key) => !isIndexBelow(key, i))));
    }
  }

  entries(tag, value) {
    const size = tag === MAP ? sizeOfMap.call(value) : sizeOfSet.call(value);
    if (size > MOST_ITEMS) return this.string(`[${className(value)}(${size})]`);
    this.remember(value);
    super.entries(tag, value);
  }

  error(value) {
    this.remember(value);
    const Class = errorClass(value);
    const name = shown(read(value, 'name'));
    const message = textOf(shown(read(value, 'message')));
    const stack = shown(read(value, 'stack'));
    const hasName = typeof name === 'string' && name !== Class;
    const hasMessage = message !== undefined && (message !== '' || hasOwn(value, 'message'));
    const hasStack = typeof stack === 'string';
    this.byte(ERROR);
    super.string(Class);
    this.byte((hasName ? HAS_NAME : 0) | (hasMessage ? HAS_MESSAGE : 0) | (hasStack ? HAS_STACK : 0));
    if (hasName) this.string(name);
    if (hasMessage) this.string(message);
    if (hasStack) this.string(stack);
    const countAt = this.pos;
    this.u32(0);
    let count = this.#unusualStack(stack) + this.#properties(value, ownKeys(value));
    // `code` may stand on the class's prototype. A DOMException gets its code from its class again.
    if (Class !== 'DOMException' && !hasOwn(value, 'code')) count += this.#code(read(value, 'code'));
    this.patch(countAt, count);
  }

  /** Writes a stack that is no text: `Error.prepareStackTrace` may return anything. */
  #unusualStack(stack) {
    if (typeof stack === 'string' || stack === undefined) return 0;
    this.string('stack');
    this.any(stack);
    return 1;
  }

  #code(code) {
    if (typeof code !== 'string' && typeof code !== 'number') return 0;
    this.string('code');
    this.any(code);
    return 1;
  }

  noMemory(bytes) {
    throw new RangeError(`there is no memory for ${bytes} bytes`);
  }

  tooLarge() {
    throw new RangeError(`it takes more than ${MOST_BYTES} bytes`);
  }
}

/** The text of a message, also of one that is not a string. */
function textOf(message) {
  if (typeof message === 'string' || message === undefined) return message;
  try {
    return typeof message === 'symbol' ? describe(message) : `${message}`;
  } catch {
    return describe(message);
  }
}

/** The beginning of a text. */
function cut(text) {
  return slice.call(text, 0, KEPT_UNITS);
}

module.exports = { ErrorWriter };
