'use strict';

/** The modules of a script pool's worker, compiled once for the whole process. */

const path = require('node:path');

const { file: addon } = require('../native');
const { compileModules } = require('../runtime/compiled-modules');
const { WORKER_LEAF, WORKER_MODULES } = require('./worker-modules');

const LIB = path.join(__dirname, '..');
let compiled;

/**
 * @returns {ReturnType<typeof compileModules>} for a message to a worker; null: workers load what they need by themselves
 */
function compiledModules() {
  if (compiled === undefined) {
    compiled = compileModules({ root: LIB, entries: WORKER_MODULES, native: WORKER_LEAF, addon, bundle: require.bundle });
  }
  return compiled;
}

module.exports = { compiledModules };
