const { parentPort } = require('worker_threads');

parentPort.on('message', (data) => {
  parentPort.postMessage({ number: data.number, square: data.number * data.number });
});
