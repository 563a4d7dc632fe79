const { parentPort } = require('rust-workers');

parentPort.postMessage('nested too deep for the stack of the main thread follows');

let nested = {};
for (let depth = 0; depth < 100_000; depth++) nested = { nested };
parentPort.postMessage(nested);

setTimeout(() => {
  throw new TypeError('thrown in the worker');
}, 100);
