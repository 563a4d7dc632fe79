'use strict';

/** A bare Worker that says when it is ready. */

const { parentPort } = require('node:worker_threads');

parentPort.on('message', (input) => parentPort.postMessage(input));
