'use strict';

// An option may be a getter, which may run code and give another value the next time: each call reads each of its options once.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { pathToFileURL } = require('node:url');

const { WorkerPool } = require('rust-workers');
const { script, using } = require('../support/pools');

const functions = script('identity.js');
const other = pathToFileURL(functions).href;

/** Options whose getters count. */
function counted(values) {
  const reads = {};
  const options = {};
  for (const [name, value] of Object.entries(values)) {
    reads[name] = 0;
    Object.defineProperty(options, name, {
      enumerable: true,
      get: () => {
        reads[name]++;
        return value;
      },
    });
  }
  return { options, reads };
}

const signal = new AbortController().signal;
const RUN = { deadline: 60_000, key: 'key', priority: 1, runTimeout: 60_000, signal, timeout: 60_000, transfer: [] };
/** Of calls in place, and of tasks that may run twice. */
const IN_PLACE = { deadline: 60_000, key: 'key', priority: 1, runTimeout: 60_000, timeout: 60_000 };
const TWICE = { ...IN_PLACE, signal };
const NATIVE_RUN = { ...RUN, parallel: false };
const OF_SCRIPT = { ...RUN, name: 'identity', onOutput: () => {}, onProgress: () => {}, progress: 'all', spread: false, worker: 0 };
const OTHER_MODULE = { ...RUN, filename: other };
const MANY = { deadline: 60_000, priority: 1, signal, timeout: 60_000 };
const FLOW = { ...MANY, concurrency: 2, highWaterMark: 3, ordered: true, settle: false };
const FOR_SCRIPTS = {
  workerData: 1, concurrentTasksPerWorker: 1, killTimeout: 10, wait: 'event', linger: 0, recycle: { afterTasks: 5 }, argv: [], env: {},
  execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 100 }, setupTimeout: 60_000, shutdownTimeout: 100, stdin: false, stdout: false,
  stderr: false, trackUnmanagedFds: true,
};
const POOL = {
  aging: 10, cache: { max: 1, ttl: 5 }, callSites: false, idleTimeout: 10, limits: { key: 1 }, maxQueue: 100, maxThreads: 2, minThreads: 1,
  name: 'once', queueOrder: 'fifo', stackSize: 2 ** 20,
};

const read = async (parts) => {
  for await (const part of parts) void part;
};
const written = async (transform) => {
  transform.end(1);
  await read(transform);
};

/** name -> the options of the call, and the call. */
const NATIVE = {
  run: [NATIVE_RUN, (pool, options) => pool.run('echo', 1, options)],
  'run, shared': [{ ...NATIVE_RUN, dedupe: 'one', cache: 'one' }, (pool, options) => pool.run('echo', 1, options)],
  runSync: [IN_PLACE, (pool, options) => pool.runSync('echo', 1, options)],
  map: [{ ...NATIVE_RUN, settle: true }, (pool, options) => pool.map('echo', [1, 2], options)],
  stream: [FLOW, (pool, options) => read(pool.stream('echo', [1, 2], options))],
  transform: [{ ...MANY, ordered: false, highWaterMark: 2, concurrency: 1 }, (pool, options) => written(pool.transform('echo', options))],
  forEach: [MANY, (pool, options) => pool.forEach('echo', [1], options)],
  proxy: [NATIVE_RUN, (pool, options) => pool.proxy(options).echo(1)],
  'proxy().with': [NATIVE_RUN, (pool, options) => pool.proxy().with(options).echo(1)],
  'proxy().method.with': [NATIVE_RUN, (pool, options) => pool.proxy().echo.with(options)(1)],
  scope: [{ join: 'all', deadline: 60_000, signal, priority: 1, runTimeout: 60_000 }, (pool, options) => pool.scope(options, (scope) => scope.run('echo', 1))],
  'scope().run': [NATIVE_RUN, (pool, options) => pool.scope((scope) => scope.run('echo', 1, options))],
  'scope().map': [NATIVE_RUN, (pool, options) => pool.scope((scope) => scope.map('echo', [1], options))],
  exec: [{ ...RUN, capture: {} }, (pool, options) => pool.exec((a) => a, [1], options)],
  stats: [{ tasks: true, reset: true }, (pool, options) => pool.stats(options)],
  resize: [{ minThreads: 1, maxThreads: 2 }, (pool, options) => pool.resize(options)],
  trace: [{ limit: 100 }, (pool, options) => pool.trace(options).stop()],
  monitor: [{ port: 0, host: '127.0.0.1' }, async (pool, options) => (await pool.monitor(options)).close()],
  close: [{ force: true, timeout: 1, cancelQueued: true }, (pool, options) => pool.close(options)],
};

