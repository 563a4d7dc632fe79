'use strict';

/**
 * What Node does around each message: run what the listeners of the last one left to be run (process.nextTick,
 * promises), and let the errors of listeners become uncaught exceptions without losing the messages after.
 */

const { binding } = require('../native');
const { nextTick } = require('./globals');

/** Runs process.nextTick callbacks and microtasks, as the end of every callback from native code does. */
const drain = tickCallback(process._tickCallback);

/** Under --pending-deprecation it is a wrapper that warns, whose prototype is the function itself. */
function tickCallback(found) {
  if (typeof found !== 'function') return undefined;
  const within = Object.getPrototypeOf(found);
  return typeof within === 'function' && within.name !== '' ? within : found;
}

/** Makes an error an uncaught exception, by itself. */
function throwUncaught(error) {
  nextTick(() => {
    throw error;
  });
}

/**
 * Called before a message is given to listeners. A callback that throws does not hold up the rest of them: its error
 * becomes an uncaught exception as it would have at the end of a turn.
 */
function settle() {
  if (drain === undefined) return;
  for (;;) {
    try {
      drain.call(process);
      return;
    } catch (error) {
      binding.throwUncaught(error);
    }
  }
}

/** Whether messages can follow each other within one turn of the loop, with everything run in between. */
const canSettle = drain !== undefined;

module.exports = { canSettle, settle, throwUncaught };
