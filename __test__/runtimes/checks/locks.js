'use strict';

const { Thread, assert, rejection, rw } = require('../support');

const { Barrier, Condvar, Mutex, RwLock, Semaphore, SharedBuffer, WorkerPool } = rw;

/** Two threads that do the same, and this one with them. */
async function everywhere(program, args) {
  const threads = [new Thread(), new Thread()];
  const results = await Promise.all(threads.map((thread) => thread.run(program, args)));
  await Promise.all(threads.map((thread) => thread.end()));
  return results;
}

module.exports = {
  area: 'locks',
  checks: {
    'Mutex between threads': async () => {
      const mutex = new Mutex();
      const shared = new SharedBuffer(8);
      await everywhere(async (_, there, memory) => {
        for (let i = 0; i < 300; i++) {
          const guard = i % 2 === 0 ? there.lockSync() : await there.lock();
          memory.store(0, memory.load(0) + 1);
          guard.release();
        }
      }, [mutex, shared]);
      assert.equal(shared.load(0), 600);
    },
    'Mutex with a native task': async () => {
      const pool = new WorkerPool({ maxThreads: 2 });
      const memory = new SharedArrayBuffer(64);
      const mutex = Mutex.create(memory, 16);
      const number = new Float64Array(memory, 48, 1);
      const task = pool.run('lockedAdd', { memory, lock: 16, counter: 48, count: 2000 });
      for (let i = 0; i < 200; i++) {
        const guard = i % 2 === 0 ? await mutex.lock() : mutex.lockSync();
        number[0] += 1;
        guard.release();
      }
      await task;
      assert.equal(number[0], 2200);
      await pool.close();
    },
    'Mutex: limits, signals, tryLock': async () => {
      const mutex = new Mutex();
      const guard = mutex.lockSync();
      assert.equal(mutex.tryLock(), null);
      assert.equal((await rejection(mutex.lock({ timeout: 5 }))).code, 'ERR_RW_LOCK_TIMEOUT');
      const controller = new AbortController();
      const waiting = mutex.lock({ signal: controller.signal });
      controller.abort();
      assert.equal((await rejection(waiting)).name, 'AbortError');
      guard.release();
      (await mutex.lock()).release();
    },
    'RwLock between threads': async () => {
      const lock = new RwLock();
      const shared = new SharedBuffer(8);
      await everywhere(async (_, there, memory) => {
        for (let i = 0; i < 100; i++) {
          const write = i % 2 === 0 ? there.writeSync() : await there.write();
          memory.store(0, memory.load(0) + 1);
          write.release();
          there.readSync().release();
        }
      }, [lock, shared]);
      assert.equal(shared.load(0), 200);
    },
    'Semaphore between threads': async () => {
      const semaphore = new Semaphore(1);
      const shared = new SharedBuffer(8);
      const most = await everywhere(async (_, there, memory) => {
        let seen = 0;
        for (let i = 0; i < 100; i++) {
          const permit = i % 2 === 0 ? there.acquireSync() : await there.acquire();
          seen = Math.max(seen, memory.add(0, 1) + 1);
          memory.sub(0, 1);
          if (typeof permit?.release === 'function') permit.release();
          else there.release();
        }
        return seen;
      }, [semaphore, shared]);
      assert.deepEqual(most, [1, 1]);
    },
    'Condvar between threads': async () => {
      const mutex = new Mutex();
      const condvar = new Condvar();
      const shared = new SharedBuffer(8);
      const thread = new Thread();
      const waited = thread.run((_, lock, condition, memory) => {
        const guard = lock.lockSync();
        while (memory.load(0) === 0) condition.waitSync(guard);
        guard.release();
        return memory.load(0);
      }, [mutex, condvar, shared]);
      const guard = await mutex.lock();
      shared.store(0, 7);
      condvar.notifyAll();
      guard.release();
      assert.equal(await waited, 7);
      await thread.end();
    },
    'Barrier between threads': async () => {
      const barrier = new Barrier(3);
      const others = everywhere((_, there) => there.waitSync().leader, [barrier]);
      const { leader } = await barrier.wait();
      assert.equal([leader, ...(await others)].filter(Boolean).length, 1);
    },
    'a thread that ends with a lock poisons it': async () => {
      const mutex = new Mutex();
      const thread = new Thread();
      await thread.run((_, there) => void there.lockSync(), [mutex]);
      const waiting = rejection(mutex.lock());
      await thread.end();
      assert.equal((await waiting).code, 'ERR_RW_LOCK_POISONED');
      assert.equal(mutex.poisoned, true);
      const guard = await mutex.recover();
      guard.release();
      (await mutex.lock()).release();
    },
    'a thread that waits for a lock can be terminated': async () => {
      const mutex = new Mutex();
      const shared = new SharedBuffer(8);
      const guard = mutex.lockSync();
      const thread = new Thread();
      thread.start((_, there, memory) => {
        memory.store(0, 1);
        memory.notify(0);
        there.lockSync();
      }, [mutex, shared]);
      await shared.waitAsync(0, 0);
      await thread.end();
      guard.release();
      // Where `terminate` resolves before the thread has ended, the thread may get the lock, and dies with it.
      const locked = await mutex.lock({ timeout: 5000 }).catch(async (error) => {
        assert.equal(error.code, 'ERR_RW_LOCK_POISONED');
        return mutex.recover({ timeout: 5000 });
      });
      locked.release();
    },
  },
};
