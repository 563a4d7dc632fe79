'use strict';

// Inputs that only Node's port carries: on their way at once, to the worker that will use them, and nowhere for ever.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { MessageChannel: NodeChannel } = require('node:worker_threads');

const { MessageChannel, WorkerPool, errors } = require('rust-workers');
const { holdWorker, script, using } = require('../support/pools');
const { createRandom } = require('../support/random-values');
const { inTime, until } = require('../support/until');

const odd = script('odd.js');

async function withPool(options, body) {
  const pool = new WorkerPool(odd, options);
  try {
    return await using(pool, body);
  } finally {
    const { submitted, completed, failed, cancelled, running, queueSize } = pool.stats();
    assert.equal(submitted, completed + failed + cancelled, 'the counters add up');
    assert.deepEqual({ running, queueSize }, { running: 0, queueSize: 0 });
  }
}

const view = () => new Int32Array(new SharedArrayBuffer(8));
const blocks = (memory) => assert.notEqual(Atomics.wait(memory, 0, 0, 10_000), 'timed-out', 'it ran while its caller slept');

test('a caller that sleeps until its task has run: with a worker that is free, starting, busy', async () => {
  await withPool({ maxThreads: 1 }, async (pool) => {
    await pool.runTask(0);
    const free = view();
    const first = pool.run('add', free);
    blocks(free);
    assert.equal(await first, 0);
    const busy = view();
    const all = [pool.run('wait', 50), pool.run('add', busy)];
    blocks(busy);
    await Promise.all(all);
  });
  await withPool({ maxThreads: 1 }, async (pool) => {
    const cold = view();
    const done = pool.run('add', cold);
    blocks(cold);
    await done;
  });
});

const waits = {
  'in its event loop': {},
  'in native code': { wait: 'block' },
  'in native code for a moment': { linger: 20 },
  'with several tasks at a time': { concurrentTasksPerWorker: 4 },
};
for (const [where, options] of Object.entries(waits)) {
  test(`inputs that go to a worker alone reach it ${where}, among others, in every succession`, () =>
    withPool({ ...options, maxThreads: 2 }, async (pool) => {
      const random = createRandom(12);
      const tasks = [
        async () => assert.equal(await pool.runTask(7), 7),
        async () => {
          const bytes = new Uint8Array(1 + random(70_000)).fill(7);
          const { length } = bytes;
          assert.equal(await pool.run('size', bytes, { transfer: [bytes.buffer] }), length);
          assert.equal(bytes.byteLength, 0);
        },
        async () => assert.deepEqual(await pool.runTask(new (class Mine { x = 1; })()), { x: 1 }),
        async () => assert.equal(await pool.run('add', view()), 0),
        () => assert.rejects(pool.runTask({ get x() { return () => {}; }, y: new (class {})() }), { name: 'DataCloneError' }),
        // It is given up on its way.
        async () => {
          const controller = new AbortController();
          const bytes = new Uint8Array(100);
          const run = pool.run('size', bytes, { transfer: [bytes.buffer], signal: controller.signal });
          controller.abort();
          await assert.rejects(run, { name: 'AbortError' });
        },
      ];
      // A worker that has had many quick tasks in a row waits in place for the next.
      const quick = async () => {
        for (let i = 0; i < 20; i++) await pool.runTask(i);
      };
      for (let i = 0; i < 40; i++) {
        if (random(4) === 0) await quick();
        await Promise.all(Array.from({ length: 1 + random(3) }, () => tasks[random(tasks.length)]()));
      }
    }));
}

test('moved memory that waits reaches its worker without its owner', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    await pool.runTask(0);
    const memory = view();
    const bytes = new Uint8Array(100_000).fill(7);
    const all = [
      pool.run('wait', 50),
      pool.run('size', bytes, { transfer: [bytes.buffer] }),
      pool.run('add', memory),
    ];
    assert.equal(bytes.byteLength, 0, 'it was given away by the call');
    blocks(memory);
    assert.deepEqual(await Promise.all(all), [50, 100_000, 0]);
  }));

test('a worker that dies takes none of those along that wait, whatever their inputs', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    await pool.runTask(0);
    const dies = pool.run('exit', 9);
    const moved = new Uint8Array(50_000);
    const waiting = [
      pool.run('size', moved, { transfer: [moved.buffer] }),
      pool.run('add', view()),
      pool.runTask(new (class Mine { x = 1; })()),
      pool.runTask({ plain: true }),
    ];
    await assert.rejects(dies, { exitCode: 9 });
    assert.deepEqual(await Promise.all(waiting), [50_000, 0, { x: 1 }, { plain: true }]);
  }));

test('priorities hold among inputs of every kind', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    await pool.runTask(0);
    const order = [];
    const { task: busy, open } = await holdWorker(pool);
    const run = (priority, input) => pool.runTask(input, { priority }).then(() => order.push(priority));
    const runs = [run(1, new (class {})()), run(5, { plain: 1 }), run(3, view()), run(4, 7), run(2, new (class {})())];
    open();
    await Promise.all([busy, ...runs]);
    assert.deepEqual(order, [5, 4, 3, 2, 1]);
  }));

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** Memory outside of the heap that a collection leaves. */
function held() {
  gc();
  return process.memoryUsage().arrayBuffers;
}

