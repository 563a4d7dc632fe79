'use strict';

/**
 * Everything that the running Node has in `worker_threads`, under the same names, with our own in the place of some.
 * Names that a newer Node adds are there by themselves; for ESM, lib/index.mjs says the same with `export *`.
 */

const workerThreads = require('../runtime/worker-threads');

/** How to load ours, by name. */
const replacements = {
  Worker: () => require('./worker').Worker,
  getEnvironmentData: () => require('./environment-data').getEnvironmentData,
  parentPort: () => require('./parent-port').parentPort,
  receiveMessageOnPort: () => require('./parent-port').receiveMessageOnPort,
  setEnvironmentData: () => require('./environment-data').setEnvironmentData,
  workerData: () => require('./parent-port').workerData,
};

/**
 * For each copy of the exports a new one: a program may have removed the modules of the exports from Node's registry, and
 * not this one. Descriptors, so that a name which Node makes a getter one day is not read before somebody asks for it.
 */
const makeSuperset = () => Object.defineProperties({}, Object.getOwnPropertyDescriptors(workerThreads));

if ('markAsUncloneable' in workerThreads) {
  replacements.markAsUncloneable = () => require('../runtime/clone-marks').markAsUncloneable;
}

module.exports = { makeSuperset, replacements };
