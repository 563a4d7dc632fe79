'use strict';

/**
 * The CommonJS entry point: loads lib/main.js; from lib/bundle, few files with all our modules, where these are as they were
 * when the bundle was made of them (lib/install/bundle.js).
 */

/** @returns {{ load(id: string): object } | undefined} */
function findBundle() {
  // A program that is bundled itself has no files but its own, and needs our modules once.
  if (module.filename === undefined) return undefined;
  try {
    // Not a literal: bundlers would look for it.
    const bundle = require(`${__dirname}/lib/bundle`);
    return bundle.isFresh() ? bundle : undefined;
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

module.exports = findBundle()?.load('main') ?? require('./lib/main');
