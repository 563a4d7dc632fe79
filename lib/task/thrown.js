'use strict';

/**
 * Brings the value that a script threw to the caller that awaits the task. It arrives whole: as a graph, of whatever type it
 * is, with all of its parts that can be sent; a text describes each part that cannot (lib/codec/thrown-writer.js).
 * Parts that only Node can carry go by Node's port, out of band.
 */

const { TaskFailedError, publicClasses } = require('../errors');
const nodeGlobals = require('../runtime/globals');
const { typeOf } = require('../transfer/registry');
const { decode, thrownWriter } = require('./values');

const NOTHING = Object.freeze([]);

/** Our own classes of errors by code. */
const classes = new Map(Object.values(publicClasses).map((Class) => [Class.code, Class]));

const node = {
  clone: nodeGlobals.structuredClone,
  arrivesAsItself(object) {
    const type = typeOf(object);
    return type === undefined ? undefined : type.moves !== true;
  },
};

let writer;

/**
 * Never throws.
 *
 * @param {unknown} error what was thrown
 * @returns {{ bytes: Uint8Array, length: number, parts: (ArrayBuffer | Uint8Array)[], carried: object[] }} the wire in
 *   the first `length` of `bytes`; copies of blocks, for the native side; and what is to go through Node's port,
 *   by the numbers that the wire has in its place: shared memory, objects of ours, Blobs and keys. Good until the next
 */
function encodeThrown(error) {
  if (writer === undefined || writer.busy) writer = thrownWriter(node);
  const own = writer;
  own.write(error);
  const { bytes, length, parts, carried } = own;
  return { bytes, length, parts, carried };
}

/**
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @param {(ArrayBuffer | Uint8Array)[]} parts the result of `encodeThrown`, copied or not
 * @param {object[]} [carried] what came through Node's port
 * @returns {unknown} what was thrown; errors of ours with their classes again
 */
function decodeThrown(bytes, start, end, parts, carried = NOTHING) {
  return decode(bytes, start, end, parts, carried, revive);
}

/** A thrown value of which some parts came by Node's port. */
const thrownFromPort = ({ wire, parts, carried }) => decodeThrown(wire, 0, wire.length, parts, carried);

/** An error of ours, such as `task.throwIfCancelled()` throws, gets its class again. */
function revive(error) {
  const { code } = error;
  const Class = typeof code === 'string' ? classes.get(code) : undefined;
  if (Class === undefined) return;
  const { name } = error;
  // A task of a pack that has named its error, and no code, has a class of its own choice.
  if (Class === TaskFailedError && name !== 'TaskFailedError') return;
  Object.setPrototypeOf(error, Class.prototype);
  if (Object.hasOwn(error, 'name') && Class.prototype.name === name) delete error.name;
}

module.exports = { decodeThrown, encodeThrown, thrownFromPort };
