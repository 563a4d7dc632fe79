'use strict';

/** Whether this is V8's error of a stack that is used up. */
function isStackOverflow(error) {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
}

module.exports = { isStackOverflow };
