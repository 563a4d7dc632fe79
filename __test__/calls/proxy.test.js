'use strict';

// pool.proxy(): methods in the place of names; and `spread`, by which a function gets several arguments.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { createHash } = require('node:crypto');
const { after, test } = require('node:test');
const { inspect } = require('node:util');
const { MessageChannel } = require('node:worker_threads');

const { WorkerPool, errors } = require('rust-workers');
const { Gate, holdWorker, script, using } = require('../support/pools');
const { createRandom, randomValue } = require('../support/random-values');
const { inTime, until } = require('../support/until');

const SCRIPTS = ['calls.mjs', 'calls.js'];
const pools = new Map(SCRIPTS.map((name) => [name, new WorkerPool(script(name), 2)]));
const native = new WorkerPool({ maxThreads: 2 });
after(() => Promise.all([native, ...pools.values()].map((pool) => pool.close())));

for (const [name, pool] of pools) {
  const api = pool.proxy();

  test(`${name}: a method gets as many arguments as it was called with`, async () => {
    assert.deepEqual(await api.args(1), [1]);
    assert.deepEqual(await api.args(1, 2), [1, 2]);
    assert.deepEqual(await api.args([1, 2]), [[1, 2]]);
    assert.deepEqual(await api.args(1, undefined, null), [1, undefined, null]);
    assert.deepEqual(await api.two({ x: 1 }, [2]), { a: { x: 1 }, b: [2] });
    assert.deepEqual(await api.later('a'), ['a', 'default']);
    assert.deepEqual(await api.later('a', 'b'), ['a', 'b']);
    assert.equal((await api.args(...Array.from({ length: 1000 }, (_, i) => i))).length, 1000);
    // As with run(name): the input is undefined.
    assert.deepEqual(await api.args(), [undefined]);
  });

  test(`${name}: options of a class have what they inherit`, async () => {
    class Options {
      get signal() { return AbortSignal.abort(); }
    }
    const aborted = { code: 'ERR_RW_TASK_CANCELLED' };
    for (const given of [pool.proxy(new Options()), api.with(new Options()), { args: api.args.with(new Options()) }]) {
      await assert.rejects(given.args(1), aborted);
      await assert.rejects(given.args(1, 2), aborted);
    }
    await assert.rejects(pool.exec('args', [1, 2], new Options()), aborted);
  });

  test(`${name}: the default export is the proxy itself, and 'default'`, async () => {
    assert.deepEqual(await api(1), ['default', [1]]);
    assert.deepEqual(await api(1, 2), ['default', [1, 2]]);
    assert.deepEqual(await api.default(3), ['default', [3]]);
    assert.deepEqual(await api.with({ timeout: 60_000 })(4, 5), ['default', [4, 5]]);
    assert.deepEqual(await api.default.with({ timeout: 60_000 })(4, 5), ['default', [4, 5]]);
  });

  test(`${name}: a function is called without a receiver in either way`, async () => {
    assert.equal(await api.self(1), true);
    assert.equal(await api.self(1, 2), true);
  });

  test(`${name}: values of each way through, with one argument and with several`, async () => {
    const buffer = new ArrayBuffer(8);
    assert.deepEqual(await api.typed(buffer, new Map([[1, 2]]), new Date(0)), [true, 8, true, true]);
    assert.equal(buffer.byteLength, 8);
    assert.deepEqual(await api.sizeOf.with({ transfer: [buffer] })(buffer, 'moved'), [8, 'moved']);
    assert.equal(buffer.byteLength, 0);
    const other = new ArrayBuffer(8);
    assert.deepEqual(await api.sizeOf.with({ transfer: 'auto' })(other, 'moved'), [8, 'moved']);
    assert.equal(other.byteLength, 0);
    // Only Node's port carries these.
    const { port1, port2 } = new MessageChannel();
    await assert.rejects(api.args.with({ transfer: [port1] })(port1, 1), (error) => error.name === 'DataCloneError' || error.code === 'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST');
    port2.close();
    assert.deepEqual(await api.two(new Blob(['x']), 1).then(({ a, b }) => [a.size, b]), [1, 1]);
  });

  test(`${name}: errors come whole`, async () => {
    const expected = { name: 'Special', message: 'says', code: 'E_CALLS' };
    await assert.rejects(api.fail('Special', 'says'), expected);
    await assert.rejects(api.two(() => {}, 1), { name: 'DataCloneError' });
    const refused = { code: 'ERR_RW_UNKNOWN_TASK' };
    await assert.rejects(api.missing(1), refused);
    await assert.rejects(api.missing(1, 2), refused);
  });

  test(`${name}: random arguments arrive as structured clone makes them`, async () => {
    const random = createRandom(name.length);
    for (let round = 0; round < 60; round++) {
      const given = Array.from({ length: random(5) + 1 }, () => randomValue(random));
      assert.deepEqual(await api.args(...given), structuredClone(given));
    }
  });

  test(`${name}: the names are those that the script exports, once a worker has told them`, () =>
    using(new WorkerPool(script(name), { maxThreads: 1 }), async (fresh) => {
      const later = fresh.proxy();
      assert.deepEqual(Object.keys(later), []);
      assert.equal('two' in later, false);
      await later.two(1, 2);
      const names = Object.keys(later);
      for (const known of ['args', 'default', 'held', 'later', 'two']) assert.ok(names.includes(known), known);
      assert.equal(names.includes('then'), false);
      assert.equal(names.includes(''), false);
      assert.equal(new Set(names).size, names.length);
      assert.ok('two' in later && !('missing' in later) && !('then' in later) && !(Symbol.iterator in later));
      assert.ok(Object.hasOwn(later, 'two') && !Object.hasOwn(later, 'missing'));
      assert.deepEqual(Reflect.ownKeys(later), names);
      assert.deepEqual(await { ...later }.two(1, 2), { a: 1, b: 2 });
      for (const key of names) assert.equal(typeof later[key], 'function');
      assert.match(inspect(later), /^PoolProxy \[.*'two'/s);
    }));
}

test('a script that exports names which every object has', async () => {
  const pool = pools.get('calls.mjs');
  const api = pool.proxy();
  await api.args(1);
  assert.equal(await api.toString(), 'of the script');
  assert.equal(await api.constructor(), 'of the script');
});

test('no name that the language or a tool asks for begins a task', async () => {
  for (const pool of [pools.get('calls.js'), native]) {
    const api = pool.proxy();
    await api.noop();
    const { submitted } = pool.stats();
    assert.equal(await api, api);
    assert.equal(await (async () => api)(), api);
    assert.equal(await Promise.resolve(api), api);
    assert.equal(typeof `${api}`, 'string');
    assert.equal(JSON.stringify({ api }), '{}');
    assert.equal(typeof inspect(api), 'string');
    assert.equal(typeof inspect(api, { showProxy: true }), 'string');
    assert.equal(typeof Object.prototype.toString.call(api), 'string');
    assert.equal(api[Symbol.iterator], undefined);
    assert.equal(api[Symbol.asyncIterator], undefined);
    assert.equal(api.toJSON, undefined);
    assert.equal(api.hasOwnProperty('surely not'), false);
    assert.notEqual(api, pool.proxy());
    assert.throws(() => structuredClone(api), { name: 'DataCloneError' });
    assert.throws(() => assert.deepEqual(api, {}), assert.AssertionError);
    assert.equal(pool.stats().submitted, submitted);
  }
});

test('nothing can be put there', () => {
  const api = native.proxy();
  assert.throws(() => (api.sum = () => {}), TypeError);
  assert.throws(() => Object.defineProperty(api, 'sum', { value: 1 }), TypeError);
  assert.throws(() => delete api.sum, TypeError);
  assert.throws(() => Object.freeze(api), TypeError);
  assert.throws(() => Object.setPrototypeOf(api, null), TypeError);
});

test('a pool without a script has the native tasks', async () => {
  const api = native.proxy();
  const keys = Object.keys(api);
  assert.ok(keys.includes('sha256') && keys.includes('sort') && !keys.includes('default'));
  assert.deepEqual(await api.sha256('x'), createHash('sha256').update('x').digest());
  assert.equal(await api.sum(Float64Array.of(1, 2)), 3);
  assert.equal(await api['native:fibonacci'](10), 55);
  assert.equal(await api.noop(), undefined);
  assert.deepEqual([...(await api.sort.with({ priority: 1 })(Uint8Array.of(2, 1)))], [1, 2]);
  await assert.rejects(api.sum(1, 2), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /a native task takes one input/ });
  await assert.rejects(api.summ(1), { code: 'ERR_RW_UNKNOWN_TASK', message: /did you mean 'sum'/ });
  await assert.rejects(api(1), { code: 'ERR_RW_UNKNOWN_TASK', message: /has no script/ });
  await assert.rejects(api.sum.with({ onOutput() {} })(1), { code: 'ERR_RW_INVALID_ARG_VALUE' });
});

