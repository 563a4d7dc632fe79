'use strict';

/** The life of a Worker: its events, its ends, and what can be asked of it meanwhile. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const { json } = require('node:stream/consumers');

const { Worker } = require('rust-workers');
const { evaluate } = require('../support/child');
const { until } = require('../support/until');

const evaluated = (script, options) => new Worker(script, { eval: true, ...options });
/** A thread that answers every message with it. */
const echo = () =>
  evaluated(`const { parentPort } = require('rust-workers'); parentPort.on('message', (m) => parentPort.postMessage(m));`);

const has = (name) => (typeof Worker.prototype[name] === 'function' ? false : `this Node has no worker.${name}()`);

describe('events', () => {
  test('online, every message in order, then exit', async () => {
    const events = [];
    const worker = evaluated(`
      const { parentPort } = require('rust-workers');
      for (let i = 0; i < 1000; i++) parentPort.postMessage(i);
      process.exit(3);`);
    worker.on('online', () => events.push('online'));
    worker.on('message', (message) => events.push(message));
    worker.on('exit', (code) => events.push(`exit ${code}`));
    await once(worker, 'exit');
    assert.deepEqual(events, ['online', ...Array(1000).keys(), 'exit 3']);
  });

  test('error has the class, message and own properties of what was thrown', async () => {
    const worker = evaluated(`throw Object.assign(new RangeError('too far'), { code: 'E_FAR' })`);
    const exit = new Promise((resolve) => worker.on('exit', resolve)); // once() would reject with the error
    const [error] = await once(worker, 'error');
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, 'too far');
    assert.equal(error.code, 'E_FAR');
    assert.equal(await exit, 1);
  });

  test('error for a rejection that nobody handles, and for what is no Error', async () => {
    const [rejected] = await once(evaluated(`Promise.reject(new Error('unhandled'))`), 'error');
    assert.equal(rejected.message, 'unhandled');
    assert.deepEqual(await once(evaluated('throw 7'), 'error'), [7]);
  });

  test('messageerror on both sides, for a message that cannot be read there', async () => {
    const nested = `let nested = {}; for (let i = 0; i < 100_000; i++) nested = { nested };`;
    const out = evaluated(`${nested} require('rust-workers').parentPort.postMessage(nested);`, {
      resourceLimits: { stackSizeMb: 64 },
    });
    const [error] = await once(out, 'messageerror');
    assert.ok(error instanceof Error);

    const script = `
      const { Worker } = require('rust-workers');
      const worker = new Worker(\`
        const { parentPort } = require('rust-workers');
        parentPort.on('messageerror', (error) => {
          parentPort.postMessage(error instanceof Error);
          parentPort.close();
        });
        parentPort.on('message', () => {});
      \`, { eval: true, resourceLimits: { stackSizeMb: 1 } });
      ${nested}
      worker.postMessage(nested);
      worker.on('message', console.log);`;
    const parent = `
      new (require('node:worker_threads').Worker)(${JSON.stringify(script)}, {
        eval: true, resourceLimits: { stackSizeMb: 64 },
      });`;
    assert.deepEqual(await evaluate(parent, { flags: ['--stack-size=30000'] }), { stdout: 'true\n', stderr: '' });
  });

  test('process emits worker', async () => {
    const seen = once(process, 'worker');
    const worker = evaluated('');
    assert.deepEqual(await seen, [worker]);
    await once(worker, 'exit');
  });
});

