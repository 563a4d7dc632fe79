'use strict';

// Reports of native tasks. src/pool/reports.rs has the tests of a task that floods.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { after, describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { onEachNode } = require('../support/child');
const { script, using } = require('../support/pools');
const { thread } = require('../support/thread');
const { inTime, turns, until } = require('../support/until');

const pool = new WorkerPool({ maxThreads: 2 });
after(() => pool.destroy());

/** Up to here there are 5 reports. */
const LIMIT = 50_000_000;
const COUNT = 3_001_134;
const LONG = 10_000_000_000;

const isAscending = (all) => all.every(({ upTo, found }, i) => i === 0 || (upTo > all[i - 1].upTo && found > all[i - 1].found));

async function seen(options, input = LIMIT) {
  const all = [];
  const answer = await inTime(pool.run('primes', input, { onProgress: (value) => all.push(value), ...options }), 'primes');
  return { all, answer };
}

describe('reports of a native task', () => {
  test('each comes, in order, before the answer', async () => {
    const { all, answer } = await seen();
    assert.equal(answer, COUNT);
    assert.equal(all.length, 5);
    assert.ok(isAscending(all));
    assert.deepEqual(all.at(-1), { upTo: LIMIT, found: COUNT });
    const { all: ofList } = await seen({}, { limit: LIMIT, list: true });
    assert.deepEqual(ofList, all);
    assert.deepEqual(await seen({}, 1000), { all: [], answer: 168 });
  });

  test('they come while it runs', async () => {
    const stop = new AbortController();
    let reports = 0;
    const run = pool.run('primes', LONG, { signal: stop.signal, onProgress: () => reports++ });
    await until(() => reports > 2, 'reports');
    assert.equal(pool.stats().running, 1);
    stop.abort();
    await assert.rejects(run, { name: 'AbortError' });
  });

  test("progress: 'latest': the last one comes, before the answer, once in a turn at the most", async () => {
    const { all, answer } = await seen({ progress: 'latest' });
    assert.equal(answer, COUNT);
    assert.ok(all.length >= 1 && all.length <= 5 && isAscending(all));
    assert.deepEqual(all.at(-1), { upTo: LIMIT, found: COUNT });
    await assert.rejects(pool.run('primes', 1, { progress: 'last' }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /'all' or 'latest'/ });
    await assert.rejects(pool.run('primes', 1, { onProgress: 1 }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  });

  test('nothing comes once the task was aborted, or its time was up', async () => {
    for (const end of ['signal', 'timeout', 'runTimeout', 'deadline']) {
      const stop = new AbortController();
      let reports = 0;
      let ended = false;
      const onProgress = () => {
        assert.equal(ended, false, end);
        reports++;
        if (end === 'signal' && reports === 2) stop.abort();
      };
      const limit = end === 'signal' ? { signal: stop.signal } : { [end]: 60 };
      await assert.rejects(inTime(pool.run('primes', LONG, { onProgress, ...limit }), end));
      ended = true;
      await until(() => pool.stats().running === 0, 'the task has stopped');
      await turns(5);
      if (end === 'signal') assert.equal(reports, 2);
    }
  });

  test('in the async context of the call, with a key, with other options', async () => {
    const store = new AsyncLocalStorage();
    const contexts = new Set();
    const onProgress = () => contexts.add(store.getStore());
    await store.run('here', () => pool.run('primes', LIMIT, { onProgress, key: 'k', priority: 1, timeout: 60_000 }));
    assert.deepEqual([...contexts], ['here']);
  });

  test('of a map, a stream, a scope, a task of several callers', async () => {
    const all = [];
    const onProgress = ({ upTo }) => all.push(upTo);
    assert.deepEqual(await pool.map('primes', [LIMIT, 20_000_000], { onProgress }), [COUNT, 1_270_607]);
    assert.equal(all.filter((upTo) => upTo === LIMIT).length, 1);
    assert.equal(all.length, 7);
    all.length = 0;
    for await (const count of pool.stream('primes', [LIMIT], { onProgress })) assert.equal(count, COUNT);
    assert.equal(all.length, 5);
    all.length = 0;
    await pool.scope({}, (scope) => scope.run('primes', LIMIT, { onProgress }));
    assert.equal(all.length, 5);
    all.length = 0;
    await Promise.all([1, 2].map(() => pool.run('primes', LIMIT, { dedupe: 'one', onProgress })));
    assert.equal(all.length, 10);
    for (const call of ['forEach', 'reduce']) {
      const given = call === 'reduce' ? ['primes', [1], 0, { onProgress }] : ['primes', [1], { onProgress }];
      await assert.rejects(async () => pool[call](...given), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /onProgress/ }, call);
    }
  });

  test('in a pool with a script, by either name, and where the name waits for the script', async () => {
    await using(new WorkerPool(script('flow.js'), 1), async (own) => {
      for (const name of ['primes', 'native:primes', 'primes']) {
        const all = [];
        assert.equal(await own.run(name, LIMIT, { onProgress: (value) => all.push(value) }), COUNT);
        assert.equal(all.length, 5, name);
      }
    });
  });

  test('a pool that closes lets the task report; destroy ends it', async () => {
    const own = new WorkerPool({ maxThreads: 1 });
    let reports = 0;
    const run = own.run('primes', LIMIT, { onProgress: () => reports++ });
    await inTime(own.close(), 'it closes');
    assert.equal(await run, COUNT);
    assert.equal(reports, 5);
    const other = new WorkerPool({ maxThreads: 1 });
    const long = other.run('primes', LONG, { onProgress: () => reports++ });
    await until(() => reports > 6, 'a report');
    const [outcome] = await Promise.allSettled([long, inTime(other.destroy(), 'it ends')]);
    assert.equal(outcome.reason.code, 'ERR_RW_POOL_CLOSED');
  });

  test('of a pool that others have open too', async () => {
    await using(WorkerPool.open('reports', { maxThreads: 1 }), async (own) => {
      const all = [];
      assert.equal(await own.run('primes', LIMIT, { onProgress: (value) => all.push(value) }), COUNT);
      assert.equal(all.length, 5);
    });
  });

  test('this thread is blocked meanwhile: they come afterwards, before the answer', async () => {
    const all = [];
    const run = pool.run('primes', LIMIT, { onProgress: (value) => all.push(value) }).then((count) => all.push(count));
    assert.equal(pool.runSync('primes', 1e8), 5_761_455);
    assert.equal(all.length, 0);
    await run;
    assert.equal(all.length, 6);
    assert.equal(all.at(-1), COUNT);
  });

  test('a thread that ends in the middle takes nothing else along', async () => {
    for (let round = 0; round < 5; round++) {
      const own = thread(`
        const pool = new WorkerPool({ maxThreads: 2 });
        const onProgress = () => tell('reported');
        for (let n = 0; n < 4; n++) pool.run('primes', data, { onProgress }).catch(() => {});
      `, LONG);
      await own.heard();
      await inTime(own.worker.terminate(), 'it ends');
    }
    assert.equal((await seen()).answer, COUNT);
  });
});

onEachNode('onProgress of a native task throws', (run) => {
  test('each error is uncaught by itself, and everything else arrives', async () => {
    const { code, stdout, stderr } = await run(async ({ load }) => {
      const { WorkerPool } = load();
      const uncaught = [];
      process.on('uncaughtException', (error) => uncaught.push(error.message));
      const pool = new WorkerPool({ maxThreads: 2 });
      const onProgress = ({ upTo }) => {
        throw new Error(`at ${upTo > 45_000_000}`);
      };
      const all = await Promise.all([pool.run('primes', 50_000_000, { onProgress }), pool.run('echo', 1)]);
      await pool.close();
      console.log(JSON.stringify({ all, uncaught }));
    });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const { all, uncaught } = JSON.parse(stdout);
    assert.deepEqual(all, [3_001_134, 1]);
    assert.deepEqual(uncaught, ['at false', 'at false', 'at false', 'at false', 'at true']);
  });
});
