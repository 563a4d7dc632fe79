const { Worker, MessageChannel } = require('rust-workers');

const { port1, port2 } = new MessageChannel();

const worker = new Worker('./channel-worker.js');

// Transfer port2 to worker
worker.postMessage({ port: port2 }, [port2]);

// Communicate via port1
port1.on('message', (msg) => {
  console.log('Received via channel:', msg);
});

port1.postMessage('Hello via channel!');
