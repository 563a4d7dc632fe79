'use strict';

/**
 * Messages taken from the native side and not yet given to anybody.
 *
 * A batch of small ones is decoded at once, so that the memory it came in is free for the next, whichever port takes
 * it. The native side keeps the batch's bytes until the next: when the port is transferred it is told how many were
 * used, and the rest goes along. A message that came apart cannot be put back, so one is only asked for when somebody
 * wants it now.
 */

const { binding } = require('../native');
const { arrive, unseal } = require('../travel');
const { decode } = require('./codec');
const {
  APART, APART_BLOCK, APART_LARGE, APART_PARTS, COUNT_MASK, intake, LEFT_SHIFT, SIDE_PLAIN, SIDE_WRAPPED,
} = require('./native');

const { lengths, slab } = intake;
const NO_PARTS = Object.freeze([]);

/** A message that could not be read: a `messageerror`. */
class Unreadable {
  constructor(error) {
    this.error = error;
  }
}

/** Stand for messages that wait in the companion until their turn has come. */
const PLAIN = Object.freeze({});
const WRAPPED = Object.freeze({});

class Batch {
  #companion;
  #values = [];
  #at = 0;
  /** What came beside a message that came apart. */
  #extras = [undefined, undefined];
  /** Shared memory the sender may refer to by number. */
  kept = [];
  /** The ports of the message given last, where it had some. */
  ports = undefined;

  /** @param {() => object | undefined} companion takes the next of Node's messages for this port */
  constructor(companion) {
    this.#companion = companion;
  }

  /** Messages at hand. */
  get length() {
    return this.#values.length - this.#at;
  }

  /** How many of the last batch were given out. */
  get used() {
    return this.#at;
  }

  /** The next message at hand, or an `Unreadable`. */
  next() {
    const at = this.#at++;
    const value = this.#values[at];
    this.#values[at] = undefined;
    if (this.ports !== undefined) this.ports = undefined;
    return value === PLAIN || value === WRAPPED ? this.#readAside(value === WRAPPED) : value;
  }

  /**
   * Takes up to `most` messages in, once none is at hand.
   *
   * @param {number} handle
   * @param {number} most
   * @returns {number} what is left: LEFT_…
   */
  take(handle, most) {
    const answer = binding.takeFromPort(handle, most, this.#extras);
    this.#read(answer & COUNT_MASK);
    return answer >>> LEFT_SHIFT;
  }

  /** Takes one, whether the port listens or not, waiting up to `slice` milliseconds. */
  receive(handle, slice) {
    const answer = binding.receiveFromPort(handle, slice, this.#extras);
    this.#read(answer & COUNT_MASK);
    return answer >>> LEFT_SHIFT;
  }

  #read(count) {
    this.#at = 0;
    const values = this.#values;
    if (count === 0) {
      values.length = 0;
      return;
    }
    if (lengths[0] === APART) {
      values.length = 1;
      values[0] = this.#readApart();
      return;
    }
    values.length = count;
    let offset = 0;
    for (let i = 0; i < count; i++) {
      const length = lengths[i];
      if (length >= SIDE_WRAPPED) {
        values[i] = length === SIDE_PLAIN ? PLAIN : WRAPPED;
        continue;
      }
      const end = offset + length;
      values[i] = this.#decode(slab, offset, end, NO_PARTS);
      offset = end;
    }
  }

  #decode(bytes, start, end, parts) {
    try {
      return decode(bytes, start, end, parts, this.kept);
    } catch (error) {
      return new Unreadable(error);
    }
  }

  #readApart() {
    const has = lengths[2];
    let wire = slab;
    let length = lengths[1];
    let parts = NO_PARTS;
    if ((has & APART_BLOCK) !== 0) {
      // Its memory is not zeroed, and not of the pool.
      const block = Buffer.allocUnsafeSlow(lengths[3]);
      binding.fillFromPort(block);
      parts = [block];
    } else if ((has & APART_PARTS) !== 0) {
      parts = this.#extras[1];
      this.#extras[1] = undefined;
    }
    if ((has & APART_LARGE) !== 0) {
      wire = Buffer.from(this.#extras[0]);
      length = wire.length;
      this.#extras[0] = undefined;
    }
    return this.#decode(wire, 0, length, parts);
  }

  #readAside(wrapped) {
    try {
      const received = this.#companion();
      if (received === undefined) throw new Error('a message was lost on its way');
      const bundle = unseal(received.message);
      const data = bundle === undefined ? received.message : arrive(bundle);
      return wrapped ? this.#open(data) : data;
    } catch (error) {
      return new Unreadable(error);
    }
  }

  #open({ value, ports, shared }) {
    if (shared !== undefined) for (const [number, buffer] of shared) this.kept[number] = buffer;
    this.ports = ports;
    return value;
  }
}

module.exports = { Batch, Unreadable };
