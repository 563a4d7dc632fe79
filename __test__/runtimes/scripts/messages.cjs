'use strict';

const { parentPort } = require('node:worker_threads');

parentPort.on('message', (value) => {
  if (value === 'throw') throw new Error('of the listener');
  parentPort.postMessage({ answer: value });
});
