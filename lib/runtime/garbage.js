'use strict';

/**
 * Collects all garbage of this thread, so that a WeakRef tells whether its object can still be reached.
 *
 * `v8.queryObjects` would do it too, but warns that it is experimental; the inspector's `HeapProfiler.collectGarbage` does not
 * answer in Workers.
 *
 * Relies on: V8's flag `--expose-gc`, which new contexts look at (in Node 20 to 26). It is taken back at once.
 * Without: nothing is collected, and nothing is known.
 * Test: __test__/runtime/garbage.test.js, __test__/script-pool/unsettled.test.js.
 */

const { isNode } = require('./which');

/** Whether there is a way. */
const canCollect = isNode;

const FLAG = 'expose-gc';

/** How often the flag is set: it is the whole process's, and another thread may take it back too soon. */
const TRIES = 100;

/** V8's function; undefined where there is none. */
function findCollector() {
  if (typeof globalThis.gc === 'function') return globalThis.gc;
  const { setFlagsFromString } = require('node:v8');
  const { runInNewContext } = require('node:vm');
  try {
    for (let i = 0; i < TRIES; i++) {
      setFlagsFromString(`--${FLAG}`);
      const collect = runInNewContext("typeof gc === 'function' ? gc : undefined");
      if (collect !== undefined) return collect;
    }
    return undefined;
  } finally {
    setFlagsFromString(`--no-${FLAG}`);
  }
}

/** @returns {boolean} whether garbage was collected */
function collectGarbage() {
  if (!canCollect) return false;
  try {
    const collect = findCollector();
    if (collect === undefined) return false;
    collect();
    return true;
  } catch {
    return false;
  }
}

module.exports = { canCollect, collectGarbage };
