'use strict';

const { parentPort } = require('node:worker_threads');

require('../../..');

parentPort.postMessage(process.memoryUsage().heapUsed);
