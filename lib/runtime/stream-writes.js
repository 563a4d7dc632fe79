'use strict';

/**
 * Takes what is written to `process.stdout` or `process.stderr` before the stream has it.
 *
 * Relies on: `console` writing by the `write` of `process.stdout` and `process.stderr`, whichever function that is at the time (in
 * Node 20 to 26).
 * Without: what `console` writes goes where it goes otherwise.
 * Test: __test__/script-pool/task-output.test.js.
 */

const nodeGlobals = require('./globals');

/** What there is of a chunk; undefined for what the stream itself is to refuse. */
function chunkOf(chunk, encoding) {
  if (typeof chunk === 'string') {
    const isText = typeof encoding !== 'string' || /^utf-?8$/i.test(encoding);
    if (isText) return chunk;
    return Buffer.isEncoding(encoding) ? new Uint8Array(Buffer.from(chunk, encoding)) : undefined;
  }
  return chunk instanceof Uint8Array ? new Uint8Array(chunk) : undefined;
}

/**
 * @param {import('node:stream').Writable} stream
 * @param {() => ((chunk: string | Uint8Array) => void) | undefined} taker asked for each chunk: what takes it, if anything does
 */
function takeWrites(stream, taker) {
  const { write } = stream;
  stream.write = function (...given) {
    const [chunk, encoding, callback] = given;
    const take = taker();
    const taken = take === undefined ? undefined : chunkOf(chunk, encoding);
    if (taken === undefined) return Reflect.apply(write, this, given);
    take(taken);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') nodeGlobals.nextTick(done);
    return true;
  };
}

module.exports = { takeWrites };
