'use strict';

/** A part of a shared value as a plain one of this thread's own: what structured clone would have made of the original. */

const { copyOut, viewOver } = require('../codec/bytes');
const { SafeMap, areStoresSafe, arrayOf, define, isBuiltIn } = require('../runtime/intrinsics');
const { ARRAY, BYTES, HIGH, LOW, MET_AGAIN, OBJECT, ROOT } = require('./layout');
const { ObjectView } = require('./views');

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
    const length = tree.i32[place * 2 + LOW];
    const array = arrayOf(length);
    if (isMetAgain) this.#made.set(place, array);
    for (let i = 0; i < length; i++) {
      const cell = place + 1 + i;
      if (tree.isHole(cell)) delete array[i];
      else array[i] = this.cell(cell);
    }
    return array;
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
