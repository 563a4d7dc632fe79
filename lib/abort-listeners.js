'use strict';

/**
 * One listener for each AbortSignal, however many tasks it may stop: a listener a task would cost more, and Node warns
 * of a leak at the eleventh.
 */

/** signal -> `{ listen, all }`: its listener, and what to call when it aborts. */
const watched = new WeakMap();

/**
 * @param {AbortSignal} signal not aborted
 * @param {() => void} onAbort called once at the most
 */
function addAbortListener(signal, onAbort) {
  let watch = watched.get(signal);
  if (watch === undefined) {
    const all = new Set();
    watch = { all, listen: () => all.forEach((call) => call()) };
    watched.set(signal, watch);
    signal.addEventListener('abort', watch.listen, { once: true });
  }
  watch.all.add(onAbort);
}

/** Takes back what `addAbortListener` did; the last one takes the signal's listener with it. */
function removeAbortListener(signal, onAbort) {
  const watch = watched.get(signal);
  if (watch === undefined || !watch.all.delete(onAbort) || watch.all.size > 0) return;
  watched.delete(signal);
  signal.removeEventListener('abort', watch.listen);
}

module.exports = { addAbortListener, removeAbortListener };
