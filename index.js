'use strict';

/**
 * The CommonJS entry point: loads lib/main.js; from lib/bundle, few files with all our modules, where these are as they were
 * when the bundle was made of them (lib/install/bundle.js).
 */

/** @returns {{ load(id: string): object } | undefined} */
function findBundle() {
  try {
    const bundle = require('./lib/bundle');
    return bundle.isFresh() ? bundle : undefined;
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

module.exports = findBundle()?.load('main') ?? require('./lib/main');
