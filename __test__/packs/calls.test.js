'use strict';

// Native tasks that call functions: of the script of their pool, and of the thread that has submitted them.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { after, before, describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { CALLEES } = require('../../lib/task/task-context');
const { compile, noCompiler } = require('../support/packs');
const { script, using } = require('../support/pools');
const { thread } = require('../support/thread');
const { inTime, until } = require('../support/until');

const SCRIPT = script('called.js');
const [OK, FAILED, REFUSED] = [0, 2, 7];

describe('a native task calls a function', { skip: noCompiler }, () => {
  let pool;
  let library;
  before(() => {
    library = compile('calls');
    pool = withPack({ maxThreads: 2 });
  });
  after(() => pool.close());

  /** How many of `hangs` have begun, and were told to stop. */
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const withPack = (options) => new WorkerPool(SCRIPT, { workerData: cells, ...options }).use(library);
  const ask = (name, value, options, on = pool) => inTime(on.run('ask', [name, value], options), name);

  test('of the script: what it returns, at once or later', async () => {
    assert.deepEqual(await ask('addOne', 41), [OK, 42]);
    assert.deepEqual(await ask('later', { a: [1, 'text', null, undefined, 2n] }), [OK, { a: [1, 'text', null, undefined, 2n] }]);
    assert.deepEqual(await ask('identity', undefined), [OK, undefined]);
    assert.equal(await inTime(pool.run('ask_often', 500), 'often'), 500);
  });

  test('what it throws, whole as far as Rust can have it', async () => {
    const [outcome, error] = await ask('throws', 'too far');
    assert.equal(outcome, FAILED);
    assert.deepEqual([error.name, error.message, error.code], ['RangeError', 'too far', 'E_MINE']);
    const [, odd] = await ask('throwsFunction');
    assert.deepEqual([odd.name, odd.message, odd.code], ['TypeError', 'with a function', 'E_ODD']);
    assert.deepEqual(await ask('rejectsText'), [FAILED, 'a text']);
  });

  test('a worker that dies throws into the task', async () => {
    const [outcome, error] = await ask('dies');
    assert.deepEqual([outcome, error.code], [FAILED, 'ERR_RW_WORKER_EXITED']);
    assert.deepEqual(await ask('addOne', 1), [OK, 2]);
  });

  test('refusals: no such function, no script, a result that Rust cannot have, a part of parallel_for', async () => {
    const [outcome, error] = await ask('addTwo', 1);
    assert.deepEqual([outcome, error.code], [REFUSED, 'ERR_RW_UNKNOWN_TASK']);
    const [other, odd] = await ask('notForRust');
    assert.deepEqual([other, odd.code], [REFUSED, 'ERR_RW_UNSUPPORTED_VALUE']);
    await inTime(pool.run('ask_in_parts', 1), 'parts');
    for (const make of [() => new WorkerPool({ maxThreads: 1 }), () => WorkerPool.open('calls', { maxThreads: 1 })]) {
      await using(make().use(library), async (own) => {
        const [none, why] = await ask('addOne', 1, undefined, own);
        assert.deepEqual([none, why.code], [REFUSED, 'ERR_RW_UNKNOWN_TASK']);
        assert.match(why.message, /'ask' calls 'addOne', and this pool has no script.*new WorkerPool\(script/);
      });
    }
  });

  test('of the calling thread, in the async context of the call; others are the script’s', async () => {
    const store = new AsyncLocalStorage();
    const callees = {
      double: async (n) => [n * 2, store.getStore()],
      throws: () => {
        throw new RangeError('here');
      },
    };
    const run = (name, value) => store.run('here', () => ask(name, value, { [CALLEES]: callees }));
    assert.deepEqual(await run('double', 4), [OK, [8, 'here']]);
    const [outcome, error] = await run('throws', 1);
    assert.deepEqual([outcome, error.name, error.message], [FAILED, 'RangeError', 'here']);
    assert.deepEqual(await run('addOne', 1), [OK, 2]);
    // While this thread is blocked for another task it waits; for its own it is refused.
    const waiting = run('double', 5);
    assert.equal(pool.runSync('native:fibonacci', 20), 6765);
    assert.deepEqual(await waiting, [OK, [10, 'here']]);
    const [none, why] = pool.runSync('ask', ['double', 1], { [CALLEES]: callees });
    assert.deepEqual([none, why.code], [REFUSED, 'ERR_RW_DEADLOCK']);
    await using(new WorkerPool({ maxThreads: 1 }).use(library), async (own) => {
      assert.deepEqual(await ask('double', 3, { [CALLEES]: callees }, own), [OK, [6, undefined]]);
      const [, unknown] = await ask('triple', 3, { [CALLEES]: callees }, own);
      assert.match(unknown.message, /has given it double, throws/);
    });
  });

  test('its signal aborts when the task waits no more', async () => {
    const stop = new AbortController();
    let signal;
    const callees = { hangs: (_, given) => new Promise(() => (signal = given)) };
    const run = pool.run('ask', ['hangs', 1], { signal: stop.signal, [CALLEES]: callees });
    await until(() => signal !== undefined, 'it was called');
    stop.abort();
    await assert.rejects(run, { name: 'AbortError' });
    await until(() => signal.aborted, 'it was told');
  });

  test('the deadline is inherited', async () => {
    assert.deepEqual(await ask('inherited', 0, { deadline: 60_000, priority: 3 }), [OK, true]);
    assert.deepEqual(await ask('inherited', 0), [OK, false]);
  });

  test('a signal, a timeout, a deadline end the wait at once, and the function with it', async () => {
    for (const end of ['signal', 'timeout', 'runTimeout', 'deadline']) {
      cells.fill(0);
      const stop = new AbortController();
      const limit = end === 'signal' ? { signal: stop.signal } : { [end]: 100 };
      const run = pool.run('ask', ['hangs', 0], limit);
      await until(() => Atomics.load(cells, 0) === 1, `${end}: it was called`);
      if (end === 'signal') stop.abort();
      await assert.rejects(inTime(run, end));
      await until(() => Atomics.load(cells, 1) === 1 && pool.stats().running === 0, `${end}: both have stopped`);
    }
    await assert.rejects(inTime(pool.run('ask_stubbornly', ['hangs', 0], { timeout: 50 }), 'it ends'));
  });

  test('runSync: functions of workers are run while this thread is blocked', () => {
    assert.deepEqual(pool.runSync('ask', ['later', 5]), [OK, 5]);
    assert.equal(pool.runSync('ask_often', 20), 20);
    assert.throws(() => pool.runSync('ask', ['hangs', 0], { timeout: 30 }), { code: 'ERR_RW_TASK_TIMEOUT' });
  });

  test('map, many inputs under one task', async () => {
    const inputs = Array.from({ length: 200 }, (_, n) => ['addOne', n]);
    assert.deepEqual(await inTime(pool.map('ask', inputs), 'map'), inputs.map(([, n]) => [OK, n + 1]));
  });

  test('10,000 calls in flight', async () => {
    const all = await inTime(Promise.all(Array.from({ length: 10_000 }, (_, n) => pool.run('ask', ['addOne', n]))), 'all of them');
    assert.ok(all.every(([outcome, value], n) => outcome === OK && value === n + 1));
    assert.ok(pool.stats().threads <= 258);
  });

  test('no deadlock: one thread, one worker, functions that run native tasks which call', async () => {
    await using(withPack({ maxThreads: 1 }), async (own) => {
      assert.deepEqual(await ask('nests', 40, undefined, own), [OK, 40]);
      const all = await inTime(Promise.all(Array.from({ length: 200 }, () => own.run('ask', ['runsNative', 20]))), 'runsNative');
      assert.ok(all.every(([outcome, value]) => outcome === OK && value === 6765));
      assert.equal(own.stats().maxThreads, 1);
    });
  });

  test('what could never answer is refused: a blocked worker, a key', async () => {
    await using(withPack({ maxThreads: 1 }), async (own) => {
      const [outcome, error] = await ask('blocks', 1, undefined, own);
      assert.equal(outcome, FAILED);
      assert.match(error.message, /would wait for ever for a worker/);
      const [keyed, why] = await inTime(own.run('ask', ['runsKeyed', 'k'], { key: 'k' }), 'keyed');
      assert.equal(keyed, REFUSED);
      assert.equal(why.code, 'ERR_RW_DEADLOCK');
      assert.deepEqual(await ask('addOne', 1, undefined, own), [OK, 2]);
    });
  });

  test('more tasks call than threads may stand in for each other, and all want a native task: none hangs', async () => {
    await using(withPack({ maxThreads: 1, concurrentTasksPerWorker: 64 }), async (own) => {
      const all = await inTime(Promise.all(Array.from({ length: 600 }, (_, n) => own.run(n % 2 ? 'ask' : 'ask_too', ['nests', 2]))), 'all end');
      for (const [outcome, value] of all) assert.ok(outcome === OK ? value === 2 : /DEADLOCK|wait for ever/.test(`${value.code} ${value}`), `${value}`);
    });
  });

  test('a pool that closes lets the function run, also where no worker is left; destroy ends the wait', async () => {
    for (const warm of [false, true]) {
      const own = withPack({ maxThreads: 1 });
      if (warm) await ask('addOne', 1, undefined, own);
      let created = own.workers.length;
      own.on('workerCreate', () => created++);
      const run = own.run('ask_often', 20);
      await inTime(own.close(), 'it closes');
      assert.equal(await run, 20);
      // One that has not loaded the script by then is not waited for.
      assert.ok(created <= (warm ? 1 : 3), `${created} workers were started for 20 calls`);
    }
    const own = withPack({ maxThreads: 1 });
    cells.fill(0);
    const run = own.run('ask', ['hangs', 0]);
    await until(() => Atomics.load(cells, 0) === 1, 'it was called');
    const [outcome] = await Promise.allSettled([run, inTime(own.destroy(), 'it ends')]);
    assert.equal(outcome.reason.code, 'ERR_RW_POOL_CLOSED');
  });

  test('of a pool whose order is repeated', async () => {
    await using(withPack({ maxThreads: 2, deterministic: 7 }), async (own) => {
      assert.deepEqual(await inTime(Promise.all([1, 2, 3].map((n) => own.run('ask', ['addOne', n]))), 'all'), [[OK, 2], [OK, 3], [OK, 4]]);
    });
  });

  test('a thread that ends while its tasks wait', async () => {
    for (let round = 0; round < 4; round++) {
      const own = thread(`
        const pool = new WorkerPool(data.script, { maxThreads: 2, workerData: data.cells }).use(data.library);
        for (let n = 0; n < 8; n++) pool.run('ask', ['hangs', 0]).catch(() => {});
        for (let n = 0; n < 8; n++) pool.run('ask_often', 1e9).catch(() => {});
        tell('begun');
      `, { script: SCRIPT, library, cells });
      await own.heard();
      await new Promise((resolve) => setTimeout(resolve, round * 20));
      await inTime(own.worker.terminate(), 'it ends');
    }
    assert.deepEqual(await ask('addOne', 1), [OK, 2]);
  });
});
