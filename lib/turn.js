'use strict';

/**
 * What Node does around each message: run what the listeners of the last one left to be run (process.nextTick,
 * promises), and let the errors of listeners become uncaught exceptions without losing the messages after.
 */

// Not read when they are needed: test frameworks put false ones there.
const { nextTick } = process;
const { queueMicrotask } = globalThis;

/** Runs process.nextTick callbacks and microtasks, as the end of every callback from native code does. */
const drain = typeof process._tickCallback === 'function' ? process._tickCallback : undefined;

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
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** Whether messages can follow each other within one turn of the loop, with everything run in between. */
const canSettle = drain !== undefined;

module.exports = { canSettle, settle, throwUncaught };
