'use strict';

// Every call from our code into a user's, and what happens when that throws: DESIGN.md has the list. In processes of
// their own, since what is thrown becomes an uncaught exception; beside Node, where Node calls such a function.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode } = require('../support/child');
const { script } = require('../support/pools');

const FUNCTIONS = script('reporting.js');

/** What the program printed, as JSON. */
async function outcome(run, program, ...args) {
  const { code, stdout, stderr, signal } = await run(program, { args });
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

onEachNode('user code that throws', (run) => {
  test("'drain', 'needsDrain' and 'close': uncaught, and the pool goes on", async () => {
    const seen = await outcome(run, async ({ load, until }) => {
      const { WorkerPool } = load();
      const uncaught = [];
      process.on('uncaughtException', (error) => uncaught.push(error.message));
      const pool = new WorkerPool({ maxThreads: 1, maxQueue: 2 });
      for (const event of ['needsDrain', 'drain', 'close']) {
        pool.on(event, () => {
          throw new Error(event);
        });
      }
      const other = new WorkerPool({ maxThreads: 1 });
      const runs = [pool.run('sleep', 5), pool.run('echo', 1), pool.run('echo', 2), other.run('echo', 3)];
      const values = await Promise.all(runs);
      await until(() => uncaught.includes('drain'), 'drain');
      const next = await pool.run('echo', 4);
      await Promise.all([pool.close(), other.close()]);
      await until(() => uncaught.includes('close'), 'close');
      console.log(JSON.stringify({ values, next, uncaught }));
    });
    assert.deepEqual(seen.values.slice(1), [1, 2, 3]);
    assert.equal(seen.next, 4);
    assert.deepEqual(seen.uncaught, ['needsDrain', 'drain', 'close']);
  });

  test('onProgress: each error by itself, in the context of the call, and everything else arrives', async () => {
    const seen = await outcome(
      run,
      async ({ load }, script) => {
        const { AsyncLocalStorage } = require('node:async_hooks');
        const { WorkerPool } = load();
        const storage = new AsyncLocalStorage();
        const uncaught = [];
        process.on('uncaughtException', (error) => uncaught.push(`${error.message} in ${storage.getStore()}`));
        const pool = new WorkerPool(script, { maxThreads: 1 });
        const told = [];
        const runs = Array.from({ length: 20 }, (_, n) =>
          storage.run(`task ${n}`, () =>
            pool.run('report', n, {
              onProgress: (value) => {
                told.push(storage.getStore());
                if (n === 3) throw new Error(`report ${value}`);
              },
            }),
          ),
        );
        const values = await Promise.all(runs);
        await pool.close();
        console.log(JSON.stringify({ values, told: told.length, own: told.filter((at) => at === 'task 3').length, uncaught }));
      },
      FUNCTIONS,
    );
    assert.deepEqual(seen.values, Array.from({ length: 20 }, (_, n) => n));
    assert.equal(seen.told, 60);
    assert.equal(seen.own, 3);
    assert.deepEqual(seen.uncaught, [0, 1, 2].map((n) => `report ${n} in task 3`));
  });

  test("as a Worker's 'message' listener that throws: in its context too", async () => {
    const seen = await outcome(run, async ({ until }) => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const { Worker } = require('node:worker_threads');
      const storage = new AsyncLocalStorage();
      const uncaught = [];
      process.on('uncaughtException', (error) => uncaught.push(`${error.message} in ${storage.getStore()}`));
      storage.run('its maker', () => {
        const worker = new Worker("for (let i = 0; i < 3; i++) require('worker_threads').parentPort.postMessage(i)", { eval: true });
        worker.on('message', (n) => {
          throw new Error(`report ${n}`);
        });
      });
      await until(() => uncaught.length >= 3, 'three errors');
      console.log(JSON.stringify({ uncaught }));
    });
    assert.deepEqual(seen.uncaught, [0, 1, 2].map((n) => `report ${n} in its maker`));
  });

  test('onProgress that aborts its own task hears no more of it, and one that submits, closes or waits may', async () => {
    const seen = await outcome(
      run,
      async ({ load }, script) => {
        const { WorkerPool } = load();
        const pool = new WorkerPool(script, { maxThreads: 1 });
        const stop = new AbortController();
        const told = [];
        const inner = [];
        const aborted = pool.run('report', 0, {
          signal: stop.signal,
          onProgress: (n) => {
            told.push(n);
            stop.abort();
          },
        });
        const submits = pool.run('report', 1, { onProgress: (n) => inner.push(pool.run('echo', n)) });
        const outcomes = await Promise.allSettled([aborted, submits]);
        const values = await Promise.all(inner);
        await pool.close();
        console.log(JSON.stringify({ told, values, outcomes: outcomes.map(({ value, reason }) => reason?.name ?? value) }));
      },
      FUNCTIONS,
    );
    assert.deepEqual(seen, { told: [0], values: [0, 1, 2], outcomes: ['AbortError', 1] });
  });

  test('a `then` that the result finds: as a resolved promise does with it', async () => {
    const seen = await outcome(run, async ({ load }) => {
      const { WorkerPool, SharedBuffer } = load();
      const uncaught = [];
      process.on('uncaughtException', (error) => uncaught.push(error.message));
      const pool = new WorkerPool({ maxThreads: 1 });
      const outcomes = {};
      const fate = (promise) => promise.then(() => 'resolved', (error) => error.message);
      // On the object that was given and comes back.
      const own = new SharedBuffer(16);
      Object.defineProperty(own, 'then', {
        get() {
          throw new Error('own then');
        },
      });
      const behind = [pool.run('echo', 1)];
      const given = pool.run('sort', own);
      behind.push(pool.run('echo', { a: 2 }), pool.run('echo', 3));
      outcomes.own = await fate(given);
      const values = [await behind[0], (await behind[1]).a, await behind[2]];
      // On the prototype of all objects.
      Object.defineProperty(Object.prototype, 'then', {
        configurable: true,
        get() {
          // Node 22 resolves a promise with a module of its own meanwhile.
          if (this.constructor !== Object && this.constructor !== Array) return undefined;
          throw new Error('inherited then');
        },
      });
      const objects = [pool.run('echo', { a: 1 }), pool.map('echo', ['a', 'b']), pool.run('echo', 'text')].map(fate);
      const plain = fate(Promise.resolve().then(() => ({ a: 1 })));
      const settled = [await objects[0], await objects[1], await objects[2], await plain];
      delete Object.prototype.then;
      await pool.close();
      console.log(JSON.stringify({ ...outcomes, settled, values, uncaught }));
    });
    assert.deepEqual(seen, {
      own: 'own then',
      settled: ['inherited then', 'inherited then', 'resolved', 'inherited then'],
      values: [1, 2, 3],
      uncaught: [],
    });
  });

  test('a getter of the input that throws, and one that submits, closes and aborts', async () => {
    const seen = await outcome(run, async ({ load }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 1 });
      const fate = (promise) => promise.then((value) => value, (error) => error.message);
      const inner = [];
      const input = {
        get a() {
          inner.push(pool.run('echo', { inner: 1 }), pool.map('echo', [{ inner: 2 }]));
          return 1;
        },
        get b() {
          throw new Error('getter');
        },
      };
      const thrown = await fate(pool.run('echo', input));
      const also = await fate(pool.map('echo', [{ c: 1 }, input]));
      const values = await Promise.all(inner);
      const closing = { get c() { pool.close(); return 1; } };
      const closed = await fate(pool.run('echo', closing));
      console.log(JSON.stringify({ thrown, also, values, closed, stats: pool.stats().submitted }));
    });
    assert.deepEqual(seen.thrown, 'getter');
    assert.deepEqual(seen.also, 'getter');
    assert.deepEqual(seen.values, [{ inner: 1 }, [{ inner: 2 }], { inner: 1 }, [{ inner: 2 }]]);
    assert.match(seen.closed, /the pool is closed/);
    assert.equal(seen.stats, 4);
  });

  test('a listener of the signal before ours that throws or stops the event', async () => {
    const seen = await outcome(run, async ({ load, until }) => {
      const { setTimeout: sleep } = require('node:timers/promises');
      const { WorkerPool, Mutex } = load();
      const uncaught = [];
      process.on('uncaughtException', (error) => uncaught.push(error.message));
      const pool = new WorkerPool({ maxThreads: 1 });
      const stop = new AbortController();
      stop.signal.addEventListener('abort', (event) => {
        event.stopImmediatePropagation();
        throw new Error('listener');
      });
      const fates = [
        pool.run('sleep', 60_000, { signal: stop.signal }),
        pool.map('sleep', [60_000], { signal: stop.signal }),
        pool.map('sleep', (async function* () { yield 60_000; })(), { signal: stop.signal }),
        // Node's own beside them.
        sleep(60_000, undefined, { signal: stop.signal }),
      ].map((promise) => promise.then(() => 'resolved', (error) => error.name));
      const mutex = new Mutex();
      const guard = mutex.lockSync();
      fates.push(mutex.lock({ signal: stop.signal }).then(() => 'resolved', (error) => error.name));
      await until(() => pool.stats().running === 1, 'one runs');
      stop.abort();
      const names = await Promise.all(fates);
      guard.release();
      await pool.close();
      console.log(JSON.stringify({ names, uncaught }));
    });
    assert.deepEqual(seen, { names: Array(5).fill('AbortError'), uncaught: ['listener'] });
  });

  test('a fault in our own delivery is an uncaught exception, rejects its task, and the rest arrives', async () => {
    const seen = await outcome(run, async ({ load }) => {
      const { WorkerPool, Mutex } = load();
      const path = require('node:path');
      const { NativePool } = require(path.resolve('lib/task/native-pool.js'));
      const { Pending } = require(path.resolve('lib/task/pending.js'));
      const uncaught = [];
      process.on('uncaughtException', (error) => uncaught.push(error.message));
      const pool = new WorkerPool({ maxThreads: 1 });
      const mutex = new Mutex();
      const settle = Pending.prototype.settle;
      let broken = 0;
      Pending.prototype.settle = function (...args) {
        if (this.task === 'panic' && broken++ < 2) throw new Error(`fault ${broken}`);
        return settle.apply(this, args);
      };
      const runs = [];
      for (let n = 0; n < 5; n++) {
        runs.push(pool.run('panic', `boom ${n}`, { priority: 0 }));
        runs.push(pool.run('echo', new Uint8Array(5_000).fill(n)), pool.run('echo', { n }));
      }
      const held = mutex.lockSync();
      const lock = mutex.lock();
      held.release();
      const fates = await Promise.all(runs.map((promise) => promise.then((v) => v.n ?? v[4_999], (error) => error.message)));
      (await lock).release();
      await pool.close();
      console.log(JSON.stringify({ fates, uncaught, record: typeof NativePool }));
    });
    assert.deepEqual(seen.uncaught, ['fault 1', 'fault 2']);
    const expected = [];
    for (let n = 0; n < 5; n++) {
      expected.push(n < 2 ? `fault ${n + 1}` : `task 'panic' panicked: boom ${n} (at src/tasks/control.rs:39)`, n, n);
    }
    assert.deepEqual(seen.fates.map((fate) => String(fate).replace(/control\.rs:\d+/, 'control.rs:39')), expected.map(String));
  });

  test('what the deliver function throws into Rust is told, by napi_fatal_exception, and deliveries go on', async () => {
    const seen = await outcome(run, async ({ load, until }) => {
      const { WorkerPool } = load();
      const uncaught = [];
      process.on('uncaughtException', (error) => uncaught.push(error.message));
      const pool = new WorkerPool({ maxThreads: 1 });
      // Only where our own function cannot catch: at its first step.
      const { setImmediate: real } = require('node:timers');
      await pool.run('echo', 1);
      const { Map: { prototype } } = globalThis;
      const { values } = prototype;
      prototype.values = function () {
        prototype.values = values;
        throw new Error('beyond');
      };
      const value = await pool.run('echo', 2);
      await until(() => uncaught.length >= 1, 'the error');
      const next = await pool.run('echo', 3);
      await pool.close();
      console.log(JSON.stringify({ value, next, uncaught, real: typeof real }));
    });
    assert.deepEqual(seen, { value: 2, next: 3, uncaught: ['beyond'], real: 'function' });
  });

  test('accessors on Array.prototype see none of what is delivered, and nothing is lost', async () => {
    const seen = await outcome(run, async ({ load }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 1, maxQueue: 3 });
      let caught = 0;
      const note = (value) => {
        // Node's own lists see them too.
        if (typeof value === 'string' || value instanceof ArrayBuffer) caught++;
      };
      for (let i = 0; i < 4; i++) {
        Object.defineProperty(Array.prototype, i, { configurable: true, get() {}, set: note });
      }
      const fate = (promise) => promise.then((value) => value?.length ?? value, (error) => error.code);
      const stop = new AbortController();
      const first = fate(pool.run('sleep', 60_000, { signal: stop.signal }));
      const [number, text, panic] = [fate(pool.run('echo', 1)), fate(pool.run('echo', 'x'.repeat(100_000))), fate(pool.run('panic', 'p'))];
      const refused = fate(pool.run('noop'));
      stop.abort();
      await first;
      const seen = { number: await number, text: await text, panic: await panic, refused: await refused };
      seen.bytes = await fate(pool.run('sha512', new Uint8Array(5_000)));
      for (let i = 0; i < 4; i++) delete Array.prototype[i];
      await pool.close();
      console.log(JSON.stringify({ ...seen, caught }));
    });
    assert.deepEqual(seen, {
      number: 1, text: 100_000, panic: 'ERR_RW_TASK_PANICKED', refused: 'ERR_RW_QUEUE_FULL', bytes: 64, caught: 0,
    });
  });
});
