const { Worker } = require('rust-workers');

const worker = new Worker('./worker.js');

worker.on('message', (msg) => {
  console.log('Received from worker:', msg);
});

worker.on('error', (err) => {
  console.error('Worker error:', err);
});

worker.on('exit', (code) => {
  console.log(`Worker exited with code ${code}`);
});

worker.postMessage('Hello Worker!');
