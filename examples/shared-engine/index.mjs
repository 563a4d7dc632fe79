import { createRequire } from 'node:module';

import { WorkerPool } from 'rust-workers';

const addon = createRequire(import.meta.url)('./shared_engine.node');

const pool = new WorkerPool({ maxThreads: 4 });
console.log(await addon.sumOfSquares(pool.engine, 1_000));

// Work of the addon and tasks of JavaScript wait in one queue, for the same threads.
const all = [1, 10, 100].map((count) => addon.sumOfSquares(pool.engine, count));
console.log(await pool.run('sha256', { data: 'abc', encoding: 'hex' }));
console.log(await Promise.all(all));
console.log(`${pool.stats().completed} tasks on the threads of one pool`);

await pool.close();
await addon.sumOfSquares(pool.engine, 1).catch((error) => console.log(error.message));
