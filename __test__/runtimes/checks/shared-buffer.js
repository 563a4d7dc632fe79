'use strict';

const { Thread, assert, rw } = require('../support');

const { SharedBuffer, WorkerPool, rustAtomics } = rw;

module.exports = {
  area: 'SharedBuffer',
  checks: {
    'operations and views': async () => {
      const shared = new SharedBuffer(64);
      assert.equal(shared.add(0, 5), 0);
      assert.equal(shared.compareExchange(0, 5, 9), 5);
      assert.equal(shared.as('float64').store(1, 1.5), 1.5);
      assert.equal(shared.as('bigInt64').load(1) === 0n, false);
      const cells = new Int32Array(new SharedArrayBuffer(8));
      assert.equal(rustAtomics.add(cells, 1, 3), 0);
      assert.equal(Atomics.load(cells, 1), 3);
    },
    'tasks in place, in parallel': async () => {
      const pool = new WorkerPool();
      const shared = new SharedBuffer(800_000);
      const numbers = shared.as('float64');
      for (let i = 0; i < 100_000; i++) numbers.store(i, 100_000 - i);
      assert.equal(await pool.run('sort', numbers, { parallel: true }), numbers);
      assert.deepEqual([numbers.load(0), numbers.load(99_999)], [1, 100_000]);
      assert.equal(await pool.run('sum', numbers), 5_000_050_000);
      await pool.close();
    },
    'a thread waits, this one notifies': async () => {
      const shared = new SharedBuffer(8);
      const thread = new Thread();
      const waited = thread.run((_, there) => {
        there.store(1, 1);
        there.notify(1);
        return there.wait(0, 0, 10_000);
      }, [shared]);
      await shared.waitAsync(1, 0);
      while (shared.notify(0) === 0) await new Promise(setImmediate);
      assert.equal(await waited, 'ok');
      await thread.end();
    },
    'waitAsync and a time limit': async () => {
      const shared = new SharedBuffer(8);
      assert.equal(await shared.waitAsync(0, 1), 'not-equal');
      assert.equal(await shared.waitAsync(0, 0, 10), 'timed-out');
      assert.equal(shared.wait(0, 0, 5), 'timed-out');
      const waiting = shared.waitAsync(0, 0);
      assert.equal(shared.notify(0), 1);
      assert.equal(await waiting, 'ok');
    },
    'native tasks wait and notify': async () => {
      const pool = new WorkerPool({ maxThreads: 2 });
      const shared = new SharedBuffer(8);
      const waiting = shared.waitAsync(0, 0);
      await pool.run('atomicNotify', { buffer: shared, index: 0 });
      assert.equal(await waiting, 'ok');
      const task = pool.run('atomicWait', { buffer: shared, index: 1, value: 0, timeout: 10_000 });
      while (shared.notify(1) === 0) await new Promise(setImmediate);
      assert.equal(await task, 'ok');
      await pool.close();
    },
    'atomicNotify wakes a plain Atomics.wait': async () => {
      const pool = new WorkerPool({ maxThreads: 1 });
      const cells = new Int32Array(new SharedArrayBuffer(8));
      const thread = new Thread();
      const waited = thread.run((_, there) => Atomics.wait(there, 0, 0, 10_000), [cells]);
      let woken = 0;
      while (woken === 0) woken = await pool.run('atomicNotify', { buffer: cells, index: 0 });
      assert.equal(await waited, 'ok');
      await thread.end();
      await pool.close();
    },
    'a thread that waits can be terminated': async () => {
      const shared = new SharedBuffer(8);
      const thread = new Thread();
      thread.start((_, there) => {
        there.store(1, 1);
        there.notify(1);
        there.wait(0, 0);
      }, [shared]);
      await shared.waitAsync(1, 0);
      await thread.end();
    },
  },
};
