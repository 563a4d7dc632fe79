'use strict';

/** The memory in which batches of messages come from the native side. */

const { binding } = require('../native');
const { keptOn } = require('../runtime/host-realm');

/** Messages in one batch at the most. */
const { BATCH } = require('../constants').PORTS;
const BUFFER_BYTES = 128 * 1024;

const KEY = Symbol.for('rust-workers.port-receive-buffer');

/**
 * One for each environment: the native side knows only the last that was named. `holder` is the number of the
 * `MessageReader` whose messages are in it, `readers` the last number that was assigned, `writeBuffer` the memory that the
 * encoder was last known to write to.
 */
function makeReceiveBuffer() {
  const lengths = new Uint32Array(BATCH);
  const bytes = Buffer.from(new ArrayBuffer(BUFFER_BYTES));
  binding.setReceiveBuffer(new Uint8Array(lengths.buffer), new Uint8Array(bytes.buffer));
  return { lengths, bytes, readers: 0, holder: 0, writeBuffer: undefined };
}

module.exports = {
  makeReceiveBuffer,
  get receiveBuffer() {
    return keptOn(binding, KEY, module, (host) => host.makeReceiveBuffer());
  },
};
