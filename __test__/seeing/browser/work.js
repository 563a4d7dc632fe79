'use strict';

// A pool at work for .ci/seeing: functions of a script that sleep for as long as they are told, and native tasks beside them.

const { WorkerPool } = require('../../..');

const LEAST = 5;

/** Starts the pool, and keeps it busy until `stop()`. */
async function atWork() {
  const pool = new WorkerPool(require.resolve('./script.js'), { maxThreads: 3, name: 'images' });
  await pool.ready;
  let stops = false;
  const work = (async () => {
    for (let n = 0; !stops; ) {
      const burst = 6 + Math.floor(10 * (1 + Math.sin(performance.now() / 1_500)));
      const runs = [];
      for (let i = 0; i < burst; i++, n++) {
        const name = ['resize', 'resize', 'thumbnail', 'render', 'parse'][n % 5];
        runs.push(pool.run(name, LEAST + ((n * 7_919) % 60)).catch(() => {}));
      }
      for (let i = 0; i < 12; i++) runs.push(pool.run('native:sha256', 'x'.repeat(400_000)).catch(() => {}));
      runs.push(pool.run('native:fibonacci', 29).catch(() => {}));
      await Promise.race([Promise.all(runs), new Promise((resolve) => setTimeout(resolve, 250))]);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  })();
  const stop = async () => {
    stops = true;
    await work;
  };
  return { pool, stop };
}

module.exports = { atWork };
