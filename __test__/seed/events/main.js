const { Worker } = require('rust-workers');

const handleError = (err) => console.log('error:', err.name, err.message);

// More stack than here, so that what the worker can send cannot be read.
const worker = new Worker('./worker.js', { resourceLimits: { stackSizeMb: 64 } });

worker.on('online', () => console.log('online'));
worker.on('error', handleError); // Uncaught errors
worker.on('exit', (code) => console.log('exit:', code)); // Exit code != 0
worker.on('messageerror', (err) => console.log('messageerror:', err instanceof Error)); // Deserialization error
worker.on('message', (msg) => console.log('message:', msg));
