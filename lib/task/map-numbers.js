'use strict';

/**
 * The numbers of a map over native tasks: its inputs and its outputs where all of them are numbers, eight bytes each.
 *
 * The native side works in the memory of many inputs and gives it back with the outputs, so that they are copied nowhere; and the
 * memory serves for the next map. To make it anew each time, with a second one for the outputs, took as long as the tasks.
 */

const { types } = require('node:util');

const { bufferOf, lengthOf, sizeOf } = require('../codec/bytes');
const { BYTES, CALL_BUFFER, INPUTS } = require('../constants');
const { zerosOf } = require('../runtime/intrinsics');
const { smallInteger } = require('../runtime/small-integer');

const { Float64Array, Uint8Array } = globalThis;

const COPY = INPUTS.COPY | (BYTES.FLOAT64 << INPUTS.KIND_SHIFT);
const PIN = INPUTS.PIN | (BYTES.FLOAT64 << INPUTS.KIND_SHIFT);

/** Fewer bytes are copied: they fit the memory that both sides know when they come back. */
const MANY = 2 ** CALL_BUFFER.WIRE_LENGTH_SHIFT + 1;
/** The memory that is kept has so many bytes at the least, and at the most. */
const LEAST_KEPT = 4096;
const MOST_KEPT = 1024 * 1024;

/** The memory for the next map; undefined while it is under way. */
let kept;

/** Keeps memory that is not used any more, if it is the largest. */
function keep(memory) {
  const size = memory.length * 8;
  if (size <= MOST_KEPT && (kept === undefined || kept.length < memory.length)) kept = memory;
}

/**
 * @param {unknown[]} inputs at least one; the elements are the array's own
 * @returns {{ form: number, value: Uint8Array } | undefined} undefined when not all are numbers; `value` is good until the next
 *   call, if `form` does not give it away
 */
function packNumbers(inputs) {
  if (typeof inputs[0] !== 'number') return undefined;
  const count = inputs.length;
  if (kept === undefined || kept.length < count) {
    const memory = new Float64Array(Math.max(count, LEAST_KEPT / 8));
    if (!fill(memory, inputs, count)) return undefined;
    return give(memory, count);
  }
  return fill(kept, inputs, count) ? give(kept, count) : undefined;
}

/** Writes the inputs to memory; false when one is no number. */
function fill(memory, inputs, count) {
  for (let i = 0; i < count; i++) {
    const input = inputs[i];
    if (typeof input !== 'number') return false;
    memory[i] = input;
  }
  return true;
}

function give(memory, count) {
  const bytes = count * 8;
  const value = new Uint8Array(memory.buffer, 0, bytes);
  if (bytes < MANY) {
    keep(memory);
    return { form: COPY, value };
  }
  if (memory === kept) kept = undefined;
  return { form: PIN, value };
}

/**
 * The outputs that came out of band.
 *
 * @param {ArrayBuffer | Uint8Array} memory which nobody else has; the memory of the inputs in the second case
 */
function unpackMemory(memory) {
  if (types.isArrayBuffer(memory)) return unpackNumbers(new Float64Array(memory), 0, sizeOf(memory) / 8);
  const numbers = new Float64Array(bufferOf(memory));
  const array = unpackNumbers(numbers, 0, lengthOf(memory) / 8);
  keep(numbers);
  return array;
}

/**
 * So many numbers from an index on, as an array. Small integers are stored by a loop of their own: V8 compiles one that has also stored
 * doubles so that it makes each array one of doubles first, where integers are read as doubles.
 */
function unpackNumbers(numbers, first, count) {
  const array = zerosOf(count);
  for (let i = 0; i < count; i++) {
    const number = numbers[first + i];
    const integer = number | 0;
    if (integer !== number || (integer === 0 && 1 / number < 0)) return unpackRest(array, i, numbers, first, count);
    array[i] = integer;
  }
  return array;
}

function unpackRest(array, from, numbers, first, count) {
  for (let i = from; i < count; i++) array[i] = smallInteger(numbers[first + i]);
  return array;
}

/** The outputs of tasks that return nothing. */
function undefineds(count) {
  const array = zerosOf(count);
  for (let i = 0; i < count; i++) array[i] = undefined;
  return array;
}

module.exports = { packNumbers, undefineds, unpackMemory, unpackNumbers };
