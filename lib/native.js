'use strict';

/** The native addon, loaded once. */

const { loadBinding } = require('./binding');

let file;

function load(target) {
  const loaded = require(target);
  file = require.resolve(target);
  return loaded;
}

const binding = loadBinding({ load });

/** `file` is where it was found, so that the workers of a pool need not look for it (script-pool/compiled.js). */
module.exports = { binding, file };
