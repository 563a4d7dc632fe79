'use strict';

// Users' code that runs while a lock is waited for, or that stops the wait from outside: no grant is lost by it, no promise
// stays open, and what it throws is heard.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Barrier, Condvar, Mutex, RwLock, Semaphore } = require('../..');
const { onEachNode, quietly } = require('../support/child');
const { inTime } = require('../support/until');

/** An AbortSignal of a user's own: each method and property does first what it is told to. */
function signalWith(does) {
  const controller = new AbortController();
  const { signal } = controller;
  return {
    controller,
    signal: {
      get aborted() {
        does.aborted?.(controller);
        return signal.aborted;
      },
      get reason() {
        does.reason?.(controller);
        return signal.reason;
      },
      addEventListener(...args) {
        does.add?.(controller, args);
        signal.addEventListener(...args);
        does.added?.(controller, args);
      },
      removeEventListener(...args) {
        does.remove?.(controller, args);
        signal.removeEventListener(...args);
      },
    },
  };
}

const fault = () => {
  throw new Error('mine');
};
const abort = (controller) => controller.abort();
/** What a user's signal may do, and how the wait must end then. */
const DEEDS = {
  'throws when it is listened to': [{ add: fault }, 'mine'],
  'throws after it was listened to': [{ added: fault }, 'mine'],
  'throws when it is asked': [{ aborted: fault }, 'mine'],
  'aborts when it is asked': [{ aborted: abort }, 'ERR_RW_LOCK_ABORTED'],
  'aborts when it is listened to': [{ add: abort }, 'ERR_RW_LOCK_ABORTED'],
  'aborts after it was listened to': [{ added: abort }, 'ERR_RW_LOCK_ABORTED'],
  'calls the listener at once': [{ add: (_, [, listener]) => listener() }, 'ERR_RW_LOCK_ABORTED'],
  'aborts when it is asked, and its reason throws': [{ aborted: abort, reason: fault }, 'ERR_RW_LOCK_ABORTED'],
  'aborts later, and its reason throws': [{ added: (c) => setImmediate(abort, c), reason: fault }, 'ERR_RW_LOCK_ABORTED'],
};

/** Each kind of wait: how to begin it, so that it does not end by itself, and whether everything is free after it. */
const WAITS = {
  async mutex() {
    const mutex = new Mutex();
    const guard = await mutex.lock();
    return { wait: (terms) => mutex.lock(terms), release: () => guard.release(), isFree: () => mutex.tryLock() !== null };
  },
  async semaphore() {
    const semaphore = new Semaphore(3);
    const guard = await semaphore.acquire(2);
    return {
      wait: (terms) => semaphore.acquire(2, terms), release: () => guard.release(), isFree: () => semaphore.available === 3,
    };
  },
  async reader() {
    const lock = new RwLock();
    const guard = await lock.write();
    return { wait: (terms) => lock.read(terms), release: () => guard.release(), isFree: () => lock.tryWrite() !== null };
  },
  async writer() {
    const lock = new RwLock();
    const guard = await lock.read();
    return { wait: (terms) => lock.write(terms), release: () => guard.release(), isFree: () => lock.tryWrite() !== null };
  },
  async condvar() {
    const mutex = new Mutex();
    const condvar = new Condvar();
    const guard = await mutex.lock();
    return {
      async wait(terms) {
        try {
          return await condvar.wait(guard, terms);
        } finally {
          assert.equal(guard.held, true, 'the mutex is held after the wait, however it ended');
        }
      },
      release: () => guard.release(),
      isFree: () => condvar.notifyAll() === 0 && mutex.tryLock() !== null,
    };
  },
  async barrier() {
    const barrier = new Barrier(2);
    return {
      wait: (terms) => barrier.wait(terms),
      release: () => {},
      // Who leaves after it came breaks it; who never came does not.
      isFree: (deed) => barrier.broken === deed.startsWith('aborts later'),
    };
  },
};

const settled = (promise) => inTime(promise.then(() => 'granted', (error) => error.code ?? error.message), 'the wait');

for (const [kind, make] of Object.entries(WAITS)) {
  test(`${kind}: a signal that throws or aborts while it is asked or listened to`, async () => {
    for (const [deed, [does, wanted]] of Object.entries(DEEDS)) {
      const { wait, release, isFree } = await make();
      const { signal } = signalWith(does);
      assert.equal(await settled(wait({ signal })), wanted, deed);
      release();
      assert.equal(isFree(deed), true, deed);
    }
  });

  test(`${kind}: options whose getters abort, or throw`, async () => {
    for (const name of ['timeout', 'signal']) {
      const { wait, release, isFree } = await make();
      const controller = new AbortController();
      const options = {
        timeout: undefined,
        signal: controller.signal,
        [name === 'timeout' ? 'timeout' : 'signal']: undefined,
      };
      Object.defineProperty(options, name, {
        get() {
          controller.abort();
          return name === 'signal' ? controller.signal : undefined;
        },
      });
      assert.equal(await settled(wait(options)), 'ERR_RW_LOCK_ABORTED', name);
      assert.equal(await settled(wait({ get [name]() { return fault(); } })), 'mine', name);
      release();
      assert.equal(isFree(name), true, name);
    }
  });
}

