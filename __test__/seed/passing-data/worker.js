const { parentPort, workerData } = require('rust-workers');

console.log('Worker data:', workerData);
// { value: 42, name: 'Test', array: [1, 2, 3] }

parentPort.postMessage({
  result: workerData.value * 2
});
