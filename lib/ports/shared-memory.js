'use strict';

/**
 * SharedArrayBuffers that are handed over again and again.
 *
 * Only Node can take one to another thread, which costs as much as any message of Node's. So the second time that one
 * is posted through a port it is introduced: it gets a number, under which the receiving end keeps it. From then on
 * the number is enough. The first time does not count: a program that posts ever new ones shall not have them kept.
 *
 * Messages are in order, so the receiving end's list is always as the sender believed it to be when it wrote the
 * message; when that end moves to another thread its list goes along. A number that is given again replaces.
 */

/** How many the receiving end keeps at the most. */
const PLACES = 16;

/** What the other end keeps, as the sender knows it. */
class Introductions {
  #seen = new WeakSet();
  #numbers = new WeakMap();
  #byNumber = new Array(PLACES).fill(undefined);
  #next = 0;
  /** Pairs of number and buffer that the message under way introduces. */
  #fresh = [];

  /** The number of a buffer the other end keeps; undefined when Node has to carry it this time. */
  numberOf(buffer) {
    const number = this.#numbers.get(buffer);
    if (number !== undefined) return number;
    if (buffer.growable === true) return undefined;
    if (this.#seen.has(buffer)) this.#fresh.push(buffer);
    else this.#seen.add(buffer);
    return undefined;
  }

  /** Gives numbers to what the message under way shall introduce: `[number, buffer]` pairs, or undefined. */
  introduce() {
    if (this.#fresh.length === 0) return undefined;
    const pairs = [];
    for (const buffer of new Set(this.#fresh)) {
      const number = this.#next;
      this.#next = (number + 1) % PLACES;
      const before = this.#byNumber[number]?.deref();
      if (before !== undefined) this.#numbers.delete(before);
      this.#byNumber[number] = new WeakRef(buffer);
      pairs.push([number, buffer]);
    }
    this.#fresh = [];
    return pairs;
  }

  /** The introduction has left. */
  confirm(pairs) {
    for (const [number, buffer] of pairs) {
      if (this.#byNumber[number]?.deref() === buffer) this.#numbers.set(buffer, number);
    }
  }

  /** Nothing is to be introduced after all. */
  forget() {
    this.#fresh = [];
  }
}

module.exports = { Introductions };
