'use strict';

/**
 * The messages of a port as they come from the native side, and the cursor that says which of them were shown.
 *
 * The native side writes a batch of small messages into memory that all ports of this environment share, and keeps
 * them until it is told, by the cursor, that they were shown (src/node/ports.rs). Here each is read when its turn has
 * come, and counts as shown from then on: whoever takes one shows it before any other code runs. Nothing else is kept
 * here, so a port can stop, move or close between any two messages; and when another port has used the memory
 * meanwhile, the rest of the batch is taken again.
 */

const { binding } = require('../native');
const { arrive } = require('../transfer');
const { decode } = require('./codec');
const {
  APART, APART_BLOCK, APART_LARGE, APART_PARTS, COUNT_MASK, intake, LEFT_EMPTY, LEFT_SHIFT, SIDE_INTRODUCING, SIDE_PLAIN,
} = require('./native');
const { Kept, arePairs } = require('./shared-memory');
const { openWrapper } = require('./side');

const { lengths, slab } = intake;
const NO_PARTS = Object.freeze([]);

/** What `next` and `receive` give when there is no message. */
const NOTHING = Symbol('nothing');

/** A message that could not be read: a `messageerror`. */
class Unreadable {
  error;

  constructor(error) {
    this.error = error;
  }
}

class Batch {
  /** Names this batch in the memory that all share, which shall not keep it. */
  #number = ++intake.batches;
  #companion;
  /** What came beside a message that came apart. */
  #extras = [undefined];
  /** The batch: so many messages, so many of them shown, and where the next one's wire begins. */
  #count = 0;
  #shown = 0;
  #offset = 0;
  /** As many are taken at once. */
  #atOnce;
  #most;
  /** What the last call of the native side said is left: LEFT_… */
  left = LEFT_EMPTY;
  /** Shared memory the sender may refer to by number. */
  kept = new Kept();
  /** Whether something has come from the companion since this was last set to false. */
  hasReadAside = false;
  /** The ports of the message given last, where it had some. */
  ports = undefined;

  /**
   * @param {() => object | undefined} companion takes the next of Node's messages for this port
   * @param {number} most messages in one batch
   */
  constructor(companion, most) {
    this.#companion = companion;
    this.#most = most;
    this.#atOnce = most;
  }

  /** Messages of the batch that have not been shown. */
  get length() {
    return this.#count - this.#shown;
  }

  /** The cursor, without ending the batch. */
  get shown() {
    return this.#shown;
  }

  /** The cursor, for a native call that commits it: there is no batch from then on. */
  end() {
    const shown = this.#shown;
    this.#shown = 0;
    this.#count = 0;
    return shown;
  }

  /**
   * The next message if the port listens, to be shown at once; an `Unreadable`; or NOTHING, and `left` says why.
   *
   * @param {number} handle
   * @param {number} most
   */
  next(handle, most) {
    if (this.#shown < this.#count && intake.holder === this.#number) return this.#nextOfBatch();
    // As many as were shown of the last batch before another port took the memory; more again when all were.
    const { length } = this;
    if (length > 0) this.#atOnce = Math.max(1, this.#shown);
    else if (this.#atOnce < this.#most) this.#atOnce *= 2;
    const answer = binding.takeFromPort(handle, this.end(), Math.min(most, this.#atOnce), this.#extras);
    this.left = answer >>> LEFT_SHIFT;
    const count = answer & COUNT_MASK;
    if (count === 0) return NOTHING;
    intake.holder = this.#number;
    if (lengths[0] === APART) return this.#readApart();
    this.#count = count;
    this.#offset = 0;
    return this.#nextOfBatch();
  }

  /**
   * The next message whether the port listens or not, waiting up to `slice` milliseconds for it; as `next`.
   *
   * @param {number} handle
   * @param {number} slice
   */
  receive(handle, slice) {
    if (this.#shown < this.#count && intake.holder === this.#number) return this.#nextOfBatch();
    const answer = binding.receiveFromPort(handle, this.end(), slice, this.#extras);
    this.left = answer >>> LEFT_SHIFT;
    if ((answer & COUNT_MASK) === 0) return NOTHING;
    intake.holder = 0;
    if (lengths[0] === APART) return this.#readApart();
    return this.#read(lengths[0], 0);
  }

  #nextOfBatch() {
    const length = lengths[this.#shown++];
    const start = this.#offset;
    if (length < SIDE_INTRODUCING) this.#offset = start + length;
    return this.#read(length, start);
  }

  #read(length, start) {
    if (this.ports !== undefined) this.ports = undefined;
    if (length >= SIDE_INTRODUCING) return this.#readAside(length);
    return this.#decode(slab, start, start + length, NO_PARTS);
  }

  #decode(bytes, start, end, parts) {
    try {
      return decode(bytes, start, end, parts, this.kept);
    } catch (error) {
      return new Unreadable(error);
    }
  }

  #readApart() {
    if (this.ports !== undefined) this.ports = undefined;
    const length = lengths[1];
    const has = lengths[2];
    const blockLength = lengths[3];
    let wire = slab;
    let parts = NO_PARTS;
    if ((has & APART_PARTS) !== 0) {
      parts = this.#extras[0];
      this.#extras[0] = undefined;
    }
    try {
      // Memory of our own that is not zeroed, and not of Node's pool.
      if ((has & APART_LARGE) !== 0) {
        wire = Buffer.allocUnsafeSlow(length);
        binding.fillFromPort(wire, true);
      }
      if ((has & APART_BLOCK) !== 0) {
        parts = [Buffer.allocUnsafeSlow(blockLength)];
        binding.fillFromPort(parts[0], false);
      }
      return decode(wire, 0, length, parts, this.kept);
    } catch (error) {
      // Ports among them (by key) will not be claimed by anybody.
      for (const part of parts) if (typeof part === 'string') binding.dropPort(part);
      return new Unreadable(error);
    }
  }

  /** A message that waited in the companion until its turn has come. */
  #readAside(how) {
    this.hasReadAside = true;
    try {
      const received = this.#nextAside(how === SIDE_INTRODUCING);
      if (how === SIDE_PLAIN) return received.message;
      const { value, ports } = openWrapper(received.message, arrive);
      this.ports = ports;
      return value;
    } catch (error) {
      return new Unreadable(error);
    }
  }

  #nextAside(isIntroducing) {
    try {
      const received = this.#companion();
      if (received === undefined) throw new Error('a message was lost on its way');
      return received;
    } finally {
      // Also where the message cannot be read: later ones refer to it.
      if (isIntroducing) this.#keep(this.#companion()?.message);
    }
  }

  #keep(pairs) {
    if (arePairs(pairs)) this.kept.add(pairs);
  }
}

module.exports = { Batch, NOTHING, Unreadable };
