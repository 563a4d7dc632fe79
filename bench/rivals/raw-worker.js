'use strict';

/** Plain worker_threads: a message in, a message back. */

const { parentPort } = require('node:worker_threads');

const work = require('./work');

parentPort.on('message', ({ id, task, input }) => {
  parentPort.postMessage({ id, output: task === undefined ? undefined : work[task](input) });
});
