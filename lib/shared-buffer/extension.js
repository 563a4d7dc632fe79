'use strict';

/**
 * How shared memory crosses to a native task: the buffer rides beside the wire and is aliased there, and the wire says
 * which of its bytes are meant, as elements of what type. src/value/decode.rs reads it.
 */

const { types } = require('node:util');

const { KIND_ARRAY_BUFFER, kindOfView } = require('../codec/bytes');
const { SHARED } = require('../codec/tags');

// Loaded late: they need the binding's delivery, which needs this codec.
let classes;
const ours = () => (classes ??= { ...require('./shared-buffer'), ...require('./atomic-view') });

/** @type {import('../codec/extensions').Extension} */
const sharedExtension = {
  tag: SHARED,
  test: (value) =>
    types.isSharedArrayBuffer(value) || ours().SharedBuffer.isSharedBuffer(value) || ours().AtomicView.isAtomicView(value),
  write(value, writer) {
    // A message is Node's own port's business: between JavaScript threads the buffer itself travels.
    if (writer.message) writer.refuse(value);
    const isView = !types.isSharedArrayBuffer(value) && ours().AtomicView.isAtomicView(value);
    const buffer = types.isSharedArrayBuffer(value) ? value : value.buffer;
    writer.u32(writer.part(new Uint8Array(buffer)));
    writer.byte(isView ? kindOfView(value.array) : KIND_ARRAY_BUFFER);
    writer.f64(isView ? value.byteOffset : 0);
    writer.f64(isView ? value.byteLength : buffer.byteLength);
  },
  read() {
    throw new TypeError('shared memory does not come back from a task');
  },
};

module.exports = { sharedExtension };
