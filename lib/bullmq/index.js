'use strict';

/** `rust-workers/bullmq`: jobs of BullMQ, run on a pool of this process. */

const { poolProcessor } = require('./pool-jobs');
const { PoolWorker } = require('./pool-worker');

module.exports = { PoolWorker, poolProcessor };
