'use strict';

// A task that is bound to an idle worker, and may run for ever, does not keep the next one from a worker of its own.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { Gate, script, using } = require('../support/pools');
const { inTime, turns } = require('../support/until');

const SCRIPT = script('mapping.js');

/** What comes after the task that is held. */
const NEXT = {
  run: (pool, input) => pool.run('same', input),
  'run with options': (pool, input) => pool.run('same', input, { priority: -1 }),
  map: async (pool, input) => (await pool.map('same', [input]))[0],
  forEach: async (pool, input) => (await pool.forEach('same', [input])) && input,
  runSync: (pool, input) => pool.runSync('same', input, { timeout: 20_000 }),
};

for (const [name, next] of Object.entries(NEXT)) {
  test(`${name}, after a task that is bound to the worker that is idle`, async () => {
    for (let round = 0; round < 8; round++) {
      await using(new WorkerPool(SCRIPT, { maxThreads: 3 }), async (pool) => {
        await pool.run('same', 1);
        // So that the worker is idle in each of its ways: at work still, waiting in place, in its event loop.
        await turns(round * round);
        const gate = new Gate();
        const held = pool.run('held', gate.cells);
        assert.equal(await inTime(Promise.resolve(next(pool, round)), 'the next one'), round);
        gate.open();
        await held;
        assert.ok(pool.workers.length <= 3);
      });
    }
  });
}

test('no worker is started where one is idle, or where as many run at a time', async () => {
  await using(new WorkerPool(SCRIPT, { maxThreads: 1, concurrentTasksPerWorker: 4 }), async (pool) => {
    const gate = new Gate();
    const held = [pool.run('held', gate.cells), pool.run('held', gate.cells)];
    assert.equal(await inTime(pool.run('same', 5), 'the next one'), 5);
    gate.open();
    await Promise.all(held);
    assert.equal(pool.workers.length, 1);
  });
});
