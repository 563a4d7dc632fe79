'use strict';

/** The side of a pool that has workers: those of its script, or those that run functions alone. Loaded for a pool that has any. */

const path = require('node:path');

const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { fallbackPortsOf } = require('../script-pool/fallback-ports');
const { locateScript } = require('../script-pool/script-location');
const { NativeScriptPool } = require('../script-pool/native-script-pool');
const { refuseOwnScript } = require('../script-pool/own-script');
const { scriptSettings } = require('../script-pool/script-options');
const { ScriptSubmitter } = require('../script-pool/script-submitter');
const { WorkerManager } = require('../script-pool/worker-manager');
const { namedLimits } = require('../task/task-limits');
const { WorkerEvents } = require('./worker-events');

const delivery = deliveryOf(binding);

/** The script of a pool that has none, for its functions. */
// Not `path.join`, which fails where a program has put accessors on Array.prototype before this is loaded.
const NO_SCRIPT = [path.dirname(__dirname), 'script-pool', 'no-script.js'].join(path.sep);

class ScriptSide {
  /** The native side, as tasks of the script know it. */
  native;
  /** The manager of the workers. */
  workers;
  /** As `scriptSettings` returns them. */
  settings;

  constructor(native, fallbackPorts, script, settings, events, kept) {
    this.native = native;
    this.settings = settings;
    this.workers = new WorkerManager({ pool: native, delivery, fallbackPorts, script, settings, events, kept });
    kept.add(native, this.workers);
  }

  /** What submits its tasks. */
  submitter(admission) {
    return new ScriptSubmitter(this.native, delivery, admission, this.settings);
  }
}

/**
 * The side of a pool with a script, and the pool's native side with it.
 *
 * @param {import('./worker-pool').WorkerPool} pool
 * @param {string | URL} script
 * @param {object} options of the pool, as they were given
 * @param {object} settings of the pool, as `poolSettings` returns them
 * @param {boolean} fixed whether the pool was made with a number of workers
 * @param {import('./kept').Kept} kept
 * @param {Function} runNested as WorkerEvents takes it
 * @param {Function} runCalled the same
 */
function sideOfScript(pool, script, options, settings, fixed, kept, runNested, runCalled) {
  const ofScript = scriptSettings(options, settings, fixed);
  const url = locateScript(script);
  refuseOwnScript(url);
  const fallbackPorts = fallbackPortsOf(binding, delivery);
  const native = new NativeScriptPool(binding, binding.createPool(settings, namedLimits(settings, true)), fallbackPorts);
  const events = new WorkerEvents(pool, runNested, runCalled);
  native.runCalled = (...given) => events.runCalled(...given);
  return new ScriptSide(native, fallbackPorts, url, ofScript, events, kept);
}

/**
 * The side that a pool without a script has for functions: its workers start with the first of them.
 *
 * @param {import('./worker-pool').WorkerPool} pool
 * @param {import('../task/native-pool').NativePool} ofPool
 * @param {object} settings of the pool
 * @param {import('./kept').Kept} kept
 */
function sideOfFunctions(pool, ofPool, settings, kept) {
  const ofScript = scriptSettings({}, settings, false);
  const fallbackPorts = fallbackPortsOf(binding, delivery);
  // Beside the one of the native tasks, for the same handle.
  const native = new NativeScriptPool(binding, ofPool.handle, fallbackPorts);
  native.holds = ofPool.holds;
  return new ScriptSide(native, fallbackPorts, locateScript(NO_SCRIPT), ofScript, new WorkerEvents(pool), kept);
}

module.exports = { sideOfFunctions, sideOfScript };
