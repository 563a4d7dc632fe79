const { Worker } = require('rust-workers');

function fibonacci(n) {
  return new Promise((resolve, reject) => {
    const worker = new Worker('./fib-worker.js', {
      workerData: { n }
    });
    
    worker.on('message', resolve);
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code !== 0) {
        reject(new Error(`Worker stopped with exit code ${code}`));
      }
    });
  });
}

// Calculate multiple fibonacci numbers in parallel
async function main() {
  const results = await Promise.all([
    fibonacci(40),
    fibonacci(41),
    fibonacci(42),
    fibonacci(43)
  ]);
  
  console.log('Results:', results);
}

main();