const SCRIPTS = {
  run: [OF_SCRIPT, (pool, options) => pool.run('identity', 1, options)],
  'run, of another module': [OTHER_MODULE, (pool, options) => pool.run('identity', 1, options)],
  'run, shared': [{ ...TWICE, dedupe: 'one', cache: 'one', retries: 1 }, (pool, options) => pool.run('identity', 1, options)],
  'run, of another module, shared': [{ ...TWICE, filename: other, retries: 1 }, (pool, options) => pool.run('identity', 1, options)],
  runTask: [OF_SCRIPT, (pool, options) => pool.runTask(1, options)],
  runSync: [{ ...IN_PLACE, filename: other }, (pool, options) => pool.runSync('identity', 1, options)],
  map: [{ ...RUN, filename: other, settle: true }, (pool, options) => pool.map('identity', [1, 2], options)],
  stream: [{ ...FLOW, filename: other }, (pool, options) => read(pool.stream('identity', [1, 2], options))],
  transform: [{ ...MANY, filename: other, concurrency: 1 }, (pool, options) => written(pool.transform('identity', options))],
  iterate: [{ ...RUN, filename: other, highWaterMark: 3 }, (pool, options) => read(pool.iterate('parts', 1, options)).catch(() => {})],
  forEach: [MANY, (pool, options) => pool.forEach('identity', [1], options)],
  reduce: [{ ...MANY, associative: true }, (pool, options) => pool.reduce('identity', [1, 2], 0, options)],
  exec: [{ ...RUN, capture: {} }, (pool, options) => pool.exec((a) => a, [1], options)],
  'exec of a name': [{ ...RUN, filename: other }, (pool, options) => pool.exec('identity', [1], options)],
  'exec of a name, more arguments': [{ ...RUN, filename: other }, (pool, options) => pool.exec('identity', [1, 2], options)],
  broadcast: [{ timeout: 60_000, signal }, (pool, options) => pool.broadcast('identity', 1, options)],
  proxy: [{ ...RUN, filename: other }, (pool, options) => pool.proxy(options).identity(1)],
  'proxy().method.with, with spread': [RUN, (pool, options) => pool.proxy().identity.with(options)(1, 2)],
  'scope().run': [{ ...RUN, filename: other }, (pool, options) => pool.scope((scope) => scope.run('identity', 1, options))],
  resize: [{ minThreads: 1, maxThreads: 2 }, (pool, options) => pool.resize(options)],
};

async function isReadOnce(values, call) {
  const { options, reads } = counted(values);
  await call(options);
  assert.deepEqual(reads, Object.fromEntries(Object.keys(values).map((name) => [name, 1])));
}

for (const [kind, calls, make] of [
  ['native', NATIVE, () => new WorkerPool({ maxThreads: 1 })],
  ['script', SCRIPTS, () => new WorkerPool(functions, 1)],
]) {
  for (const [name, [values, call]] of Object.entries(calls)) {
    test(`${name}, ${kind}`, () => using(make(), async (pool) => {
      if (kind === 'script') await pool.ready;
      await isReadOnce(values, (options) => call(pool, options));
    }));
  }
}

test('new WorkerPool and WorkerPool.open', async () => {
  const pools = [];
  const make = (pool) => pools.push(pool);
  await isReadOnce(POOL, (options) => make(new WorkerPool(options)));
  await isReadOnce({ ...POOL, ...FOR_SCRIPTS }, (options) => make(new WorkerPool(functions, options)));
  await isReadOnce(POOL, (options) => make(WorkerPool.open('options-once', options)));
  await isReadOnce({ deterministic: 1 }, (options) => make(new WorkerPool(options)));
  await Promise.all(pools.map((pool) => pool.destroy()));
});
