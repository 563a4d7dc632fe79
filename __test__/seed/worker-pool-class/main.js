const { WorkerPool } = require('rust-workers');

const pool = new WorkerPool('./task-worker.js', 4);

async function main() {
  const tasks = Array.from({ length: 100 }, (_, i) => i);

  const results = await Promise.all(tasks.map((n) => pool.runTask({ number: n })));

  console.log('All tasks completed');
  console.log(JSON.stringify(results));
  pool.close();
}

main();
