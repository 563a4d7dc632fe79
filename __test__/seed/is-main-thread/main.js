const { Worker, isMainThread, parentPort } = require('rust-workers');

if (isMainThread) {
  // Main thread code
  console.log('Running in main thread');
  
  const worker = new Worker(__filename); // Same file!
  
  worker.on('message', (msg) => {
    console.log('From worker:', msg);
  });
  
} else {
  // Worker thread code
  console.log('Running in worker thread');
  
  parentPort.postMessage('Hello from worker');
}
