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

/**
 * What objects and arrays have in common. Subclasses have `tree`, `place` (of the record) and `count` (of the cells that follow);
 * `indexOf(key)`: which cell of the record an own property may be in, or -1; and `at(index)`: the value in the cell of this index,
 * undefined where there is none, always the same view.
 */
class View {
  /** The views in these cells that were made, zeros where there is none; undefined while there is none at all. */
  made = undefined;

  madeAt(index) {
    return this.made !== undefined && this.made[index] !== 0 ? this.made[index] : undefined;
  }

  keep(index, view) {
    this.made ??= arrayOf(this.count);
    this.made[index] = view;
    return view;
  }

  isHole(index) {
    return this.tree.isHole(this.place + 1 + index);
  }

  /** The index of an own property; -1 where there is none. */
  own(key) {
    const index = this.indexOf(key);
    return index >= 0 && this.isHole(index) ? -1 : index;
  }

  has(target, key) {
    return this.own(key) >= 0 || hasOf(target, key);
  }

  getOwnPropertyDescriptor(target, key) {
    const index = this.own(key);
    return index < 0 ? undefined : readOnly(this.at(index));
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
    return this.own(key) < 0;
  }
}

/**
 * The collector's work is half of what reading a whole value costs, so objects, which are many, have a place of their own for
 * the first two parts that are views: the shape says which these are.
 */
class ObjectView extends View {
  shape;
  place;
  first = undefined;
  second = undefined;

  constructor(tree, place) {
    super();
    this.shape = tree.shapeAt(place);
    this.place = place;
  }

  get tree() {
    return this.shape.tree;
  }

  get count() {
    return this.shape.keys.length;
  }

  at(index) {
    const { shape } = this;
    const before = index === shape.first ? this.first : index === shape.second ? this.second : this.madeAt(index);
    if (before !== undefined) return before;
    const cell = this.place + 1 + index;
    const view = shape.tree.newView(cell);
    return view === undefined ? shape.tree.read(cell) : this.keep(index, view);
  }

  keep(index, view) {
    const { shape } = this;
    if (shape.first < 0) shape.first = index;
    else if (shape.second < 0 && index !== shape.first) shape.second = index;
    if (index === shape.first) return (this.first = view);
    if (index === shape.second) return (this.second = view);
    return super.keep(index, view);
  }

  indexOf(key) {
    return this.shape.indexOf(key);
  }

  get(target, key, receiver) {
    const index = this.shape.indexOf(key);
    if (index >= 0) {
      const value = this.at(index);
      if (value !== undefined || !this.isHole(index)) return value;
    }
    return key === SOURCE ? this : getOf(ObjectPrototype, key, receiver);
  }

  ownKeys() {
    const { keys } = this.shape;
    const own = [];
    for (let i = 0; i < keys.length; i++) if (!this.isHole(i)) append(own, keys[i]);
    return own;
  }
}

class ArrayView extends View {
  tree;
  place;

  constructor(tree, place) {
    super();
    this.tree = tree;
    this.place = place;
  }

  get count() {
    return this.tree.i32[this.place * 2 + LOW];
  }

  at(index) {
    const before = this.madeAt(index);
    if (before !== undefined) return before;
    const cell = this.place + 1 + index;
    const view = this.tree.newView(cell);
    return view === undefined ? this.tree.read(cell) : this.keep(index, view);
  }

  indexOf(key) {
    const index = typeof key === 'string' ? indexIn(key) : -1;
    return index < this.count ? index : -1;
  }

  get(target, key, receiver) {
    if (key === 'length') return this.count;
    const index = this.indexOf(key);
    if (index >= 0) {
      const value = this.at(index);
      if (value !== undefined || !this.isHole(index)) return value;
    }
    return key === SOURCE ? this : getOf(ArrayPrototype, key, receiver);
  }

  has(target, key) {
    return key === 'length' || super.has(target, key);
  }

  getOwnPropertyDescriptor(target, key) {
    if (key !== 'length') return super.getOwnPropertyDescriptor(target, key);
    // That of the array behind it is writable, so this must be.
    return { __proto__: null, value: this.count, writable: true, enumerable: false, configurable: false };
  }

  deleteProperty(target, key) {
    return key !== 'length' && super.deleteProperty(target, key);
  }

  ownKeys() {
    const own = [];
    for (let i = 0; i < this.count; i++) if (!this.isHole(i)) append(own, `${i}`);
    append(own, 'length');
    return own;
  }
}

/** The number that a key writes as an index; -1 for all other keys, such as '01' and '1e3'. */
function indexIn(key) {
  const { length } = key;
  if (length === 0 || length > 10) return -1;
  let index = key.charCodeAt(0) - 48;
  if (index < 0 || index > 9 || (index === 0 && length > 1)) return -1;
  for (let i = 1; i < length; i++) {
    const digit = key.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    index = index * 10 + digit;
  }
  return index;
}

/** `util.inspect` looks behind a Proxy, and calls this there with the view. */
function inspectView() {
  const source = sourceOf(this);
  // Another runtime may call it with what stands behind the Proxy.
  if (source === undefined) return '[part of a SharedValue]';
  if (source instanceof ObjectView) {
    const shown = {};
    for (const key of source.ownKeys()) define(shown, key, this[key]);
    return shown;
  }
  const shown = arrayOf(source.count);
  for (let i = 0; i < shown.length; i++) {
    if (source.isHole(i)) delete shown[i];
    else shown[i] = source.at(i);
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
 * @returns {View | undefined}
 */
function sourceOf(value) {
  if (typeof value !== 'object' || value === null) return undefined;
  const source = value[SOURCE];
  return source instanceof View ? source : undefined;
}

module.exports = { ObjectView, arrayView, objectView, sourceOf };
