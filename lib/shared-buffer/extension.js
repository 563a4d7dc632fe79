'use strict';

/**
 * Shared memory in the inputs of native tasks: the buffer is an out-of-band value, which the task aliases; the wire says
 * which of its bytes are meant, and as elements of which type. src/value/decode.rs reads it.
 */

const { KIND_ARRAY_BUFFER, bufferOf, isView, kindOfView, lengthOf, offsetOf, sizeOf } = require('../codec/bytes');
const { SHARED } = require('../constants').TAGS;

// Loaded for the first object that may be one: a worker of a pool starts sooner without.
let sharedBuffer;
const memoryOf = (value) => (sharedBuffer ??= require('./shared-buffer')).memoryOf(value);

/** @type {import('../codec/extensions').Extension} */
const sharedExtension = {
  tag: SHARED,
  test: (value) => !isView(value) && memoryOf(value) !== undefined,
  write(value, writer) {
    // Between JavaScript threads Node's own port carries the buffer itself.
    if (writer.message) writer.refuse(value);
    const memory = memoryOf(value);
    const array = isView(memory) ? memory : undefined;
    const buffer = array === undefined ? memory : bufferOf(array);
    writer.u32(writer.part(new Uint8Array(buffer)));
    writer.byte(array === undefined ? KIND_ARRAY_BUFFER : kindOfView(array));
    writer.f64(array === undefined ? 0 : offsetOf(array));
    writer.f64(array === undefined ? sizeOf(buffer) : lengthOf(array));
  },
  read() {
    throw new TypeError('shared memory does not come back from a task');
  },
};

module.exports = { sharedExtension };
