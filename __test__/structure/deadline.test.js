'use strict';

// `deadline` and `runTimeout`, of native tasks and of a script's: refused, dropped, stopped, and told which.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { busyPool, holdWorker, script, using } = require('../support/pools');
const { block, inTime, turns, until } = require('../support/until');

const cellsOf = () => new Int32Array(new SharedArrayBuffer(16));

/** The two kinds of task: how a pool of one is made busy, and a task that runs until it is stopped. */
const KINDS = {
  native: {
    pool: () => new WorkerPool({ maxThreads: 1 }),
    busy: async () => {
      const { pool, free } = await busyPool();
      return { pool, free };
    },
    endless: (pool, options) => pool.run('sleep', 1_000_000, options),
    quick: (pool, options) => pool.run('echo', 7, options),
    sleep: (pool, ms, options) => pool.run('sleep', ms, options),
  },
  script: {
    pool: () => new WorkerPool(script('structure.js'), { maxThreads: 1, killTimeout: 5_000 }),
    busy: async () => {
      const pool = new WorkerPool(script('structure.js'), { maxThreads: 1, killTimeout: 5_000 });
      const stop = new AbortController();
      const cells = cellsOf();
      pool.run('waits', cells, { signal: stop.signal }).catch(() => {});
      await until(() => cells[0] === 1, 'the worker is busy');
      return { pool, free: () => stop.abort() };
    },
    endless: (pool, options) => pool.run('spins', cellsOf(), options),
    quick: (pool, options) => pool.run('same', 7, options),
    sleep: (pool, ms, options) => pool.run('sleeps', ms, options),
  },
};

const isDeadline = (started) => (error) => {
  assert.ok(error instanceof errors.DeadlineError, String(error));
  const { name, code, started: had } = error;
  assert.deepEqual({ name, code, started: had }, { name: 'TimeoutError', code: 'ERR_RW_DEADLINE', started });
  return true;
};

/** A task that is stopped at its deadline while it runs: on a busy machine it may not have started by then, so the time grows. */
async function stoppedRunning(run) {
  for (let ms = 40; ; ms *= 2) {
    const error = await run(ms).then(() => assert.fail('it ended by itself'), (thrown) => thrown);
    isDeadline(error.started)(error);
    if (error.started) return;
    assert.ok(ms < 20_000, 'it never starts');
  }
}

