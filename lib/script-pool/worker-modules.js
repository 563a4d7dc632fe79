'use strict';

/**
 * The modules of a pool's worker, named from lib without `.js`: what it loads at once; then what its first task makes it load
 * if that task is given more than a number.
 */
const WORKER_MODULES = [
  'runtime/module-loader', 'transferable-types', 'script-pool/start', 'script-pool/load-script', 'script-pool/runner',
  'task/values', 'script-pool/arriving-inputs', 'script-pool/message-tasks',
];

/** Loads the addon. A worker is told the addon's file, so what finds that file is left out. */
const WORKER_LEAF = 'native/index';

module.exports = { WORKER_LEAF, WORKER_MODULES };
