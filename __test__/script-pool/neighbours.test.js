'use strict';

// With several tasks at a time on one worker: an abort costs no other task.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');

const { WorkerPool } = require('rust-workers');
const { Gate, script: scriptPath } = require('../support/pools');
const { until } = require('../support/until');

const odd = scriptPath('odd.js');

for (const stuck of ['spin', 'never']) {
  for (const how of ['signal', 'timeout']) {
    test(`a task that does not stop (${stuck}, ${how}) is ended alone`, async () => {
      const pool = new WorkerPool(odd, { maxThreads: 2, concurrentTasksPerWorker: 4, killTimeout: 20 });
      await pool.runTask(0);
      for (let round = 0; round < 4; round++) {
        const stop = new AbortController();
        const early = Array.from({ length: 5 }, (_, i) => pool.run('wait', 60 + i));
        const doomed = pool.run(stuck, 0, how === 'signal' ? { signal: stop.signal } : { timeout: 40 });
        const late = Array.from({ length: 5 }, (_, i) => pool.run('wait', 70 + i));
        const rejected = assert.rejects(doomed, { name: how === 'signal' ? 'AbortError' : 'TimeoutError' });
        if (how === 'signal') {
          // While the others are at their waits, some of them beside it.
          await after(40);
          stop.abort();
        }
        await rejected;
        assert.deepEqual(await Promise.all([...early, ...late]), [60, 61, 62, 63, 64, 70, 71, 72, 73, 74]);
      }
      await pool.close();
      const { submitted, completed, cancelled, failed } = pool.stats();
      assert.deepEqual({ submitted, completed, cancelled, failed }, { submitted: 45, completed: 41, cancelled: 4, failed: 0 });
    });
  }
}

test('tasks that may be stopped go on one after the other beside the others, on one worker too', async () => {
  const pool = new WorkerPool(odd, { maxThreads: 1, concurrentTasksPerWorker: 4 });
  await pool.runTask(0);
  const runs = Array.from({ length: 30 }, (_, i) => pool.run('wait', i % 3, i % 2 ? { timeout: 10_000 } : undefined));
  assert.deepEqual(await Promise.all(runs), Array.from({ length: 30 }, (_, i) => i % 3));
  await pool.close();
});

test('with killTimeout Infinity nothing is ever ended, so they share a worker', async () => {
  const pool = new WorkerPool(odd, { maxThreads: 1, concurrentTasksPerWorker: 8, killTimeout: Infinity });
  await pool.runTask(0);
  const gate = new Gate();
  const runs = Array.from({ length: 8 }, () => pool.run('held', gate.cells, { timeout: 100_000 }));
  await until(() => gate.begun === 8, 'all are held together');
  gate.open();
  await Promise.all(runs);
  await pool.close();
});

test('a task begins in an async context that no other has entered, where Node gives each message its own', async () => {
  const { AsyncLocalStorage } = require('node:async_hooks');
  if ('enabled' in new AsyncLocalStorage()) return;
  const script = `data:text/javascript,${encodeURIComponent(`
    import { AsyncLocalStorage } from 'node:async_hooks';
    const storage = new AsyncLocalStorage();
    const enter = (input) => { const before = storage.getStore(); storage.enterWith(input); return before; };
    export const now = enter;
    export const later = async (input) => { const before = enter(input); await 1; return storage.getStore() === input ? before : 'lost'; };`)}`;
  for (const options of [1, { maxThreads: 1, concurrentTasksPerWorker: 4 }]) {
    const pool = new WorkerPool(script, options);
    const runs = Array.from({ length: 100 }, (_, i) => pool.run(i % 3 === 0 ? 'later' : 'now', i + 1));
    assert.deepEqual((await Promise.all(runs)).filter((before) => before !== undefined), []);
    await pool.close();
  }
});
