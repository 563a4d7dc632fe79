'use strict';

/**
 * The native addon, loaded once.
 *
 * Once for the whole process, also when there are copies of this package in several folders: waits, ports and owners of
 * locks are known to the one image of the addon only. So the first copy says in the environment data of its thread, which
 * every Worker inherits, which file it took; copies of the same version take it too.
 */

const { loadBinding } = require('./load');
const { getEnvironmentData, setEnvironmentData } = require('../runtime/worker-threads');
const { VERSION } = require('./version');

const KEY = `rust-workers.addon.${VERSION}`;

let file;

function load(target) {
  const loaded = require(target);
  file = require.resolve(target);
  return loaded;
}

const first = getEnvironmentData?.(KEY);
const binding = loadBinding({ load, first });
if (first === undefined) setEnvironmentData?.(KEY, file);

/** `file` is where it was found, so that the workers of a pool need not look for it (script-pool/compiled.js). */
module.exports = { binding, file };
