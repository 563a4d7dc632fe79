const { parentPort } = require('rust-workers');

parentPort.on('message', (msg) => {
  console.log('Received from parent:', msg);
  parentPort.postMessage('Hello Parent!');
});
