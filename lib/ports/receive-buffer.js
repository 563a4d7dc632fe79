'use strict';

/** The memory in which batches of messages come from the native side, and its numbers (src/node/ports.rs holds the same). */

const { binding } = require('../native');
const { keptOn } = require('../runtime/host-realm');

/** Messages in one batch at the most. */
const BATCH = 1024;
const BUFFER_BYTES = 128 * 1024;

const KEY = Symbol.for('rust-workers.port-receive-buffer');

/**
 * One for each environment: the native side knows only the last that was named. `holder` is the number of the
 * `MessageReader` whose messages are in it, `readers` the last number that was given, `writeBuffer` the memory that the
 * encoder was last known to write to.
 */
function makeReceiveBuffer() {
  const lengths = new Uint32Array(BATCH);
  const bytes = Buffer.from(new ArrayBuffer(BUFFER_BYTES));
  binding.namePortIntake(new Uint8Array(lengths.buffer), new Uint8Array(bytes.buffer));
  return { lengths, bytes, readers: 0, holder: 0, writeBuffer: undefined };
}

module.exports = {
  makeReceiveBuffer,
  get receiveBuffer() {
    return keptOn(binding, KEY, module, (host) => host.makeReceiveBuffer());
  },

  /** In `lengths`: the message comes alone; then follow the length of its wire, what it has, and that of its block. */
  ALONE: 0xffffffff,
  // What it has.
  /** Its wire is to be fetched. */
  LARGE_WIRE: 1,
  /** Out-of-band values. */
  PARTS: 2,
  /** Its one block of bytes is to be fetched. */
  BLOCK: 4,
  // In `lengths`: the message waits in the fallback port.
  /** As the value itself. */
  FALLBACK_PLAIN: 0xfffffffe,
  /** In a wrapper (fallback-post.js). */
  FALLBACK_WRAPPED: 0xfffffffd,
  /** In a wrapper, and the shared memory that it introduces comes after it. */
  FALLBACK_INTRODUCING: 0xfffffffc,

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
