'use strict';

/**
 * An error of the codec, of the class of its stable code.
 * @param {string} code `ERR_RW_…`
 * @param {string} message what to do
 */
function codecError(code, message) {
  // Not before: a worker starts sooner without.
  const { errorFromCode } = require('../errors');
  return errorFromCode(code, message);
}

const malformed = (what) => codecError('ERR_RW_MALFORMED_VALUE', `these bytes are not an encoded value: ${what}`);

module.exports = { codecError, malformed };
