'use strict';

/**
 * One listener for each AbortSignal, however many tasks share it: Node warns of a leak from the eleventh on, and a
 * service does share one signal among all the tasks of a request.
 */

/** signal -> what to call when it aborts, and the listener that does so. */
const watched = new WeakMap();

/**
 * Calls `action` once `signal` aborts. Actions run in the order they were added.
 *
 * @param {AbortSignal} signal not aborted yet
 * @param {() => void} action must not throw
 * @returns {() => void} takes the action back
 */
function onAbort(signal, action) {
  let watch = watched.get(signal);
  if (watch === undefined) {
    const actions = new Set();
    const listener = () => {
      watched.delete(signal);
      for (const run of actions) run();
    };
    watch = { actions, listener };
    watched.set(signal, watch);
    signal.addEventListener('abort', listener, { once: true });
  }
  const { actions, listener } = watch;
  actions.add(action);
  return () => {
    actions.delete(action);
    if (actions.size > 0 || watched.get(signal) !== watch) return;
    watched.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

module.exports = { onAbort };
