'use strict';

/**
 * The binding, which is what the addon exports, loaded once.
 *
 * Once for the whole process, also when there are copies of this package in several folders: an addon knows only its
 * own waits, ports and owners of locks. So the first copy puts the name of the addon that it has loaded into the environment
 * data of its thread, which every Worker inherits; copies of the same version load that addon too.
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

/** Under this name the runner of a pool's worker (script-pool/runner.js) hangs on the binding: every copy of the package finds the one. */
const RUNNER = Symbol.for('rust-workers.script-runner');

/** `file`: the name of the addon, so that the workers of a pool need not look for it (script-pool/compiled.js). */
module.exports = { RUNNER, binding, file };
