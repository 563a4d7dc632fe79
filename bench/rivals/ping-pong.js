'use strict';

/** The native task `atomicPingPong` in a Worker and over Atomics: answers each odd number by the next. */

const { parentPort, workerData: cells } = require('node:worker_threads');

parentPort.on('message', (rounds) => {
  for (let i = 0; i < rounds; i++) {
    let found;
    while (((found = Atomics.load(cells, 0)) & 1) === 0) Atomics.wait(cells, 0, found);
    Atomics.add(cells, 0, 1);
    Atomics.notify(cells, 0, 1);
  }
});
