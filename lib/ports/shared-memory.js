'use strict';

/**
 * SharedArrayBuffers that are posted again and again.
 *
 * Only Node can take one to another thread, which costs as much as any message of Node's. So the second time that a buffer
 * is posted through a port it is introduced: it gets a number, under which the receiving end keeps it. From then on
 * the number is enough. The first time does not count: new buffers that are posted only once should not be kept.
 *
 * Messages are in order, so the receiving end's list is always as the sender believed it to be when it wrote the
 * message; when that end moves to another thread its list goes along. A number is never given again, not even by the
 * next owner of an end, so that a buffer whose introduction could not be read is not mistaken for another.
 *
 * Script pools have no such numbers: a task may go to any worker, and each worker would need its own.
 */

const { types } = require('node:util');

const { append, arrayOf } = require('../runtime/intrinsics');

const isGrowable = Object.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'growable')?.get;

/** How many the receiving end keeps at the most: the last ones. */
const PLACES = 16;

/** The sender's side: the buffers that the other end keeps, as the sender knows it. */
class Introductions {
  #seen = new WeakSet();
  #numbers = new WeakMap();
  /** The buffers the other end may keep, by number modulo PLACES. */
  #given = arrayOf(PLACES);
  /** The next number. */
  next;
  /** Buffers that the message under way introduces. */
  #fresh = [];
  /** Whether the other end keeps nothing any more. */
  #isOver = false;
  /** Messages that are being written: a getter may post another meanwhile. */
  #writing = 0;

  /** @param {number} next where the last owner of this end had got to */
  constructor(next) {
    this.next = next;
  }

  /** The number of a buffer the other end keeps; undefined when Node has to carry it this time. */
  numberOf(buffer) {
    if (this.#isOver) return undefined;
    const number = this.#numbers.get(buffer);
    if (number !== undefined) return number;
    if (isGrowable?.call(buffer)) return undefined;
    if (this.#seen.has(buffer)) append(this.#fresh, buffer);
    else this.#seen.add(buffer);
    return undefined;
  }

  /** The other end is a native task, which keeps nothing. */
  stop() {
    this.#isOver = true;
  }

  /** A message is being written, which may refer to what the other end keeps, until `end`. */
  begin() {
    this.#writing++;
  }

  end() {
    this.#writing--;
  }

  /** Gives numbers to the buffers that the message under way is to introduce: `[number, buffer]` pairs, or undefined. */
  introduce() {
    if (this.#fresh.length === 0) return undefined;
    // It would push out what a message refers to that is not posted yet.
    if (this.#writing > 0) return this.forget();
    const pairs = [];
    for (const buffer of new Set(this.#fresh)) {
      const number = this.next++;
      const place = number % PLACES;
      const before = this.#given[place] === 0 ? undefined : this.#given[place].deref();
      if (before !== undefined) this.#numbers.delete(before);
      this.#given[place] = new WeakRef(buffer);
      append(pairs, [number, buffer]);
    }
    this.#fresh = [];
    return pairs;
  }

  /** The introduction has left. */
  confirm(pairs) {
    for (const [number, buffer] of pairs) {
      // Where there are more than places, they push each other out.
      if (number >= this.next - PLACES) this.#numbers.set(buffer, number);
    }
  }

  /** Nothing is to be introduced after all. */
  forget() {
    this.#fresh = [];
    return undefined;
  }
}

/** The receiver's side: the buffers that it keeps. */
class Kept {
  #buffers = new Map();

  /** @param {Iterable<[number, SharedArrayBuffer]>} [pairs] */
  constructor(pairs = []) {
    for (const [number, buffer] of pairs) this.#buffers.set(number, buffer);
  }

  add(pairs) {
    for (const [number, buffer] of pairs) {
      this.#buffers.set(number, buffer);
      // Some numbers never come: those of messages that were not posted after all.
      for (const old of this.#buffers.keys()) if (old <= number - PLACES) this.#buffers.delete(old);
    }
  }

  get(number) {
    return this.#buffers.get(number);
  }

  pairs() {
    return [...this.#buffers];
  }
}

const isNumber = (value) => Number.isSafeInteger(value) && value >= 0;

/** Whether this came from `introduce` or `pairs` of another thread. */
function arePairs(value) {
  return (
    Array.isArray(value) &&
    value.every(
      (pair) => Array.isArray(pair) && pair.length === 2 && isNumber(pair[0]) && types.isSharedArrayBuffer(pair[1]),
    )
  );
}

module.exports = { Introductions, Kept, arePairs, isNumber };
