'use strict';

/**
 * Messages in the wire form, which Rust carries by itself: plain data, shared memory that the other end keeps already, and
 * objects of ours that do not move (such as a SharedBuffer).
 */

const { types } = require('node:util');

const { binding } = require('../native');
const { createCodec } = require('../codec');
const { KEPT, PACKED, SHARED } = require('../constants').TAGS;
const { InternalError, MalformedValueError } = require('../errors');
const { hasExternalStrings } = require('../runtime/external-strings');
const { portExtension } = require('./extension');
const { typeByTag, typeOf } = require('../transfer/registry');

/**
 * Texts of so many units go out of band: the native side copies them once from V8, and gives the reader a string made
 * there, or one over that very memory (src/node/js/external_strings.rs). In the wire they would be copied four times. A text of
 * 1 MiB takes half of the CPU that Node takes; below this it makes no difference.
 */
const LONG_TEXT = 32 * 1024;

const codec = createCodec({
  shapes: {
    intern: (keys) => binding.internShape(keys),
    keys: (id) => binding.shapeKeys(id) ?? undefined,
  },
  longText: hasExternalStrings ? LONG_TEXT : Infinity,
});


// Of the port that encodes or decodes now.
let introductions = null;
let kept = null;
/** Whether the value that is being encoded refers to shared memory by number. */
let refers = false;

codec.registerExtension({
  tag: SHARED,
  test: types.isSharedArrayBuffer,
  write(buffer, writer) {
    const number = introductions.numberOf(buffer);
    if (number === undefined) writer.refuse(buffer);
    refers = true;
    writer.u32(number);
  },
  read(reader) {
    const number = reader.u32();
    // This thread's own wire is read back: see `originals` in lib/codec/reader.js.
    if (kept === null) return undefined;
    const buffer = kept.get(number);
    // The message that introduced it could not be read.
    if (buffer === undefined) throw new MalformedValueError('A message refers to shared memory that never arrived');
    return buffer;
  },
});

codec.registerExtension(portExtension);

codec.registerExtension({
  // An object of ours that does not move: its type tag, and what its class serializes it to.
  tag: PACKED,
  test(object) {
    const type = typeOf(object);
    return type !== undefined && type.moves !== true && typeof type.serialize === 'function';
  },
  write(object, writer) {
    const { typeTag, serialize, byNode } = typeOf(object);
    if (byNode) writer.refuse(object);
    writer.string(typeTag);
    writer.any(serialize(object));
  },
  read(reader) {
    const typeTag = reader.any();
    const content = reader.any();
    const type = typeByTag(typeTag);
    if (type === undefined) throw new InternalError(`a message holds a ${typeTag}, which this thread does not know`);
    return type.deserialize(content);
  },
});

/**
 * @param {unknown} value
 * @param {import('./shared-memory').Introductions} ofPort
 * @param {boolean} keepBuffers
 * @returns {import('../codec/writer').Writer | null} null: Node must carry the value of `takeLeft`
 */
function encode(value, ofPort, keepBuffers) {
  const before = introductions;
  const referred = refers;
  introductions = ofPort;
  refers = false;
  ofPort.begin();
  try {
    const writer = codec.encodeMessage(value, keepBuffers);
    if (refers && writer !== null) writer.bytes[0] |= KEPT;
    return writer;
  } finally {
    ofPort.end();
    introductions = before;
    refers = referred;
  }
}

/** @param {import('./shared-memory').Kept} keptByPort */
function decode(bytes, start, end, parts, keptByPort) {
  const before = kept;
  kept = keptByPort;
  try {
    return codec.decode(bytes, start, end, parts);
  } finally {
    kept = before;
  }
}

module.exports = { encode, decode, takeLeft: codec.takeLeft };
