'use strict';

// The times of tasks: histograms by name and in all, CPU time, utilization by kind.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { holdWorker, poolOfSeed, script, using } = require('../support/pools');
const { createRandom } = require('../support/random-values');
const { until } = require('../support/until');

const TIMES = ['wait', 'run', 'roundTrip'];
const SCRIPT = script('times');
const LATE = 60_000;

const timesOf = (pool) => pool.stats({ tasks: true });

/** Asserts what holds of every histogram. */
function isSound(histogram, what) {
  const { count, min, mean, max, p50, p75, p90, p95, p99, p999 } = histogram;
  assert.deepEqual(Object.keys(histogram), ['count', 'min', 'max', 'mean', 'p50', 'p75', 'p90', 'p95', 'p99', 'p999'], what);
  assert.ok(Number.isInteger(count) && count >= 0, what);
  for (const [less, more] of [[0, min], [min, p50], [p50, p75], [p75, p90], [p90, p95], [p95, p99], [p99, p999], [p999, max], [min, mean], [mean, max]]) {
    // Two digits: a mean is that of the middles of ranges.
    assert.ok(less <= more * 1.01, `${what}: ${JSON.stringify(histogram)}`);
  }
}

/** Asserts that the parts add up to the whole. */
function addsUp({ tasks, ...all }) {
  const each = Object.entries(tasks);
  for (const times of TIMES) {
    isSound(all[times], times);
    for (const [name, task] of each) isSound(task[times], `${times} of ${name}`);
    const filled = each.filter(([, task]) => task[times].count > 0);
    assert.equal(filled.reduce((sum, [, task]) => sum + task[times].count, 0), all[times].count, times);
    if (filled.length === 0) continue;
    assert.equal(Math.max(...filled.map(([, task]) => task[times].max)), all[times].max, times);
    assert.equal(Math.min(...filled.map(([, task]) => task[times].min)), all[times].min, times);
  }
  assert.ok(Math.abs(each.reduce((sum, [, task]) => sum + task.cpuTime, 0) - all.cpuTime) < 1e-6);
}

test('without the option there are the counters alone, as before', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    await pool.run('noop');
    for (const stats of [pool.stats(), pool.stats({}), pool.stats({ tasks: false })]) {
      for (const name of [...TIMES, 'tasks', 'cpuTime', 'times', 'nativeRunTime']) assert.ok(!(name in stats), name);
    }
  });
});

test('a pool that has done nothing has empty histograms', async () => {
  for (const pool of [new WorkerPool({ maxThreads: 1 }), new WorkerPool(SCRIPT, 1)]) {
    await using(pool, () => {
      const stats = timesOf(pool);
      addsUp(stats);
      assert.deepEqual(Object.keys(stats.tasks), []);
      assert.deepEqual([stats.wait.count, stats.run.max, stats.roundTrip.p999, stats.cpuTime], [0, 0, 0, 0]);
    });
  }
});

test('each task counts once in each histogram by its name: native tasks, small and not, in bursts and one by one', async () => {
  await using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
    await Promise.all(Array.from({ length: 5_000 }, () => pool.run('noop')));
    for (let i = 0; i < 50; i++) await pool.run('noop', i);
    await Promise.all(Array.from({ length: 300 }, (_, i) => pool.run('echo', `text ${i}`)));
    await Promise.all(Array.from({ length: 40 }, () => pool.run('fibonacci', 20, { priority: 3 })));
    const stats = timesOf(pool);
    addsUp(stats);
    const counts = Object.entries(stats.tasks).map(([name, { kind, wait, run, roundTrip }]) =>
      [name, kind, wait.count, run.count, roundTrip.count]);
    assert.deepEqual(counts.sort(), [
      ['echo', 'native', 300, 300, 300],
      ['fibonacci', 'native', 40, 40, 40],
      ['noop', 'native', 5_050, 5_050, 5_050],
    ]);
    assert.ok(stats.tasks.fibonacci.run.p50 > stats.tasks.noop.run.p50, 'what takes longer is shown to take longer');
  });
});

