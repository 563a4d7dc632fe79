const { workerData } = require('rust-workers');

const sharedArray = new Int32Array(workerData.sharedBuffer);

console.log('Worker reads:', sharedArray[0]); // 42

// Modify shared memory
sharedArray[0] = 100;
console.log('Worker wrote:', sharedArray[0]);
