'use strict';

// Tasks and messages for all workers: those that are there, and those that start later.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { holdWorker, script, using } = require('../support/pools');
const { inTime, until } = require('../support/until');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-broadcast-'));
after(() => fs.rmSync(folder, { recursive: true }));

const BODY = (own) => `
  import { parentPort } from 'node:worker_threads';
  import { task } from ${JSON.stringify(path.join(__dirname, '..', '..', 'lib', 'index.mjs'))};
  import behaviour from ${JSON.stringify(script('held.js'))};
  let state = {};
  const log = [];
  const messages = [];
  parentPort.on('message', (message) => messages.push(message));
  ${own} function set(value) { log.push(value); state = value; return task.workerId; }
  ${own} async function setLater(value) { await new Promise((done) => setTimeout(done, 20)); log.push(value); state = value; return task.workerId; }
  ${own} const get = () => state;
  ${own} const getLog = () => log;
  ${own} const heard = () => messages;
  ${own} const who = () => task.workerId;
  ${own} function failOn(worker) { if (task.workerId === worker) throw new RangeError('not here'); return 'done'; }
  ${own} function exitOn(worker) { if (task.workerId === worker) process.exit(3); return 'done'; }
  ${own} const twice = (a, b) => [a, b];
  ${own} const held = behaviour.held;
  ${own} const spin = () => { for (;;); };
`;

const asCommonJs = (text) =>
  text
    .replace(/import \{ task \} from "[^"]*"/, `const { task } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})`)
    .replace(/import \{ (\w+) \} from ([^;]*)/g, 'const { $1 } = require($2)')
    .replace(/import (\w+) from ([^;]*)/g, 'const $1 = require($2)')
    .replace(/export (async )?function (\w+)/g, 'exports.$2 = $2; $1function $2')
    .replace(/export const (\w+) =/g, 'exports.$1 =');

const SCRIPTS = {
  module: path.join(folder, 'all.mjs'),
  commonjs: path.join(folder, 'all.js'),
};
fs.writeFileSync(SCRIPTS.module, BODY('export'));
fs.writeFileSync(SCRIPTS.commonjs, asCommonJs(BODY('export')));