test('a name of a native task is the script\'s where the script exports it, with one argument and with several', () =>
  using(new WorkerPool(script('calls.mjs'), { maxThreads: 1 }), async (pool) => {
    const api = pool.proxy();
    // Before any worker has told what the script exports.
    assert.deepEqual(await Promise.all([api.sort(1), api.sort(1, 2)]), [['the script', [1]], ['the script', [1, 2]]]);
    assert.deepEqual(await api.sort.with({ timeout: 60_000 })(3, 4), ['the script', [3, 4]]);
    assert.equal(await api.fibonacci(10), 55);
    assert.deepEqual([...(await api['native:sort'](Uint8Array.of(2, 1)))], [1, 2]);
  }));

test('a method is the same one each time, and has its name', () => {
  for (const pool of [native, pools.get('calls.js')]) {
    const api = pool.proxy();
    assert.equal(api.sum, api.sum);
    assert.equal(api.sum.name, 'sum');
    assert.notEqual(api.sum.with({}), api.sum);
  }
});

test('options of the proxy hold for each task, and those of `with` come before them', async () => {
  const pool = pools.get('calls.mjs');
  const reports = [];
  const onProgress = (value) => reports.push(value);
  const api = pool.proxy({ onProgress, timeout: 60_000 });
  await api.report('a', 'b');
  assert.deepEqual(reports, ['a', 'b']);
  await api.report.with({ onProgress: (value) => reports.push([value]) })('c', 'd');
  assert.deepEqual(reports, ['a', 'b', ['c'], ['d']]);
  const none = pool.proxy({ timeout: 0 });
  await assert.rejects(none.args(1), { code: 'ERR_RW_TASK_TIMEOUT' });
  assert.deepEqual(await none.with({ timeout: 60_000 }).args(1), [1]);
  await assert.rejects(none.with({ priority: 1 }).args(1), { code: 'ERR_RW_TASK_TIMEOUT' });
  assert.deepEqual(await none.args.with({ timeout: 60_000 })(1, 2), [1, 2]);
});