test('each task counts once in each histogram by its name: functions of a script, synchronous and not', async () => {
  for (const concurrentTasksPerWorker of [1, 4]) {
    await using(new WorkerPool(SCRIPT, { maxThreads: 2, concurrentTasksPerWorker }), async (pool) => {
      await Promise.all(Array.from({ length: 200 }, (_, i) => pool.run(i % 2 ? 'later' : 'echo', i)));
      await Promise.all(Array.from({ length: 30 }, () => assert.rejects(pool.run('fails'), /as asked/)));
      await Promise.all(Array.from({ length: 20 }, () => pool.run('native:noop')));
      const stats = timesOf(pool);
      addsUp(stats);
      const counts = Object.entries(stats.tasks).map(([name, { kind, wait, run, roundTrip }]) =>
        [name, kind, wait.count, run.count, roundTrip.count]);
      assert.deepEqual(counts.sort(), [
        ['echo', 'script', 100, 100, 100],
        ['fails', 'script', 30, 30, 30],
        ['later', 'script', 100, 100, 100],
        ['native:noop', 'native', 20, 20, 20],
      ]);
    });
  }
});

test('a native map counts each input as run, and has one round trip; a map of a script is as many tasks', async () => {
  await using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
    await pool.map('fibonacci', Array(1_000).fill(3));
    await pool.map('echo', ['a', 'b', 'c']);
    const { fibonacci, echo } = timesOf(pool).tasks;
    assert.deepEqual([fibonacci.wait.count, fibonacci.run.count, fibonacci.roundTrip.count], [1_000, 1_000, 1]);
    assert.deepEqual([echo.wait.count, echo.run.count, echo.roundTrip.count], [3, 3, 1]);
  });
  await using(new WorkerPool(SCRIPT, 2), async (pool) => {
    await pool.map('echo', [1, 2, 3, 4]);
    const { echo } = timesOf(pool).tasks;
    assert.deepEqual([echo.wait.count, echo.run.count, echo.roundTrip.count], [4, 4, 4]);
  });
});

test('a task waits, then runs, and the round trip is both and more', async () => {
  // A sleep is never too short, and one thread runs one at a time.
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    await Promise.all([pool.run('sleep', 30), pool.run('sleep', 30)]);
    const { wait, run, roundTrip } = timesOf(pool).tasks.sleep;
    assert.ok(run.min >= 29.5, JSON.stringify(run));
    assert.ok(wait.max >= 29.5 && wait.min < wait.max, JSON.stringify(wait));
    assert.ok(roundTrip.max >= 59, JSON.stringify(roundTrip));
    assert.ok(roundTrip.min * 1.01 >= run.min, JSON.stringify(roundTrip));
  });
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    await pool.run('echo');
    pool.stats({ reset: true });
    await Promise.all([pool.run('sleeps', 30), pool.run('sleeps', 30)]);
    const { wait, run, roundTrip } = timesOf(pool).tasks.sleeps;
    assert.ok(run.min >= 29.5 && wait.max >= 29.5 && roundTrip.max >= 59, JSON.stringify({ wait, run, roundTrip }));
  });
});

test('CPU time is what was worked, and not what was slept', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    await pool.run('sleep', 200);
    for (let i = 0; i < 3; i++) await pool.run('fibonacci', 32);
    const { sleep, fibonacci } = timesOf(pool).tasks;
    assert.ok(sleep.cpuTime < 100, `${sleep.cpuTime} ms of CPU in ${sleep.run.max} ms of sleep`);
    assert.ok(fibonacci.cpuTime > 0 && fibonacci.cpuTime <= fibonacci.run.mean * fibonacci.run.count * 2 + 5, JSON.stringify(fibonacci));
  });
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    // The first of a name is not measured: it might be short. So are those that are.
    for (let i = 0; i < 2; i++) await pool.run('sleeps', 1);
    for (let i = 0; i < 2; i++) await pool.run('works', 1);
    pool.stats({ reset: true });
    await pool.run('sleeps', 200);
    await pool.run('works', 30);
    const { sleeps, works } = timesOf(pool).tasks;
    assert.ok(sleeps.cpuTime < 100, `${sleeps.cpuTime} ms of CPU in ${sleeps.run.max} ms of sleep`);
    assert.ok(works.cpuTime > 0 && works.cpuTime <= works.run.max * 1.01, JSON.stringify(works));
  });
});

