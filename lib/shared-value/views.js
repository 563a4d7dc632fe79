'use strict';

/**
 * Objects and arrays of a shared value, as a thread sees them: Proxies that look like what they stand for and read each
 * property where it is. Nothing can be written to them; they cannot be sent by themselves (`copy`, or the handle).
 *
 * The language asks for an array behind a Proxy of an array, for a `length` of its own in it, and allows properties to be
 * shown that it does not have only where it could still get them. So the Proxies stand over one empty object and one
 * empty array, their elements look configurable, and `Object.isFrozen` says false.
 */

const { inspect } = require('node:util');

const { ArrayPrototype, ObjectPrototype, append, arrayOf, define } = require('../runtime/intrinsics');
const { LOW } = require('./layout');

const { Proxy, Reflect } = globalThis;
const { get: getOf, has: hasOf } = Reflect;

/** Asks a view for what it stands for. */
const SOURCE = Symbol('source');

const readOnly = (value) => ({ __proto__: null, value, writable: false, enumerable: true, configurable: true });

/** What objects and arrays have in common. Subclasses have `placeOf(key)`: the cell of an own element, or -1. */
class View {
  tree;
  /** Of the record. */
  place;

  constructor(tree, place) {
    this.tree = tree;
    this.place = place;
  }

  has(target, key) {
    return this.placeOf(key) >= 0 || hasOf(target, key);
  }

  getOwnPropertyDescriptor(target, key) {
    const cell = this.placeOf(key);
    return cell < 0 ? undefined : readOnly(this.tree.read(cell));
  }

  set() {
    return false;
  }

  defineProperty() {
    return false;
  }

  setPrototypeOf(target, prototype) {
    return prototype === Reflect.getPrototypeOf(target);
  }

  preventExtensions() {
    return false;
  }

  deleteProperty(target, key) {
    return this.placeOf(key) < 0;
  }
}

class ObjectView extends View {
  shape;

  constructor(tree, place) {
    super(tree, place);
    this.shape = tree.shapeAt(place);
  }

  placeOf(key) {
    const index = this.shape.places.get(key);
    if (index === undefined) return -1;
    const cell = this.place + 1 + index;
    return this.tree.isHole(cell) ? -1 : cell;
  }

  get(target, key, receiver) {
    const index = this.shape.places.get(key);
    if (index !== undefined) {
      const cell = this.place + 1 + index;
      if (!this.tree.isHole(cell)) return this.tree.read(cell);
    }
    return key === SOURCE ? this : getOf(ObjectPrototype, key, receiver);
  }

  ownKeys() {
    const { keys } = this.shape;
    const own = [];
    for (let i = 0; i < keys.length; i++) if (!this.tree.isHole(this.place + 1 + i)) append(own, keys[i]);
    return own;
  }
}

class ArrayView extends View {
  length;

  constructor(tree, place) {
    super(tree, place);
    this.length = tree.i32[place * 2 + LOW];
  }

  placeOf(key) {
    if (typeof key !== 'string') return -1;
    const index = +key;
    // Texts such as "01" and "1.5" are no indexes.
    if (index >>> 0 !== index || index >= this.length || `${index}` !== key) return -1;
    const cell = this.place + 1 + index;
    return this.tree.isHole(cell) ? -1 : cell;
  }

  get(target, key, receiver) {
    if (key === 'length') return this.length;
    const cell = this.placeOf(key);
    if (cell >= 0) return this.tree.read(cell);
    return key === SOURCE ? this : getOf(ArrayPrototype, key, receiver);
  }

  has(target, key) {
    return key === 'length' || super.has(target, key);
  }

  getOwnPropertyDescriptor(target, key) {
    if (key !== 'length') return super.getOwnPropertyDescriptor(target, key);
    // That of the array behind it is writable, so this must be.
    return { __proto__: null, value: this.length, writable: true, enumerable: false, configurable: false };
  }

  deleteProperty(target, key) {
    return key !== 'length' && super.deleteProperty(target, key);
  }

  ownKeys() {
    const own = [];
    for (let i = 0; i < this.length; i++) if (!this.tree.isHole(this.place + 1 + i)) append(own, `${i}`);
    append(own, 'length');
    return own;
  }
}

/** `util.inspect` looks behind a Proxy, and calls this there with the view. */
function inspectView() {
  const source = sourceOf(this);
  // Another runtime may call it with what stands behind the Proxy.
  if (source === undefined) return '[part of a SharedValue]';
  const { tree, place, length } = source;
  const shown = length === undefined ? { __proto__: null } : arrayOf(length);
  if (length === undefined) {
    for (const key of Reflect.ownKeys(this)) define(shown, key, this[key]);
    return Object.setPrototypeOf(shown, ObjectPrototype);
  }
  for (let i = 0; i < length; i++) {
    if (tree.isHole(place + 1 + i)) delete shown[i];
    else shown[i] = tree.read(place + 1 + i);
  }
  return shown;
}

const behind = (target) => {
  Object.defineProperty(target, inspect.custom, { __proto__: null, value: inspectView, configurable: true });
  return target;
};

const BEHIND_OBJECTS = behind({});
const BEHIND_ARRAYS = behind([]);

const objectView = (tree, place) => new Proxy(BEHIND_OBJECTS, new ObjectView(tree, place));
const arrayView = (tree, place) => new Proxy(BEHIND_ARRAYS, new ArrayView(tree, place));

/**
 * What a view stands for; undefined for anything else.
 *
 * @param {unknown} value
 * @returns {{ tree: import('./tree').Tree, place: number, length?: number } | undefined}
 */
function sourceOf(value) {
  if (typeof value !== 'object' || value === null) return undefined;
  const source = value[SOURCE];
  return source instanceof View ? source : undefined;
}

module.exports = { arrayView, objectView, sourceOf };
