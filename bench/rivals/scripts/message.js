'use strict';

/** The seed's style of a pool's script: a message in, a message back. */

const { parentPort } = require('node:worker_threads');

const { small } = require('./body');

parentPort.on('message', (input) => parentPort.postMessage(small(input)));
