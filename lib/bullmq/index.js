'use strict';

/** `rust-workers/bullmq`: jobs of BullMQ, run on a pool of this process. */

if (module.filename === undefined) {
  require('../native/bundled').refuseToBeBundled(typeof __dirname === 'string' ? `${__dirname}/../..` : undefined);
}

const { poolProcessor } = require('./pool-jobs');
const { PoolWorker } = require('./pool-worker');

module.exports = { PoolWorker, poolProcessor };
