const { parentPort } = require('rust-workers');

parentPort.on('message', ({ port }) => {
  port.on('message', (msg) => {
    console.log('Worker received via channel:', msg);
    port.postMessage('Response via channel!');
  });
});