for (const [kind, { pool: open, busy, endless, quick, sleep }] of Object.entries(KINDS)) {
  test(`${kind}: a deadline that has passed: refused, and nothing is submitted`, () => using(open(), async (pool) => {
    for (const deadline of [0, -5, -Infinity, new Date(Date.now() - 1), new Date(0)]) {
      const input = { get a() { throw new Error('was read'); } };
      await assert.rejects(quick(pool, { deadline }), isDeadline(false));
      await assert.rejects(pool.run(kind === 'native' ? 'echo' : 'same', input, { deadline }), isDeadline(false));
      await assert.rejects(pool.map(kind === 'native' ? 'echo' : 'same', [1], { deadline }), isDeadline(false));
    }
    assert.equal(pool.stats().submitted, 0);
  }));

  test(`${kind}: a task that waits is dropped at its deadline, and says that it had not started`, async () => {
    const { pool, free } = await busy();
    await using(pool, async () => {
      const { submitted } = pool.stats();
      const late = [quick(pool, { deadline: 15 }), quick(pool, { deadline: new Date(Date.now() + 15), timeout: 60_000 })];
      await Promise.all(late.map((run) => assert.rejects(run, isDeadline(false))));
      assert.equal(pool.queueSize, 0);
      assert.equal(pool.stats().submitted, submitted + 2);
      free();
      assert.equal(await quick(pool, { deadline: 60_000 }), 7);
    });
  });

  test(`${kind}: a task that runs is stopped at its deadline, and says that it had started`, () => using(open(), async (pool) => {
    await quick(pool);
    await stoppedRunning((deadline) => endless(pool, { deadline }));
    assert.equal(await inTime(quick(pool), 'the thread is free'), 7);
  }));

  test(`${kind}: the sooner of a deadline and a time limit counts`, () => using(open(), async (pool) => {
    await quick(pool);
    await assert.rejects(endless(pool, { deadline: 60_000, timeout: 30 }), { code: 'ERR_RW_TASK_TIMEOUT', message: /took longer than 30 ms$/ });
    await stoppedRunning((deadline) => endless(pool, { deadline, timeout: 60_000 }));
    await stoppedRunning((deadline) => endless(pool, { deadline, timeout: 60_000, runTimeout: 50_000 }));
    await assert.rejects(endless(pool, { deadline: 30, signal: AbortSignal.abort() }), { name: 'AbortError' });
  }));

  test(`${kind}: an owner that is blocked gets the same errors, and knows whether a task had started`, async () => {
    const { pool, free } = await busy();
    await using(pool, async () => {
      const waiting = quick(pool, { deadline: 10 });
      block(40);
      await assert.rejects(waiting, isDeadline(false));
      free();
      await quick(pool);
      await stoppedRunning((deadline) => {
        const running = endless(pool, { deadline });
        block(deadline * 3);
        return running;
      });
      assert.equal(await quick(pool), 7);
    });
  });

  test(`${kind}: a task that was taken after its deadline, while its owner was blocked, had not started`, async () => {
    const { pool, free } = await busy();
    await using(pool, async () => {
      const waiting = quick(pool, { deadline: 5 });
      // The thread comes to it before any timer does.
      block(20);
      free();
      block(60);
      await assert.rejects(waiting, isDeadline(false));
    });
  });

  test(`${kind}: runTimeout counts from the start, not from the submission`, async () => {
    const { pool, free } = await busy();
    await using(pool, async () => {
      const waited = quick(pool, { runTimeout: 20 });
      // Longer than the limit.
      await new Promise((resolve) => setTimeout(resolve, 60));
      assert.equal(pool.queueSize, 1);
      free();
      assert.equal(await waited, 7);
      const limit = { code: 'ERR_RW_TASK_TIMEOUT', name: 'TimeoutError', message: /ran for longer than 25 ms$/ };
      await assert.rejects(endless(pool, { runTimeout: 25 }), limit);
      await assert.rejects(endless(pool, { runTimeout: 25, timeout: 60_000, deadline: 60_000 }), limit);
      await assert.rejects(endless(pool, { runTimeout: 60_000, timeout: 25 }), { message: /took longer than 25 ms$/ });
      assert.equal(await quick(pool, { runTimeout: 60_000 }), 7);
      await assert.rejects(sleep(pool, 60_000, { runTimeout: 0 }), { code: 'ERR_RW_TASK_TIMEOUT' });
    });
  });

  test(`${kind}: one signal, and a deadline for each of its tasks`, () => using(open(), async (pool) => {
    const { signal } = new AbortController();
    await quick(pool);
    await stoppedRunning(async (deadline) => {
      const runs = [endless(pool, { signal, deadline }), endless(pool, { signal, runTimeout: 30 }), quick(pool, { signal, deadline: 60_000 })];
      runs[0].catch(() => {});
      await assert.rejects(runs[1], { message: /ran for longer than 30 ms$/ });
      assert.equal(await runs[2], 7);
      return runs[0];
    });
  }));

  test(`${kind}: a map has one deadline, and each of its inputs a runTimeout`, () => using(open(), async (pool) => {
    const name = kind === 'native' ? 'sleep' : 'sleeps';
    await quick(pool);
    async function* source() {
      for (;;) yield 5;
    }
    await stoppedRunning((deadline) => pool.map(name, source(), { deadline }));
    await stoppedRunning((deadline) => pool.map(name, [1, 60_000, 1], { deadline }));
    assert.equal((await pool.map(name, [10, 10, 10, 10], { runTimeout: 5_000 })).length, 4);
    await assert.rejects(pool.map(name, [1, 60_000, 1], { runTimeout: 30 }), { code: 'ERR_RW_TASK_TIMEOUT', message: /ran for longer than 30 ms$/ });
    await assert.rejects(pool.map(name, source(), { runTimeout: 0 }), { code: 'ERR_RW_TASK_TIMEOUT' });
    assert.equal(await inTime(quick(pool), 'the thread is free'), 7);
  }));

  test(`${kind}: a map that cannot start before its deadline`, async () => {
    const { pool, free } = await busy();
    await using(pool, async () => {
      if (kind === 'native') await assert.rejects(pool.map('echo', [1, 2], { deadline: 10 }), isDeadline(false));
      else await assert.rejects(pool.map('same', [1, 2], { deadline: 10 }), { code: 'ERR_RW_DEADLINE' });
      await until(() => pool.queueSize === 0, 'nothing waits');
      free();
      assert.equal(await quick(pool), 7);
    });
  });
}

test('a script sees why it must stop', () => using(new WorkerPool(script('structure.js'), 1), async (pool) => {
  await pool.run('same', 1);
  const seen = async (options, abort) => {
    const cells = cellsOf();
    const run = pool.run('why', cells, options).catch(() => {});
    await until(() => cells[0] === 1, 'it runs');
    abort?.();
    await run;
    await until(() => cells[1] === 1, 'it has seen the end');
    return cells[2];
  };
  const stop = new AbortController();
  assert.deepEqual(
    [await seen({ deadline: 150 }), await seen({ timeout: 150 }), await seen({ runTimeout: 50 }), await seen({ signal: stop.signal }, () => stop.abort())],
    [1, 2, 2, 3],
  );
}));

test('a loop that does not look is ended with its worker, by a deadline and by a runTimeout', async () => {
  await using(new WorkerPool(script('structure.js'), { maxThreads: 1, killTimeout: 20 }), async (pool) => {
    await pool.run('same', 1);
    await stoppedRunning((deadline) => pool.run('loops', cellsOf(), { deadline }));
    assert.equal(await pool.run('same', 1), 1);
    await assert.rejects(pool.run('loops', cellsOf(), { runTimeout: 100 }), { message: /ran for longer than 100 ms$/ });
    assert.equal(await pool.run('same', 2), 2);
  });
});

