'use strict';

const { parentPort } = require('node:worker_threads');

parentPort.addEventListener('message', ({ data }) => {
  setTimeout(() => parentPort.postMessage([data, data]), 1);
});
