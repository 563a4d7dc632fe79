'use strict';

// The options `dedupe`, `cache` and `retries`.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { test } = require('node:test');
const { inspect } = require('node:util');
const vm = require('node:vm');

const { WorkerPool, errors } = require('rust-workers');
const { Gate, busyPool, script, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');

const SCRIPT = script('shared-runs.js');
const cells = () => new Int32Array(new SharedArrayBuffer(12));
const begun = (counted) => Atomics.load(counted, 2);

/** A pool whose one thread, or worker, is held until `open()`; `name` echoes its input. */
async function heldNative() {
  const { pool, free } = await busyPool();
  return { pool, open: free, name: 'echo' };
}

async function heldScript() {
  const pool = new WorkerPool(SCRIPT, 1);
  const gate = new Gate();
  const task = pool.run('held', gate.cells);
  task.catch(() => {});
  await until(() => gate.begun === 1, 'the worker is held');
  return { pool, open: () => gate.open(), name: 'echo' };
}

for (const [what, held] of [['a native task', heldNative], ["a script's function", heldScript]]) {
  test(`dedupe of ${what}: callers share one run and its output, until it has ended`, async () => {
    const { pool, open, name } = await held();
    const before = pool.stats().submitted;
    const first = pool.run(name, { a: 1 }, { dedupe: 'key' });
    const others = [
      // Not read.
      pool.run(name, { get a() { throw new Error('read'); } }, { dedupe: 'key' }),
      pool.run(name, undefined, { dedupe: 'key', timeout: 60_000, signal: new AbortController().signal, priority: 3 }),
    ];
    const different = [pool.run(name, 'other', { dedupe: 'other key' }), pool.run(name, 'alone')];
    assert.equal(pool.stats().submitted - before, 3);
    assert.equal(pool.stats().deduped, 2);
    open();
    const output = await first;
    assert.deepEqual(output, { a: 1 });
    for (const other of others) assert.equal(await other, output);
    assert.deepEqual(await Promise.all(different), ['other', 'alone']);
    assert.deepEqual(await pool.run(name, 'again', { dedupe: 'key' }), 'again');
    await pool.close();
  });

  test(`dedupe of ${what}: a caller leaves alone; the run is cancelled when the last has left`, async () => {
    const { pool, open, name } = await held();
    const stops = [new AbortController(), new AbortController()];
    const reason = new Error('mine');
    const run = (options) => pool.run(name, 'value', { dedupe: 'key', ...options });
    const first = run({ signal: stops[0].signal });
    const second = run({ signal: stops[1].signal });
    const third = run({ timeout: 10 });
    const stays = run();
    stops[0].abort(reason);
    await assert.rejects(first, { name: 'AbortError', cause: reason });
    await assert.rejects(third, { code: 'ERR_RW_TASK_TIMEOUT', message: /took longer than 10 ms/ });
    await assert.rejects(run({ deadline: new Date(Date.now() + 10) }), { code: 'ERR_RW_DEADLINE' });
    await assert.rejects(run({ signal: AbortSignal.abort() }), { name: 'AbortError' });
    const queued = pool.queueSize;
    assert.equal(queued, 1);
    const alone = pool.run(name, 'alone', { dedupe: 'alone', signal: stops[1].signal });
    assert.equal(pool.queueSize, 2);
    stops[1].abort();
    await assert.rejects(second, { name: 'AbortError' });
    await assert.rejects(alone, { name: 'AbortError' });
    await until(() => pool.queueSize === 1, 'the run that nobody waits for has left the queue');
    // It is over: the next caller has a run of its own.
    const next = pool.run(name, 'next', { dedupe: 'alone' });
    open();
    assert.equal(await stays, 'value');
    assert.equal(await next, 'next');
    await pool.close();
    assert.equal(pool.stats().cancelled, what === 'a native task' ? 2 : 1);
  });

  test(`cache of ${what}: an output is kept, and served without a run`, async () => {
    const { pool, open, name } = await held();
    open();
    const first = await pool.run(name, { n: 1 }, { cache: 'key' });
    const before = pool.stats().submitted;
    assert.equal(await pool.run(name, { n: 2 }, { cache: 'key' }), first);
    assert.equal(pool.stats().submitted, before);
    assert.deepEqual([pool.stats().cacheHits, pool.stats().cacheMisses, pool.cache.size], [1, 1, 1]);
    // Callers of a key under way share the run.
    const [one, other] = await Promise.all([1, 2].map((n) => pool.run(name, { n }, { cache: 'second' })));
    assert.equal(one, other);
    assert.ok(pool.cache.has('key') && pool.cache.has('key', name) && !pool.cache.has('key', 'another'));
    assert.equal(pool.cache.delete('key', 'another'), false);
    assert.equal(pool.cache.delete('key'), true);
    assert.equal(pool.cache.delete('key'), false);
    assert.deepEqual(await pool.run(name, { n: 3 }, { cache: 'key' }), { n: 3 });
    pool.cache.clear();
    assert.equal(pool.cache.size, 0);
    // Whatever it is.
    for (const value of [undefined, null, 0, '']) {
      await pool.run(name, value, { cache: `of ${value}` });
      assert.equal(await pool.run(name, 'new', { cache: `of ${value}` }), value);
    }
    await pool.close();
    await assert.rejects(pool.run(name, 1, { cache: 'of null' }), { code: 'ERR_RW_POOL_CLOSED' });
  });

  test(`cache of ${what}: nothing is kept of a run that was under way when its key was deleted`, async () => {
    for (const forget of [(cache, name) => cache.delete('key', name), (cache) => cache.delete('key'), (cache) => cache.clear()]) {
      const { pool, open, name } = await held();
      const old = pool.run(name, 'old', { cache: 'key' });
      const untouched = pool.run(name, 'only shared', { dedupe: 'shared' });
      forget(pool.cache, name);
      const fresh = pool.run(name, 'fresh', { cache: 'key' });
      const joins = pool.run(name, 'not read', { dedupe: 'shared' });
      open();
      assert.deepEqual(await Promise.all([old, fresh, untouched, joins]), ['old', 'fresh', 'only shared', 'only shared']);
      assert.equal(await pool.run(name, 'not run', { cache: 'key' }), 'fresh');
      await pool.close();
    }
  });

  test(`dedupe and cache of ${what}: options are checked`, async () => {
    const { pool, open, name } = await held();
    open();
    for (const option of ['dedupe', 'cache']) {
      for (const value of [1, null, Symbol('x'), {}]) {
        await assert.rejects(pool.run(name, 1, { [option]: value }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      }
      await assert.rejects(pool.run(name, 1, { [option]: 'x', timeout: -1 }), { code: 'ERR_RW_OUT_OF_RANGE' });
      await assert.rejects(pool.run('nobody', 1, { [option]: 'x' }), { code: 'ERR_RW_UNKNOWN_TASK' });
      await assert.rejects(pool.run(undefined, 1, { [option]: 'x' }), { code: 'ERR_RW_UNKNOWN_TASK' });
      await assert.rejects(pool.run(name, 1, { [option]: 'x', prioritty: 1 }), { message: /did you mean 'priority'\?/ });
      await assert.rejects(pool.map(name, [1], { [option]: 'x' }), { message: new RegExp(`unknown option '${option}'; it is an option of single tasks`) });
    }
    await assert.rejects(pool.run(name, 1, { dedup: 'x' }), { message: /did you mean 'dedupe'\?/ });
    const broken = new Error('of a getter');
    await assert.rejects(pool.run(name, 1, { get dedupe() { throw broken; } }), (error) => error === broken);
    // Whether names are asked for or read is not said; it is answered in any case.
    const odd = await pool.run(name, 1, new Proxy({}, { has() { throw broken; } })).catch((error) => error);
    assert.ok(odd === 1 || odd === broken);
    await assert.rejects(pool.run(name, 1, new Proxy({ dedupe: 'x' }, { get() { throw broken; } })), (error) => error === broken);
    let reads = 0;
    assert.equal(await pool.run(name, 1, { get dedupe() { reads++; return 'x'; } }), 1);
    assert.equal(reads, 1);
    class Options { get dedupe() { return 'of a class'; } get priority() { return 2; } }
    assert.equal(await pool.run(name, 1, new Options()), 1);
    await pool.close();
  });

  test(`dedupe of ${what}: a getter of the input runs the same key`, async () => {
    const { pool, open, name } = await held();
    let inner;
    const outer = pool.run(name, { get a() { inner = pool.run(name, 'never read', { dedupe: 'key' }); return 1; } }, { dedupe: 'key' });
    open();
    assert.deepEqual(await outer, { a: 1 });
    assert.equal(await inner, await outer);
    await pool.close();
  });

  test(`dedupe of ${what}: each caller goes on in its own async context`, async () => {
    const { pool, open, name } = await held();
    const storage = new AsyncLocalStorage();
    const seen = [1, 2, 3].map((n) =>
      storage.run(n, async () => {
        await pool.run(name, 'x', { dedupe: 'key' });
        return storage.getStore();
      }));
    open();
    assert.deepEqual(await Promise.all(seen), [1, 2, 3]);
    await pool.close();
  });

  test(`dedupe and cache of ${what}: the pool is closed, or destroyed, meanwhile`, async () => {
    for (const end of ['close', 'destroy']) {
      const { pool, open, name } = await held();
      const callers = [1, 2].map(() => pool.run(name, 'x', { cache: 'key' }));
      const outcomes = Promise.allSettled(callers);
      const ended = pool[end]();
      await assert.rejects(pool.run(name, 'x', { cache: 'key' }), { code: 'ERR_RW_POOL_CLOSED' });
      open();
      await inTime(ended, 'the pool ends');
      for (const outcome of await outcomes) {
        if (end === 'close') assert.equal(outcome.value, 'x');
        else assert.equal(outcome.reason.code, 'ERR_RW_POOL_CLOSED');
      }
      assert.equal(pool.cache.size, end === 'close' ? 1 : 0);
    }
  });
}

test('an error is shared, and not kept', async () => {
  const native = new WorkerPool({ maxThreads: 1 });
  const errorsOf = (promises) => Promise.all(promises.map((promise) => promise.then(assert.fail, (error) => error)));
  const [one, other] = await errorsOf([1, 2].map(() => native.run('panic', 'loud', { cache: 'key' })));
  assert.equal(one, other);
  assert.equal(one.code, 'ERR_RW_TASK_PANICKED');
  assert.notEqual((await errorsOf([native.run('panic', 'loud', { cache: 'key' })]))[0], one);
  await native.close();
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    const counted = cells();
    const [first, second] = await errorsOf([1, 2].map(() => pool.run('fails', counted, { cache: 'key' })));
    assert.equal(first, second);
    assert.ok(first instanceof TypeError);
    assert.equal(first.begun, 1);
    assert.equal((await errorsOf([pool.run('fails', counted, { cache: 'key' })]))[0].begun, 2);
  });
});

test('a full queue refuses the first caller; others that are under way or kept are served', async () => {
  const { pool, free } = await busyPool({ maxQueue: 1 });
  const waits = pool.run('echo', 'waits', { dedupe: 'key' });
  const input = { mine: true };
  await assert.rejects(pool.run('echo', input, { cache: 'other' }), (error) => {
    assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
    assert.equal(error.input, input);
    return true;
  });
  const joins = pool.run('echo', 'x', { dedupe: 'key' });
  free();
  assert.deepEqual(await Promise.all([waits, joins]), ['waits', 'waits']);
  await pool.close();
});

test('a full queue of a script refuses all callers of the run', async () => {
  await using(new WorkerPool(SCRIPT, { maxThreads: 1, maxQueue: 1 }), async (pool) => {
    await pool.run('echo', 1);
    const gate = new Gate();
    const held = [1, 2].map(() => pool.run('held', gate.cells));
    for (const input of [{ a: 1 }, 'text']) {
      await assert.rejects(pool.run('echo', input, { dedupe: 'key', retries: 1 }), (error) => {
        assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
        assert.equal(error.input, input);
        return true;
      });
    }
    gate.open();
    await Promise.all(held);
    assert.equal(await pool.run('echo', 'room', { dedupe: 'key' }), 'room');
  });
});

test('the names of tasks are told apart, also those that are given as an option; runTask', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    const counted = cells();
    const named = await Promise.all([
      pool.run('count', counted, { dedupe: 'key' }),
      pool.runTask(counted, { name: 'count', dedupe: 'key' }),
      pool.run('echo', 'echo', { dedupe: 'key' }),
      pool.run('native:echo', 'native', { dedupe: 'key' }),
    ]);
    assert.deepEqual(named, [{ begun: 1 }, { begun: 1 }, 'echo', 'native']);
  });
});

