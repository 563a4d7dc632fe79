'use strict';

// What waits is rejected, and what runs goes on: cancelQueued(), and close({ cancelQueued: true }).

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { busyPool, holdWorker, script, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');

const isCancelled = { name: 'AbortError', code: 'ERR_RW_TASK_CANCELLED' };
const isClosed = { code: 'ERR_RW_POOL_CLOSED', message: /before/ };

/** The outcomes of promises: values, or codes. */
const outcomesOf = (runs) => Promise.all(runs.map((run) => run.then((value) => value, (error) => error.code)));

/** A native pool, and one with a script, each of which runs one task until `free()`. */
const KINDS = {
  async native() {
    const { pool, blocker, free } = await busyPool();
    const running = blocker.catch((error) => error.code);
    return { pool, running, ran: 'ERR_RW_TASK_CANCELLED', free, submit: (n, options) => pool.run('echo', n, options) };
  },
  async script() {
    const pool = new WorkerPool(script('functions.js'), { maxThreads: 1 });
    const { task: running, open } = await holdWorker(pool);
    return { pool, running, ran: undefined, free: open, submit: (n, options) => pool.runTask(n, options) };
  },
  async 'script, inputs that Node carries'() {
    const pool = new WorkerPool(script('functions.js'), { maxThreads: 1 });
    const { task: running, open } = await holdWorker(pool);
    return { pool, running, ran: undefined, free: open, submit: (n, options) => pool.runTask(new Blob([`${n}`]), options) };
  },
};

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: cancelQueued() rejects what waits, and the pool goes on`, async () => {
    const { pool, running, ran, free, submit } = await make();
    await using(pool, async () => {
      const runs = Array.from({ length: 50 }, (_, n) => submit(n, n % 2 ? { priority: n } : undefined));
      const rejected = outcomesOf(runs);
      assert.equal(pool.queueSize, 50);
      assert.equal(pool.cancelQueued(), 50);
      assert.equal(pool.queueSize, 0);
      assert.equal(pool.cancelQueued(), 0);
      assert.deepEqual(new Set(await rejected), new Set(['ERR_RW_TASK_CANCELLED']));
      const after = submit(1);
      free();
      assert.equal(await running, ran);
      await after;
    });
    const { submitted, completed, failed, cancelled } = pool.stats();
    assert.equal(submitted, completed + failed + cancelled);
    assert.equal(failed, 0);
  });

  test(`${kind}: close({ cancelQueued: true })`, async () => {
    const { pool, running, ran, free, submit } = await make();
    const rejected = outcomesOf(Array.from({ length: 50 }, (_, n) => submit(n)));
    const closed = pool.close({ cancelQueued: true });
    assert.deepEqual(new Set(await rejected), new Set(['ERR_RW_POOL_CLOSED']));
    await assert.rejects(submit(1), errors.PoolClosedError);
    free();
    await inTime(closed, 'the pool closes');
    assert.equal(await running, ran);
    assert.equal(pool.stats().submitted, 51);
  });

  test(`${kind}: close(), and then close({ cancelQueued: true })`, async () => {
    const { pool, running, ran, free, submit } = await make();
    const rejected = outcomesOf([submit(1), submit(2)]);
    const closed = pool.close();
    assert.equal(pool.close({ cancelQueued: true }), closed);
    assert.deepEqual(await rejected, ['ERR_RW_POOL_CLOSED', 'ERR_RW_POOL_CLOSED']);
    free();
    await inTime(closed, 'the pool closes');
    assert.equal(await running, ran);
    await pool.close({ cancelQueued: true });
    assert.equal(pool.cancelQueued(), 0);
  });

  test(`${kind}: the error says which it was`, async () => {
    const { pool, free, submit } = await make();
    const waiting = submit(1);
    const rejected = assert.rejects(waiting, isCancelled);
    pool.cancelQueued();
    await rejected;
    const closing = submit(2);
    const isDropped = assert.rejects(closing, isClosed);
    const closed = pool.close({ cancelQueued: true });
    await isDropped;
    free();
    await closed;
  });
}

test('a map of which inputs wait is rejected', async () => {
  for (const make of [() => busyPool(), async () => {
    const pool = new WorkerPool(script('functions.js'), { maxThreads: 1 });
    const { open } = await holdWorker(pool);
    return { pool, free: open };
  }]) {
    const { pool, free } = await make();
    const isNative = pool.stats().workers === 0;
    const inputs = Array.from({ length: 20 }, (_, n) => n);
    const times = inputs.map(() => ({ time: 1 }));
    async function* slow() {
      yield* isNative ? inputs : times;
    }
    const maps = isNative
      ? [pool.map('echo', inputs), pool.map('echo', slow())]
      : [pool.map('spin', times), pool.map('spin', slow())];
    const outcomes = outcomesOf(maps);
    await turns(5);
    // Of a script's map not every input is in the queue yet: those to come go on to be submitted, but the map has failed by then.
    pool.cancelQueued();
    free();
    assert.deepEqual(await outcomes, ['ERR_RW_TASK_CANCELLED', 'ERR_RW_TASK_CANCELLED']);
    await pool.close();
  }
});

test('close({ cancelQueued: true }) ends maps and streams of which not every input was read', async () => {
  for (const kind of [undefined, script('functions.js')]) {
    const pool = kind === undefined ? new WorkerPool({ maxThreads: 1 }) : new WorkerPool(kind, { maxThreads: 1 });
    const [task, input] = kind === undefined ? ['sleep', 5] : ['spin', { time: 5 }];
    let returned = 0;
    async function* endless() {
      try {
        for (;;) yield input;
      } finally {
        returned++;
      }
    }
    const map = pool.map(task, endless());
    const outcome = assert.rejects(map, { code: 'ERR_RW_POOL_CLOSED' });
    await until(() => pool.stats().completed > 1, 'it is under way');
    await inTime(pool.close({ cancelQueued: true }), 'the pool closes');
    await outcome;
    await until(() => returned === 1, 'the source is closed');
  }
});

test('a task that waits until the exports are known is rejected too', async () => {
  for (const [act, code] of [['cancelQueued', 'ERR_RW_TASK_CANCELLED'], ['close', 'ERR_RW_POOL_CLOSED']]) {
    const pool = new WorkerPool(script('functions.js'), { maxThreads: 1 });
    const outcomes = outcomesOf([pool.run('sort', new Uint8Array([2, 1])), pool.map('sort', [new Uint8Array([2, 1])])]);
    if (act === 'close') await inTime(pool.close({ cancelQueued: true }), 'the pool closes');
    else assert.equal(pool.cancelQueued(), 2);
    assert.deepEqual(await outcomes, [code, code]);
    await pool.destroy();
  }
});

test('inputs of a map that wait for room in the queue', async () => {
  for (const act of ['cancelQueued', 'close']) {
    const { pool, free } = await busyPool({ maxQueue: 1 });
    const filler = pool.run('echo', 1);
    async function* source() {
      yield* [1, 2, 3];
    }
    const outcomes = outcomesOf([filler, pool.map('echo', source())]);
    await turns(5);
    const closed = act === 'close' ? pool.close({ cancelQueued: true }) : pool.cancelQueued();
    const code = act === 'close' ? 'ERR_RW_POOL_CLOSED' : 'ERR_RW_TASK_CANCELLED';
    assert.deepEqual(await outcomes, [code, code]);
    free();
    await closed;
    await pool.close();
  }
});

test('cancelQueued() in the middle of everything: signals, time limits, random rounds', async () => {
  let seed = 7;
  const below = (n) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n;
  for (let round = 0; round < 60; round++) {
    const isScript = round % 3 === 0;
    const pool = isScript ? new WorkerPool(script('functions.js'), { maxThreads: 2 }) : new WorkerPool({ maxThreads: 2 });
    const stop = new AbortController();
    let settled = 0;
    const runs = Array.from({ length: 40 }, (_, n) => {
      const options = [undefined, { signal: stop.signal }, { timeout: 1 + below(20) }, { priority: n }][below(4)];
      const run = isScript && below(2) ? pool.runTask(n, options) : pool.run('native:sleep', below(4), options);
      return run.catch(() => {}).then(() => settled++);
    });
    await turns(below(6));
    if (below(3) === 0) stop.abort();
    pool.cancelQueued();
    if (below(3) === 0) stop.abort();
    await inTime(below(2) ? pool.close({ cancelQueued: true }) : pool.close(), 'the pool closes');
    await Promise.all(runs);
    assert.equal(settled, 40);
    const { submitted, completed, failed, cancelled, queueSize, running } = pool.stats();
    assert.equal(submitted, completed + failed + cancelled);
    assert.deepEqual([queueSize, running], [0, 0]);
  }
});

test('close() refuses what is no boolean, and unknown names', async () => {
  const pool = new WorkerPool();
  await assert.rejects(pool.close({ cancelQueued: 1 }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  await assert.rejects(pool.close({ cancelqueued: true }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /did you mean 'cancelQueued'/ });
  await pool.close();
});
