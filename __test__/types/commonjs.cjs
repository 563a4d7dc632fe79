// @ts-check
/** A program in JavaScript whose editor reads index.d.ts. Nothing here runs. */

const { errors, WorkerPool } = require('rust-workers');

async function main() {
  const pool = new WorkerPool({ maxThreads: 2 });
  const digest = await pool.run('sha256', 'text');
  digest.subarray(0, 4);
  // @ts-expect-error: no such method of a Buffer
  digest.subarrays(0, 4);
  // @ts-expect-error: an option that is misspelled
  new WorkerPool({ maxThread: 2 });
  try {
    await new WorkerPool('./script.js').run('render', { page: 1 });
  } catch (error) {
    if (error instanceof errors.QueueFullError) console.log(error.input);
  }
}

module.exports = main;
