const { parentPort } = require('rust-workers');

parentPort.on('message', ({ buffer }) => {
  const view = new Uint8Array(buffer);
  console.log('Worker received:', view[0]); // 42
  
  // Transfer back
  parentPort.postMessage({ buffer }, [buffer]);
});