/** The same, once nothing more is collected. */
async function heldAtRest() {
  let before = held();
  await until(async () => {
    await new Promise(setImmediate);
    const now = held();
    const isAtRest = now >= before;
    before = now;
    return isAtRest;
  }, 'nothing more is collected');
  return before;
}

test('inputs of tasks that were given up in the queue are let go', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    const MIB = 1024 * 1024;
    const inputs = {
      'given memory': () => {
        const bytes = new Uint8Array(MIB);
        return [bytes, { transfer: [bytes.buffer] }];
      },
      'found memory': () => [{ deep: [new Uint8Array(MIB)] }, { transfer: 'auto' }],
      'an instance': () => [new (class Picture { pixels = new Uint8Array(MIB); })(), {}],
      plain: () => [{ pixels: new Uint8Array(MIB) }, {}],
    };
    await pool.runTask(0);
    for (const [what, make] of Object.entries(inputs)) {
      for (const how of ['abort', 'timeout']) {
        const before = await heldAtRest();
        const { task: busy, open } = await holdWorker(pool);
        const stop = new AbortController();
        const runs = Array.from({ length: 10 }, () => {
          const [input, terms] = make();
          return pool.run('size', input, { ...terms, ...(how === 'abort' ? { signal: stop.signal } : { timeout: 20 }) });
        });
        const all = Promise.allSettled(runs);
        if (how === 'abort') stop.abort();
        for (const { status } of await all) assert.equal(status, 'rejected', `${what}, ${how}`);
        open();
        await busy;
        await pool.runTask(0);
        await until(() => held() - before < 3 * MIB, `${what}, ${how}: what they held is let go`);
      }
    }
  }));

test('a port whose task was given up closes', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    await pool.runTask(0);
    for (const Channel of [NodeChannel, MessageChannel]) {
      const { task: busy, open } = await holdWorker(pool);
      const { port1, port2 } = new Channel();
      const closed = new Promise((resolve) => port1.once('close', resolve));
      port1.on('message', () => {});
      const stop = new AbortController();
      const lost = pool.run('hasPort', { port: port2 }, { transfer: [port2], signal: stop.signal });
      stop.abort();
      await assert.rejects(lost, { name: 'AbortError' });
      open();
      await busy;
      await pool.runTask(0);
      await inTime(closed, 'the port closes');
    }
  }));

test('an input that cannot be sent is refused as by structuredClone, and costs nothing', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    await pool.runTask(0);
    const before = pool.stats().submitted;
    const { port1 } = new NodeChannel();
    const wrong = [
      [{ f() {} }, undefined], [new (class { f() {} g = () => {}; })(), undefined],
      [{ port: port1 }, undefined], [{ s: Symbol('s') }, { timeout: 1_000 }],
    ];
    await assert.rejects(pool.runTask(1, { transfer: [port1, port1] }), errors.InvalidArgValueError);
    for (const [input, options] of wrong) await assert.rejects(pool.runTask(input, options), { name: /DataCloneError|TypeError/ });
    assert.equal(pool.stats().submitted, before, 'none of them counts as accepted');
    assert.deepEqual(await pool.runTask(new (class { x = 1; })()), { x: 1 }, 'and the next is not shifted');
    port1.close();
  }));

test('deep values: as deep as Node takes them, or a typed error, on both ways', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    assert.equal(await pool.run('levels', await pool.run('nested', 1_000)), 1_000);
    const { nested } = require(odd);
    for (const levels of [8_000, 200_000]) {
      await assert.rejects(pool.run('levels', nested(levels)), errors.ValueTooDeepError);
      await assert.rejects(pool.run('nested', levels), errors.ValueTooDeepError);
    }
    assert.equal(await pool.run('levels', [[1]]), 2, 'the worker goes on');
    assert.equal(pool.stats().workers, 1);
  }));

test('each getter of an input is read once, in order, also when it submits', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    await pool.runTask(0);
    for (const make of [(o) => o, (o) => Object.assign(Object.create({ own: 'class' }, Object.getOwnPropertyDescriptors(o)))]) {
      const read = [];
      let inner;
      const input = make({
        get first() {
          read.push('first');
          inner ??= Promise.all([pool.runTask({ nested: [1, 2] }), pool.runTask(new (class { y = 2; })())]);
          return 1;
        },
        get second() {
          read.push('second');
          return { deep: true };
        },
      });
      assert.deepEqual(await pool.runTask(input), { first: 1, second: { deep: true } });
      assert.deepEqual(await inner, [{ nested: [1, 2] }, { y: 2 }]);
      assert.deepEqual(read, ['first', 'second']);
    }
  }));

test('a signal that the input itself aborts', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    await pool.runTask(0);
    for (const wrap of [(o) => o, (o) => Object.setPrototypeOf(o, { mine: true })]) {
      const stop = new AbortController();
      const input = wrap({
        get value() {
          stop.abort(new Error('by the input'));
          return 1;
        },
      });
      await assert.rejects(pool.runTask(input, { signal: stop.signal }), (error) => error.cause.message === 'by the input');
    }
    assert.equal(await pool.runTask(1), 1);
  }));
