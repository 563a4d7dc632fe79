'use strict';

// A task with the name of a native one waits until it is known what the script exports: it settles, whatever becomes of
// the workers meanwhile, and nobody sees that it waited.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const { test } = require('node:test');
const { MessageChannel } = require('node:worker_threads');

const { SharedBuffer, WorkerPool, errors } = require('rust-workers');
const { script } = require('../support/pools');
const { inTime, until } = require('../support/until');

const functions = script('functions.js');
const ending = (how) => new WorkerPool(script('ends-at-once.js'), { maxThreads: 1, workerData: how }).on('error', () => {});
const closed = { code: 'ERR_RW_POOL_CLOSED' };

for (const [what, [submit, result]] of Object.entries({
  run: [(pool) => pool.run('fibonacci', 10), 55],
  map: [(pool) => pool.map('fibonacci', [10, 11]), [55, 89]],
  'run with a signal': [(pool) => pool.run('fibonacci', 10, { signal: new AbortController().signal }), 55],
})) {
  test(`${what}, then destroy()`, async () => {
    const pool = new WorkerPool(functions);
    const rejected = assert.rejects(inTime(submit(pool), 'the task'), closed);
    await inTime(pool.destroy(), 'the pool closes');
    await rejected;
  });

  test(`${what}, then close(): it is finished`, async () => {
    const pool = new WorkerPool(functions);
    const done = submit(pool);
    await inTime(pool.close(), 'the pool closes');
    assert.deepEqual(await done, result);
  });

  for (const how of ['exit', 'throw']) {
    test(`${what}, with a script that does not load (${how})`, async () => {
      const pool = ending(how);
      // It may be the script's function that was meant.
      await assert.rejects(inTime(submit(pool), 'the task'), { code: 'ERR_RW_SCRIPT_LOAD' });
      assert.equal(await pool.run('native:echo', 1), 1);
      await inTime(pool.close(), 'the pool closes');
    });
  }

  test(`${what}, with a script that never loads, and a time limit for close()`, async () => {
    const pool = ending('spin');
    const rejected = assert.rejects(inTime(submit(pool), 'the task'), closed);
    await inTime(pool.close({ timeout: 50 }), 'the pool closes');
    await rejected;
  });

  test(`${what}, with a worker that is terminated while it starts`, async () => {
    const pool = new WorkerPool(functions, { maxThreads: 1 });
    pool.once('workerCreate', (worker) => worker.terminate());
    assert.deepEqual(await inTime(submit(pool), 'the task'), result);
    await inTime(pool.close(), 'the pool closes');
  });
}

test('a getter of the input that destroys the pool', async () => {
  const pool = new WorkerPool(functions);
  let destroyed;
  const input = { get ms() { destroyed = pool.destroy(); return 1; } };
  await assert.rejects(inTime(pool.run('sleep', input), 'the task'), closed);
  await inTime(destroyed, 'the pool closes');
});

test('what is refused, or shared, is the same object that was given', async () => {
  const pool = new WorkerPool(functions, { maxThreads: 1, maxQueue: 1 });
  const numbers = new SharedBuffer(16).as('float64');
  numbers.store(0, 2);
  numbers.store(1, 1);
  const sorted = pool.run('sort', numbers);
  assert.equal(await sorted, numbers);
  await pool.close();

  const full = new WorkerPool(functions, { maxThreads: 1, maxQueue: 1 });
  const inputs = Array.from({ length: 4 }, (_, n) => ({ data: 'x'.repeat(n) }));
  const stop = new AbortController();
  const busy = full.run('native:sleep', 60_000, { signal: stop.signal });
  const refused = [];
  const runs = inputs.map((input) => full.run('sha256', input).catch((error) => refused.push([error, input])));
  // One of them has the place in the queue.
  await until(() => refused.length === 3, 'the others are refused');
  for (const [reason, input] of refused) {
    assert.ok(reason instanceof errors.QueueFullError);
    assert.equal(reason.input, input);
  }
  stop.abort();
  await assert.rejects(busy, { name: 'AbortError' });
  await Promise.all(runs);
  assert.equal(refused.length, 3);
  await full.close();
});

for (const how of ['timeout', 'signal']) {
  test(`one that is given up (${how}) while the script loads holds nothing: not the pool, nor its port`, async () => {
    const pool = ending('never');
    const stop = new AbortController();
    const { port1, port2 } = new MessageChannel();
    port1.on('message', () => {});
    const isClosed = once(port1, 'close');
    const terms = how === 'signal' ? { signal: stop.signal } : { timeout: 30 };
    const run = pool.run('echo', { port2 }, { transfer: [port2], ...terms });
    stop.abort();
    await assert.rejects(inTime(run, 'the task'), { name: how === 'signal' ? 'AbortError' : 'TimeoutError' });
    await inTime(isClosed, 'its port closes');
    await inTime(pool.close(), 'the pool closes');
  });
}

test('what its options inherit counts, each getter runs once, and onProgress has its async context', async () => {
  const pool = new WorkerPool(script('reports-echo.js'), { maxThreads: 1 });
  // Aborted before it is known what the script exports, and once the native task runs.
  for (const runs of [false, true]) {
    const stop = new AbortController();
    class Inherited {
      get signal() { return stop.signal; }
    }
    const run = pool.run('sleep', 60_000, new Inherited());
    if (runs) await until(() => pool.stats().running === 1, 'it runs');
    stop.abort();
    await assert.rejects(run, { name: 'AbortError' });
  }
  await pool.close();

  const fresh = new WorkerPool(script('reports-echo.js'), { maxThreads: 1 });
  const context = new AsyncLocalStorage();
  const seen = [];
  let reads = 0;
  const options = { get priority() { reads++; return 1; }, onProgress: (n) => seen.push([n, context.getStore()]) };
  assert.equal(await context.run('here', () => fresh.run('echo', 5, options)), 5);
  assert.deepEqual(seen, [[5, 'here']]);
  assert.equal(reads, 1);
  await fresh.close();
});

test('a port that a native task refuses is let go', async () => {
  const pool = new WorkerPool(functions, { maxThreads: 1 });
  const { port1, port2 } = new MessageChannel();
  port1.on('message', () => {});
  const isClosed = once(port1, 'close');
  await assert.rejects(pool.run('noop', { port2 }, { transfer: [port2] }));
  await inTime(isClosed, 'its port closes');
  await pool.close();
});
