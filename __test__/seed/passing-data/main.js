const { Worker } = require('rust-workers');

const worker = new Worker('./worker.js', {
  workerData: {
    value: 42,
    name: 'Test',
    array: [1, 2, 3]
  }
});

worker.on('message', console.log);
