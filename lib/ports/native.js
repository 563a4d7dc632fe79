'use strict';

/** The native side's numbers (src/node/ports.rs holds the same), and the memory batches of messages come in. */

const { keptOn } = require('../runtime/host-realm');
const { binding } = require('../native');

/** Messages in one batch at the most. */
const BATCH = 1024;
const SLAB_BYTES = 128 * 1024;

const KEY = Symbol.for('rust-workers.port-intake');

/**
 * One for each environment: the native side knows only the last that was named. `holder` is the number of the
 * `Batch` whose messages are in it, `batches` the last that was given, `outgoing` the memory that the encoder was last known to write to.
 */
function makeIntake() {
  const lengths = new Uint32Array(BATCH);
  const slab = Buffer.from(new ArrayBuffer(SLAB_BYTES));
  binding.namePortIntake(new Uint8Array(lengths.buffer), new Uint8Array(slab.buffer));
  return { lengths, slab, batches: 0, holder: 0, outgoing: undefined };
}

module.exports = {
  BATCH,
  makeIntake,
  get intake() {
    return keptOn(binding, KEY, module, (host) => host.makeIntake());
  },

  /** In `lengths`: the message comes alone; then follow the length of its wire, what it has, and that of its block. */
  APART: 0xffffffff,
  // What it has.
  /** Its wire is to be fetched. */
  APART_LARGE: 1,
  APART_PARTS: 2,
  /** Its one block of bytes is to be fetched. */
  APART_BLOCK: 4,
  /** In `lengths`: what the message is waits in the companion. */
  SIDE_PLAIN: 0xfffffffe,
  SIDE_WRAPPED: 0xfffffffd,
  SIDE_INTRODUCING: 0xfffffffc,

  // What became of a post; QUEUED comes as undefined.
  OVER: 1,
  CLOSED: 2,
  DETACHED: 3,
  LOOPED: 4,
  FULL: 5,

  // What is left after a batch, above its count.
  LEFT_SHIFT: 12,
  COUNT_MASK: 0xfff,
  LEFT_MORE: 0,
  LEFT_EMPTY: 1,
  LEFT_CLOSED: 2,
  LEFT_GONE: 3,
};
