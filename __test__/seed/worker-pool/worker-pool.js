const { Worker } = require('rust-workers');
const os = require('os');

class WorkerPool {
  constructor(workerScript, poolSize = os.cpus().length) {
    this.workerScript = workerScript;
    this.poolSize = poolSize;
    this.workers = [];
    this.freeWorkers = [];
    this.queue = [];
    
    for (let i = 0; i < poolSize; i++) {
      this.addWorker();
    }
  }
  
  addWorker() {
    const worker = new Worker(this.workerScript);
    
    worker.on('message', (result) => {
      worker.currentTask.resolve(result);
      worker.currentTask = null;
      this.freeWorkers.push(worker);
      this.runNext();
    });
    
    worker.on('error', (err) => {
      if (worker.currentTask) {
        worker.currentTask.reject(err);
        worker.currentTask = null;
      }
    });
    
    this.workers.push(worker);
    this.freeWorkers.push(worker);
  }
  
  runTask(data) {
    return new Promise((resolve, reject) => {
      const task = { data, resolve, reject };
      
      const worker = this.freeWorkers.pop();
      if (worker) {
        this.runTaskOnWorker(worker, task);
      } else {
        this.queue.push(task);
      }
    });
  }
  
  runTaskOnWorker(worker, task) {
    worker.currentTask = task;
    worker.postMessage(task.data);
  }
  
  runNext() {
    if (this.queue.length === 0) return;
    
    const worker = this.freeWorkers.pop();
    if (worker) {
      const task = this.queue.shift();
      this.runTaskOnWorker(worker, task);
    }
  }
  
  close() {
    for (const worker of this.workers) {
      worker.terminate();
    }
  }
}

// Usage
const pool = new WorkerPool('./task-worker.js', 4);

async function main() {
  const tasks = Array.from({ length: 100 }, (_, i) => i);
  
  const results = await Promise.all(
    tasks.map(n => pool.runTask({ number: n }))
  );
  
  console.log('All tasks completed');
  pool.close();
}

main();
