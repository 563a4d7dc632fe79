'use strict';

/** The other end: counts bursts, posts them, or answers each message. */

const ours = require('../../..');
const { listen, prepare } = require('./bursts');
const cases = require('./cases');

/** Until this thread is terminated. */
function serveInPlace(port) {
  for (;;) {
    port.postMessage(port.receiveSync());
  }
}

// The parent port of rust-workers is Node's, looked through for ports of ours.
ours.parentPort.once('message', ({ ports }) => {
  const counters = ports.map(listen);
  let post;
  ours.parentPort.on('message', async ({ what, which, index }) => {
    const port = ports[which];
    const answer = (text) => ours.parentPort.postMessage(text);
    switch (what) {
      case 'count': {
        const all = counters[which](cases[index].count);
        answer('ready');
        await all;
        answer('got');
        break;
      }
      case 'prepare':
        post = prepare(cases[index]);
        answer('ready');
        break;
      case 'post':
        post(port);
        break;
      case 'serve':
        port.removeAllListeners('message');
        port.on('message', (value) => port.postMessage(value));
        answer('ready');
        break;
      case 'serve in place':
        port.removeAllListeners('message');
        answer('ready');
        serveInPlace(port);
        break;
    }
  });
});