test('reports go to all who listen, from when they have joined', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    const gate = new Gate();
    const seen = { first: [], late: [] };
    const first = pool.run('reports', gate.cells, { dedupe: 'key', onProgress: (value) => seen.first.push(value) });
    await until(() => gate.begun === 1 && seen.first.length === 3, 'the task has reported');
    const late = pool.run('reports', gate.cells, { dedupe: 'key', onProgress: (value) => seen.late.push(value) });
    gate.open();
    assert.deepEqual(await Promise.all([first, late]), ['reported', 'reported']);
    assert.deepEqual(seen, { first: [0, 1, 2, 'last'], late: ['last'] });
  });
});

test('the cache keeps `max` outputs, the least recently used goes first; and each for `ttl`', async () => {
  for (const pool of [new WorkerPool({ cache: { max: 2 } }), new WorkerPool(SCRIPT, { maxThreads: 1, cache: { max: 2 } })]) {
    const run = (key, value) => pool.run('echo', value, { cache: key });
    assert.deepEqual([await run('a', 1), await run('b', 2), await run('a', 3), await run('c', 4), await run('a', 5), await run('b', 6)], [1, 2, 1, 4, 1, 6]);
    assert.deepEqual([pool.cache.size, pool.cache.max, pool.cache.ttl, pool.options.cache.max], [2, 2, Infinity, 2]);
    assert.match(inspect(pool.cache), /^PoolCache \{ size: 2, max: 2, ttl: Infinity, hits: 2, misses: 4 \}$/);
    await pool.close();
  }
  const short = new WorkerPool({ cache: { ttl: 20 } });
  assert.equal(await short.run('echo', 'old', { cache: 'key' }), 'old');
  assert.equal(await short.run('echo', 'new', { cache: 'key' }), 'old');
  await until(() => !short.cache.has('key'), 'its time is up');
  assert.equal(short.cache.size, 0);
  assert.equal(await short.run('echo', 'new', { cache: 'key' }), 'new');
  await short.close();
  const none = new WorkerPool({ cache: { ttl: 0 } });
  await none.run('echo', 1, { cache: 'key' });
  assert.equal(await none.run('echo', 2, { cache: 'key' }), 2);
  await none.close();
  for (const cache of [{ max: 0 }, { max: 1.5 }, { ttl: -1 }, { ttl: NaN }, { size: 1 }, 5, null]) {
    assert.throws(() => new WorkerPool({ cache }), /cache/);
    assert.throws(() => new WorkerPool(SCRIPT, { cache }), /cache/);
  }
  assert.throws(() => new WorkerPool({ cache: { tll: 1 } }), { message: "unknown option 'tll' in \"options.cache\"; did you mean 'ttl'?" });
  const pool = new WorkerPool();
  for (const wrong of [undefined, 1, null]) assert.throws(() => pool.cache.delete(wrong), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  assert.throws(() => pool.cache.has('a', 1), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  await pool.close();
});

for (const [name, code, options] of [
  ['dies', 'ERR_RW_WORKER_EXITED', {}],
  ['runsOut', 'ERR_RW_WORKER_OUT_OF_MEMORY', { resourceLimits: { maxOldGenerationSizeMb: 20 } }],
]) {
  test(`retries: a task that lost its worker is begun again, so often at the most (${code})`, async () => {
    await using(new WorkerPool(SCRIPT, { maxThreads: 1, ...options }), async (pool) => {
      const twice = cells();
      assert.equal(await pool.run(name, { cells: twice, times: 2 }, { retries: 2 }), 'alive');
      assert.equal(begun(twice), 3);
      assert.equal(pool.stats().retried, 2);
      const once = cells();
      await assert.rejects(pool.run(name, { cells: once, times: 2 }, { retries: 1 }), { code });
      assert.equal(begun(once), 2);
      const never = cells();
      await assert.rejects(pool.run(name, { cells: never, times: 1 }, { retries: 0 }), { code });
      assert.equal(begun(never), 1);
    });
  });
}

test('retries: the input is as it was at the call, by Node\'s port too; callers share the retries', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    for (const kept of [{ n: 1 }, new Blob(['text'])]) {
      const counted = cells();
      const input = { cells: counted, times: 1, kept };
      const runs = [1, 2].map(() => pool.run('dies', input, { retries: 1, dedupe: 'key' }));
      input.times = 100;
      if (!(kept instanceof Blob)) kept.n = 2;
      const [one, other] = await Promise.all(runs);
      assert.equal(one, other);
      assert.equal(begun(counted), 2);
      if (kept instanceof Blob) assert.equal(await one.text(), 'text');
      else assert.deepEqual(one, { n: 1 });
    }
  });
});

