const { parentPort, workerData } = require('rust-workers');
const sharp = require('sharp');

sharp(workerData.imagePath)
  .resize(800, 600)
  .toBuffer()
  .then(buffer => {
    parentPort.postMessage({
      success: true,
      size: buffer.length,
      path: workerData.imagePath
    });
  })
  .catch(err => {
    parentPort.postMessage({
      success: false,
      error: err.message,
      path: workerData.imagePath
    });
  });
