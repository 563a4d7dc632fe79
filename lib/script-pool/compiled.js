'use strict';

/** The modules of a script pool's worker, compiled once for the whole process. */

const path = require('node:path');

const { file: addon } = require('../native');
const { compileModules } = require('../runtime/compiled-modules');

const LIB = path.join(__dirname, '..');
/** What a worker loads at once; then what its first task makes it load if it is given more than a number. */
const ENTRIES = [
  'transferable-types.js', 'script-pool/start.js', 'script-pool/load-script.js', 'script-pool/runner.js',
  'task/values.js', 'script-pool/arriving-inputs.js', 'script-pool/message-tasks.js',
];

let compiled;

/**
 * @returns {ReturnType<typeof compileModules>} for a message to a worker; null: workers load what they need by themselves
 */
function compiledModules() {
  if (compiled === undefined) compiled = compileModules(LIB, ENTRIES, path.join('native', 'index.js'), addon);
  return compiled;
}

module.exports = { compiledModules };
