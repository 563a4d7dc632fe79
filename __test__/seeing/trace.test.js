'use strict';

// Traces: what a pool has done, task by task, in the format of Chrome's traces.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { checkTrace } = require('./chrome-format');
const { runNode } = require('../support/child');
const { holdWorker, poolOfSeed, script, using } = require('../support/pools');
const { createRandom } = require('../support/random-values');
const { block, until } = require('../support/until');

const SCRIPT = script('times');
const LATE = 60_000;

/** A file to write, in a folder of its own that is removed after. */
async function withFile(body) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rw-trace-'));
  try {
    return await body(path.join(folder, 'trace.json'));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const read = (file) => checkTrace(JSON.parse(fs.readFileSync(file, 'utf8')));

/** The slices of tasks, of all threads. */
const tasksOf = ({ rows }) => [...rows].filter(([name]) => !['submits', 'answers'].includes(name)).flatMap(([, slices]) => slices);

/** How many slices there are of each name. */
function countsOf(trace) {
  const counts = {};
  for (const { name } of tasksOf(trace)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Each task has its arrow from submission over its start to its answer. */
function hasArrows(trace, count) {
  assert.equal(trace.arrows.size, count);
  for (const { f } of trace.arrows.values()) assert.equal(f.length, 1);
}

test('each native task is a slice on its thread, with arrows from submission to start to answer', async () => {
  await withFile((file) => using(new WorkerPool({ maxThreads: 2, name: 'traced' }), async (pool) => {
    await pool.run('noop');
    const trace = pool.trace();
    assert.equal(trace.recording, true);
    await Promise.all(Array.from({ length: 300 }, (_, i) => pool.run('noop', i)));
    await Promise.all(Array.from({ length: 20 }, () => pool.run('echo', 'text', { priority: 1 })));
    await pool.run('sleep', 30);
    await pool.run('panic', 'as asked').catch(() => {});
    await trace.save(file);
    assert.equal(trace.recording, false);
    assert.equal(trace.dropped, 0);
    const found = read(file);
    // The task before it is not there.
    assert.deepEqual(countsOf(found), { noop: 300, echo: 20, sleep: 1, panic: 1 });
    hasArrows(found, 322);
    const [sleep] = tasksOf(found).filter(({ name }) => name === 'sleep');
    assert.ok(sleep.dur >= 29_500, `${sleep.dur} µs`);
    assert.equal(tasksOf(found).find(({ name }) => name === 'panic').args.state, 'failed');
    for (const name of found.rows.keys()) assert.match(name, /^(?:traced-\d|submits|answers)$/);
    const { traceEvents } = JSON.parse(fs.readFileSync(file, 'utf8'));
    assert.deepEqual(traceEvents.filter(({ name }) => name === 'process_name').map(({ args }) => args.name), ['rust-workers: traced']);
  }));
});

test("each task of a script is a slice on its worker's row, those at the same time on rows of their own", async () => {
  for (const concurrentTasksPerWorker of [1, 3]) {
    await withFile((file) => using(new WorkerPool(SCRIPT, { maxThreads: 1, concurrentTasksPerWorker }), async (pool) => {
      await pool.run('echo');
      const trace = pool.trace();
      await Promise.all(Array.from({ length: 60 }, (_, i) => pool.run(['later', 'echo', 'fails'][i % 3]).catch(() => {})));
      await pool.run('native:noop');
      await trace.save(file);
      const found = read(file);
      assert.deepEqual(countsOf(found), { later: 20, echo: 20, fails: 20, noop: 1 });
      hasArrows(found, 61);
      const rows = [...found.rows.keys()].filter((name) => name.startsWith('worker'));
      assert.match(rows[0], /^worker 0 \(threadId \d+\)$/);
      assert.equal(rows.length > 1, concurrentTasksPerWorker > 1, String(rows));
      assert.ok(tasksOf(found).filter(({ name }) => name === 'fails').every(({ args }) => args.state === 'failed'));
    }));
  }
});

test('a map is a slice for each chunk, a parallel task one for each thread that helps', async () => {
  const { SharedBuffer } = require('rust-workers');
  await using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
    const trace = pool.trace();
    await pool.map('fibonacci', Array(5_000).fill(10));
    const found = checkTrace(trace.toJSON());
    const chunks = tasksOf(found);
    assert.ok(chunks.every(({ name }) => name === 'fibonacci'));
    assert.equal(chunks.reduce((sum, { args }) => sum + (args.inputs ?? 1), 0), 5_000);
    hasArrows(found, 1);
  });
  await using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
    const values = new Float64Array(new SharedBuffer(8 * 300_000).buffer);
    await until(async () => {
      for (let i = 0; i < values.length; i++) values[i] = (i * 7_919) % 1_000_003;
      const trace = pool.trace();
      await pool.run('sort', values, { parallel: true });
      let parts = 0;
      // The helper's slice may come after the answer.
      await until(() => pool.stats().running === 0 && pool.stats().idleThreads === pool.stats().threads, 'all threads are idle');
      for (const { name, args } of tasksOf(checkTrace(trace.toJSON()))) {
        if (name === 'sort (part)') parts++;
        else assert.deepEqual([name, args.state], ['sort', undefined]);
      }
      return parts > 0;
    }, 'another thread helps');
  });
});

