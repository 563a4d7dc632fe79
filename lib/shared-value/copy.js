'use strict';

/** A part of a shared value as a plain one of this thread's own: what structured clone would have made of the original. */

const { copyOut, viewOver } = require('../codec/bytes');
const { SafeMap, areStoresSafe, arrayOf, define, isBuiltIn } = require('../runtime/intrinsics');
const { ARRAY, BYTES, HIGH, LOW, OBJECT, ROOT } = require('./layout');

class Copy {
  #tree;
  #safe = areStoresSafe();
  /** Place of a record -> its copy. */
  #made = new SafeMap();

  constructor(tree) {
    this.#tree = tree;
  }

  cell(cell) {
    const { i32 } = this.#tree;
    const tag = i32[cell * 2 + HIGH];
    if (tag !== OBJECT && tag !== ARRAY && tag !== BYTES) return this.#tree.read(cell);
    const place = i32[cell * 2 + LOW];
    const made = this.#made.get(place);
    if (made !== undefined) return made;
    if (tag === OBJECT) return this.object(place);
    return tag === ARRAY ? this.array(place) : this.bytes(place);
  }

  object(place) {
    const tree = this.#tree;
    const { keys } = tree.shapeAt(place);
    const object = {};
    this.#made.set(place, object);
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
    const length = tree.i32[place * 2 + LOW];
    const array = arrayOf(length);
    this.#made.set(place, array);
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
function copyOfView({ tree, place, length }) {
  const copy = new Copy(tree);
  return length === undefined ? copy.object(place) : copy.array(place);
}

module.exports = { copyOfTree, copyOfView };