test('the CPU time of threads that help a parallel task is that task\'s', async () => {
  const { SharedBuffer } = require('rust-workers');
  await using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
    const values = new Float64Array(new SharedBuffer(8 * 400_000).buffer);
    await until(async () => {
      for (let i = 0; i < values.length; i++) values[i] = (i * 7_919) % 1_000_003;
      await pool.run('sort', values, { parallel: true });
      const { tasks, cpuTime } = timesOf(pool);
      assert.deepEqual(Object.keys(tasks), ['sort']);
      assert.equal(tasks.sort.cpuTime, cpuTime);
      // Both threads have worked for it at once.
      return tasks.sort.cpuTime > tasks.sort.run.max * tasks.sort.run.count * 1.05 || tasks.sort.run.count >= 20;
    }, 'another thread has helped');
    assert.ok(timesOf(pool).tasks.sort.cpuTime > 0);
  });
});

test('what was stopped before it began is in no histogram; what was stopped while it ran has no round trip', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const stop = new AbortController();
    const runs = [1, 2, 3].map(() => pool.run('sleep', LATE, { signal: stop.signal }));
    await until(() => pool.stats().running === 1, 'one runs');
    stop.abort();
    for (const run of runs) await assert.rejects(run, { name: 'AbortError' });
    await until(() => pool.stats().cancelled === 3, 'it has stopped');
    await pool.run('noop');
    const { wait, run, roundTrip } = timesOf(pool).tasks.sleep;
    assert.deepEqual([wait.count, run.count, roundTrip.count], [1, 1, 0]);
  });
  await using(new WorkerPool(script('held'), 1), async (pool) => {
    const { task, open } = await holdWorker(pool);
    const stop = new AbortController();
    const waiting = pool.run('held', new Int32Array(new SharedArrayBuffer(8)), { signal: stop.signal });
    stop.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    open();
    await task;
    const { wait, run, roundTrip } = timesOf(pool).tasks.held;
    assert.deepEqual([wait.count, run.count, roundTrip.count], [1, 1, 1]);
  });
});

test('reset: what is read is what was since the last reading, and no task is lost or counted twice', async () => {
  for (const [pool, name] of [[new WorkerPool({ maxThreads: 2 }), 'noop'], [new WorkerPool(SCRIPT, 2), 'echo']]) {
    await using(pool, async () => {
      const all = Promise.all(Array.from({ length: 4_000 }, (_, i) => pool.run(name, i)));
      let done = false;
      all.then(() => (done = true));
      const seen = { wait: 0, run: 0, roundTrip: 0 };
      const read = () => {
        const stats = pool.stats({ tasks: true, reset: true });
        addsUp(stats);
        for (const times of TIMES) seen[times] += stats[times].count;
      };
      while (!done) {
        read();
        await new Promise(setImmediate);
      }
      read();
      assert.deepEqual(seen, { wait: 4_000, run: 4_000, roundTrip: 4_000 });
      assert.equal(timesOf(pool).run.count, 0);
      assert.equal(pool.stats().completed, 4_000, 'the counters go on');
      // Without `tasks` it shows nothing.
      await pool.run(name, 1);
      assert.ok(!('tasks' in pool.stats({ reset: true })));
      assert.equal(timesOf(pool).run.count, 0);
    });
  }
});

test('a pool that has closed, or was destroyed, keeps what it has recorded', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  await Promise.all([pool.run('noop'), pool.run('echo', 'x')]);
  await pool.close();
  for (let i = 0; i < 2; i++) {
    const { tasks } = pool.stats({ tasks: true, reset: true });
    assert.deepEqual([tasks.noop.run.count, tasks.echo.roundTrip.count], [1, 1]);
  }
  const scripts = new WorkerPool(SCRIPT, 1);
  await scripts.run('echo', 1);
  const late = scripts.run('sleeps', LATE);
  late.catch(() => {});
  await until(() => scripts.stats().running === 1, 'it runs');
  await scripts.destroy();
  await assert.rejects(late);
  const { tasks } = timesOf(scripts);
  // The one that its worker never finished is in none.
  assert.deepEqual(Object.keys(tasks), ['echo']);
  assert.deepEqual(TIMES.map((times) => tasks.echo[times].count), [1, 1, 1]);
});

