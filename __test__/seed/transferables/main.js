const { Worker } = require('rust-workers');

// ArrayBuffer can be transferred (not copied)
const buffer = new ArrayBuffer(1024);
const view = new Uint8Array(buffer);
view[0] = 42;

const worker = new Worker('./transfer-worker.js');

// Transfer ownership to worker (zero-copy)
worker.postMessage({ buffer }, [buffer]);

// buffer is now unusable in main thread
console.log(buffer.byteLength); // 0 (detached)
