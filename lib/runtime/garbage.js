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

const FLAG = 'expose-gc';

/** V8's function; undefined where there is none. */
function findCollector() {
  if (typeof globalThis.gc === 'function') return globalThis.gc;
  const { setFlagsFromString } = require('node:v8');
  const { runInNewContext } = require('node:vm');
  setFlagsFromString(`--${FLAG}`);
  try {
    return runInNewContext("typeof gc === 'function' ? gc : undefined");
  } finally {
    setFlagsFromString(`--no-${FLAG}`);
  }
}

/** @returns {boolean} whether garbage was collected */
function collectGarbage() {
  if (!isNode) return false;
  try {
    const collect = findCollector();
    if (collect === undefined) return false;
    collect();
    return true;
  } catch {
    return false;
  }
}

module.exports = { collectGarbage };
