'use strict';

/**
 * A value that the native side shows: the answer to a task, or the input of a script's task. Its form and a number stand on
 * the call buffer; its encoded bytes, where it has any, in memory that both sides know, or with other things beside it.
 */

const { takeError } = require('../answer-errors');
const { errorFromCode, InternalError } = require('../errors');
const { CALL_BUFFER, FORMS } = require('../constants');
const { smallInteger } = require('../runtime/small-integer');

/** Loaded for the first value that needs it: a worker starts sooner without. */
let codec;
let thrown;
let mapNumbers;
const values = () => (codec ??= require('./values'));
const numbersOfMaps = () => (mapNumbers ??= require('./map-numbers'));
const decodeThrown = (...wire) => (thrown ??= require('./thrown')).decodeThrown(...wire);

/** Of the number of encoded bytes, what is below this is where they begin, and the rest is their length. */
const LENGTH = 2 ** CALL_BUFFER.WIRE_LENGTH_SHIFT;

/** The number of encoded bytes of this length that begin where the memory does. */
const wireFromStart = (length) => length * LENGTH;

/** The memory of the wire as numbers: there is one such memory. */
let floats;
let floatsOf;
function floatsOver(wire) {
  if (floatsOf !== wire) {
    floats = new Float64Array(wire.buffer);
    floatsOf = wire;
  }
  return floats;
}

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
      return numbersOfMaps().undefineds(number);
    case FORMS.NUMBERS_IN_WIRE: {
      const offset = number & (LENGTH - 1);
      return numbersOfMaps().unpackNumbers(floatsOver(source.wire), offset / 8, (number - offset) / LENGTH / 8);
    }
    case FORMS.NUMBERS_OUT_OF_BAND:
      return numbersOfMaps().unpackMemory(source.takeOutOfBand());
    case FORMS.ERROR:
      throw errorFromCode(...takeError(form, number, source), task === undefined ? undefined : { task });
    default:
      throw new InternalError(`unknown form ${form} of a value; please report this`);
  }
}

module.exports = { readValue, wireFromStart };