test('retries: a task whose worker ended because of another task is begun again', async () => {
  const options = { maxThreads: 1, concurrentTasksPerWorker: 2 };
  await using(new WorkerPool(SCRIPT, options), async (pool) => {
    await pool.run('echo', 1);
    const [counted, gate] = [cells(), new Gate()];
    const neighbour = pool.run('held', gate.cells, { retries: 3 });
    const dies = pool.run('dies', { cells: counted, times: 1 });
    await assert.rejects(dies, { code: 'ERR_RW_WORKER_EXITED' });
    await until(() => gate.begun >= 2 || pool.stats().retried >= 1, 'it is begun again');
    gate.open();
    await neighbour;
  });
});

test('retries: never for what the script threw, nor after the end of its caller, nor in a pool that closes', async () => {
  await using(new WorkerPool(SCRIPT, { maxThreads: 1, killTimeout: 20 }), async (pool) => {
    pool.on('error', () => {});
    for (const name of ['fails', 'throwsExit', 'throwsLater']) {
      const counted = cells();
      await assert.rejects(pool.run(name, counted, { retries: 5 }));
      assert.equal(begun(counted), 1, name);
    }
    for (const end of ['timeout', 'signal']) {
      const [counted, stop] = [cells(), new AbortController()];
      await pool.run('echo', 'a worker is there');
      const spins = pool.run('spins', counted, { retries: 5, ...(end === 'timeout' ? { timeout: 200 } : { signal: stop.signal }) });
      const rejected = assert.rejects(spins, { name: end === 'timeout' ? 'TimeoutError' : 'AbortError' });
      await until(() => begun(counted) === 1, 'it has begun');
      stop.abort();
      await rejected;
      await until(() => pool.stats().running === 0, 'its worker was ended');
      assert.equal(await pool.run('echo', 1), 1);
      assert.equal(begun(counted), 1);
    }
    assert.equal(pool.stats().retried, 0);
  });
  const pool = new WorkerPool(SCRIPT, 1);
  await pool.run('echo', 1);
  const counted = cells();
  const outcome = pool.run('dies', { cells: counted, times: 1 }, { retries: 1 });
  const closed = pool.close();
  await assert.rejects(outcome, { code: 'ERR_RW_WORKER_EXITED' });
  await inTime(closed, 'the pool closes');
  assert.equal(begun(counted), 1);
  const destroyed = new WorkerPool(SCRIPT, 1);
  const never = cells();
  const lost = destroyed.run('never', never, { retries: 5 });
  await until(() => begun(never) === 1, 'it runs');
  await Promise.all([assert.rejects(lost, { code: 'ERR_RW_POOL_CLOSED' }), destroyed.destroy()]);
});

