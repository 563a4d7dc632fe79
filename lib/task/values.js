'use strict';

/** Values on the wire, with the process-wide table of shapes. */

const { types } = require('node:util');

const { binding } = require('../native');
const { createCodec } = require('../codec');
const { KIND_ARRAY_BUFFER, bufferOf, lengthOf, offsetOf, sizeOf, viewOver } = require('../codec/bytes');
const { portExtension } = require('../ports/extension');
const { PACKED } = require('../constants').TAGS;
const { InternalError } = require('../errors');
const { sharedExtension } = require('../shared-buffer/extension');
const { typeOf } = require('../transfer/registry');

const codec = createCodec({
  shapes: {
    intern: (keys) => binding.internShape(keys),
    keys: (id) => binding.shapeKeys(id) ?? undefined,
  },
});

codec.registerExtension(sharedExtension);
codec.registerExtension(portExtension);
codec.registerExtension({
  // A script's task gets such an object by Node; Rust has no use for it.
  tag: PACKED,
  test: (object) => typeOf(object)?.byNode === true,
  write: (object, writer) => writer.refuse(object),
  read: () => {
    throw new InternalError('a task has returned an object that only Node carries');
  },
});

/**
 * A result of bytes: a view of `kind` over the memory Rust handed over.
 *
 * @param {number} kind wire number of the type
 * @param {ArrayBuffer | Uint8Array} memory
 */
function decodeBytes(kind, memory) {
  const isBuffer = types.isArrayBuffer(memory);
  const buffer = isBuffer ? memory : bufferOf(memory);
  if (kind === KIND_ARRAY_BUFFER) return buffer;
  return isBuffer ? viewOver(kind, buffer, 0, sizeOf(buffer)) : viewOver(kind, buffer, offsetOf(memory), lengthOf(memory));
}

module.exports = {
  decodeBytes,
  decode: codec.decode,
  encodeValue: codec.encodeValue,
  thrownWriter: codec.thrownWriter,
  messageWriter: codec.messageWriter,
};