describe('ends', () => {
  test('terminate stops an endless loop and resolves to the exit code', async () => {
    const worker = evaluated('for (;;);');
    await once(worker, 'online');
    const exit = once(worker, 'exit');
    assert.equal(await worker.terminate(), 1);
    assert.deepEqual(await exit, [1]);
    assert.equal(worker.threadId, -1);
    assert.equal(await worker.terminate(), undefined);
    assert.equal(worker.postMessage('to nobody'), undefined);
  });

  test('await using', { skip: Symbol.asyncDispose in Worker.prototype ? false : 'not in this Node' }, async () => {
    const worker = echo();
    await worker[Symbol.asyncDispose]();
    assert.equal(worker.threadId, -1);
  });

  test('parentPort.close lets the thread end', async () => {
    const worker = evaluated(`
      const { parentPort } = require('rust-workers');
      parentPort.on('message', () => parentPort.close());`);
    worker.postMessage('close');
    assert.deepEqual(await once(worker, 'exit'), [0]);
  });

  test('unref lets the process end, ref keeps it', async () => {
    const script = (calls) => `
      const { Worker } = require('rust-workers');
      const worker = new Worker('setTimeout(() => console.log("to its end"), 300)', { eval: true });
      ${calls}`;
    assert.deepEqual(await evaluate(script('worker.unref()')), { stdout: '', stderr: '' });
    assert.deepEqual(await evaluate(script('worker.unref(); worker.ref()')), { stdout: 'to its end\n', stderr: '' });
  });
});

describe('what can be asked', () => {
  test('getHeapSnapshot', async () => {
    const worker = echo();
    await once(worker, 'online');
    const snapshot = await json(await worker.getHeapSnapshot());
    assert.ok(snapshot.snapshot.node_count > 0);
    await worker.terminate();
    await assert.rejects(worker.getHeapSnapshot(), { code: 'ERR_WORKER_NOT_RUNNING' });
  });

  test('performance.eventLoopUtilization', async () => {
    const worker = echo();
    await once(worker, 'online');
    worker.postMessage(1);
    await once(worker, 'message');
    const look = () => worker.performance.eventLoopUtilization();
    await until(() => look().idle > 0 && look().active > 0, 'it has been idle and active');
    const { utilization } = look();
    assert.ok(utilization > 0 && utilization < 1, `${utilization}`);
    await worker.terminate();
    assert.deepEqual(worker.performance.eventLoopUtilization(), { idle: 0, active: 0, utilization: 0 });
  });

  test('getHeapStatistics', { skip: has('getHeapStatistics') }, async () => {
    const worker = echo();
    await once(worker, 'online');
    assert.ok((await worker.getHeapStatistics()).used_heap_size > 0);
    await worker.terminate();
  });

  test('cpuUsage', { skip: has('cpuUsage') }, async () => {
    const worker = echo();
    await once(worker, 'online');
    const { user, system } = await worker.cpuUsage();
    assert.ok(user + system > 0);
    await worker.terminate();
  });

  test('startCpuProfile', { skip: has('startCpuProfile') }, async () => {
    const worker = echo();
    await once(worker, 'online');
    // Node 22 asks for a name.
    const profile = await worker.startCpuProfile(...(/^v22\./.test(process.version) ? ['by name'] : []));
    worker.postMessage(1);
    await once(worker, 'message');
    assert.ok(JSON.parse(await profile.stop()).nodes.length > 0);
    await worker.terminate();
  });

  test('startHeapProfile', { skip: has('startHeapProfile') }, async () => {
    const worker = echo();
    await once(worker, 'online');
    const profile = await worker.startHeapProfile();
    worker.postMessage(1);
    await once(worker, 'message');
    assert.ok(Array.isArray(JSON.parse(await profile.stop()).samples));
    await worker.terminate();
  });

  test('threadId counts up, nested threads included', async () => {
    const worker = evaluated(`
      const { parentPort, threadId, Worker } = require('rust-workers');
      const inner = new Worker('require("rust-workers").parentPort.postMessage(require("rust-workers").threadId)', {
        eval: true,
      });
      inner.on('message', (id) => parentPort.postMessage([threadId, inner.threadId, id]));`);
    const { threadId } = worker;
    const exit = once(worker, 'exit');
    const [[outer, seen, inner]] = await once(worker, 'message');
    assert.equal(outer, threadId);
    assert.equal(seen, inner);
    assert.ok(inner > outer);
    await exit;
  });
});