test('a guard released while the wait of its condition variable begins is not taken back', async () => {
  const mutex = new Mutex();
  const guard = await mutex.lock();
  const { signal } = signalWith({ add: () => guard.release() });
  await assert.rejects(new Condvar().wait(guard, { signal }), { code: 'ERR_RW_LOCK_NOT_HELD' });
  assert.equal(guard.held, false);
  mutex.tryLock().release();
});

onEachNode('users’ code around locks', (run) => {
  test('a signal that throws when it is let go loses no grant; its error is uncaught', async () => {
    const end = await run(async ({ load, say }) => {
      const { Mutex, Semaphore } = load();
      process.on('uncaughtException', ({ message }) => say('uncaught', message));
      const signal = {
        aborted: false,
        addEventListener() {},
        removeEventListener() {
          throw new Error('mine');
        },
      };
      const mutex = new Mutex();
      const semaphore = new Semaphore(1);
      for (const [wait, isFree] of [
        [() => mutex.lock({ signal }), () => mutex.tryLock() !== null],
        [() => semaphore.acquire(1, { signal, timeout: 5000 }), () => semaphore.available === 1],
      ]) {
        const guard = await wait();
        const waiting = wait();
        guard.release();
        (await waiting).release();
        say(isFree());
      }
    });
    assert.deepEqual(end, quietly('uncaught mine', 'true', 'uncaught mine', 'true'));
  });

  test('a then on Object.prototype takes no guard away', async () => {
    const end = await run(async ({ load, say }) => {
      const { Mutex, RwLock, Semaphore } = load();
      const mutex = new Mutex();
      const semaphore = new Semaphore(1);
      const lock = new RwLock();
      Object.defineProperty(Object.prototype, 'then', { get: () => () => say('asked'), configurable: true });
      const guards = [];
      guards.push(await mutex.lock(), await semaphore.acquire(), await lock.write());
      const waiting = [mutex.lock(), semaphore.acquire(), lock.write()];
      for (const guard of guards) guard.release();
      for (const wait of waiting) (await wait).release();
      delete Object.prototype.then;
      say(mutex.tryLock() !== null, semaphore.available, lock.tryWrite() !== null);
    });
    assert.deepEqual(end, quietly('true 1 true'));
  });

  test('a wait that was stopped from outside is given up: nothing is granted to nobody', async () => {
    const end = await run(async ({ load, say }) => {
      const vm = require('node:vm');
      const { Mutex, Semaphore, Worker } = load();
      const mutex = new Mutex();
      const semaphore = new Semaphore(0);
      const worker = new Worker(
        `const { workerData: { mutex }, parentPort } = require('./');
         const guard = mutex.lockSync();
         parentPort.postMessage('held');
         parentPort.once('message', () => (guard.release(), parentPort.close()));`,
        { eval: true, workerData: { mutex } },
      );
      await new Promise((resolve) => worker.once('message', resolve));
      const context = vm.createContext({ mutex, semaphore });
      for (const code of ['mutex.lockSync()', 'semaphore.acquireSync()']) {
        try {
          vm.runInContext(code, context, { timeout: 60 });
        } catch (error) {
          say(error.code);
        }
      }
      // A turn of the loop, and both are nobody's.
      await new Promise(setImmediate);
      semaphore.release();
      say(semaphore.available);
      worker.postMessage('let go');
      const guard = await mutex.lock({ timeout: 5000 });
      say(guard.held);
      guard.release();
      say(mutex.tryLock() !== null);
    });
    assert.deepEqual(end, quietly('ERR_SCRIPT_EXECUTION_TIMEOUT', 'ERR_SCRIPT_EXECUTION_TIMEOUT', '1', 'true', 'true'));
  });

  test('listeners and callbacks that throw in the batch in which locks are granted', async () => {
    const end = await run(async ({ load, say }) => {
      const { MessageChannel, Mutex, Semaphore, SharedBuffer, WorkerPool } = load();
      let uncaught = 0;
      process.on('uncaughtException', () => uncaught++);
      const pool = new WorkerPool({ maxThreads: 2 });
      const { port1, port2 } = new MessageChannel();
      port2.on('message', () => {
        throw new Error('listener');
      });
      for (let round = 0; round < 100; round++) {
        const mutex = new Mutex();
        const semaphore = new Semaphore(1);
        const cells = new SharedBuffer(8);
        const guards = [await mutex.lock(), await semaphore.acquire()];
        const waits = [mutex.lock(), semaphore.acquire(), cells.waitAsync(0, 0)];
        port1.postMessage(round);
        const task = pool.run('echo', { get value() { return round; } });
        guards.forEach((guard) => guard.release());
        cells.notify(0);
        port1.postMessage(round);
        const [first, second, woken] = await Promise.all(waits);
        if (woken !== 'ok' || (await task).value !== round) say('wrong', woken);
        first.release();
        second.release();
        if (mutex.tryLock() === null || semaphore.available !== 1) say('lost in round', round);
      }
      await new Promise((resolve) => port2.on('close', resolve) && port1.close());
      say(uncaught);
      await pool.close();
    });
    assert.deepEqual(end, quietly('200'));
  });
});
