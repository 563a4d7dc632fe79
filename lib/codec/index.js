'use strict';

// The JavaScript side of the wire form of values (src/value/README.md).

const { Writer } = require('./writer');
const { Reader } = require('./reader');
const { WriteShapes, ReadShapes, LocalShapes } = require('./shapes');
const { Extensions } = require('./extensions');
const { VALUES } = require('../constants');

const DEFAULTS = Object.freeze({
  /** Levels of nesting. Node's own structured clone ends between 1,000 and 10,000, with the stack. */
  maxDepth: VALUES.MAX_INPUT_DEPTH,
  /** Bytes of one value on the wire; byte blocks out of band are not counted. */
  maxBytes: VALUES.MAX_INPUT_BYTES,
  /** Byte blocks above this are out of band. */
  inlineBytes: VALUES.INLINE_BYTES,
  /** In messages: texts of so many units are out of band. */
  longText: Infinity,
});

/**
 * A codec for one thread.
 * @param {object} options
 * @param {{ intern(keys: string[]): number, keys(id: number): string[] | undefined }} options.shapes
 *   the process-wide table of key lists; `intern` returns -1 when the table is full
 * @param {number} [options.maxDepth]
 * @param {number} [options.maxBytes]
 * @param {number} [options.inlineBytes]
 * @param {number} [options.longText]
 */
function createCodec(options) {
  const extensions = new Extensions();
  const setup = { ...DEFAULTS, ...options, extensions };
  const writeShapes = new WriteShapes(setup.shapes);
  const readShapes = new ReadShapes(setup.shapes);
  // A wire that Rust made may be as deep as Rust allows.
  const readDepth = Math.max(setup.maxDepth, VALUES.MAX_DEPTH);
  const newReader = (maxDepth = readDepth) => new Reader({ ...setup, shapes: readShapes, maxDepth });
  /** A wire that a writer has just written for Node. It may be deeper than any wire that we send. */
  const reread = ({ bytes, length, parts, carried, originals }) =>
    newReader(Infinity).reread(bytes, length, parts, carried, originals);
  // Loaded for the first message that is read twice.
  const secondReading = (writer) => new (require('./second-reading').SecondReading)(writer);
  const newWriter = (mode) => new Writer({ ...setup, mode, shapes: writeShapes, reread, secondReading });
  let valueWriter = newWriter('value');
  let messageWriter = newWriter('message');
  let reader = newReader();
  let left;

  return {
    /**
     * A native task's input. The writer's `bytes`, `length` and `parts` are good until the next call.
     * A getter that encodes in its turn gets a writer of its own.
     * @param {unknown} value
     * @param {string} [name] what error messages call it
     * @param {{ has(buffer: ArrayBuffer): boolean }} [given] the memory that is transferred with it
     * @returns {Writer}
     * @throws {Error} ERR_RW_UNSUPPORTED_VALUE, ERR_RW_CYCLIC_VALUE, ERR_RW_VALUE_TOO_DEEP,
     *   ERR_RW_VALUE_TOO_LARGE, and whatever a getter throws
     */
    encodeValue(value, name = 'input', given = undefined) {
      const writer = valueWriter.busy ? (valueWriter = newWriter('value')) : valueWriter;
      writer.encode(value, name, given);
      return writer;
    },

    /**
     * A channel message, or null when only Node's own port knows how to send it: `takeLeft` returns what is to be
     * posted there.
     * @param {unknown} value
     * @param {boolean} [keepBuffers] whether a Buffer arrives as a Buffer, which structured clone does not do
     * @returns {Writer | null}
     * @throws whatever a getter throws, and what Node throws for what cannot be cloned
     */
    encodeMessage(value, keepBuffers = false) {
      const writer = messageWriter.busy ? (messageWriter = newWriter('message')) : messageWriter;
      writer.keepBuffers = keepBuffers;
      if (writer.encode(value, 'message')) return writer;
      left = writer.takeLeft();
      return null;
    },

    /** The value that Node must carry instead of the message that `encodeMessage` has just left to it. Call it once. */
    takeLeft() {
      const taken = left;
      left = undefined;
      return taken;
    },

    /** A writer of channel messages for one user alone: what it wrote last stays good until it writes again. */
    messageWriter() {
      return newWriter('message');
    },

    /**
     * A writer of what scripts throw, for one user alone: see thrown-writer.js.
     * @param {object} node what Node can carry
     */
    thrownWriter(node) {
      // Loaded for the first error.
      const { ThrownWriter } = require('./thrown-writer');
      return new ThrownWriter({ ...setup, shapes: writeShapes, reread }, node);
    },

    /**
     * The value in `bytes` from `offset` to `end`. `parts` become the value's own memory.
     * @param {object[]} [carried] what Node carried, out of band
     * @param {(error: Error) => void} [revive] is shown each error that was read
     * @throws {Error} ERR_RW_MALFORMED_VALUE, ERR_RW_VALUE_TOO_DEEP
     */
    decode(bytes, offset, end, parts, carried, revive) {
      if (reader.busy) reader = newReader();
      return reader.decode(bytes, offset, end, parts, carried, revive);
    },

    /** Adds objects of ours: see extensions.js. */
    registerExtension(extension) {
      extensions.add(extension);
    },
  };
}

module.exports = { createCodec, LocalShapes, DEFAULTS };