test('names are the user\'s: a native task and a function of the same name, names of objects, many names', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    await pool.run('echo', 1);
    await pool.run('native:echo', 1);
    await pool.run('constructor', 1);
    const { tasks } = timesOf(pool);
    assert.deepEqual(Object.keys(tasks).sort(), ['constructor', 'echo', 'native:echo']);
    assert.deepEqual([tasks.echo.kind, tasks['native:echo'].kind], ['script', 'native']);
    assert.equal(tasks.toString, undefined);
  });
  const env = { ...process.env, RW_FUNCTIONS: '700' };
  await using(new WorkerPool(SCRIPT, { maxThreads: 1, env }), async (pool) => {
    await Promise.all(Array.from({ length: 700 }, (_, i) => pool.run(`function${i}`)));
    const stats = timesOf(pool);
    addsUp(stats);
    // All are counted; those after the first 255 together.
    assert.equal(stats.run.count, 700);
    assert.equal(Object.keys(stats.tasks).length, 256);
    assert.equal(stats.tasks['(others)'].run.count, 700 - 255);
    assert.equal(stats.tasks.function0.run.count, 1);
  });
  await using(new WorkerPool(script('message'), 1), async (pool) => {
    await pool.runTask(1).catch(() => {});
    const { tasks } = timesOf(pool);
    assert.deepEqual(Object.keys(tasks), ['default']);
  });
});

test('a pool that several have open: run times are of all, round trips of this thread', async () => {
  const name = `times-${process.pid}`;
  const [one, other] = [WorkerPool.open(name, { maxThreads: 1 }), WorkerPool.open(name)];
  await one.run('noop');
  await other.run('noop');
  await one.close();
  await other.run('noop');
  const { noop } = timesOf(other).tasks;
  assert.deepEqual([noop.run.count, noop.roundTrip.count], [3, 3]);
  await other.close();
});

test('utilization by kind: the part of the time of its own threads', async () => {
  await using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
    assert.deepEqual(pool.stats().utilizationByKind, { native: 0, script: 0 });
    const stop = new AbortController();
    const runs = [1, 2].map(() => pool.run('sleep', LATE, { signal: stop.signal }).catch(() => {}));
    await until(() => pool.stats().utilizationByKind.native > 0.3, 'both threads are busy');
    const { utilization, utilizationByKind } = pool.stats();
    assert.equal(utilizationByKind.script, 0);
    assert.ok(utilization > 0.3);
    stop.abort();
    await Promise.all(runs);
  });
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    await pool.run('echo');
    await until(async () => {
      await pool.run('sleeps', 50);
      return pool.stats().utilizationByKind.script > 0.05;
    }, 'the worker is busy');
    assert.equal(pool.stats().utilizationByKind.native, 0, 'there is no native thread');
    await pool.run('native:sleep', 20);
    const { native, script: scripts } = pool.stats().utilizationByKind;
    assert.ok(native > 0 && scripts > 0 && native < 1 && scripts < 1);
  });
});

test('options that cannot be are refused', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), (pool) => {
    for (const options of [{ task: true }, { tasks: true, resets: true }]) {
      assert.throws(() => pool.stats(options), (error) => error instanceof errors.InvalidArgValueError && /did you mean/i.test(error.message));
    }
    for (const options of [{ tasks: 1 }, { reset: 'yes' }, { tasks: null }]) {
      assert.throws(() => pool.stats(options), errors.InvalidArgTypeError);
    }
    for (const options of [null, 5, 'tasks']) assert.throws(() => pool.stats(options), errors.InvalidArgTypeError);
  });
});

test('random programs: every task that was answered counts, whatever it was and however it ended', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = createRandom(seed);
    const hasScript = seed % 2 === 0;
    const pool = poolOfSeed(seed, SCRIPT);
    const expected = {};
    const kinds = hasScript
      ? [['echo', 1], ['later', 2], ['fails', 0], ['native:noop', 1], ['native:echo', 'x'], ['native:fibonacci', -1]]
      : [['noop', undefined], ['echo', 4], ['echo', 'text'], ['fibonacci', 200], ['fibonacci', -1], ['panic', 'p']];
    await using(pool, async () => {
      const runs = [];
      for (let i = 0; i < 400; i++) {
        const [name, input] = kinds[random(kinds.length)];
        expected[name] = (expected[name] ?? 0) + 1;
        const options = random(10) < 3 ? { priority: random(5) } : undefined;
        runs.push(pool.run(name, input, options).catch(() => {}));
        if (random(20) === 0) await runs.at(-1);
      }
      await Promise.all(runs);
      const stats = timesOf(pool);
      addsUp(stats);
      for (const times of TIMES) {
        const counts = Object.fromEntries(Object.entries(stats.tasks).map(([name, task]) => [name, task[times].count]));
        assert.deepEqual(counts, expected, `seed ${seed}, ${times}`);
      }
      const { completed, failed } = pool.stats();
      assert.equal(stats.run.count, completed + failed);
    });
  }
});