test('what is under way is a slice to the end; what was cancelled says so; what had not begun is none', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const [stop, first] = [new AbortController(), pool.trace()];
    const runs = [1, 2].map(() => pool.run('sleep', LATE, { signal: stop.signal }).catch(() => {}));
    await until(() => pool.stats().running === 1, 'one runs');
    const second = pool.trace();
    const seen = tasksOf(checkTrace(first.toJSON()));
    assert.deepEqual(seen.map(({ name, args }) => [name, args.state]), [['sleep', 'running']]);
    stop.abort();
    await Promise.all(runs);
    await until(() => pool.stats().cancelled === 2, 'both are stopped');
    // The second trace began while it ran.
    const after = tasksOf(checkTrace(second.toJSON()));
    assert.deepEqual(after.map(({ name, args }) => [name, args.state]), [['sleep', 'cancelled']]);
  });
  await using(new WorkerPool(script('held'), 1), async (pool) => {
    const trace = pool.trace();
    const { task, open } = await holdWorker(pool);
    assert.deepEqual(tasksOf(checkTrace(trace.toJSON())).map(({ args }) => args.state), ['running']);
    open();
    await task;
  });
});

test('a worker that dies with its task leaves a slice', async () => {
  await using(new WorkerPool(script('functions'), 1), async (pool) => {
    const trace = pool.trace();
    const stop = new AbortController();
    const run = pool.run('exits').catch(() => {});
    await run;
    stop.abort();
    const found = tasksOf(checkTrace(trace.toJSON()));
    assert.ok(found.every(({ args }) => args.state === 'failed'), JSON.stringify(found));
  });
});

test('counters: the length of the queue, and how late the event loop is', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const trace = pool.trace();
    const stop = new AbortController();
    const runs = Array.from({ length: 9 }, () => pool.run('sleep', LATE, { signal: stop.signal }).catch(() => {}));
    await until(() => pool.stats().running === 1, 'one runs');
    // Timers that are due meanwhile are late.
    await until(() => {
      block(60);
      return new Promise((resolve) => setTimeout(resolve, 15, true));
    }, 'a timer was late');
    stop.abort();
    await Promise.all(runs);
    await pool.run('noop');
    const { counters } = checkTrace(trace.toJSON());
    const queue = counters.get('queue').map(({ args }) => args.native);
    assert.ok(Math.max(...queue) >= 8 && queue.at(-1) === 0, String(queue));
    const delays = counters.get('event loop delay').map(({ args }) => args.ms);
    assert.ok(Math.max(...delays) >= 40, String(delays));
  });
  await using(new WorkerPool(script('held'), 1), async (pool) => {
    await pool.ready;
    const trace = pool.trace();
    const { task, open } = await holdWorker(pool);
    const gate = new Int32Array(new SharedArrayBuffer(8));
    gate[0] = 1;
    const runs = Array.from({ length: 5 }, () => pool.run('held', gate));
    open();
    await Promise.all([task, ...runs]);
    const queue = checkTrace(trace.toJSON()).counters.get('queue').map(({ args }) => args.script);
    assert.ok(Math.max(...queue) >= 1 && queue.at(-1) === 0, String(queue));
  });
});

test('a ring keeps the last records, and the trace tells how many it has dropped', async () => {
  for (const [pool, name] of [[new WorkerPool({ maxThreads: 1 }), 'noop'], [new WorkerPool(SCRIPT, 1), 'echo']]) {
    await using(pool, async () => {
      await pool.run(name, 0);
      const trace = pool.trace({ limit: 50 });
      const long = pool.trace();
      await Promise.all(Array.from({ length: 400 }, (_, i) => pool.run(name, i)));
      // The longer wish counts for both while both record: the rings are the pool's.
      const whole = checkTrace(long.toJSON());
      assert.equal(countsOf(whole)[name], 400);
      assert.equal(long.dropped, 0);
      trace.stop();
      const short = pool.trace({ limit: 50 });
      await Promise.all(Array.from({ length: 400 }, (_, i) => pool.run(name, i)));
      const json = short.toJSON();
      assert.equal(countsOf(checkTrace(json))[name], 50);
      // Of answers too 350 are not there.
      assert.ok(short.dropped >= 700, String(short.dropped));
      assert.equal(json.otherData.droppedRecords, short.dropped);
      assert.equal(json.otherData.recordsPerThread, 50);
    });
  }
});

