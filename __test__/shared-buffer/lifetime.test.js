'use strict';

// The memory outlives every use, and no wait keeps a thread or the process from ending. In processes of their own: a
// fault here is a crash or a hang.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { quietly, runProgram } = require('../support/child');
const { assertPromised } = require('../support/promised-time');

/** Runs a program in a process of its own. */
const run = (program, options) => runProgram(process.execPath, program, options);

/** How long a process takes from its first line to its end, in ms; it has to end by itself, having said these lines. */
async function timeToEnd(program, args, ...lines) {
  let ready;
  const end = await run(program, { args, onOutput: () => (ready ??= performance.now()) });
  const took = performance.now() - ready;
  assert.deepEqual(end, quietly(...lines));
  return took;
}

for (const wait of ['shared.wait(0, 0)', 'rustAtomics.wait(shared.as("int32").array, 0, 0)']) {
  test(`a thread blocked in ${wait} is terminated within 100 ms, and leaves no waiter behind`, async () => {
    const end = await run(async ({ after, load, once, say, start, until }, waiting) => {
      const { SharedBuffer } = load();
      const { assertPromised: assertWithin, timeOf } = require('./__test__/support/promised-time');
      const terminated = async (work, round) => {
        const shared = new SharedBuffer(8);
        const thread = start(
          `({ load, parentPort, workerData }) => {
            const { SharedBuffer, rustAtomics } = load();
            const shared = SharedBuffer.from(workerData);
            parentPort.postMessage('ready');
            ${work};
          }`,
          { workerData: shared.buffer },
        );
        await once(thread, 'message');
        if (work.includes(waiting)) await until(() => shared.notify(0) === 1, 'it waits');
        // At several moments of the slices in which it waits, now again.
        await after(10 + round * 7);
        const took = await timeOf(() => thread.terminate());
        if (shared.notify(0) !== 0) say('a waiter was left behind');
        return took;
      };
      const blocked = (round) => terminated(`for (;;) ${waiting}`, round);
      const idle = (round) => terminated('setInterval(Object, 1_000)', round);
      await assertWithin(100, blocked, idle);
      say('within 100 ms');
    }, { args: [wait] });
    assert.deepEqual(end, quietly('within 100 ms'));
  });
}

for (const how of ['process.exit(0)', 'thread.unref()']) {
  test(`the process ends within 100 ms while a thread is blocked in wait: ${how}`, async () => {
    const program = async ({ after, load, once, say, start, until }, blocks, end) => {
      const { SharedBuffer } = load();
      const shared = new SharedBuffer(8);
      const thread = start(
        `({ load, parentPort, workerData }) => {
          const shared = load().SharedBuffer.from(workerData);
          parentPort.postMessage('ready');
          if (${blocks}) for (;;) shared.wait(0, 0);
          setInterval(Object, 1_000);
        }`,
        { workerData: shared.buffer },
      );
      await once(thread, 'message');
      if (blocks) await until(() => shared.notify(0) === 1, 'it waits');
      // Time to go back to its wait: nobody can ask whether it has.
      await after(10);
      say('go');
      if (end === 'process.exit(0)') process.exit(0);
      thread.unref();
    };
    const time = (blocks) => timeToEnd(program, [blocks, how], 'go');
    await assertPromised(100, () => time(true), () => time(false), 3);
  });
}

test('a pending waitAsync keeps the process alive until it is woken or late, and not longer', async () => {
  const program = async ({ load, say, start }, waits) => {
    const { SharedBuffer } = load();
    const shared = new SharedBuffer(8);
    if (!waits) return say('ok') + say('timed-out');
    start(
      ({ load: loadHere, workerData }) =>
        setTimeout(() => loadHere().SharedBuffer.from(workerData).notify(0), 300),
      { workerData: shared.buffer },
    ).unref();
    const woken = await shared.waitAsync(0, 0);
    const late = await shared.waitAsync(0, 0, 100);
    say(woken);
    say(late);
    return undefined;
  };
  const time = (waits) => timeToEnd(program, [waits], 'ok', 'timed-out');
  await assertPromised(100, () => time(true), () => time(false), 3);
});

