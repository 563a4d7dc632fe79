'use strict';

/** What a task came to, read from where the native side has put it. */

const { errorFromCode, InternalError } = require('./errors');
const FORMS = require('./forms');
const { decodeThrown } = require('./task/thrown');
const { decode, decodeBytes } = require('./values');

/**
 * @param {number} form one of forms.js
 * @param {number} number what stands on the call buffer beside it
 * @param {import('./delivery').Delivery} delivery
 * @param {string} task name of the task, for errors
 * @returns {unknown} the task's value
 * @throws the task's error
 */
function readAnswer(form, number, delivery, task) {
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
      return number;
    case FORMS.BYTES:
      return decodeBytes(number, delivery.takeExtra());
    case FORMS.WIRE: {
      const offset = number & 0xffff;
      return decode(delivery.wire, offset, offset + (number - offset) / 0x10000, []);
    }
    case FORMS.WIRE_APART: {
      const wire = Buffer.from(delivery.takeExtra());
      return decode(wire, 0, wire.length, delivery.takeExtra());
    }
    case FORMS.REJECTED: {
      const offset = number & 0xffff;
      throw decodeThrown(delivery.wire, offset, offset + (number - offset) / 0x10000, []);
    }
    case FORMS.REJECTED_APART: {
      const wire = Buffer.from(delivery.takeExtra());
      throw decodeThrown(wire, 0, wire.length, delivery.takeExtra());
    }
    case FORMS.ERROR:
      throw errorFromCode(delivery.takeExtra(), delivery.takeExtra(), { task });
    default:
      throw new InternalError(`unknown form ${form} of an answer; please report this`);
  }
}

module.exports = { readAnswer };