test('several traces record at once, each from where it began to where it was stopped', async () => {
  await using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
    const first = pool.trace();
    await pool.run('noop');
    const second = pool.trace();
    await pool.run('echo', 1);
    first.stop();
    assert.equal(first.stop(), first);
    await pool.run('fibonacci', 1);
    second.stop();
    await pool.run('noop');
    assert.deepEqual(countsOf(checkTrace(first.toJSON())), { noop: 1, echo: 1 });
    assert.deepEqual(countsOf(checkTrace(second.toJSON())), { echo: 1, fibonacci: 1 });
    assert.deepEqual(checkTrace(pool.trace().toJSON()).arrows.size, 0);
  });
});

test('a pool that closes, or is destroyed, ends its traces, which can be saved after', async () => {
  await withFile(async (file) => {
    const pool = new WorkerPool({ maxThreads: 1 });
    const trace = pool.trace();
    const run = pool.run('echo', 'x');
    await pool.close();
    await run;
    assert.equal(trace.recording, false);
    await trace.save(file);
    assert.deepEqual(countsOf(read(file)), { echo: 1 });
    assert.throws(() => pool.trace(), errors.PoolClosedError);
    const scripts = new WorkerPool(SCRIPT, 1);
    await scripts.run('echo', 1);
    const other = scripts.trace();
    const late = scripts.run('sleeps', LATE).catch(() => {});
    await until(() => scripts.stats().running === 1, 'it runs');
    const destroyed = scripts.destroy();
    assert.throws(() => scripts.trace(), { code: 'ERR_RW_POOL_CLOSED' });
    await destroyed;
    await late;
    await other.save(file);
    assert.deepEqual(tasksOf(read(file)).map(({ name, args }) => [name, args.state]), [['sleeps', 'cancelled']]);
  });
});

test('options and files that cannot be are refused, and the trace is still there', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    assert.throws(() => pool.trace({ limits: 5 }), /did you mean 'limit'/i);
    for (const limit of [0, -1, 1.5, 5_000_000]) assert.throws(() => pool.trace({ limit }), errors.OutOfRangeError);
    for (const limit of ['5', null]) assert.throws(() => pool.trace({ limit }), errors.InvalidArgTypeError);
    for (const options of [null, 5]) assert.throws(() => pool.trace(options), errors.InvalidArgTypeError);
    const trace = pool.trace();
    await pool.run('noop');
    await assert.rejects(trace.save(path.join(os.tmpdir(), 'rw-no-such-folder', 'trace.json')), { code: 'ENOENT' });
    await assert.rejects(trace.save(undefined), { code: 'ERR_INVALID_ARG_TYPE' });
    await withFile(async (file) => {
      await trace.save(file);
      await trace.save(file);
      assert.deepEqual(countsOf(read(file)), { noop: 1 });
    });
  });
});

test('a trace does not keep the process alive', async () => {
  const { code, stdout } = await runNode(['-e', `
    const { WorkerPool } = require('rust-workers');
    const pool = new WorkerPool({ maxThreads: 1 });
    pool.trace();
    pool.run('noop').then(() => console.log('done'));
  `]);
  assert.deepEqual([code, stdout.trim()], [0, 'done']);
});

test('random programs: each task that began is one slice, with the arrows it should have', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = createRandom(seed);
    const hasScript = seed % 2 === 0;
    const pool = poolOfSeed(seed, SCRIPT);
    const kinds = hasScript ? ['echo', 'later', 'fails', 'native:noop'] : ['noop', 'echo', 'fibonacci', 'panic'];
    await using(pool, async () => {
      const expected = {};
      const trace = pool.trace();
      const runs = [];
      for (let i = 0; i < 300; i++) {
        const name = kinds[random(kinds.length)];
        expected[name.replace('native:', '')] = (expected[name.replace('native:', '')] ?? 0) + 1;
        runs.push(pool.run(name, 7, random(4) === 0 ? { priority: random(3) } : undefined).catch(() => {}));
        if (random(30) === 0) await runs.at(-1);
      }
      await Promise.all(runs);
      const found = checkTrace(trace.toJSON());
      assert.deepEqual(countsOf(found), expected, `seed ${seed}`);
      hasArrows(found, 300);
    });
  }
});