test('with several tasks at a time, one with a deadline or a runTimeout has its worker to itself', async () => {
  const pool = new WorkerPool(script('structure.js'), { maxThreads: 1, concurrentTasksPerWorker: 4, killTimeout: 10 });
  await using(pool, async () => {
    await pool.run('same', 1);
    const stop = new AbortController();
    const cells = cellsOf();
    const held = pool.run('waits', cells, { signal: stop.signal }).catch(() => 'stopped');
    await until(() => cells[0] === 1, 'it runs');
    const limited = pool.run('loops', cells, { runTimeout: 20 });
    await turns(20);
    assert.equal(cells[0], 1, 'it waits for the worker');
    stop.abort();
    await held;
    await assert.rejects(limited, { code: 'ERR_RW_TASK_TIMEOUT' });
  });
});

test('results that come by Node’s port after the deadline are dropped', async () => {
  await using(new WorkerPool(script('late.js'), 1), async (pool) => {
    await pool.run('same', 1);
    for (const busy of [0, 60]) {
      await stoppedRunning((deadline) => {
        const run = pool.run('half', undefined, { deadline: deadline / 2 });
        block(busy);
        return run;
      });
      const own = pool.run('own', undefined, { runTimeout: 15 });
      block(busy);
      await assert.rejects(own, { message: /ran for longer than 15 ms$/ });
    }
  });
});

test('a task that waits for the exports of its script is dropped at its deadline', async () => {
  await using(new WorkerPool(script('held.js'), { minThreads: 0, maxThreads: 1 }), async (pool) => {
    const { task, open } = await holdWorker(pool);
    open();
    await task;
    await using(new WorkerPool(script('structure.js'), { maxThreads: 1 }), async (fresh) => {
      // `echo` is a native task too, so the exports decide.
      const run = fresh.run('echo', 1, { deadline: 1 });
      block(5);
      await assert.rejects(run, (error) => error.code === 'ERR_RW_DEADLINE' && error.started === false);
      assert.equal(await fresh.run('echo', 1, { deadline: 60_000, runTimeout: 60_000 }), 1);
    });
  });
});

test('what is no deadline is refused, by name', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const moment = Date.now() + 1_000;
    await assert.rejects(pool.run('echo', 1, { deadline: moment }), {
      code: 'ERR_RW_OUT_OF_RANGE',
      message: `The "options.deadline" argument must be a number of milliseconds from now, of at most 100000000000. Received ${moment}, which looks like a moment: pass new Date(${moment})`,
    });
    const wrong = { text: ['5', 'ERR_RW_INVALID_ARG_TYPE'], nothing: [null, 'ERR_RW_INVALID_ARG_TYPE'], NaN: [NaN, 'ERR_RW_OUT_OF_RANGE'], date: [new Date(NaN), 'ERR_RW_OUT_OF_RANGE'] };
    for (const [name, [deadline, code]] of Object.entries(wrong)) await assert.rejects(pool.run('echo', 1, { deadline }), { code }, name);
    for (const runTimeout of [-1, NaN, 2 ** 31, '5']) await assert.rejects(pool.run('echo', 1, { runTimeout }), /options\.runTimeout/);
    await assert.rejects(pool.run('echo', 1, { deadlin: 5 }), /did you mean 'deadline'/);
    for (const deadline of [1e11, Infinity, new Date(8.64e15), undefined]) assert.equal(await pool.run('echo', 1, { deadline, runTimeout: Infinity }), 1);
    assert.equal(pool.stats().submitted, 4);
  });
});

test('getters of `deadline` run once, and what they throw rejects the task', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    let reads = 0;
    assert.equal(await pool.run('echo', 1, { get deadline() { reads++; return 60_000; } }), 1);
    assert.equal(reads, 1);
    const thrown = new Error('mine');
    await assert.rejects(pool.run('echo', 1, { get deadline() { throw thrown; } }), thrown);
    // Its own pool is closed by the getter.
    await assert.rejects(pool.run('echo', 1, { get deadline() { pool.close(); return 50; } }), { code: 'ERR_RW_POOL_CLOSED' });
  });
});

test('a stream has one deadline, which counts from the call', async () => {
  const pools = { sleep: new WorkerPool({ maxThreads: 1 }), sleeps: new WorkerPool(script('structure.js'), 1) };
  for (const [name, pool] of Object.entries(pools)) {
    await using(pool, async () => {
      await pool.run(name, 1);
      async function* source() {
        for (;;) yield 20;
      }
      let outputs = 0;
      await assert.rejects(async () => {
        for await (const _ of pool.stream(name, source(), { deadline: 150 })) outputs++;
      }, (error) => isDeadline(error.cause.started)(error.cause));
      assert.ok(outputs <= 7, `${name}: ${outputs}`);
      await assert.rejects(async () => {
        for await (const _ of pool.stream(name, [1, 60_000], { runTimeout: 100 }));
      }, ({ cause }) => cause.code === 'ERR_RW_TASK_TIMEOUT');
    });
  }
});
