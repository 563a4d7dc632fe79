'use strict';

// 'drain' in a pool without maxQueue: no task waits any more, after more were under way than the pool can run at once.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { busyPool, holdWorker, script, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');

const KINDS = {
  native: { make: (options) => new WorkerPool(options), task: (pool) => pool.run('echo', 1) },
  script: { make: (options) => new WorkerPool(script('functions.js'), options), task: (pool) => pool.runTask(1) },
};

for (const [kind, { make, task }] of Object.entries(KINDS)) {
  test(`${kind}: a burst is followed by one 'drain', however quickly it goes`, () =>
    using(make({ maxThreads: 2 }), async (pool) => {
      let drained = 0;
      pool.on('drain', () => drained++);
      for (let burst = 1; burst <= 20; burst++) {
        await Promise.all(Array.from({ length: 50 }, () => task(pool)));
        await until(() => drained >= burst, "'drain'");
        assert.equal(drained, burst);
      }
    }));

  test(`${kind}: tasks that never wait cause none`, () =>
    using(make({ maxThreads: 2 }), async (pool) => {
      let drained = 0;
      await task(pool);
      pool.on('drain', () => drained++);
      for (let i = 0; i < 50; i++) await task(pool);
      await turns(3);
      assert.equal(drained, 0);
    }));

  test(`${kind}: needsDrain says whether tasks wait, and then 'drain' follows for who listens from now on`, async () => {
    const held = kind === 'native' ? await busyPool() : { pool: make({ maxThreads: 1 }) };
    const { pool } = held;
    await using(pool, async () => {
      const free = kind === 'native' ? held.free : (await holdWorker(pool)).open;
      assert.equal(pool.needsDrain, false);
      const waiting = [task(pool), task(pool)];
      assert.equal(pool.needsDrain, true);
      const drained = once(pool, 'drain');
      free();
      await inTime(drained, "'drain'");
      assert.equal(pool.needsDrain, false);
      await Promise.all(waiting);
    });
  });

  test(`${kind}: cancelQueued() empties the queue, and so does a signal`, async () => {
    for (const how of ['cancelQueued', 'signal']) {
      const held = kind === 'native' ? await busyPool() : { pool: make({ maxThreads: 1 }) };
      const { pool } = held;
      const free = kind === 'native' ? held.free : (await holdWorker(pool)).open;
      const stop = new AbortController();
      const run = kind === 'native' ? pool.run('echo', 1, { signal: stop.signal }) : pool.runTask(1, { signal: stop.signal });
      const rejected = assert.rejects(run, { name: 'AbortError' });
      const drained = once(pool, 'drain');
      if (how === 'signal') stop.abort();
      else pool.cancelQueued();
      await rejected;
      await inTime(drained, "'drain'");
      free();
      await pool.close();
    }
  });

  test(`${kind}: a pool that closes tells the last time`, async () => {
    const pool = make({ maxThreads: 1 });
    let drained = 0;
    pool.prependListener('drain', () => drained++);
    const runs = Array.from({ length: 30 }, () => task(pool));
    await pool.close();
    await Promise.all(runs);
    await turns(2);
    assert.equal(drained, 1);
  });
}

test('each way to listen, and a listener that goes', () =>
  using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const burst = () => Promise.all(Array.from({ length: 20 }, () => pool.run('echo', 1)));
    for (const method of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener']) {
      let heard = 0;
      const listener = () => heard++;
      assert.equal(pool[method]('drain', listener), pool);
      await burst();
      await until(() => heard === 1, method);
      pool.off('drain', listener);
      await burst();
      await turns(2);
      assert.equal(heard, 1, method);
    }
  }));

test('a listener that throws costs nothing, and one that submits again is told again', () =>
  using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    let rounds = 0;
    const { promise, resolve } = Promise.withResolvers?.() ?? later();
    pool.on('drain', () => {
      if (++rounds === 10) return resolve();
      for (let i = 0; i < 20; i++) pool.run('echo', i);
    });
    for (let i = 0; i < 20; i++) pool.run('echo', i);
    await inTime(promise, 'ten rounds');
  }));

function later() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

test('with maxQueue it is as before', async () => {
  const { pool, blocker, free } = await busyPool({ maxQueue: 2 });
  let drained = 0;
  pool.on('drain', () => drained++);
  const one = pool.run('echo', 1);
  assert.equal(pool.needsDrain, false);
  const two = pool.run('echo', 2);
  assert.equal(pool.needsDrain, true);
  free();
  await blocker.catch(() => {});
  await Promise.all([one, two]);
  await until(() => drained === 1, "'drain'");
  await pool.close();
});

test('a pool that was forgotten with a listener is closed', async () => {
  const { runNode } = require('../support/child');
  const code = `
    const { WorkerPool } = require(${JSON.stringify(require.resolve('../..'))});
    let closed = 0;
    const registry = new FinalizationRegistry(() => closed++);
    (async () => {
      await (async () => {
        const pool = new WorkerPool({ maxThreads: 1 });
        registry.register(pool);
        pool.on('drain', () => {});
        await Promise.all(Array.from({ length: 20 }, () => pool.run('echo', 1)));
      })();
      for (let i = 0; i < 200 && closed === 0; i++) { await new Promise(setImmediate); gc(); }
      console.log(closed);
    })();
  `;
  const { stdout } = await runNode(['--expose-gc', '-e', code]);
  assert.equal(stdout.trim(), '1');
});
