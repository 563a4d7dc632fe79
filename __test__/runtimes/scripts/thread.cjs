'use strict';

// A thread that does what messages say: `(rw, port, workerData)` of a function's text.

const rw = require('../../..');

const { parentPort, workerData } = rw;

parentPort.on('message', async ({ text, args }) => {
  try {
    const value = await eval(`(${text})`)(rw, ...args);
    parentPort.postMessage({ value });
  } catch (error) {
    parentPort.postMessage({ failure: `${error.code ?? error.name}: ${error.message}` });
  }
});
if (workerData === 'exit at once') process.exit(0);
