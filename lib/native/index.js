'use strict';

/**
 * The native addon, loaded once.
 *
 * Once for the whole process, also when there are copies of this package in several folders: waits, ports and owners of
 * locks are known to the one image of the addon only. So the first copy puts the name of the file that it has loaded into
 * the environment data of its thread, which every Worker inherits; copies of the same version load that file too.
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

const sharedFile = getEnvironmentData?.(KEY);
const binding = loadBinding({ load, sharedFile });
if (sharedFile === undefined) setEnvironmentData?.(KEY, file);

/** `file`: the addon's file, so that the workers of a pool need not look for it (script-pool/compiled.js). */
module.exports = { binding, file };
