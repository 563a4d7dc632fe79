'use strict';

// Limits are real time, whatever a test framework has done to the clock and to timers: before or after we were loaded.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('./support/child');

/** Does to a process what a framework does. Each is a program's text, run before or after the package is loaded. */
const FAKES = {
  // As Jest's and sinon's, which know the globals and the modules' exports.
  'clock and timers replaced': () => {
    const stopped = performance.now();
    const never = () => ({ ref() {}, unref() { return this; }, hasRef: () => false, refresh() {}, [Symbol.toPrimitive]: () => 1 });
    const clears = () => {};
    const timers = require('node:timers');
    const fakes = {
      setTimeout: never, setInterval: never, setImmediate: never,
      clearTimeout: clears, clearInterval: clears, clearImmediate: clears,
    };
    Object.assign(globalThis, fakes);
    Object.assign(timers, fakes);
    Object.assign(require('node:timers/promises'), { setTimeout: () => new Promise(() => {}), setImmediate: () => new Promise(() => {}) });
    Date.now = () => 1e12;
    performance.now = () => stopped;
    process.hrtime = Object.assign(() => [1, 1], { bigint: () => 1n });
    process.uptime = () => 1;
  },
  "node:test's own mock": () => {
    process.removeAllListeners('warning');
    require('node:test').mock.timers.enable();
  },
  // A framework that fakes `nextTick` and `queueMicrotask` as well.
  'ticks replaced': () => {
    process.nextTick = Object.assign(() => {}, { clock: {} });
    globalThis.queueMicrotask = () => {};
  },
};

/** Every wait of ours that takes a limit, to its end. */
async function waits(rw, say) {
  const LIMIT = 30;
  const late = { timeout: LIMIT };
  const held = () => {
    const mutex = new rw.Mutex();
    return [mutex, mutex.lockSync()];
  };
  const [mutex] = held();
  const [asyncMutex] = held();
  const { port1, port2 } = new rw.MessageChannel();
  const pool = new rw.WorkerPool({ maxThreads: 1 });
  const codeOf = (wait) => wait.then((value) => value, (error) => error.code);
  const now = [
    ['Mutex.lockSync', () => mutex.lockSync(late)],
    ['Semaphore.acquireSync', () => new rw.Semaphore(0).acquireSync(1, late)],
    ['RwLock.writeSync', () => {
      const lock = new rw.RwLock();
      lock.readSync();
      lock.writeSync(late);
    }],
    ['Condvar.waitSync', () => new rw.Condvar().waitSync(held()[1], late)],
    ['Barrier.waitSync', () => new rw.Barrier(2).waitSync(late)],
    ['SharedBuffer.wait', () => new rw.SharedBuffer(8).wait(0, 0, LIMIT)],
    ['rustAtomics.wait', () => rw.rustAtomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LIMIT)],
    ['receiveSync', () => port1.receiveSync(LIMIT)],
  ];
  for (const [name, wait] of now) {
    try {
      say(name, wait());
    } catch (error) {
      say(name, error.code);
    }
  }
  const later = [
    ['Mutex.lock', asyncMutex.lock(late)],
    ['Semaphore.acquire', new rw.Semaphore(0).acquire(1, late)],
    ['Condvar.wait', new rw.Condvar().wait(held()[1], late)],
    ['Barrier.wait', new rw.Barrier(2).wait(late)],
    ['SharedBuffer.waitAsync', new rw.SharedBuffer(8).waitAsync(0, 0, LIMIT)],
    ['receive', port2.receive(LIMIT)],
    ['run', pool.run('sleep', 60_000, late)],
    ['map', pool.map('sleep', [60_000, 60_000], late)],
  ];
  const ends = later.map(async ([name, wait]) => [name, await codeOf(wait)]);
  for (const [name, end] of await Promise.all(ends)) say(name, end);
  port1.close();
  // More than one batch of answers: the next comes by `setImmediate`.
  const answers = await Promise.all(Array.from({ length: 5000 }, (_, i) => pool.run('fibonacci', i % 10)));
  say(answers.length);
  await pool.close({ timeout: 1000 });
  say('closed');
}

const OUTCOMES = quietly(
  'Mutex.lockSync ERR_RW_LOCK_DEADLOCK', 'Semaphore.acquireSync ERR_RW_LOCK_TIMEOUT', 'RwLock.writeSync ERR_RW_LOCK_DEADLOCK',
  'Condvar.waitSync false', 'Barrier.waitSync ERR_RW_LOCK_TIMEOUT', 'SharedBuffer.wait timed-out', 'rustAtomics.wait timed-out',
  'receiveSync ERR_RW_RECEIVE_TIMEOUT', 'Mutex.lock ERR_RW_LOCK_TIMEOUT', 'Semaphore.acquire ERR_RW_LOCK_TIMEOUT',
  'Condvar.wait false', 'Barrier.wait ERR_RW_LOCK_TIMEOUT', 'SharedBuffer.waitAsync timed-out', 'receive ERR_RW_RECEIVE_TIMEOUT',
  'run ERR_RW_TASK_TIMEOUT', 'map ERR_RW_TASK_TIMEOUT', '5000', 'closed',
);

onEachNode('time', (run) => {
  for (const [what, fake] of Object.entries(FAKES)) {
    const source = `(${fake})()`;
    const program = `async ({ load, say }, before, source) => {
      if (before) eval(source);
      const rw = load();
      if (!before) eval(source);
      await (${waits})(rw, say);
    }`;
    for (const before of [true, false]) {
      test(`${what} ${before ? 'before' : 'after'} we are loaded`, async () => {
        assert.deepEqual(await run(program, { args: [before, source], timeout: 20_000 }), OUTCOMES);
      });
    }

    test(`${what}, in a worker of its own`, async () => {
      const end = await run(
        `async ({ start, say, once }, source) => {
          const worker = start(${JSON.stringify(`async ({ load, say }) => {
            (${fake})();
            await (${waits})(load(), say);
          }`)});
          await once(worker, 'exit');
        }`,
        { args: [source], timeout: 20_000 },
      );
      assert.deepEqual(end, OUTCOMES);
    });
  }

  test('once the timers were real, a module registry made later gets them too', async () => {
    const end = await run(async ({ load, say }) => {
      const { setTimeout: real } = require('node:timers');
      load();
      for (const name of Object.keys(require.cache)) if (!name.endsWith('.node')) delete require.cache[name];
      require('node:timers').setTimeout = () => ({});
      say(require('./lib/runtime/clock').setTimeout === real);
    });
    assert.deepEqual(end, quietly('true'));
  });

  test("timers without Node's: in order of time, held, let go, cleared, with arguments, errors uncaught", async () => {
    const end = await run(({ say }) => {
      const { clearTimeout, setImmediate, setTimeout } = require('./lib/runtime/v8-timers');
      process.on('uncaughtException', (error) => say('uncaught', error.message));
      setTimeout(() => say('second'), 40);
      const first = setTimeout((...words) => say(...words, first.hasRef()), 20, 'first', 'of two');
      say(first.hasRef(), setTimeout(() => say('never'), 300).unref().hasRef());
      clearTimeout(setTimeout(() => say('cleared'), 5));
      clearTimeout(undefined);
      setTimeout(() => {
        throw new Error('mine');
      }, 60);
      setTimeout(() => say('last'), 80);
      setImmediate(() => say('next turn'));
      Promise.resolve().then(() => say('this turn'));
    });
    assert.deepEqual(
      end,
      quietly('true false', 'this turn', 'next turn', 'first of two false', 'second', 'uncaught mine', 'last'),
    );
  });
});