test('wrong options: of the proxy at once, of `with` with the task', async () => {
  for (const pool of [native, pools.get('calls.js')]) {
    assert.throws(() => pool.proxy({ timout: 1 }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /did you mean 'timeout'/ });
    assert.throws(() => pool.proxy(null), { code: 'ERR_RW_INVALID_ARG_TYPE' });
    const { echo } = pool.proxy();
    assert.throws(() => echo.with(1), { code: 'ERR_RW_INVALID_ARG_TYPE' });
    await assert.rejects(echo.with({ priorty: 1 })(1), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /did you mean 'priority'/ });
  }
  assert.throws(() => native.proxy({ onOutput() {} }), { code: 'ERR_RW_INVALID_ARG_VALUE' });
  const pool = pools.get('calls.js');
  await assert.rejects(pool.run('args', 1, { spread: true }), { code: 'ERR_RW_INVALID_ARG_TYPE', message: /array of arguments/ });
  await assert.rejects(pool.run('args', [1], { spread: 1 }), { code: 'ERR_RW_INVALID_ARG_TYPE', message: /a boolean/ });
  await assert.rejects(native.run('echo', [1], { spread: true }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /one input/ });
});

test('a signal aborts, before and in the middle', async () => {
  const pool = pools.get('calls.mjs');
  const api = pool.proxy();
  const stop = new AbortController();
  const task = api.spin.with({ signal: stop.signal })(1, 2);
  await until(() => pool.stats().running > 0, 'the task runs');
  stop.abort();
  await assert.rejects(task, { name: 'AbortError' });
  await assert.rejects(api.args.with({ signal: stop.signal })(1, 2), { name: 'AbortError' });
});

test('`spread` with map, and with runTask', async () => {
  for (const pool of pools.values()) {
    assert.deepEqual(await pool.map('two', [[1, 2], [3, 4]], { spread: true }), [{ a: 1, b: 2 }, { a: 3, b: 4 }]);
    assert.deepEqual(await pool.map('later', [['x'], []], { spread: true }), [['x', 'default'], [undefined, 'default']]);
    assert.deepEqual(await pool.runTask([1, 2], { spread: true }), ['default', [1, 2]]);
    assert.deepEqual(await pool.runTask([1, 2], { spread: true, name: 'two' }), { a: 1, b: 2 });
    assert.deepEqual(await pool.run('args', [], { spread: true }), []);
    await assert.rejects(pool.map('two', [[1, 2], 3], { spread: true }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  }
});

test('arguments that wait for their worker, moved ones too', () =>
  using(new WorkerPool(script('calls.js'), { maxThreads: 1 }), async (pool) => {
    const api = pool.proxy();
    const held = await holdWorker(pool);
    const moved = new ArrayBuffer(16);
    const tasks = [
      api.sizeOf.with({ transfer: [moved] })(moved, 'asked for'),
      api.two(new Blob(['xy']), 1).then(({ a, b }) => [a.size, b]),
      api.args(1, 2),
    ];
    assert.equal(moved.byteLength, 0);
    held.open();
    assert.deepEqual(await Promise.all(tasks), [[16, 'asked for'], [2, 1], [1, 2]]);
  }));

test('tasks keep the async context of the call', async () => {
  const store = new AsyncLocalStorage();
  const api = pools.get('calls.mjs').proxy();
  const seen = [];
  await store.run('mine', () => api.report.with({ onProgress: () => seen.push(store.getStore()) })(1, 2));
  assert.deepEqual(seen, ['mine', 'mine']);
});

test('a pool that is closed, and one that is destroyed in the middle', async () => {
  const pool = new WorkerPool(script('calls.js'), { maxThreads: 1 });
  const api = pool.proxy();
  const gate = new Gate();
  const tasks = [api.held(gate.cells), api.args(1, 2)].map((task) => assert.rejects(task, { code: 'ERR_RW_POOL_CLOSED' }));
  await until(() => gate.begun === 1, 'the worker is held');
  await inTime(pool.destroy(), 'the pool closes');
  await Promise.all(tasks);
  await assert.rejects(api.args(1), errors.PoolClosedError);
  await assert.rejects(api(1, 2), errors.PoolClosedError);
});
