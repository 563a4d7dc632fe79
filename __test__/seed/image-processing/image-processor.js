const { Worker } = require('rust-workers');
const path = require('path');

class ImageProcessor {
  constructor(concurrency = 4) {
    this.workerScript = path.join(__dirname, 'image-worker.js');
    this.concurrency = concurrency;
  }
  
  async processImages(imagePaths) {
    const chunks = this.chunkArray(imagePaths, this.concurrency);
    const results = [];
    
    for (const chunk of chunks) {
      const chunkResults = await Promise.all(
        chunk.map(imagePath => this.processImage(imagePath))
      );
      results.push(...chunkResults);
    }
    
    return results;
  }
  
  processImage(imagePath) {
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.workerScript, {
        workerData: { imagePath }
      });
      
      worker.on('message', resolve);
      worker.on('error', reject);
      worker.on('exit', (code) => {
        if (code !== 0) {
          reject(new Error(`Worker exit code ${code}`));
        }
      });
    });
  }
  
  chunkArray(array, size) {
    const chunks = [];
    for (let i = 0; i < array.length; i += size) {
      chunks.push(array.slice(i, i + size));
    }
    return chunks;
  }
}

// Usage
const processor = new ImageProcessor(4);

const images = [
  'image1.jpg',
  'image2.jpg',
  'image3.jpg',
  'image4.jpg'
];

processor.processImages(images)
  .then(results => console.log('All images processed:', results))
  .catch(err => console.error('Error:', err));
