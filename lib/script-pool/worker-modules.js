'use strict';

/**
 * The modules of a pool's worker, named from lib without `.js`: what it loads at once; then what its first task makes it load
 * if that task is given more than a number.
 */
const WORKER_MODULES = [
  'transferable-types', 'script-pool/start', 'script-pool/load-script', 'script-pool/runner',
  'task/values', 'script-pool/arriving-inputs', 'script-pool/message-tasks',
];

module.exports = { WORKER_MODULES };
