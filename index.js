'use strict';

/**
 * The CommonJS entry point: loads lib/main.js; from lib/bundle, few files with all our modules, where these are as they were
 * when the bundle was made of them (lib/install/bundle.js).
 */

// Bundlers put a program into one file, where modules have no names. First: what follows requires modules of Node's.
if (module.filename === undefined) {
  require('./lib/native/bundled').refuseToBeBundled(typeof __dirname === 'string' ? __dirname : undefined);
}

const path = require('node:path');

/** @returns {{ load(id: string): object } | undefined} */
function findBundle() {
  if (module.filename === undefined) return undefined;
  try {
    // Not a literal, by which bundlers would take all modules a second time.
    const bundle = require(path.join(module.filename, '../lib/bundle'));
    return bundle.isFresh() ? bundle : undefined;
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

module.exports = findBundle()?.load('main') ?? require('./lib/main');