for (const [kind, file] of Object.entries(SCRIPTS)) {
  const withPool = (options, body) => using(new WorkerPool(file, options), body);

  test(`${kind}: every worker runs the task once, before what waits, and its outputs come in order`, () =>
    withPool(3, async (pool) => {
      await pool.ready;
      const runs = Array.from({ length: 200 }, () => pool.run('get'));
      assert.deepEqual(await pool.broadcast('set', { version: 1 }), [0, 1, 2]);
      await Promise.all(runs);
      const logs = await Promise.all([0, 1, 2].map((worker) => pool.run('getLog', null, { worker })));
      assert.deepEqual(logs, [[{ version: 1 }], [{ version: 1 }], [{ version: 1 }]]);
    }));

  test(`${kind}: workers that are starting are among them`, () =>
    withPool(2, async (pool) => {
      assert.deepEqual(await pool.broadcast('set', 1), [0, 1]);
      const logs = await Promise.all([0, 1].map((worker) => pool.run('getLog', null, { worker })));
      assert.deepEqual(logs, [[1], [1]]);
    }));

  for (const concurrentTasksPerWorker of [1, 3]) {
    for (const task of ['set', 'setLater']) {
      test(`${kind}: a worker that starts later runs it before anything else (${task}, ${concurrentTasksPerWorker} at a time)`, () =>
        withPool({ maxThreads: 2, concurrentTasksPerWorker }, async (pool) => {
          assert.deepEqual(await pool.broadcast(task, 'first'), []);
          assert.deepEqual(await pool.broadcast(task, 'second'), []);
          const states = await Promise.all(Array.from({ length: 40 }, (_, n) => pool.run('get', n, { priority: n })));
          assert.deepEqual(new Set(states), new Set(['second']));
          for (const { id } of pool.workers) assert.deepEqual(await pool.run('getLog', null, { worker: id }), ['first', 'second']);
          await pool.recycle();
          assert.equal(await pool.run('get'), 'second');
          assert.deepEqual(await pool.run('getLog'), ['first', 'second']);
        }));
    }
  }

  test(`${kind}: later: 'latest' keeps the last one of a function, and false none`, () =>
    withPool({ maxThreads: 1 }, async (pool) => {
      await pool.broadcast('set', 'never', { later: false });
      await pool.broadcast('set', 1, { later: 'latest' });
      await pool.broadcast('set', 2, { later: 'latest' });
      await pool.broadcast('setLater', 3, { later: 'latest' });
      assert.deepEqual(await pool.run('getLog'), [2, 3]);
    }));

  test(`${kind}: the input is what it was at the call, and read once`, () =>
    withPool({ maxThreads: 2, minThreads: 1 }, async (pool) => {
      await pool.ready;
      let reads = 0;
      const input = { list: [1], get live() { return ++reads; } };
      const broadcast = pool.broadcast('set', input);
      input.list.push(2);
      await broadcast;
      assert.equal(reads, 1);
      const shared = new Int32Array(new SharedArrayBuffer(4));
      await pool.broadcast('set', { shared, blob: new Blob(['x']), list: input.list });
      input.list.push(3);
      await pool.recycle();
      const log = await pool.run('getLog');
      assert.deepEqual(log[0], { list: [1], live: 1 });
      assert.deepEqual(log[1].list, [1, 2]);
      assert.equal(log[1].shared.buffer instanceof SharedArrayBuffer, true);
      assert.equal(await log[1].blob.text(), 'x');
    }));

  test(`${kind}: what fails is named, and the others are told too`, () =>
    withPool(3, async (pool) => {
      await assert.rejects(pool.broadcast('failOn', 1, { later: false }), (error) => {
        assert.ok(error instanceof errors.BroadcastError);
        assert.equal(error.code, 'ERR_RW_BROADCAST');
        assert.match(error.message, /The task 'failOn' failed on 1 of 3 workers; on worker 1: not here/);
        assert.deepEqual(error.failures.map(({ worker, error: own }) => [worker, own.name]), [[1, 'RangeError']]);
        assert.deepEqual(error.outputs, [{ worker: 0, output: 'done' }, { worker: 2, output: 'done' }]);
        assert.equal(error.cause, error.failures[0].error);
        return true;
      });
    }));

  test(`${kind}: a worker that ends by it is one that failed`, () =>
    withPool({ minThreads: 2, maxThreads: 2 }, async (pool) => {
      await pool.ready;
      await assert.rejects(inTime(pool.broadcast('exitOn', 0, { later: false }), 'it settles'), (error) => {
        assert.equal(error.failures[0].error.code, 'ERR_RW_WORKER_EXITED');
        assert.deepEqual(error.outputs, [{ worker: 1, output: 'done' }]);
        return true;
      });
    }));

  test(`${kind}: a worker that ends before it has begun is left out, and the one in its place runs it`, () =>
    withPool({ minThreads: 3, maxThreads: 3, killTimeout: 20 }, async (pool) => {
      await pool.ready;
      const loop = assert.rejects(pool.run('spin', undefined, { worker: 2, timeout: 1500 }), { code: 'ERR_RW_TASK_TIMEOUT' });
      await until(() => pool.stats().running === 1, 'it runs');
      pool.resize({ minThreads: 2, maxThreads: 2 });
      const outputs = await inTime(pool.broadcast('set', 'new'), 'it settles');
      await loop;
      assert.ok(outputs.length > 0 && !outputs.includes(2), `${outputs}`);
      const held = await Promise.all(Array.from({ length: 20 }, () => pool.run('get')));
      assert.ok(held.every((state) => state === 'new'), `${held}`);
    }));

  test(`${kind}: a later worker that fails is told as an 'error', and goes on`, () =>
    withPool({ maxThreads: 1 }, async (pool) => {
      await pool.broadcast('failOn', 0);
      const told = once(pool, 'error');
      assert.equal(await pool.run('who'), 0);
      const [error] = await inTime(told, "'error'");
      assert.ok(error instanceof errors.BroadcastError);
      assert.match(error.message, /on worker 0: not here/);
    }));

  test(`${kind}: signals, time limits, progress and a busy worker`, () =>
    withPool({ minThreads: 2, maxThreads: 2 }, async (pool) => {
      await pool.ready;
      const { task, open } = await holdWorker(pool);
      const stop = new AbortController();
      const aborted = pool.broadcast('set', 1, { signal: stop.signal, later: false });
      stop.abort();
      await assert.rejects(aborted, (error) => error.failures.every(({ error: own }) => own.name === 'AbortError'));
      await assert.rejects(pool.broadcast('set', 2, { timeout: 20, later: false }), (error) => {
        assert.equal(error.failures.length, 1);
        assert.equal(error.cause.name, 'TimeoutError');
        return true;
      });
      const last = pool.broadcast('set', 3);
      open();
      await task;
      assert.deepEqual(await last, [0, 1]);
      assert.deepEqual(await pool.broadcast('twice', [1, 2], { spread: true, later: false }), [[1, 2], [1, 2]]);
    }));

  test(`${kind}: close() and destroy() while it is under way`, async () => {
    for (const end of ['close', 'destroy']) {
      const pool = new WorkerPool(file, 2);
      const broadcast = pool.broadcast('setLater', 1).then(() => 'done', ({ code }) => code);
      await inTime(pool[end](), 'the pool closes');
      const outcome = await inTime(broadcast, 'it settles');
      assert.equal(outcome, end === 'close' ? 'done' : 'ERR_RW_BROADCAST');
      await assert.rejects(pool.broadcast('set', 1), { code: 'ERR_RW_POOL_CLOSED' });
    }
  });

  test(`${kind}: postMessage: 'message' on each parentPort`, () =>
    withPool({ maxThreads: 2, minThreads: 2 }, async (pool) => {
      await pool.ready;
      assert.equal(pool.postMessage({ hello: 1 }), 2);
      for (const worker of [0, 1]) {
        await until(async () => (await pool.run('heard', null, { worker })).length === 1, 'it is heard');
        assert.deepEqual(await pool.run('heard', null, { worker }), [{ hello: 1 }]);
      }
      assert.throws(() => pool.postMessage(() => {}), { name: 'DataCloneError' });
      assert.throws(() => pool.postMessage(1, []), errors.InvalidArgTypeError);
    }));
}

