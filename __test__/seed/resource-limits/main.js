const { Worker } = require('rust-workers');

const worker = new Worker('./limited-worker.js', {
  resourceLimits: {
    maxOldGenerationSizeMb: 100,  // Max heap size
    maxYoungGenerationSizeMb: 10, // Max young generation
    codeRangeSizeMb: 10,          // Max code size
    stackSizeMb: 4                // Max stack size
  }
});

worker.on('error', (err) => {
  if (err.message.includes('memory')) {
    console.error('Worker exceeded memory limit');
  }
});
