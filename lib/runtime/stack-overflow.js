'use strict';

/**
 * A stack that is used up.
 *
 * Relies on: the message of V8's RangeError (in Node 20 to 26); nothing else distinguishes it from other RangeErrors.
 * Without: such an error counts as any other error of the program's.
 * Test: __test__/runtime/stack-overflow.test.js.
 */

/** Whether this is V8's error of a stack that is used up. */
function isStackOverflow(error) {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
}

/** Levels of a function of ours for what a few large ones of Node's take. */
const LEVELS = 1000;

const dig = (levels) => (levels > 0 ? dig(levels - 1) + 1 : 0);

/**
 * Throws V8's error now where the stack is nearly used up: for what must not fail half-way.
 *
 * @throws {RangeError}
 */
function ensureStack() {
  dig(LEVELS);
}

module.exports = { ensureStack, isStackOverflow };