test('filename: the function of another module', () =>
  using(new WorkerPool(SCRIPTS.module, 2), async (pool) => {
    for (const filename of [script('others/plus.mjs'), '../fixtures/scripts/others/plus.js']) {
      assert.deepEqual(await pool.broadcast('plus', [1, 2], { filename }), [3, 3]);
    }
  }));

test('what is refused', async () => {
  const pool = new WorkerPool(SCRIPTS.commonjs, 1);
  await pool.ready;
  await assert.rejects(pool.broadcast('nobody', 1), errors.UnknownTaskError);
  await assert.rejects(pool.broadcast('sort', 1), errors.UnknownTaskError);
  await assert.rejects(pool.broadcast('native:sort', 1), errors.UnknownTaskError);
  await assert.rejects(pool.broadcast(5, 1), errors.InvalidArgTypeError);
  await assert.rejects(pool.broadcast('set', () => {}), { name: 'DataCloneError' });
  await assert.rejects(pool.broadcast('set', 1, { later: 'all' }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /true, false or 'latest'/ });
  await assert.rejects(pool.broadcast('set', 1, { worker: 0 }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /for all workers/ });
  await assert.rejects(pool.broadcast('set', 1, { transfer: [] }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /a copy of the input/ });
  await assert.rejects(pool.broadcast('set', 1, { timeuot: 1 }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /did you mean 'timeout'/ });
  await assert.rejects(pool.broadcast('set', 1, { timeout: 'x' }), errors.InvalidArgTypeError);
  await pool.close();
  const native = new WorkerPool();
  await assert.rejects(native.broadcast('sort', 1), errors.UnknownTaskError);
  assert.throws(() => native.postMessage(1), errors.UnknownTaskError);
  await native.close();
});
