'use strict';

/**
 * A value that the native side shows: the answer to a task, or the input of a script's task. Its form and a number stand on
 * the call buffer; its encoded bytes, where it has any, in memory that both sides know, or with other things beside it.
 */

const { errorFromCode, InternalError } = require('../errors');
const { CALL_BUFFER, FORMS } = require('../constants');
const { arrayOf } = require('../runtime/intrinsics');
const { smallInteger } = require('../runtime/small-integer');

/** Loaded for the first value that needs it: a worker starts sooner without. */
let codec;
let thrown;
const values = () => (codec ??= require('./values'));
const decodeThrown = (...wire) => (thrown ??= require('./thrown')).decodeThrown(...wire);

/** Of the number of encoded bytes, what is below this is where they begin, and the rest is their length. */
const LENGTH = 2 ** CALL_BUFFER.WIRE_LENGTH_SHIFT;

/** The number of encoded bytes of this length that begin where the memory does. */
const wireFromStart = (length) => length * LENGTH;

/**
 * @param {number} form one of `FORMS` (lib/constants.js)
 * @param {number} number what stands beside it on the call buffer
 * @param {{ wire: Uint8Array, takeOutOfBand(): unknown }} source the memory, and what came beside it; such as the delivery
 * @param {string} [task] name of the task that was answered, for errors
 * @returns {unknown} the value
 * @throws the task's error
 */
function readValue(form, number, source, task) {
  switch (form) {
    case FORMS.UNDEFINED:
      return undefined;
    case FORMS.NULL:
      return null;
    case FORMS.TRUE:
      return true;
    case FORMS.FALSE:
      return false;
    case FORMS.NUMBER:
      return smallInteger(number);
    case FORMS.BYTES:
      return values().decodeBytes(number, source.takeOutOfBand());
    case FORMS.WIRE: {
      const offset = number & (LENGTH - 1);
      return values().decode(source.wire, offset, offset + (number - offset) / LENGTH, []);
    }
    case FORMS.WIRE_OUT_OF_BAND: {
      const wire = Buffer.from(source.takeOutOfBand());
      return values().decode(wire, 0, wire.length, source.takeOutOfBand());
    }
    case FORMS.REJECTED: {
      const offset = number & (LENGTH - 1);
      throw decodeThrown(source.wire, offset, offset + (number - offset) / LENGTH, []);
    }
    case FORMS.REJECTED_OUT_OF_BAND: {
      const wire = Buffer.from(source.takeOutOfBand());
      throw decodeThrown(wire, 0, wire.length, source.takeOutOfBand());
    }
    case FORMS.UNDEFINEDS:
      return undefineds(number);
    case FORMS.NUMBERS_IN_WIRE: {
      const offset = number & (LENGTH - 1);
      return arrayOfNumbers(new Float64Array(source.wire.buffer, offset, (number - offset) / LENGTH / 8));
    }
    case FORMS.NUMBERS_OUT_OF_BAND:
      return arrayOfNumbers(new Float64Array(source.takeOutOfBand()));
    case FORMS.ERROR:
      throw errorFromCode(source.takeOutOfBand(), source.takeOutOfBand(), task === undefined ? undefined : { task });
    default:
      throw new InternalError(`unknown form ${form} of a value; please report this`);
  }
}

/** The outputs of a map over tasks that return nothing. */
function undefineds(count) {
  const array = arrayOf(count);
  for (let i = 0; i < count; i++) array[i] = undefined;
  return array;
}

/** The outputs of a map over tasks that return numbers. */
function arrayOfNumbers(numbers) {
  const count = numbers.length;
  const array = arrayOf(count);
  for (let i = 0; i < count; i++) array[i] = smallInteger(numbers[i]);
  return array;
}

module.exports = { readValue, wireFromStart };
