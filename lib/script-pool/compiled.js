'use strict';

/** The modules of a script pool's worker, compiled once for the whole process. */

const path = require('node:path');

const { file: addon } = require('../native');
const { compileModules } = require('../runtime/compiled-modules');

const LIB = path.join(__dirname, '..');
/** What a worker loads at once, and what its first task with a value that is no plain number makes it load. */
const ENTRIES = ['script-pool/start.js', 'script-pool/load-script.js', 'script-pool/runner.js', 'values.js'];

let compiled;

/**
 * @returns {ReturnType<typeof compileModules>} for a message to a worker; null: workers load what they need by themselves
 */
function compiledModules() {
  if (compiled === undefined) compiled = compileModules(LIB, ENTRIES, path.join('native', 'index.js'), addon);
  return compiled;
}

module.exports = { compiledModules };
