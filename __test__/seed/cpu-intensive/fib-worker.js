const { parentPort, workerData } = require('rust-workers');

function fib(n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

const result = fib(workerData.n);
parentPort.postMessage(result);
