'use strict';

/**
 * One listener for each AbortSignal, however many tasks share it: Node warns of a leak from the eleventh on, and a
 * service does share one signal among all the tasks of a request.
 *
 * A signal is an object of the user's, perhaps none of Node's. It may abort while it is looked at, dispatch at once,
 * twice or never, and throw from any of its members: an action runs once, and an error costs no other task.
 */

const { addAbortListener } = require('node:events');

const { isStackOverflow } = require('./runtime/stack-overflow');
const { throwUncaught } = require('./runtime/turn');
const { callUser } = require('./user-code');

/** signal -> what to call when it aborts, and the listener that does so. */
const watched = new WeakMap();

/** Node's own way is not stopped by the `stopImmediatePropagation()` of a listener before it. */
const listen = addAbortListener ?? ((signal, listener) => signal.addEventListener('abort', listener, { once: true }));

/**
 * Calls `action` once when `signal` aborts, or now if it has. Actions run in the order they were added.
 *
 * @param {AbortSignal} signal
 * @param {() => void} action
 * @returns {() => void} takes the action back; does not throw
 * @throws what the signal throws that cannot be listened to; then the action is not called
 */
function onAbort(signal, action) {
  const watch = watched.get(signal) ?? watchNew(signal);
  // It may have aborted while it was listened to.
  const isLate = watch.fired || signal.aborted;
  watch.actions.add(action);
  if (isLate) fire(signal, watch);
  return () => {
    watch.actions.delete(action);
    if (watch.actions.size > 0 || watched.get(signal) !== watch) return;
    watched.delete(signal);
    stopListening(signal, watch.listener);
  };
}

function watchNew(signal) {
  const watch = { actions: new Set(), listener: () => fire(signal, watch), fired: false };
  // Node's function would call the listener of a signal that has aborted in a microtask.
  if (signal.aborted) watch.fired = true;
  else listen(signal, watch.listener);
  if (!watch.fired) watched.set(signal, watch);
  return watch;
}

function fire(signal, watch) {
  watch.fired = true;
  if (watched.get(signal) === watch) watched.delete(signal);
  for (const action of watch.actions) {
    watch.actions.delete(action);
    callUser(action);
  }
}

function stopListening(signal, listener) {
  try {
    signal.removeEventListener('abort', listener);
  } catch (error) {
    // Where the stack is used up nothing of the user's has failed; the listener stays, and does nothing.
    if (!isStackOverflow(error)) throwUncaught(error);
  }
}

module.exports = { onAbort };
