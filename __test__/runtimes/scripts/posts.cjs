'use strict';

const { parentPort } = require('node:worker_threads');

parentPort.postMessage('outside of a task');
module.exports = (value) => value;
