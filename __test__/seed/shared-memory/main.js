const { Worker } = require('rust-workers');

// Create shared memory buffer
const sharedBuffer = new SharedArrayBuffer(1024);
const sharedArray = new Int32Array(sharedBuffer);

const worker = new Worker('./shared-worker.js', {
  workerData: { sharedBuffer }
});

// Write to shared memory
sharedArray[0] = 42;
console.log('Main wrote:', sharedArray[0]);

setTimeout(() => {
  console.log('Main reads:', sharedArray[0]); // Worker modified it
}, 1000);