test('retries: it waits for room in a full queue', async () => {
  await using(new WorkerPool(SCRIPT, { maxThreads: 1, maxQueue: 1 }), async (pool) => {
    await pool.run('echo', 1);
    const counted = cells();
    const retried = pool.run('dies', { cells: counted, times: 1 }, { retries: 1 });
    await until(() => begun(counted) === 1, 'it began');
    const gate = new Gate();
    const [held, waits] = [pool.run('held', gate.cells), pool.run('echo', 'waits').catch((error) => error.code)];
    gate.open();
    assert.equal(await retried, 'alive');
    await held;
    await waits;
  });
});

test('retries: what cannot be given again is refused, and so are native tasks', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    const bytes = new Uint8Array(8);
    for (const transfer of [[bytes.buffer], 'auto']) {
      await assert.rejects(pool.run('echo', bytes, { retries: 1, transfer }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /cannot stand together/ });
    }
    assert.equal(bytes.length, 8);
    await assert.rejects(pool.run('native:echo', 1, { retries: 1 }), { message: /a native task loses no worker/ });
    for (const retries of [-1, 1.5, '2', null]) await assert.rejects(pool.run('echo', 1, { retries }), /options\.retries/);
    await assert.rejects(pool.run('echo', () => {}, { retries: 1 }), { name: 'DataCloneError' });
  });
  await using(new WorkerPool(), (pool) => assert.rejects(pool.run('echo', 1, { retries: 1 }), { message: /a native task loses no worker/ }));
});

