'use strict';

/**
 * Names of ours in `process.getActiveResourcesInfo()`.
 *
 * Node lists its own handles and requests, each by a name that is compiled in with its class, and timers. The handle by which Rust
 * wakes an event loop is none of those classes, and Node-API has no way to name one, in Node 20 to 26: a task that keeps a process alive
 * shows nowhere. So our names are added to Node's answer.
 *
 * Relies on: `process.getActiveResourcesInfo` (Node 17.3 on, experimental).
 * Without: nothing is added.
 * Test: __test__/active-resources.test.js.
 */

/** On a function that stands in the place of Node's, put there by any copy of the package. */
const COVERS = Symbol.for('rust-workers.active-resources');

/** @param {() => string[]} namesOf the names of what keeps the event loop alive now */
function addActiveResources(namesOf) {
  const { getActiveResourcesInfo: original } = process;
  if (typeof original !== 'function' || original[COVERS] === true) return;
  const { getActiveResourcesInfo } = {
    getActiveResourcesInfo() {
      return [...original.call(process), ...namesOf()];
    },
  };
  Object.defineProperty(getActiveResourcesInfo, COVERS, { value: true });
  Object.defineProperty(process, 'getActiveResourcesInfo', {
    value: getActiveResourcesInfo, writable: true, enumerable: true, configurable: true,
  });
}

module.exports = { addActiveResources };
