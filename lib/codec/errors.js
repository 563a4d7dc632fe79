'use strict';

/**
 * An error of the codec, typed by its stable code.
 * @param {ErrorConstructor} Class TypeError or RangeError
 * @param {string} code `ERR_RW_…`
 * @param {string} message what to do
 */
function codecError(Class, code, message) {
  const error = new Class(message);
  error.code = code;
  return error;
}

const malformed = (what) =>
  codecError(TypeError, 'ERR_RW_MALFORMED_VALUE', `these bytes are not an encoded value: ${what}`);

module.exports = { codecError, malformed };
