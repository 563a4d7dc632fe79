'use strict';

/** The key lists of the objects in one value, each once: an object's record has the number of its list, and no keys. */

const { SafeMap, append } = require('../runtime/intrinsics');

/** A list of more keys is most likely a dictionary's, which no other object has. */
const MOST_KEYS = 128;
/** Beyond these steps of all lists together, lists are not compared any more. */
const MOST_STEPS = 32_768;

/** One step of a list; `key` and `next` are the step from here that was taken last. */
class Step {
  key = '';
  next = null;
  steps = null;
  number = -1;
}

class ShapeList {
  /** @type {string[][]} */
  lists = [];
  #root = new Step();
  #steps = 0;

  /** @param {string[]} keys */
  numberOf(keys) {
    if (keys.length > MOST_KEYS) return this.#add(keys);
    let step = this.#root;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      const next = step.key === key && step.next !== null ? step.next : this.#next(step, key);
      if (next === null) return this.#add(keys);
      step = next;
    }
    if (step.number < 0) step.number = this.#add(keys);
    return step.number;
  }

  #next(step, key) {
    let next = step.steps === null ? undefined : step.steps.get(key);
    if (next === undefined) {
      if (this.#steps === MOST_STEPS) return null;
      this.#steps++;
      next = new Step();
      (step.steps ??= new SafeMap()).set(key, next);
    }
    step.key = key;
    step.next = next;
    return next;
  }

  #add(keys) {
    append(this.lists, keys);
    return this.lists.length - 1;
  }
}

module.exports = { ShapeList };
