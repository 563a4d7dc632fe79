const { Worker } = require('rust-workers');

const sharedBuffer = new SharedArrayBuffer(4);
const sharedArray = new Int32Array(sharedBuffer);

const worker = new Worker('./atomic-worker.js', {
  workerData: { sharedBuffer }
});

// Atomic operations prevent race conditions
Atomics.store(sharedArray, 0, 0);

for (let i = 0; i < 1000; i++) {
  Atomics.add(sharedArray, 0, 1);
}

worker.on('exit', () => {
  console.log('Final value:', Atomics.load(sharedArray, 0));
  // Correctly counts to 2000 (1000 main + 1000 worker)
});
