'use strict';

/**
 * Does what Node does around each message: runs the callbacks that the listeners of the last one have left
 * (process.nextTick, promises), gives the message an async context in which nothing is, and lets the errors of listeners
 * become uncaught exceptions without losing the messages after.
 *
 * Relies on, in Node 20 to 26: `process._tickCallback`, which runs ticks and microtasks as the end of every callback from
 * native code does (since Node 0.x); an AsyncLocalStorage having `enabled` only where it is made of async hooks (to 23).
 * Without: `canSettle` is false, and each message gets a turn of the event loop of its own; without `enabled` (or where
 * there is no `AsyncLocalStorage.snapshot`) messages begin in the context of the delivery, or pay for a fresh one.
 * Test: __test__/runtime/turn.test.js.
 */

const { binding } = require('../native');
const { nextTick } = require('./globals');
const { isNode } = require('./which');

/** Bun has a function of that name which runs nothing. */
const drain = isNode ? tickCallback(process._tickCallback) : undefined;

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

/**
 * What runs a function in an async context in which nothing is, as Node gives one to each message in a Worker; undefined
 * where it does not. Where AsyncLocalStorage is made of async hooks, what one message has entered is there for the next, in a
 * Worker too, and to leave it costs more than all else that a small task does.
 */
function freshContext() {
  const { AsyncLocalStorage } = require('node:async_hooks');
  const isOfHooks = 'enabled' in new AsyncLocalStorage();
  return isOfHooks ? undefined : AsyncLocalStorage.snapshot?.();
}

/** Whether messages can follow each other within one turn of the loop, with everything run in between. */
const canSettle = drain !== undefined;

module.exports = { canSettle, freshContext, settle, throwUncaught, tickCallback };
