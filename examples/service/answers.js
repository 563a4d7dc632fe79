'use strict';

/** Which answer a task's error gets. */

/** There is no client to see it; it stands in the log, as with nginx. */
const CLIENT_CLOSED_REQUEST = 499;

const STATUS = {
  __proto__: null,
  ERR_RW_QUEUE_FULL: 503,
  ERR_RW_POOL_CLOSED: 503,
  ERR_RW_TASK_TIMEOUT: 504,
  ERR_RW_TASK_CANCELLED: CLIENT_CLOSED_REQUEST,
};

/** @returns {number | undefined} undefined for an error that is not one of a pool's tasks */
const statusOf = (error) => STATUS[error?.code];

/**
 * Seconds after which the tasks that wait now will have been done: as many as there are, at the pace of the tasks so far.
 *
 * @param {import('rust-workers').WorkerPool} pool
 */
function retryAfter(pool) {
  const { queueSize, completed, runTime, threads, workers = 0 } = pool.stats();
  const perTask = completed === 0 ? 0 : runTime / completed;
  return Math.max(1, Math.ceil((queueSize * perTask) / Math.max(1, threads, workers) / 1000));
}

module.exports = { retryAfter, statusOf };
