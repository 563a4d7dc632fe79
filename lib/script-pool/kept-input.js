'use strict';

/**
 * An input that is taken now and submitted later: while it is not known whose task it is, or the queue is full. It is as
 * it was when it was taken, for a native task or for a script.
 */

const { memoryOf } = require('../shared-buffer/shared-buffer');
const { transferablesIn } = require('../transfer/transferables');
const { discardTaken, listFor, openTaken, takeNow } = require('./transfer');
const { ValueEncoder } = require('./value-encoder');

const encoder = new ValueEncoder(true);
const scriptEncoder = new ValueEncoder();

const NOTHING = Object.freeze([]);

class KeptInput {
  /** `{ isBundle, value, list }`, as `takeNow` of transfer.js returns it; undefined where it is kept as the queue takes it. */
  #taken;
  /** As the queue takes it, where it is for a script and kept so: see `ValueEncoder.keep`. */
  prepared;

  constructor(taken, prepared) {
    this.#taken = taken;
    this.prepared = prepared;
  }

  /**
   * @param {unknown} input
   * @param {object[] | 'auto'} [transfer] the objects in it that are transferred, now
   * @returns {KeptInput}
   * @throws Node's error for a value that cannot be cloned or transferred
   */
  static of(input, transfer = NOTHING) {
    const list = listFor(input, transfer);
    if (list.length > 0) return new KeptInput(takeNow(input, list));
    // Shared memory is the same whenever it is read.
    const copy = memoryOf(input) === undefined ? encoder.copy(input) : { value: input };
    if (copy === undefined) return new KeptInput(takeNow(encoder.takeForNode(), list));
    return new KeptInput({ isBundle: false, value: copy.value, list });
  }

  /** The same for an input of a script, of which nothing is transferred: where it can, it is encoded here, once. */
  static forScript(input) {
    if (memoryOf(input) !== undefined) return new KeptInput({ isBundle: false, value: input, list: NOTHING });
    if (!scriptEncoder.encode(input)) return new KeptInput(takeNow(scriptEncoder.takeForNode(), NOTHING));
    const prepared = scriptEncoder.keep();
    if (prepared !== undefined) return new KeptInput(undefined, prepared);
    return new KeptInput({ isBundle: false, value: scriptEncoder.copyOf(input), list: NOTHING });
  }

  /** The input, and the objects in it that are to be transferred. Called once. */
  take() {
    const taken = this.#taken;
    if (taken === undefined) return { value: this.#decode(), transfer: NOTHING };
    const value = openTaken(taken);
    // Objects of ours that were transferred are here again.
    return { value, transfer: taken.isBundle ? transferablesIn(value) : taken.list };
  }

  #decode() {
    const { decode } = require('../task/values');
    return decode(this.prepared.value, 0, this.prepared.length, []);
  }

  /** Lets go of it: it will not be submitted. */
  discard() {
    if (this.#taken !== undefined) discardTaken(this.#taken);
  }
}

module.exports = { KeptInput };
