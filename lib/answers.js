'use strict';

/** What a task came to, read from where the native side has put it. */

const { errorFromCode, InternalError } = require('./errors');
const FORMS = require('./forms');
const { decode, decodeBytes } = require('./values');

/**
 * @param {number} form one of forms.js
 * @param {number} number what stands on the board beside it
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
      throw thrown(decode(delivery.wire, offset, offset + (number - offset) / 0x10000, []));
    }
    case FORMS.REJECTED_APART: {
      const wire = Buffer.from(delivery.takeExtra());
      throw thrown(decode(wire, 0, wire.length, delivery.takeExtra()));
    }
    case FORMS.ERROR:
      throw errorFromCode(delivery.takeExtra(), delivery.takeExtra(), { task });
    default:
      throw new InternalError(`unknown form ${form} of an answer; please report this`);
  }
}

/** What a script threw; one of our own errors, such as `task.throwIfCancelled()` throws, with its class again. */
function thrown(value) {
  if (!(value instanceof Error) || typeof value.code !== 'string' || !value.code.startsWith('ERR_RW_')) return value;
  const { message, stack, code, ...properties } = value;
  const error = errorFromCode(code, message, 'cause' in value ? { ...properties, cause: value.cause } : properties);
  Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  return error;
}

module.exports = { readAnswer };