test('a name that a native task has too, before the script is loaded', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    const [one, other] = await Promise.all([1, 2].map(() => pool.run('echo', { a: 1 }, { dedupe: 'key', retries: 1 })));
    assert.equal(one, other);
    assert.deepEqual(one, { a: 1 });
  });
});

test('random programs: each caller has the output of its key, its own end, and no run is left', async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000);
  let state = seed;
  const random = (below) => (state = (state * 1103515245 + 12345) % 2 ** 31) % below;
  for (const pool of [new WorkerPool({ maxThreads: 2, cache: { max: 3, ttl: 5 } }), new WorkerPool(SCRIPT, { maxThreads: 2, cache: { max: 3 } })]) {
    const outcomes = [];
    for (let i = 0; i < 400; i++) {
      const key = `key ${random(6)}`;
      const stop = new AbortController();
      const options = [{ dedupe: key }, { cache: key }, { dedupe: key, cache: `cache ${key}` }][random(3)];
      if (random(3) === 0) options.signal = stop.signal;
      if (random(5) === 0) options.timeout = random(3);
      if (pool.options.wait !== undefined && random(4) === 0) options.retries = 1;
      outcomes.push(
        pool.run('echo', { key }, options).then(
          (value) => assert.deepEqual(value, { key }, `seed ${seed}`),
          (error) => assert.ok(options.signal?.aborted || error.code === 'ERR_RW_TASK_TIMEOUT', `seed ${seed}: ${error}`),
        ),
      );
      const next = random(8);
      if (next === 0) stop.abort();
      else if (next === 1) await turns(1);
      else if (next === 2) pool.cache.delete(key);
      else if (next === 3) queueMicrotask(() => stop.abort());
    }
    await inTime(Promise.all(outcomes), `every caller is answered, seed ${seed}`);
    await inTime(pool.close(), 'the pool closes');
  }
});

test('a pool of another realm\'s options, and a prototype with such names', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  assert.equal(await pool.run('echo', 1, vm.runInNewContext("({ dedupe: 'x' })")), 1);
  Object.prototype.dedupe = 5;
  try {
    assert.equal(await pool.run('echo', 2, { priority: 1 }), 2);
  } finally {
    delete Object.prototype.dedupe;
  }
  assert.ok(errors.InvalidArgValueError);
  await pool.close();
});