for (const how of ['by itself', 'process.exit(0)']) {
  test(`a notifier that was started keeps nothing alive: the process ends ${how}`, async () => {
    const program = async ({ load, say, until }, notifies, end) => {
      const { SharedBuffer, WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 1 });
      const shared = new SharedBuffer(8);
      // Only the notifier wakes this one: so it is at work.
      const plain = notifies && Atomics.waitAsync(new Int32Array(shared.buffer), 0, 0).value;
      if (notifies) await until(() => pool.run('atomicNotify', { buffer: shared }), 'the notifier wakes one');
      say((await plain) || (await pool.run('echo', 'ok')));
      if (end === 'process.exit(0)') process.exit(0);
    };
    const time = (notifies) => timeToEnd(program, [notifies, how], 'ok');
    await assertPromised(100, () => time(true), () => time(false), 3);
  });
}

test('a worker that has a notifier of its own is terminated within 100 ms', async () => {
  const end = await run(async ({ once, say, start }) => {
    const { assertPromised: assertWithin, timeOf } = require('./__test__/support/promised-time');
    const terminated = async (notifies) => {
      const thread = start(`async ({ load, parentPort, until }) => {
        const { SharedBuffer, WorkerPool } = load();
        const pool = new WorkerPool({ maxThreads: 1 });
        const shared = new SharedBuffer(8);
        if (${notifies}) {
          Atomics.waitAsync(new Int32Array(shared.buffer), 0, 0);
          await until(() => pool.run('atomicNotify', { buffer: shared }), 'the notifier wakes one');
        }
        parentPort.postMessage('ready');
        setInterval(Object, 1_000);
      }`);
      await once(thread, 'message');
      return timeOf(() => thread.terminate());
    };
    await assertWithin(100, () => terminated(true), () => terminated(false));
    say('within 100 ms');
  });
  assert.deepEqual(end, quietly('within 100 ms'));
});

const LOADS = [
  ["'sort', new SharedBuffer(16e6).as('float64', 0, 2e6)", 'a sort'],
  ["'sort', new SharedBuffer(16e6).as('float64'), { parallel: true }", 'a parallel sort'],
  ["'atomicAdd', { buffer: new SharedBuffer(8), count: 1e12 }", 'endless adds'],
  ["'atomicAdd', { buffer: new SharedBuffer(8), count: 1e12 }, { parallel: true }", 'endless adds in parallel'],
  ["'atomicWait', { buffer: new SharedBuffer(8), value: 0 }", 'a wait'],
  ["'sha256', new SharedBuffer(2e8)", 'a hash'],
];

for (const [load, what] of LOADS) {
  test(`the worker that made the memory is terminated in the middle of ${what}, within 100 ms`, async () => {
    const end = await run(async ({ after, once, say, start }, submit) => {
      const { assertPromised: assertWithin, timeOf } = require('./__test__/support/promised-time');
      const terminated = async (tasks, round) => {
        const thread = start(`async ({ load, parentPort, until }) => {
          const { SharedBuffer, WorkerPool } = load();
          const pool = new WorkerPool({ maxThreads: 3 });
          await pool.run('noop');
          for (let n = 0; n < ${tasks}; n++) pool.run(${submit});
          if (${tasks} > 0) await until(() => pool.stats().running > 0, 'a task runs');
          parentPort.postMessage('under way');
          setInterval(Object, 1_000);
        }`);
        await once(thread, 'message');
        // Any moment will do.
        await after(round * 3);
        return timeOf(() => thread.terminate());
      };
      // A task looks once a millisecond whether it should stop.
      await assertWithin(100, (round) => terminated(4, round), (round) => terminated(0, round), 3);
      say('within 100 ms');
    }, { args: [load] });
    assert.deepEqual(end, quietly('within 100 ms'));
  });
}

