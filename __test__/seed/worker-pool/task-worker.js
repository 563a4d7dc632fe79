const { parentPort } = require('rust-workers');

parentPort.on('message', (data) => {
  // Simulate CPU-intensive work
  const result = heavyComputation(data.number);
  parentPort.postMessage(result);
});

function heavyComputation(n) {
  let sum = 0;
  for (let i = 0; i < 1000000; i++) {
    sum += Math.sqrt(i) * n;
  }
  return sum;
}
