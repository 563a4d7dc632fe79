'use strict';

/**
 * One listener for each AbortSignal, however many tasks share it: Node warns of a leak from the eleventh on, and a
 * service does share one signal among all the tasks of a request.
 */

/** signal -> what to call when it aborts, and the listener that does so. */
const watched = new WeakMap();

/**
 * Calls `action` once `signal` aborts: at once, if it has aborted. Actions run in the order they were added.
 *
 * @param {AbortSignal} signal Node's, a page's, or whatever has the shape of one: its methods may run any code
 * @param {() => void} action must not throw
 * @returns {() => void} takes the action back
 * @throws what the signal's own methods throw; then nothing is watched
 */
function onAbort(signal, action) {
  let watch = watched.get(signal);
  if (watch === undefined) {
    const actions = new Set();
    const listener = () => {
      watched.delete(signal);
      for (const run of actions) run();
      actions.clear();
    };
    watch = { actions, listener };
    // First, for a signal that calls its listener at once.
    actions.add(action);
    signal.addEventListener('abort', listener, { once: true });
    watched.set(signal, watch);
  }
  const { actions, listener } = watch;
  actions.add(action);
  // In a getter of the options, say: after it was asked for the last time, and before it was listened to.
  if (signal.aborted) listener();
  return () => {
    actions.delete(action);
    if (actions.size > 0 || watched.get(signal) !== watch) return;
    watched.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

/** Why a signal was aborted, also when asking that throws. */
function reasonOf(signal) {
  try {
    return signal.reason;
  } catch (error) {
    return error;
  }
}

module.exports = { onAbort, reasonOf };
