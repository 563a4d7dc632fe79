'use strict';

// Reads a message a second time, up to where its writer has come, to find out whether it still is what was read: if it is,
// no code of the program's has run that anybody could notice. Only for what has no getters by now; so this runs no code.

const { NOT_REPRESENTABLE, Writer } = require('./writer');

const { compare } = Buffer.prototype;

/** Thrown to end it. */
const DIFFERENT = { different: true };

class SecondReading extends Writer {
  #first;
  /** Whether both read the same; undefined until this one has come as far as the first had. */
  #answer;

  /** @param {Writer} first whose settings it has */
  constructor(first) {
    // A shape that only this reading would have made is on no wire yet.
    super({ ...first, mode: 'message', shapes: { find: (keys) => first.shapes.known(keys) } });
  }

  /** @param {Writer} first in the middle of a message */
  isSame(first) {
    this.#first = first;
    this.#answer = undefined;
    this.keepBuffers = first.keepBuffers;
    this.rewind();
    this.pos = 1;
    this.depth = 0;
    try {
      this.any(first.root);
      return this.#answer === true;
    } catch (error) {
      return error === NOT_REPRESENTABLE && this.#isEqual();
    } finally {
      this.#first = undefined;
      this.release();
      if (this.refCount > 0) this.forgetRefs();
      if (this.isMarked) this.forgetMarks();
    }
  }

  #isEqual() {
    const { bytes, pos, parts, refCount } = this.#first;
    if (this.pos !== pos || this.refCount !== refCount || this.parts.length !== parts.length) return false;
    for (let i = 0; i < parts.length; i++) if (this.parts[i] !== parts[i]) return false;
    return compare.call(this.bytes, bytes, 1, pos, 1, pos) === 0;
  }

  // Beyond that point it looks into nothing. All values that are read on the way out of the containers are data.
  any(value) {
    if (this.#answer === undefined) super.any(value);
  }

  // Where the first reading ended, most often. To throw, as elsewhere, would cost more than all the rest.
  instance() {
    this.#answer = this.#isEqual();
  }

  // Nothing is looked into that was not looked into before.
  isRepeated(value) {
    if (super.isRepeated(value)) return true;
    if (this.#first.lookUp(value) !== this.refCount - 1) throw DIFFERENT;
    return false;
  }

  // An extension must write an object only once.
  extended() {
    throw this.#first.originals.length === 0 ? NOT_REPRESENTABLE : DIFFERENT;
  }

  takeOver() {
    throw NOT_REPRESENTABLE;
  }

  mayChange() {
    return false;
  }
}

module.exports = { SecondReading };