test('memory of a worker that is gone lives on in the tasks of another thread', async () => {
  const end = await run(async ({ load, once, say, start }) => {
    const { WorkerPool } = load();
    const pool = new WorkerPool({ maxThreads: 2 });
    for (let i = 0; i < 5; i++) {
      const thread = start(async ({ load: loadHere, parentPort }) => {
        const rw = loadHere();
        const view = new rw.SharedBuffer(8e6).as('uint32');
        view.array.fill(3);
        parentPort.postMessage(view.buffer);
        const own = new rw.WorkerPool({ maxThreads: 1 });
        await own.run('sum', view);
        await own.close();
      });
      const [buffer] = await once(thread, 'message');
      const runs = [1, 2, 3, 4].map(() => pool.run('sum', new Uint32Array(buffer), { parallel: true }));
      await thread.terminate();
      say(...(await Promise.all(runs)));
    }
    await pool.close();
  });
  assert.deepEqual(end, quietly(...Array(5).fill('6000000 6000000 6000000 6000000')));
});

test('what nobody refers to any more is collected, once no task uses it', async () => {
  const end = await run(async ({ load, say, until }) => {
    const { SharedBuffer, WorkerPool } = load();
    const pool = new WorkerPool({ maxThreads: 2 });
    const alive = new Set();
    const registry = new FinalizationRegistry((i) => alive.delete(i));
    const use = async (i) => {
      const shared = new SharedBuffer(1e6);
      registry.register(shared.buffer, i);
      alive.add(i);
      shared.notify(0);
      shared.wait(0, 0, 1);
      await pool.run('sum', shared);
      await shared.waitAsync(0, 0, 1);
    };
    for (let i = 0; i < 20; i++) await use(i);
    await until(() => (globalThis.gc(), alive.size <= 2), 'the buffers are collected');
    say('collected');
    await pool.close();
  }, { execArgv: ['--expose-gc'] });
  assert.deepEqual(end, quietly('collected'));
});

test('a wrapper that is collected while its memory is in use harms nothing', async () => {
  const end = await run(async ({ load, say, until }) => {
    const { SharedBuffer, WorkerPool } = load();
    const pool = new WorkerPool({ maxThreads: 2 });
    const wrappers = [];
    const start = () => {
      const shared = new SharedBuffer(4e7);
      wrappers.push(new WeakRef(shared));
      return pool.run('sum', shared.as('uint8'));
    };
    const sums = Promise.all([1, 2, 3, 4, 5, 6].map(start));
    await until(() => (globalThis.gc(), wrappers.every((wrapper) => wrapper.deref() === undefined)), 'they are collected');
    say(pool.stats().completed < 6 ? 'in use' : 'all have ended');
    say(...(await sums));
    await pool.close();
  }, { execArgv: ['--expose-gc'] });
  assert.deepEqual(end, quietly('in use', '0 0 0 0 0 0'));
});

test('a waiter whose wrapper is collected is still met', async () => {
  const end = await run(async ({ load, say, until }) => {
    const { SharedBuffer } = load();
    const buffer = new SharedArrayBuffer(8);
    const wait = () => {
      const shared = SharedBuffer.from(buffer);
      return [shared.waitAsync(0, 0, 20_000), new WeakRef(shared)];
    };
    const [waiting, wrapper] = wait();
    await until(() => (globalThis.gc(), wrapper.deref() === undefined), 'the wrapper is collected');
    say(SharedBuffer.from(buffer).notify(0), await waiting);
  }, { execArgv: ['--expose-gc'] });
  assert.deepEqual(end, quietly('1 ok'));
});

test('the native side refuses memory that is not the whole of a SharedArrayBuffer', () => {
  const { binding } = require('../../lib/native');
  const refused = { code: 'ERR_RW_INTERNAL' };
  assert.throws(() => binding.holdRegion(new Uint8Array(8)), refused);
  assert.throws(() => binding.holdRegion(new Uint8Array(new SharedArrayBuffer(16), 8)), refused);
  assert.throws(() => binding.holdRegion(new Int32Array(new SharedArrayBuffer(16))), refused);
  binding.releaseRegion(binding.holdRegion(new Uint8Array(new SharedArrayBuffer(16))));
});
