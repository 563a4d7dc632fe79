'use strict';

/**
 * Reads the messages of a port as they come from the native side, and owns the cursor that says which of them were shown.
 *
 * The native side writes a batch of small messages into memory that all ports of this environment share, and keeps
 * them until the cursor says that they were shown (src/node/port_batch.rs). Here each is read when its turn has
 * come, and counts as shown from then on: the caller shows it before any other code runs. Nothing else is kept
 * here, so a port can stop, move or close between any two messages; and when another port has used the memory
 * meanwhile, the rest of the batch is taken again.
 */

const { PORTS } = require('../constants');
const { binding } = require('../native');
const { decode } = require('./codec');
const fallback = require('./fallback');
const { openWrapper } = require('./fallback-post');
const { lookForLoss } = require('./lost-ports');
const { receiveBuffer } = require('./receive-buffer');
const { Kept, arePairs } = require('./shared-memory');

/** In `lengths`: the message comes alone; then follow the length of its wire, what it has, and that of its block. */
const { OUT_OF_BAND: ALONE } = PORTS;
/**
 * The parts of such a message: a wire that is to be fetched, out-of-band values, one block of bytes that is to be fetched.
 */
const { LARGE_WIRE, PARTS, BLOCK } = PORTS;
/** In `lengths`: the message waits in the fallback port: as the value itself, or with shared memory after it. */
const { FALLBACK_PLAIN, FALLBACK_INTRODUCING } = PORTS;
/** Bits above the count of a batch: which messages are left. */
const { LEFT_EMPTY, LEFT_SHIFT } = PORTS;
const COUNT_MASK = (1 << LEFT_SHIFT) - 1;

const { lengths, bytes: buffer } = receiveBuffer;
const NO_PARTS = Object.freeze([]);

/** The result of `next` and `receive` when there is no message. */
const NOTHING = Symbol('nothing');

/** A message that could not be read: a `messageerror`. */
class Unreadable {
  error;

  constructor(error) {
    this.error = error;
  }
}

class MessageReader {
  #endpoint;
  /** Names this reader in the memory that all share, which should not keep it. */
  #number = ++receiveBuffer.readers;
  /** Out-of-band values of a message that came alone. */
  #outOfBand = [undefined];
  /** The batch: so many messages, so many of them shown, and where the next one's wire begins. */
  #count = 0;
  #shown = 0;
  #offset = 0;
  /** As many are taken at once. */
  #atOnce;
  #most;
  /** Whether a message has come from the fallback port since its loss was looked for: see `lookForLoss`. */
  hasReadFallback = false;
  /** Which messages are left, by the last call of the native side: LEFT_… */
  left = LEFT_EMPTY;
  /** Shared memory the sender may refer to by number. */
  kept = new Kept();
  /** The ports of the message given last, where it had some. */
  ports = undefined;

  /**
   * @param {import('./endpoint').Endpoint} endpoint
   * @param {number} most messages in one batch
   */
  constructor(endpoint, most) {
    this.#endpoint = endpoint;
    this.#most = most;
    this.#atOnce = most;
  }

  /** Messages of the batch that have not been shown. */
  get length() {
    return this.#count - this.#shown;
  }

