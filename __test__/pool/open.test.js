'use strict';

// WorkerPool.open: one pool of native threads that several JavaScript threads have open.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { WorkerPool } = require('rust-workers');

const { quietly, runProgram } = require('../support/child');
const { script } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');

const PACKAGE = JSON.stringify(require.resolve('rust-workers'));

let names = 0;
/** A name that no other test has. */
const newName = () => `opened-${process.pid}-${++names}`;

/** A thread that does what it is told: `ask(text)` evaluates it there, with `open`, `state` and `WorkerPool`. */
class Thread {
  #worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const { WorkerPool } = require(${PACKAGE});
     const state = {};
     parentPort.on('message', async ([id, text]) => {
       try {
         parentPort.postMessage([id, await eval('(async () => {' + text + '})()')]);
       } catch (error) {
         parentPort.postMessage([id, undefined, { code: error.code, message: error.message }]);
       }
     });`,
    { eval: true },
  );
  #waiting = new Map();
  #last = 0;

  constructor() {
    this.#worker.on('message', ([id, value, error]) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(value);
      else reject(Object.assign(new Error(error.message), error));
    });
    this.exited = once(this.#worker, 'exit');
  }

  ask(text) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage([id, text]);
    });
  }

  /** Without an answer: it may end by that. */
  tell(text) {
    this.#worker.postMessage([0, text]);
  }

  terminate() {
    return this.#worker.terminate();
  }
}

/** Runs `body` with so many threads, which are ended whatever happens. */
async function withThreads(count, body) {
  const threads = Array.from({ length: count }, () => new Thread());
  try {
    return await body(...threads);
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

/** No thread has the pool open: whoever opens it makes a new one. */
async function assertGone(name) {
  const pool = WorkerPool.open(name);
  assert.equal(pool.stats().submitted, 0, 'it is a new one');
  await pool.close();
}

describe('one pool', () => {
  test('for several objects of one thread', async () => {
    const name = newName();
    const [a, b] = [WorkerPool.open(name, { maxThreads: 2 }), WorkerPool.open(name)];
    assert.deepEqual(await Promise.all([a.run('echo', 1), b.run('echo', { two: 2 })]), [1, { two: 2 }]);
    assert.deepEqual([a.stats().submitted, b.stats().submitted, b.options.maxThreads], [2, 2, 2]);
    await a.close();
    assert.deepEqual([a.closed, b.closed], [true, false]);
    await assert.rejects(a.run('echo', 3), { code: 'ERR_RW_POOL_CLOSED' });
    assert.equal(await b.run('echo', 3), 3);
    await b.close();
    assert.equal(b.stats().threads, 0);
    await assertGone(name);
  });

  test('for several threads: one set of threads, and the results of each come back to it', () =>
    withThreads(3, async (...threads) => {
      const name = newName();
      const pool = WorkerPool.open(name, { maxThreads: 2 });
      const work = threads.map((thread, number) =>
        thread.ask(`
          state.pool = WorkerPool.open('${name}');
          const runs = [];
          for (let i = 0; i < 300; i++) runs.push(state.pool.run('echo', { of: ${number}, i }));
          const mapped = await state.pool.map('echo', Array.from({ length: 100 }, (_, i) => i * ${number}));
          return [(await Promise.all(runs)).every((value, i) => value.of === ${number} && value.i === i), mapped];
        `));
      const own = Promise.all(Array.from({ length: 300 }, (_, i) => pool.run('echo', -i)));
      assert.deepEqual(await own, Array.from({ length: 300 }, (_, i) => -i));
      for (const [number, outcome] of (await Promise.all(work)).entries()) {
        assert.deepEqual(outcome, [true, Array.from({ length: 100 }, (_, i) => i * number)]);
      }
      const { submitted, completed, threads: alive, maxThreads } = pool.stats();
      assert.deepEqual([submitted, completed, maxThreads], [1500, 1500, 2]);
      assert.ok(alive <= 2, `${alive}`);
      await pool.close();
      for (const thread of threads) await thread.ask('await state.pool.close()');
      await assertGone(name);
    }));

  test('a size that one gives it is the size of all', () =>
    withThreads(1, async (thread) => {
      const name = newName();
      const pool = WorkerPool.open(name, { maxThreads: 1 });
      await thread.ask(`state.pool = WorkerPool.open('${name}'); state.pool.resize({ maxThreads: 3 })`);
      assert.deepEqual([pool.options.maxThreads, pool.stats().maxThreadsFrom], [3, 'option']);
      const stop = new AbortController();
      const runs = [1, 2, 3].map(() => pool.run('sleep', 60_000, { signal: stop.signal }));
      await until(() => pool.stats().running === 3, 'three run');
      stop.abort();
      await Promise.allSettled(runs);
      // What the pool was opened with, and not what was made of it.
      const third = WorkerPool.open(name, { maxThreads: 1 });
      assert.equal(third.options.maxThreads, 3);
      await Promise.all([third.close(), pool.close(), thread.ask('await state.pool.close()')]);
      await assertGone(name);
    }));
});

describe('options of later openings', () => {
  test('must agree with those of the first, or be absent', async () => {
    const name = newName();
    const pool = WorkerPool.open(name, { maxThreads: 2, maxQueue: 7, niceIncrement: 1 });
    const same = [
      WorkerPool.open(name), WorkerPool.open(name, {}), WorkerPool.open(name, { maxQueue: 7 }),
      // What the first has not said has a value too.
      WorkerPool.open(name, { minThreads: 0, name, maxThreads: undefined }),
    ];
    for (const other of same) assert.deepEqual(other.options, pool.options);
    const differ = [
      [{ maxThreads: 3 }, /"options.maxThreads" is 3 here, and the pool '.*' was opened with 2\. .*resize\(\)/],
      [{ maxQueue: Infinity }, /"options.maxQueue" is Infinity here.*opened with 7/],
      [{ name: 'other' }, new RegExp(`"options.name" is 'other' here.*opened with '${name}'`)],
      [{ niceIncrement: 0 }, /"options.niceIncrement" is 0 here/],
      [{ maxThreads: 2, idleTimeout: 5 }, /"options.idleTimeout" is 5 here.*opened with 10000/],
    ];
    for (const [options, message] of differ) {
      assert.throws(() => WorkerPool.open(name, options), { code: 'ERR_RW_INVALID_ARG_VALUE', message });
    }
    const own = new Error('a getter');
    assert.throws(() => WorkerPool.open(name, { get maxQueue() { throw own; } }), (error) => error === own);
    assert.throws(() => WorkerPool.open(name, { maxThread: 2 }), { message: /did you mean 'maxThreads'/ });
    // None of those that failed has it open.
    await Promise.all([pool, ...same].map((each) => each.close()));
    await assertGone(name);
  });

  test('of every form are compared: objects, Infinity, and what each object keeps for itself', async () => {
    const name = newName();
    const pool = WorkerPool.open(name, { aging: Infinity, queueOrder: 'lifo', limits: { tasks: { sleep: 1 } }, cache: { max: 5 } });
    const same = WorkerPool.open(name, { aging: Infinity, queueOrder: 'lifo', limits: { tasks: { sleep: 1 } }, cache: { max: 9 } });
    const none = WorkerPool.open(name);
    for (const { options } of [same, none]) {
      const { aging, queueOrder, limits } = options;
      assert.deepEqual({ aging, queueOrder, limits }, { aging: Infinity, queueOrder: 'lifo', limits: pool.options.limits });
    }
    const differ = [
      [{ limits: { tasks: { sleep: 2 } } }, /"options.limits" is .*sleep: 2.*opened with .*sleep: 1/],
      [{ limits: { key: 2 } }, /"options.limits"/],
      [{ aging: 5 }, /"options.aging" is 5 here.*opened with Infinity/],
      [{ queueOrder: 'fifo' }, /"options.queueOrder" is 'fifo' here.*opened with 'lifo'/],
    ];
    for (const [options, message] of differ) assert.throws(() => WorkerPool.open(name, options), { message });
    // The limit is one for all.
    const stop = new AbortController();
    const sleeps = [pool, same, none].map((each) => each.run('sleep', 60_000, { signal: stop.signal }));
    await until(() => pool.stats().running === 1, 'one sleeps');
    assert.equal(await none.run('echo', 1), 1);
    assert.deepEqual([pool.stats().running, pool.stats().queueSize], [1, 2]);
    stop.abort();
    await Promise.allSettled(sleeps);
    await Promise.all([pool, same, none].map((each) => each.close()));
    await assertGone(name);
  });

  test('are compared across threads', () =>
    withThreads(1, async (thread) => {
      const name = newName();
      await thread.ask(`state.pool = WorkerPool.open('${name}', { maxThreads: 2, name: 'quite another' })`);
      assert.throws(() => WorkerPool.open(name, { maxThreads: 1 }), { message: /"options.maxThreads" is 1 here.*opened with 2/ });
      const pool = WorkerPool.open(name, { maxThreads: 2 });
      assert.equal(pool.options.name, 'quite another');
      await pool.close();
      await thread.ask('await state.pool.close()');
      await assertGone(name);
    }));

  test('arguments that it does not take are refused', () => {
    const type = 'ERR_RW_INVALID_ARG_TYPE';
    const value = 'ERR_RW_INVALID_ARG_VALUE';
    const name = newName();
    const cases = [
      [() => WorkerPool.open(), type, /"name"/],
      [() => WorkerPool.open(5), type, /"name"/],
      [() => WorkerPool.open(''), value, /must not be empty/],
      [() => WorkerPool.open(name, 4), type, /"options"/],
      [() => WorkerPool.open(name, null), type, /"options"/],
      [() => WorkerPool.open(name, {}, {}), type, /a third argument/],
      [() => WorkerPool.open(name, script('mapping.js')), value, /no script.*belong to the thread that makes them.*new WorkerPool\(script/],
      [() => WorkerPool.open(name, new URL('file:///a.js'), 2), value, /no script/],
      [() => WorkerPool.open(name, { workerData: 1 }), value, /'workerData'; it is for pools with a script/],
      [() => WorkerPool.open(name, { maxThreads: 0 }), 'ERR_RW_OUT_OF_RANGE', /"options.maxThreads"/],
    ];
    for (const [call, code, message] of cases) assert.throws(call, { code, message });
    return assertGone(name);
  });
});

/** The one that closes or ends: an object of this thread, or one of another thread. Each gets a body with these calls. */
const OPENINGS = {
  'of this thread': (body) => {
    const pools = [];
    return body({
      open: (name) => void pools.push(WorkerPool.open(name)),
      sleep: () => pools.at(-1).run('sleep', 60_000),
      fill: async (count) => void Array.from({ length: count }, () => pools.at(-1).run('echo', 1).catch(() => {})),
      close: () => pools.at(-1).close(),
      destroy: () => pools.at(-1).destroy(),
    });
  },
  'of another thread': (body) =>
    withThreads(1, (thread) =>
      body({
        open: (name) => thread.ask(`state.pool = WorkerPool.open('${name}')`),
        sleep: () => thread.ask("await state.pool.run('sleep', 60_000)"),
        fill: (count) => thread.ask(`for (let i = 0; i < ${count}; i++) state.pool.run('echo', 1).catch(() => {})`),
        close: () => thread.ask('await state.pool.close()'),
        destroy: () => thread.ask('await state.pool.destroy()'),
        thread,
      })),
};

for (const [kind, withOpening] of Object.entries(OPENINGS)) {
  describe(`an opening ${kind}`, () => {
    test('that is destroyed ends its own tasks, those that wait at once, and no other', () =>
      withOpening(async (other) => {
        const name = newName();
        const pool = WorkerPool.open(name, { maxThreads: 2 });
        await other.open(name);
        const stop = new AbortController();
        const [running, ran] = [other.sleep(), pool.run('sleep', 60_000, { signal: stop.signal })];
        const ended = assert.rejects(running, { code: 'ERR_RW_POOL_CLOSED', message: /while the task ran/ });
        await until(() => pool.stats().running === 2, 'each runs one');
        const waits = other.sleep();
        const dropped = assert.rejects(waits, { code: 'ERR_RW_POOL_CLOSED', message: /before the task began/ });
        const mine = pool.run('echo', 'mine');
        await until(() => pool.stats().queueSize === 2, 'each waits for one');
        await inTime(other.destroy(), 'destroy() returns');
        await Promise.all([ended, dropped]);
        assert.equal(await mine, 'mine', 'the thread that is free again takes it');
        await until(() => pool.stats().running === 1, 'mine runs still');
        stop.abort();
        await assert.rejects(ran, { name: 'AbortError' });
        await pool.close();
        await assertGone(name);
      }));

    test('that closes waits for its own tasks alone, and leaves the pool to the others', () =>
      withOpening(async (other) => {
        const name = newName();
        const pool = WorkerPool.open(name, { maxThreads: 2 });
        await other.open(name);
        const stop = new AbortController();
        const long = pool.run('sleep', 60_000, { signal: stop.signal });
        await other.fill(200);
        await inTime(other.close(), 'it closes while another task runs');
        const { completed, running } = pool.stats();
        assert.deepEqual([completed, running], [200, 1]);
        stop.abort();
        await assert.rejects(long, { name: 'AbortError' });
        await pool.destroy();
        await assertGone(name);
      }));

    test('is the last: then the pool closes, and a new one of that name is another', () =>
      withOpening(async (other) => {
        const name = newName();
        const pool = WorkerPool.open(name, { maxThreads: 3 });
        await other.open(name);
        assert.equal(await pool.run('echo', 1), 1);
        await pool.close();
        const again = WorkerPool.open(name);
        assert.equal(again.stats().submitted, 1, 'it is the same one');
        await again.close();
        await other.close();
        assert.equal(WorkerPool.open(name, { maxThreads: 1 }).options.maxThreads, 1);
      }));

    test('fills the queue: another one hears when there is room', () =>
      withOpening(async (other) => {
        const name = newName();
        const pool = WorkerPool.open(name, { maxThreads: 1, maxQueue: 1 });
        await other.open(name);
        const first = other.sleep();
        await until(() => pool.stats().running === 1, 'it runs');
        const second = other.sleep();
        const ends = Promise.all([first, second].map((task) => assert.rejects(task, { code: 'ERR_RW_POOL_CLOSED' })));
        await until(() => pool.stats().queueSize === 1, 'the queue is full');
        await assert.rejects(pool.run('echo', 1), { code: 'ERR_RW_QUEUE_FULL' });
        assert.equal(pool.needsDrain, true);
        const drained = once(pool, 'drain');
        // It has nothing under way that would tell it.
        const map = pool.map('echo', (async function* () { yield* [1, 2, 3]; })());
        await turns(5);
        await other.destroy();
        await inTime(drained, "'drain' comes");
        assert.deepEqual(await inTime(map, 'the map goes on'), [1, 2, 3]);
        await ends;
        await pool.close();
        await assertGone(name);
      }));
  });
}

describe("an opener's thread that ends without closing", () => {
  const ways = {
    'terminated with tasks under way': { begin: 'void state.pool.run("sleep", 60_000).catch(() => {})', end: (thread) => thread.terminate() },
    'by process.exit()': { begin: 'void state.pool.run("sleep", 60_000).catch(() => {})', end: (thread) => thread.tell('process.exit()') },
    'that has given memory away': {
      begin: `for (let i = 0; i < 20; i++) {
        const data = new Float64Array(200_000).fill(i);
        state.pool.run('sort', { data }, { transfer: [data.buffer] }).catch(() => {});
        state.pool.map('echo', [1, 2, 3]).catch(() => {});
      }
      void state.pool.run("sleep", 60_000).catch(() => {})`,
      end: (thread) => thread.terminate(),
    },
    'of itself': { begin: '', end: (thread) => thread.tell('parentPort.close()') },
  };
  for (const [way, { begin, end }] of Object.entries(ways)) {
    test(`${way}: its tasks end, and the others go on`, () =>
      withThreads(1, async (thread) => {
        const name = newName();
        const pool = WorkerPool.open(name, { maxThreads: 1 });
        const stop = new AbortController();
        const long = pool.run('sleep', 60_000, { signal: stop.signal });
        await until(() => pool.stats().running === 1, 'the thread is busy');
        await thread.ask(`state.pool = WorkerPool.open('${name}'); ${begin}`);
        end(thread);
        // Though the only thread is busy: what waits holds memory of that thread's.
        await inTime(thread.exited, 'the thread ends');
        assert.equal(pool.stats().queueSize, 0, 'nothing of it waits');
        stop.abort();
        await assert.rejects(long, { name: 'AbortError' });
        assert.equal(await pool.run('echo', 1), 1);
        await pool.close();
        await assertGone(name);
      }));
  }

  test('the last one: then the pool closes', () =>
    withThreads(1, async (thread) => {
      const name = newName();
      await thread.ask(`state.pool = WorkerPool.open('${name}', { maxThreads: 2 }); await state.pool.run('echo', 1)`);
      const seen = WorkerPool.open(name);
      await until(() => seen.stats().threads > 0, 'it has threads');
      await seen.close();
      await thread.terminate();
      await assertGone(name);
    }));
});

test('an object that was forgotten gives the pool back, and its tasks are done', async () => {
  const program = async ({ load, say, after }) => {
    const { WorkerPool } = load();
    const results = [];
    (() => {
      const pool = WorkerPool.open('forgotten', { maxThreads: 1 });
      for (let i = 0; i < 3; i++) results.push(pool.run('echo', i));
    })();
    say(String(await Promise.all(results)));
    for (let i = 0; i < 2000; i++) {
      globalThis.gc();
      await after(1);
      const pool = WorkerPool.open('forgotten');
      const { submitted } = pool.stats();
      await pool.close();
      if (submitted === 0) return say('a new one');
    }
    say('it is kept');
  };
  const outcome = await runProgram(process.execPath, program, { execArgv: ['--expose-gc'] });
  assert.deepEqual(outcome, quietly('0,1,2', 'a new one'));
});

test('an open pool does not keep the process alive, and its tasks do', async () => {
  const program = async ({ load, say }) => {
    const { WorkerPool } = load();
    const pool = WorkerPool.open('holds', { maxThreads: 1 });
    pool.run('sleep', 20).then(() => say('slept'));
    const other = WorkerPool.open('holds');
    other.run('sleep', 60_000).catch(() => {});
    other.unref();
  };
  assert.deepEqual(await runProgram(process.execPath, program), quietly('slept'));
});

test('the calls of a pool work as in others: signals, time limits, priorities, runSync, cancelQueued', async () => {
  const name = newName();
  const [pool, other] = [WorkerPool.open(name, { maxThreads: 1 }), WorkerPool.open(name)];
  const stop = new AbortController();
  const blocker = pool.run('sleep', 60_000, { signal: stop.signal });
  await until(() => pool.stats().running === 1, 'it is busy');
  await assert.rejects(pool.run('echo', 1, { timeout: 5 }), { code: 'ERR_RW_TASK_TIMEOUT' });
  const order = [];
  const done = (what) => () => order.push(what);
  const runs = [
    pool.run('echo', 1).then(done('mine')), other.run('echo', 1).then(done('theirs')),
    other.run('echo', 1, { priority: 5 }).then(done('their first')),
  ];
  const cancelled = [pool.run('echo', 2, { signal: stop.signal }), pool.run('echo', 3)];
  const both = Promise.allSettled(cancelled);
  // One signal ends its tasks here, and nothing of the other pool's.
  stop.abort();
  await assert.rejects(blocker, { name: 'AbortError' });
  await Promise.all(runs);
  assert.deepEqual(order, ['their first', 'mine', 'theirs']);
  assert.deepEqual((await both).map(({ status }) => status), ['rejected', 'fulfilled']);
  assert.equal(pool.runSync('fibonacci', 20), 6765);
  const again = pool.run('sleep', 60_000);
  again.catch(() => {});
  await until(() => pool.stats().running === 1, 'it is busy');
  const mine = [pool.run('echo', 1), pool.run('echo', 2)];
  const refused = Promise.all(mine.map((task) => assert.rejects(task, { code: 'ERR_RW_TASK_CANCELLED' })));
  const theirs = other.run('echo', 'theirs');
  assert.equal(pool.cancelQueued(), 2);
  await refused;
  await pool.destroy();
  assert.equal(await theirs, 'theirs');
  await other.close();
  await assertGone(name);
});

test('tasks of one key never run at the same time, whichever object they are of', async () => {
  const name = newName();
  const pools = [WorkerPool.open(name, { maxThreads: 3 }), WorkerPool.open(name), WorkerPool.open(name)];
  const stop = new AbortController();
  const first = pools[0].run('sleep', 60_000, { key: 'k', signal: stop.signal });
  first.catch(() => {});
  await until(() => pools[0].stats().running === 1, 'it runs');
  const order = [];
  const others = pools.map((pool, i) => pool.run('echo', i, { key: 'k' }).then((value) => order.push(value)));
  assert.equal(await pools[1].run('echo', 'free'), 'free');
  assert.deepEqual(order, []);
  stop.abort();
  await Promise.all(others);
  assert.deepEqual(order, [0, 1, 2]);
  await Promise.all(pools.map((pool) => pool.close()));
  await assertGone(name);
});

test('one signal for tasks of an opened pool and of another: each pool ends its own', async () => {
  const name = newName();
  const [opened, plain] = [WorkerPool.open(name, { maxThreads: 1 }), new WorkerPool({ maxThreads: 1 })];
  const { signal } = new AbortController();
  const runs = [opened.run('sleep', 60_000, { signal }), plain.run('sleep', 20, { signal }), opened.run('echo', 1, { signal })];
  runs.forEach((run) => run.catch(() => {}));
  await until(() => opened.stats().running === 1 && plain.stats().running === 1, 'both run');
  await opened.destroy();
  const outcomes = (await Promise.allSettled(runs)).map(({ status }) => status);
  assert.deepEqual(outcomes, ['rejected', 'fulfilled', 'rejected']);
  await plain.close();
});

test('threads that open, submit, close, destroy and are terminated at random leave nothing behind', () =>
  withThreads(3, async (...threads) => {
    const names = [newName(), newName()];
    const program = (seed) => `
      let random = ${seed};
      const below = (end) => (random = (random * 1103515245 + 12345) % 2 ** 31) % end;
      const pools = [];
      const runs = [];
      const keep = (...tasks) => runs.push(...tasks.map((task) => (task.catch(() => {}), task)));
      for (let i = 0; i < 120; i++) {
        const pool = pools[below(pools.length || 1)];
        const what = pool === undefined ? 0 : below(10);
        if (what === 0) pools.push(WorkerPool.open(['${names.join("', '")}'][below(2)], { maxThreads: 2 }));
        else if (what < 6) keep(pool.run('echo', i), pool.run('sleep', below(3)));
        else if (what === 6) keep(pool.map('echo', [1, 2, 3]));
        else if (what === 7) { const stop = new AbortController(); keep(pool.run('sleep', 50, { signal: stop.signal })); stop.abort(); }
        else pools.splice(pools.indexOf(pool), 1)[0][what === 8 ? 'close' : 'destroy']();
        if (below(5) === 0) await new Promise(setImmediate);
      }
      const outcomes = await Promise.allSettled(runs);
      await Promise.all(pools.map((pool) => pool.close()));
      return outcomes.filter(({ reason }) => reason !== undefined).map(({ reason }) => reason.code);
    `;
    const rounds = threads.map((thread, number) => thread.ask(program(number * 77 + 5)));
    const victim = new Thread();
    victim.tell(program(991).replace('120', '100_000'));
    await turns(20);
    for (const codes of await inTime(Promise.all(rounds), 'all settle')) {
      const strange = codes.filter((code) => !['ERR_RW_POOL_CLOSED', 'ERR_RW_TASK_CANCELLED'].includes(code));
      assert.deepEqual(strange, []);
    }
    await victim.terminate();
    for (const name of names) await assertGone(name);
  }));
