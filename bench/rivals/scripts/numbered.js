'use strict';

/** Plain worker_threads by hand: each message is answered under its number. */

const { parentPort } = require('node:worker_threads');

const body = require('./body');

parentPort.on('message', ({ id, name, input, move }) => {
  const output = body[name](input);
  parentPort.postMessage({ id, output }, move ? [output.buffer] : undefined);
});