  /** Messages that wait for this port, those of the batch that have not been shown among them. */
  get waiting() {
    return binding.portWaiting(this.#endpoint.handle, this.#shown);
  }

  /** The cursor, for a native call that commits it: there is no batch from then on. */
  end() {
    const shown = this.#shown;
    this.#shown = 0;
    this.#count = 0;
    return shown;
  }

  /** The port reads no more here. */
  stop() {
    this.end();
    this.kept = new Kept();
  }

  /**
   * The next message if the port listens, to be shown at once; an `Unreadable`; or NOTHING, and `left` says why.
   *
   * @param {number} most
   */
  next(most) {
    if (this.#shown < this.#count && receiveBuffer.holder === this.#number) return this.#nextOfBatch();
    // As many as were shown of the last batch before another port took the memory; more again when all were.
    const { length } = this;
    if (length > 0) this.#atOnce = Math.max(1, this.#shown);
    else if (this.#atOnce < this.#most) this.#atOnce *= 2;
    const { handle } = this.#endpoint;
    const answer = binding.takeFromPort(handle, this.end(), Math.min(most, this.#atOnce), this.#outOfBand);
    this.left = answer >>> LEFT_SHIFT;
    const count = answer & COUNT_MASK;
    if (count === 0) return NOTHING;
    receiveBuffer.holder = this.#number;
    if (lengths[0] === ALONE) return this.#readAlone();
    this.#count = count;
    this.#offset = 0;
    return this.#nextOfBatch();
  }

  /**
   * The next message whether the port listens or not, waiting up to `slice` milliseconds for it; as `next`.
   *
   * @param {number} slice
   */
  receive(slice) {
    if (this.#shown < this.#count && receiveBuffer.holder === this.#number) return this.#nextOfBatch();
    const answer = binding.receiveFromPort(this.#endpoint.handle, this.end(), slice, this.#outOfBand);
    this.left = answer >>> LEFT_SHIFT;
    if ((answer & COUNT_MASK) === 0) return NOTHING;
    receiveBuffer.holder = 0;
    if (lengths[0] === ALONE) return this.#readAlone();
    return this.#read(lengths[0], 0);
  }

  #nextOfBatch() {
    const length = lengths[this.#shown++];
    const start = this.#offset;
    if (length < FALLBACK_INTRODUCING) this.#offset = start + length;
    return this.#read(length, start);
  }

  #read(length, start) {
    if (this.ports !== undefined) this.ports = undefined;
    if (length >= FALLBACK_INTRODUCING) return this.#readFallback(length);
    return this.#decode(buffer, start, start + length, NO_PARTS);
  }

  #decode(bytes, start, end, parts) {
    try {
      return decode(bytes, start, end, parts, this.kept);
    } catch (error) {
      return new Unreadable(error);
    }
  }

  /** A message whose wire is large, or that has out-of-band values. */
  #readAlone() {
    if (this.ports !== undefined) this.ports = undefined;
    const length = lengths[1];
    const has = lengths[2];
    const blockLength = lengths[3];
    let wire = buffer;
    let parts = NO_PARTS;
    if ((has & PARTS) !== 0) {
      parts = this.#outOfBand[0];
      this.#outOfBand[0] = undefined;
    }
    try {
      // Memory of our own that is not zeroed, and not of Node's pool.
      if ((has & LARGE_WIRE) !== 0) {
        wire = Buffer.allocUnsafeSlow(length);
        binding.fillFromPort(wire, true);
      }
      if ((has & BLOCK) !== 0) {
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

  /** A message that waited in the fallback port until its turn has come. */
  #readFallback(how) {
    this.hasReadFallback = true;
    try {
      const received = this.#nextOfFallback(how === FALLBACK_INTRODUCING);
      if (how === FALLBACK_PLAIN) return received.message;
      const { value, ports } = openWrapper(received.message);
      this.ports = ports;
      return value;
    } catch (error) {
      return new Unreadable(error);
    }
  }

  #nextOfFallback(isIntroducing) {
    try {
      const received = fallback.receive(this.#endpoint);
      if (received === undefined) throw new Error('a message was lost on its way');
      return received;
    } finally {
      // Also where the message cannot be read: later ones refer to it.
      if (isIntroducing) this.#keep(fallback.receive(this.#endpoint)?.message);
    }
  }

  #keep(pairs) {
    if (arePairs(pairs)) this.kept.add(pairs);
  }

  /** Whether nothing waits for this port. */
  get isDrained() {
    return this.#endpoint.isOpen && this.waiting === 0;
  }

  /**
   * A fallback port in which something waits does not see the other end's loss: once all was read it is asked, once. To be
   * called after a message if `hasReadFallback`.
   */
  lookForLoss() {
    if (this.length > 0 || !this.isDrained) return;
    this.hasReadFallback = false;
    lookForLoss(this.#endpoint);
  }
}

module.exports = { MessageReader, NOTHING, Unreadable };
