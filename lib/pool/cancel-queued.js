'use strict';

/** `pool.cancelQueued()`, and `pool.close({ cancelQueued: true })`: what waits is rejected, and what runs goes on. */

const { PoolClosedError, TaskCancelledError } = require('../errors');
const { binding } = require('../native');

/**
 * @param {object} parts of the pool: `native`, `admission`, and `maps`, those under way
 * @param {boolean} closes whether the pool closes by that: then maps and streams of which not every input was submitted end too
 * @returns {number} how many tasks were rejected; a map counts as one
 */
function cancelQueued({ native, admission, maps }, closes) {
  const errorOf = closes
    ? () => new PoolClosedError('the pool was closed before the task began')
    : () => new TaskCancelledError('the task was cancelled before it began: cancelQueued() was called');
  let count = admission.clearAll(errorOf);
  if (closes) {
    const before = maps.size;
    for (const map of [...maps]) map.dropRest?.(new PoolClosedError('the pool was closed before every input was done'));
    count += before - maps.size;
  }
  return count + binding.cancelWaiting(native.handle, closes);
}

module.exports = { cancelQueued };
