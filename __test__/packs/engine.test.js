'use strict';

/** The engine that other addons share (`pool.engine`): an addon in C submits to it in every way, and counts what comes back. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { before, beforeEach, describe, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { runNode } = require('../support/child');
const { compile, compileAddon, noAddons } = require('../support/packs');
const { inTime, until } = require('../support/until');

const FIXTURE = path.join(__dirname, '..', 'fixtures', 'engine', 'addon.c');
const [OK, FULL, CLOSED, REFUSED] = [0, 8, 5, 7];
const [QUICK, SPIN, SLEEP, FAIL, NAMED, BAD_OUTCOME, BYTES, PARALLEL, AGAIN] = Array.from({ length: 9 }, (_, kind) => kind);
const HOUR = 3_600_000;

describe('the engine of a pool', { skip: noAddons }, () => {
  let addon;
  let library;
  let start;
  before(() => {
    library = compileAddon(FIXTURE);
    addon = require(library);
  });
  beforeEach(() => {
    start = addon.counters();
  });

  /** What has been counted since the test began. */
  function counted() {
    const now = addon.counters();
    const { lastCode, storming, ...counters } = now;
    const since = Object.fromEntries(Object.entries(counters).map(([name, count]) => [name, count - start[name]]));
    return { ...since, lastCode, storming };
  }

  /** Waits until all that was accepted is done, each once; the counters. */
  async function settled() {
    await until(() => counted().storming === 0 && counted().done === counted().submitted, 'each submission is done');
    const now = counted();
    assert.deepEqual({ twice: now.twice, wrong: now.wrong }, { twice: 0, wrong: 0 });
    assert.equal(now.ok + now.stopped + now.failed, now.submitted);
    return now;
  }

  /** A test with a pool, which closes at the end whatever happens. */
  function withPool(title, options, body) {
    test(title, async () => {
      const pool = new WorkerPool({ maxThreads: 2, ...options });
      try {
        await body(pool, pool.engine);
      } finally {
        await inTime(pool.destroy(), 'the pool closes');
      }
    });
  }

  const running = (pool, count = 1) => until(() => pool.stats().running === count, 'so much runs');

  withPool('runs functions of an addon, and says how each has ended', {}, async (pool, engine) => {
    for (const kind of [QUICK, BYTES, PARALLEL]) assert.equal(addon.submit(engine, kind, 100), OK);
    assert.equal(addon.submit(engine, SLEEP, 1, 5), OK);
    assert.equal(addon.submit(engine, AGAIN, 1, 20), OK);
    const { submitted, ok, ran } = await settled();
    assert.deepEqual({ submitted, ok, ran }, { submitted: 322, ok: 322, ran: 322 });
    addon.submit(engine, FAIL, 1);
    assert.equal((await settled()).lastCode, 'TOO_FAR');
    addon.submit(engine, BAD_OUTCOME, 1);
    const { failed, lastCode } = await settled();
    assert.deepEqual({ failed, lastCode }, { failed: 2, lastCode: 'ERR_RW_TASK_FAILED' });
    const { completed, failed: failures, submitted: all } = pool.stats();
    assert.deepEqual({ completed, failures, all }, { completed: 322, failures: 2, all: 324 });
  });

  withPool('runs native tasks by their names: built in, and of packs that the pool uses before and after', {}, async (pool, engine) => {
    assert.equal(addon.submit(engine, NAMED, 10, 7, 0, 'fibonacci'), OK);
    assert.equal(addon.submit(engine, NAMED, 1, 7, 0, 'give_back'), REFUSED);
    pool.use(compile('outcomes'));
    assert.equal(addon.submit(engine, NAMED, 10, 7, 0, 'give_back'), OK);
    assert.equal((await settled()).ok, 20);
    assert.equal(addon.submit(engine, NAMED, 1, -1, 0, 'fibonacci'), OK);
    const { failed, lastCode } = await settled();
    assert.deepEqual({ failed, lastCode }, { failed: 1, lastCode: 'ERR_RW_OUT_OF_RANGE' });
    const other = new WorkerPool().use(compile('outcomes'));
    assert.equal(addon.submit(other.engine, NAMED, 1, 7, 0, 'give_back'), OK);
    await settled();
    await other.close();
  });

  withPool('refuses what is wrong with a submission, and what is no engine', {}, async (pool, engine) => {
    assert.equal(addon.refusals(engine), true);
    for (const other of [{}, pool, null, 'engine', 1n]) assert.throws(() => addon.submit(other, QUICK), /no engine/);
    assert.equal(counted().submitted, 0);
    assert.equal(pool.stats().submitted, 0);
  });

  withPool('is one object, and refers to nothing of JavaScript', {}, async (pool, engine) => {
    assert.equal(pool.engine, engine);
    assert.equal(require('node:util').types.isExternal(engine), true);
    assert.equal(addon.threads(engine), 2);
  });

  withPool('cancels what waits, at once', { maxThreads: 1 }, async (pool, engine) => {
    addon.submit(engine, SLEEP, 1, HOUR);
    await running(pool);
    const ran = counted().ran;
    addon.submit(engine, QUICK, 50);
    assert.equal(counted().done, 0);
    assert.equal(addon.cancel(engine), 51);
    // Those that waited are done before `cancel` returns.
    assert.ok(counted().done >= 50);
    const { stopped, lastCode, ran: all } = await settled();
    assert.deepEqual({ stopped, lastCode, all }, { stopped: 51, lastCode: 'ERR_RW_TASK_CANCELLED', all: ran });
    // After the end there is nothing to cancel.
    assert.equal(addon.cancel(engine), 0);
    assert.equal(pool.stats().cancelled, 51);
  });

  withPool('cancels what computes', {}, async (pool, engine) => {
    addon.submit(engine, SPIN, 2);
    await running(pool, 2);
    assert.equal(addon.cancel(engine), 2);
    assert.equal((await settled()).stopped, 2);
  });

  withPool('cancels nothing of another pool', {}, async (pool, engine) => {
    const other = new WorkerPool({ maxThreads: 1 });
    addon.submit(engine, SLEEP, 1, HOUR);
    assert.equal(addon.cancel(other.engine), 0);
    assert.equal(addon.cancel(engine), 1);
    await settled();
    await other.close();
  });

  withPool('ends by their time what waits, computes and sleeps', { maxThreads: 1 }, async (pool, engine) => {
    addon.submit(engine, SLEEP, 1, HOUR, 60);
    addon.submit(engine, QUICK, 20, 1, 5);
    // These wait until their time is up, though the thread has not looked at them.
    await until(() => counted().done >= 20, 'those that wait have ended');
    assert.equal(counted().ran <= 1, true);
    addon.submit(engine, SPIN, 1, 0, 20);
    const { stopped, lastCode } = await settled();
    assert.deepEqual({ stopped, lastCode }, { stopped: 22, lastCode: 'ERR_RW_TASK_TIMEOUT' });
    // A limit that is not reached changes nothing.
    addon.submit(engine, QUICK, 2_000, 1, HOUR);
    assert.equal((await settled()).ok, 2_000);
  });

  withPool('a later limit does not hide a sooner one', { maxThreads: 1 }, async (pool, engine) => {
    addon.submit(engine, SLEEP, 1, HOUR);
    for (const limit of [HOUR, 30, 10]) addon.submit(engine, QUICK, 1, 1, limit);
    await until(() => counted().stopped === 2, 'the two with the short limits have ended');
    addon.cancel(engine);
    await settled();
  });

  withPool('takes the higher priority first', { maxThreads: 1 }, async (pool, engine) => {
    addon.submit(engine, SLEEP, 1, 20);
    await running(pool);
    for (const priority of [0, 5, -5, 1]) addon.submit(engine, QUICK, 1, priority, 0, '', priority);
    await settled();
    assert.deepEqual(addon.ran().slice(-4), [5, 1, 0, -5]);
  });

  withPool('says when the queue is full; drain tells of room, which the addon makes too', { maxThreads: 1, maxQueue: 3 }, async (pool, engine) => {
    addon.submit(engine, SLEEP, 1, HOUR);
    await running(pool);
    assert.equal(addon.submit(engine, QUICK, 5), FULL);
    assert.deepEqual([counted().full, counted().submitted], [2, 4]);
    await assert.rejects(pool.run('noop'), errors.QueueFullError);
    const drained = inTime(new Promise((resolve) => pool.once('drain', resolve)), 'the drain event');
    addon.cancel(engine);
    await drained;
    await settled();
    await pool.run('noop');
  });

  withPool('runs beside tasks of JavaScript, in one queue', { maxThreads: 1 }, async (pool, engine) => {
    addon.submit(engine, SLEEP, 1, 10);
    await running(pool);
    const order = [];
    const mine = pool.run('noop').then(() => order.push('mine'));
    assert.equal(pool.stats().queueSize, 1);
    addon.submit(engine, QUICK, 3);
    assert.equal(pool.stats().queueSize, 4);
    await mine;
    await settled();
    assert.equal(pool.stats().completed, 5);
  });

  withPool('close() waits for what was submitted, and takes no more', { maxThreads: 1 }, async (pool, engine) => {
    addon.submit(engine, SLEEP, 1, 30);
    addon.submit(engine, QUICK, 10);
    const closed = pool.close();
    assert.equal(addon.submit(engine, QUICK, 1), CLOSED);
    await inTime(closed, 'the pool closes');
    const { done, ok } = counted();
    assert.deepEqual({ done, ok }, { done: 11, ok: 11 });
    assert.equal(addon.submit(engine, QUICK, 1), CLOSED);
    assert.equal(addon.cancel(engine), 0);
    assert.equal(pool.engine, engine);
  });

  for (const [title, how] of [['destroy()', (pool) => pool.destroy()], ['close({ force: true })', (pool) => pool.close({ force: true })]]) {
    withPool(`${title} ends what was submitted`, { maxThreads: 1 }, async (pool, engine) => {
      addon.submit(engine, SPIN, 3);
      addon.submit(engine, SLEEP, 3, HOUR);
      await running(pool);
      await inTime(how(pool), 'the pool closes');
      const { done, stopped, lastCode } = counted();
      assert.deepEqual({ done, stopped, lastCode }, { done: 6, stopped: 6, lastCode: 'ERR_RW_POOL_CLOSED' });
      assert.equal(addon.submit(engine, QUICK, 1), CLOSED);
    });
  }

  withPool('cancelQueued() ends what waits', { maxThreads: 1 }, async (pool, engine) => {
    addon.submit(engine, SLEEP, 1, 20);
    await running(pool);
    addon.submit(engine, QUICK, 5);
    assert.equal(pool.cancelQueued(), 5);
    const { ok, stopped, lastCode } = await settled();
    assert.deepEqual({ ok, stopped, lastCode }, { ok: 1, stopped: 5, lastCode: 'ERR_RW_TASK_CANCELLED' });
  });

  withPool('one in the middle of close() can be made to end', { maxThreads: 1 }, async (pool, engine) => {
    addon.submit(engine, SLEEP, 1, HOUR);
    const closed = pool.close();
    addon.cancel(engine);
    await inTime(closed, 'the pool closes');
    assert.equal(counted().stopped, 1);
  });

  test('a closed pool that was never asked has no engine, nor has one with a fixed order', async () => {
    const pool = new WorkerPool();
    await pool.close();
    assert.throws(() => pool.engine, errors.PoolClosedError);
    const ordered = new WorkerPool({ deterministic: 1 });
    assert.throws(() => ordered.engine, errors.InvalidArgValueError);
    await ordered.close();
  });

  describe('of a pool opened by its name', () => {
    test('close() waits for its own submissions, destroy() ends them and nobody else\'s', async () => {
      const [one, two] = ['the same', 'the same'].map((name) => WorkerPool.open(`engine ${name}`, { maxThreads: 2 }));
      assert.notEqual(one.engine, two.engine);
      addon.submit(one.engine, SLEEP, 1, 50);
      const other = two.run('sleep', 200);
      const closed = one.close();
      assert.equal(addon.submit(one.engine, QUICK, 1), CLOSED);
      await inTime(closed, 'it closes');
      assert.equal(counted().ok, 1);
      addon.submit(two.engine, SLEEP, 1, 30);
      await running(two, 2);
      addon.submit(two.engine, QUICK, 3);
      assert.equal(two.cancelQueued(), 3);
      await until(() => counted().done === 5, 'all has ended');
      const three = WorkerPool.open('engine the same', { maxThreads: 2 });
      addon.submit(three.engine, SPIN, 1);
      addon.submit(two.engine, SLEEP, 1, 1);
      addon.submit(three.engine, SLEEP, 1, HOUR);
      await inTime(three.destroy(), 'it closes');
      await until(() => counted().stopped === 5, 'what it had has ended');
      await other;
      await inTime(two.close(), 'the last one closes');
      assert.equal((await settled()).ok, 3);
    });
  });

  test('a pool that is forgotten takes no more; what was submitted goes on, and can be cancelled', async () => {
    const program = `
      const { WorkerPool } = require(${JSON.stringify(require.resolve('../..'))});
      const addon = require(${JSON.stringify(library)});
      const { setTimeout: after } = require('node:timers/promises');
      (async () => {
        (() => {
          const { engine } = new WorkerPool({ maxThreads: 1 });
          addon.hold(engine);
          addon.submit(engine, ${SPIN}, 2);
        })();
        let closed = false;
        for (let i = 0; i < 5000 && !closed; i++) {
          gc();
          await after(1);
          closed = addon.submit(undefined, ${QUICK}, 1) === ${CLOSED};
        }
        console.log(closed, addon.cancel(undefined) >= 2);
        for (let i = 0; i < 5000 && addon.counters().done < addon.counters().submitted; i++) await after(1);
        const { submitted, done, stopped, twice, wrong } = addon.counters();
        console.log(submitted === done, stopped >= 2, twice, wrong);
        addon.hold(undefined);
      })();
    `;
    const { code, signal, stdout, stderr } = await runNode(['--expose-gc', '-e', program]);
    assert.deepEqual([code, signal, stdout], [0, null, 'true true\ntrue true 0 0\n'], stderr);
  });

  test('what an addon has submitted does not keep the event loop alive', async () => {
    const program = `
      const { WorkerPool } = require(${JSON.stringify(require.resolve('../..'))});
      const pool = new WorkerPool({ maxThreads: 1 });
      require(${JSON.stringify(library)}).submit(pool.engine, ${SLEEP}, 3, ${HOUR});
    `;
    const { code, signal, stderr } = await runNode(['-e', program]);
    assert.deepEqual([code, signal, stderr], [0, null, '']);
  });

  describe('under a storm of submissions and cancels from four threads', () => {
    const seed = Number(process.env.SEED ?? Date.now() % 100_000);
    for (const [title, options, rounds] of [
      ['done is called once for each', { maxThreads: 3 }, 5_000],
      ['with a short queue', { maxThreads: 2, maxQueue: 8 }, 5_000],
      ['with one thread', { maxThreads: 1 }, 2_000],
    ]) {
      withPool(`${title} (SEED=${seed})`, options, async (pool, engine) => {
        addon.storm(engine, 4, rounds, seed);
        for (let i = 0; counted().storming > 0; i++) await Promise.allSettled([pool.run('noop'), pool.map('fibonacci', [1, 2, 3])]);
        const { submitted } = await settled();
        await inTime(pool.close(), 'the pool closes');
        assert.ok(submitted > 50);
      });
    }

    for (const force of [false, true]) {
      test(`a pool that closes${force ? ' by force' : ''} (SEED=${seed})`, async () => {
        for (let round = 0; round < 20; round++) {
          const pool = new WorkerPool({ maxThreads: 2 });
          addon.submit(pool.engine, QUICK, 1);
          addon.storm(pool.engine, 4, 400, seed + round);
          await new Promise((go) => setTimeout(go, round % 5));
          await inTime(pool.close({ force }), 'the pool closes');
          // The threads of the addon may go on for a while; none of what they submit is accepted.
          const { done } = counted();
          assert.equal((await settled()).done, done, 'all was done when the pool had closed');
          assert.equal(pool.stats().submitted, pool.stats().completed + pool.stats().failed + pool.stats().cancelled);
        }
      });
    }
  });

  describe('in worker threads', () => {
    const worker = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { WorkerPool } = require(${JSON.stringify(require.resolve('../..'))});
      const addon = require(workerData.library);
      const pools = [new WorkerPool({ maxThreads: 2 }), WorkerPool.open('engines of workers', { maxThreads: 2 })];
      for (const { engine } of pools) {
        addon.submit(engine, ${QUICK}, 20);
        addon.submit(engine, ${SPIN}, 1);
        addon.submit(engine, ${SLEEP}, 2, ${HOUR});
        addon.storm(engine, 3, 2000, workerData.seed);
      }
      setInterval(Object, 1000);
      parentPort.postMessage('go');
    `;
    const program = (end) => `
      const { Worker } = require('node:worker_threads');
      const { once } = require('node:events');
      const { setTimeout: after } = require('node:timers/promises');
      const start = (seed) => new Worker(${JSON.stringify(worker)}, { eval: true, workerData: { library: ${JSON.stringify(library)}, seed } });
      (async () => { ${end} })();
    `;

    test('terminate() of two at once, while threads of the addon submit: all is answered', async () => {
      const { code, signal, stdout, stderr } = await runNode(['-e', program(`
        for (let round = 0; round < 8; round++) {
          const workers = [start(round), start(round + 100)];
          await Promise.all(workers.map((worker) => once(worker, 'message')));
          await after(Math.random() * 10);
          await Promise.all(workers.map((worker) => worker.terminate()));
        }
        const addon = require(${JSON.stringify(library)});
        for (let i = 0; i < 5000 && (addon.counters().storming > 0 || addon.counters().done < addon.counters().submitted); i++) await after(1);
        const { submitted, done, twice, wrong, storming } = addon.counters();
        console.log(submitted - done, twice, wrong, storming, submitted >= 8 * 2 * 2 * 23);
      `)]);
      assert.deepEqual([code, signal, stdout], [0, null, '0 0 0 0 true\n'], stderr);
    });

    test('process.exit() in the middle', async () => {
      for (let round = 0; round < 6; round++) {
        const { code, signal, stderr } = await runNode(['-e', program(`
          const workers = [start(1), start(2)];
          await Promise.all(workers.map((worker) => once(worker, 'message')));
          await after(Math.random() * 8);
          process.exit(7);
        `)]);
        assert.deepEqual([code, signal, stderr], [7, null, '']);
      }
    });
  });
});
