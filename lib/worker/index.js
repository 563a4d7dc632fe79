'use strict';

/**
 * Everything that the running Node has in `worker_threads`, under the same names, with our own in the place of some.
 * Names that a newer Node adds are there by themselves; for ESM, lib/index.mjs says the same with `export *`.
 */

const workerThreads = require('node:worker_threads');

const { getEnvironmentData, setEnvironmentData } = require('./environment-data');
const { parentPort, receiveMessageOnPort, workerData } = require('./parent-port');
const { Worker } = require('./worker');

/** Ours, by name. */
const replacements = {
  Worker,
  getEnvironmentData,
  parentPort,
  receiveMessageOnPort,
  setEnvironmentData,
  workerData,
};

// Descriptors, so that a name which Node makes a getter one day is not read before somebody asks for it.
const superset = Object.defineProperties({}, Object.getOwnPropertyDescriptors(workerThreads));

module.exports = Object.assign(superset, replacements);
