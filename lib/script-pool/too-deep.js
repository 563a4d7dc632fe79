'use strict';

/** V8's structured clone recurses until the stack is used up. This makes an error that says so, and what to do about it. */

const { isStackOverflow } = require('../runtime/stack-overflow');

/**
 * @param {unknown} error what structured clone has thrown
 * @param {string} what the value
 * @returns {unknown} the same error, unless it is that of a value nested too deeply
 */
function notTooDeep(error, what) {
  if (!isStackOverflow(error)) return error;
  const { ValueTooDeepError } = require('../errors');
  return new ValueTooDeepError(`${what} is nested too deeply for structured clone: flatten it`, { cause: error });
}

module.exports = { notTooDeep };
