'use strict';

/** A part of a shared value as a plain one of this thread's own: what structured clone would have made of the original. */

const { copyOut, viewOver } = require('../codec/bytes');
const { LOOK_AHEAD, OF_ANYTHING, OF_INTEGERS, OF_NUMBERS, newDoubles, newIntegers, newObjects } = require('../codec/new-arrays');
const { SafeMap, areStoresSafe, define, isBuiltIn } = require('../runtime/intrinsics');
const { ARRAY, BYTES, HIGH, INT32, LOW, MET_AGAIN, NO_TAG, OBJECT, ROOT } = require('./layout');
const { ObjectView } = require('./views');

/** Of the high half of a cell. */
const isNumber = (high) => high === INT32 || high >= 0 || high <= NO_TAG;

class Copy {
  #tree;
  #safe = areStoresSafe();
  /** Place of a record -> its copy, where there may be several ways to it. */
  #made = new SafeMap();

  constructor(tree) {
    this.#tree = tree;
  }

  cell(cell) {
    const { i32 } = this.#tree;
    const tag = i32[cell * 2 + HIGH];
    if (tag !== OBJECT && tag !== ARRAY && tag !== BYTES) return this.#tree.read(cell);
    const place = i32[cell * 2 + LOW];
    if (tag === OBJECT) return this.object(place);
    return tag === ARRAY ? this.array(place) : this.#made.get(place) ?? this.bytes(place);
  }

  object(place) {
    const tree = this.#tree;
    const shape = tree.shapeAt(place);
    const flags = tree.i32[place * 2 + HIGH];
    if (flags === 0 && shape.copy !== undefined) return shape.copy(this, place + 1);
    const isMetAgain = (flags & MET_AGAIN) !== 0;
    if (isMetAgain && this.#made.has(place)) return this.#made.get(place);
    const { keys } = shape;
    const object = {};
    if (isMetAgain) this.#made.set(place, object);
    for (let i = 0; i < keys.length; i++) {
      const cell = place + 1 + i;
      if (tree.isHole(cell)) continue;
      const key = keys[i];
      if (this.#safe && !isBuiltIn(key)) object[key] = this.cell(cell);
      else define(object, key, this.cell(cell));
    }
    return object;
  }

  array(place) {
    const tree = this.#tree;
    const isMetAgain = (tree.i32[place * 2 + HIGH] & MET_AGAIN) !== 0;
    if (isMetAgain && this.#made.has(place)) return this.#made.get(place);
    const { i32 } = tree;
    const length = i32[place * 2 + LOW];
    const first = place + 1;
    const kind = this.#lookAhead(first, length);
    const array = kind === OF_INTEGERS ? newIntegers(length) : kind === OF_NUMBERS ? newDoubles(length) : newObjects(length);
    if (isMetAgain) this.#made.set(place, array);
    let i = 0;
    // The three stores see other kinds of arrays: see new-arrays.js.
    if (kind === OF_INTEGERS) {
      for (; i < length && i32[(first + i) * 2 + HIGH] === INT32; i++) array[i] = i32[(first + i) * 2 + LOW];
    }
    if (kind !== OF_ANYTHING) {
      for (; i < length && isNumber(i32[(first + i) * 2 + HIGH]); i++) array[i] = +tree.read(first + i);
    }
    for (; i < length; i++) {
      if (tree.isHole(first + i)) delete array[i];
      else array[i] = this.cell(first + i);
    }
    return array;
  }

  #lookAhead(first, length) {
    const { i32 } = this.#tree;
    let kind = length > 0 ? OF_INTEGERS : OF_ANYTHING;
    for (let i = 0; i < length && i < LOOK_AHEAD; i++) {
      const high = i32[(first + i) * 2 + HIGH];
      if (!isNumber(high)) return OF_ANYTHING;
      if (high !== INT32) kind = OF_NUMBERS;
    }
    return kind;
  }

  bytes(place) {
    const tree = this.#tree;
    const [offset, length] = [tree.read(place + 1), tree.read(place + 2)];
    const memory = copyOut(new Uint8Array(tree.bytes), offset, length);
    const kind = tree.i32[place * 2 + LOW];
    const copy = viewOver(kind, memory, 0, length) ?? memory;
    this.#made.set(place, copy);
    return copy;
  }
}

/** A copy of a whole tree. */
const copyOfTree = (tree) => new Copy(tree).cell(ROOT);

/** A copy of what a view stands for. */
function copyOfView(view) {
  const { tree, place } = view;
  const copy = new Copy(tree);
  return view instanceof ObjectView ? copy.object(place) : copy.array(place);
}

module.exports = { copyOfTree, copyOfView };
