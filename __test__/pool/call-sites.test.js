'use strict';

// The option `callSites`: whatever ends a task, its error says where the task was submitted.

const assert = require('node:assert/strict');
const { after, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { runProgram } = require('../support/child');
const { script, using } = require('../support/pools');

const native = new WorkerPool({ maxThreads: 1, callSites: true });
const scripts = new WorkerPool(script('run-sync.js'), { maxThreads: 1, callSites: true, killTimeout: 20 });
scripts.on('error', () => {});
after(() => Promise.all([native.destroy(), scripts.destroy()]));

const failureOf = (promise) => promise.then(() => assert.fail('it has not failed'), (error) => error);

/** Frames by which an error says that this function, in this file, has submitted its task: once, and by no frame of ours after it. */
function assertSite(error, submitter) {
  const [, added] = error.stack.split('\n    at async WorkerPool.');
  assert.ok(added !== undefined, `nothing was added: ${error.stack}`);
  assert.equal(error.stack.split('\n    at async WorkerPool.').length, 2, error.stack);
  const frames = added.split('\n').slice(1);
  assert.ok(frames[0].includes(submitter) && frames[0].includes(__filename), error.stack);
  for (const frame of frames) assert.doesNotMatch(frame, /\/lib\/(bundle|pool|task|script-pool)\/|node:internal/);
}

/** The error of a Transform that is given this. */
const endOf = (transform, chunk) => new Promise((resolve, reject) => {
  transform.on('error', reject);
  transform.on('end', resolve);
  transform.resume();
  transform.end(chunk);
});

/** What a task fails by, on each kind of pool. */
const FAILURES = {
  'native: an error': () => native.run('panic', 'loud'),
  'native: a refused input': () => native.run('fibonacci', -1),
  'native: a number as its input': () => native.run('sort', 5),
  'native: a time limit': () => native.run('sleep', 60_000, { timeout: 5 }),
  'native: a deadline': () => native.run('sleep', 60_000, { deadline: 5 }),
  'native: an aborted signal': () => native.run('sleep', 60_000, { signal: AbortSignal.timeout(5) }),
  'native: a map': () => native.map('panic', ['a', 'b']),
  'native: shared': () => native.run('panic', 'loud', { dedupe: 'key' }),
  'script: what it throws': () => scripts.run('fails', 'why'),
  'script: what it throws later': () => scripts.run('failsLater', 'why', { priority: 1 }),
  'script: a worker that exits': () => scripts.run('exits'),
  'script: an error outside of a task': () => scripts.run('diesLater'),
  'script: a time limit': () => scripts.run('never', 0, { timeout: 5 }),
  'script: a function that is not there': () => scripts.run('nobody'),
  'script: runTask': () => scripts.runTask('why', { name: 'fails' }),
  'script: a map': () => scripts.map('fails', ['a', 'b']),
  'native: a stream': () => native.stream('panic', ['a', 'b']).next(),
  'native: a transform': () => endOf(native.transform('panic'), 'a'),
  'native: forEach': () => native.forEach('panic', ['a', 'b']),
  'native: exec': () => native.exec((why) => { throw new Error(why); }, ['why']),
  'native: a worker of exec that exits': () => native.exec(() => process.exit(3)),
  'native: a stream whose time is up': () => native.stream('sleep', [60_000], { timeout: 5 }).next(),
  'native: a stream that is aborted': () => native.stream('sleep', [60_000], { signal: AbortSignal.timeout(5) }).next(),
  'script: a stream': () => scripts.stream('fails', ['a', 'b'], { ordered: false }).next(),
  'script: a transform of what exits': () => endOf(scripts.transform('exits'), 'a'),
  'script: iterate': () => scripts.iterate('fails', 'why').next(),
  'script: iterate, of a worker that exits': () => scripts.iterate('exits').next(),
  'script: iterate, a time limit': () => scripts.iterate('never', 0, { timeout: 5 }).next(),
  'script: iterate, of a function': () => scripts.iterate(function* parts() { yield* null; }).next(),
  'script: forEach': () => scripts.forEach('fails', ['a', 'b']),
  'script: reduce': () => scripts.reduce('fails', ['a', 'b'], 0),
  'script: broadcast': () => scripts.broadcast('fails', 'why'),
  'script: broadcast of nothing': () => scripts.broadcast('nobody'),
  'script: exec of a name': () => scripts.exec('fails', ['why']),
  'script: exec, a time limit': () => scripts.exec(() => { for (;;); }, [], { timeout: 5 }),
  'script: a map over an async source': () => scripts.map('fails', (async function* () { yield 'a'; })()),
};

for (const [what, begin] of Object.entries(FAILURES)) {
  test(`${what}: the error has the frame of the caller`, async () => {
    const submit = function submitHere() {
      return begin();
    };
    const error = await failureOf(submit());
    if (error.stack.includes('at async WorkerPool.')) assertSite(error, 'call-sites.test.js');
    // Thrown while the call was made: it was there anyway.
    else assert.ok(error.stack.includes(__filename), error.stack);
    assert.ok(error.stack.includes('submitHere'), error.stack);
  });
}

test('a closed and a destroyed pool', async () => {
  for (const make of [() => new WorkerPool({ maxThreads: 1, callSites: true }), () => new WorkerPool(script('run-sync.js'), { maxThreads: 1, callSites: true })]) {
    const pool = make();
    const runs = [1, 2].map(function submitHere() {
      return failureOf(pool.run(pool.options.wait === undefined ? 'sleep' : 'never', 60_000));
    });
    pool.destroy();
    const [one, other] = await Promise.all(runs);
    for (const error of [one, other]) {
      assert.equal(error.code, 'ERR_RW_POOL_CLOSED');
      assert.ok(error.stack.includes('submitHere'));
    }
    assert.ok((await failureOf(pool.run('echo', 1))).stack.includes(__filename));
  }
});

test('tasks of one signal have an error each, with its own place and the cause', async () => {
  const stop = new AbortController();
  const here = () => failureOf(native.run('sleep', 60_000, { signal: stop.signal }));
  const there = () => failureOf(native.run('sleep', 60_000, { signal: stop.signal }));
  const runs = [here(), there()];
  const reason = new Error('enough');
  stop.abort(reason);
  const [one, other] = await Promise.all(runs);
  assertSite(one, 'here');
  assertSite(other, 'there');
  for (const error of [one, other]) {
    assert.ok(error instanceof errors.TaskCancelledError);
    assert.deepEqual([error.name, error.code, error.cause, error.message], ['AbortError', 'ERR_RW_TASK_CANCELLED', reason, 'The task was aborted']);
  }
});

test('V8 follows the callers that await it', async () => {
  async function innermost() {
    return await native.run('panic', 'loud');
  }
  async function outer() {
    await Promise.resolve();
    await innermost();
  }
  const { stack } = await failureOf(outer());
  assert.match(stack, /at async WorkerPool\.run \(task 'panic'\)\n\s+at innermost .*\n\s+at (async )?outer /);
});

test('what is no error, is frozen, or has an odd stack is passed on as it is', async () => {
  await using(new WorkerPool(script('throws-odd.js'), { maxThreads: 1, callSites: true }), async (pool) => {
    assert.equal(await failureOf(pool.run('number')), 7);
    assert.equal(await failureOf(pool.run('nothing')), undefined);
    const noStack = await failureOf(pool.run('noStack'));
    assert.ok(noStack.stack === undefined || noStack.stack.includes(__filename) || noStack.stack === 5);
  });
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = () => {
    throw new Error('of the program');
  };
  try {
    assert.equal((await failureOf(native.run('panic', 'loud'))).code, 'ERR_RW_TASK_PANICKED');
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
});

test('without the option nothing is added; runSync always says it', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    assert.equal(pool.options.callSites, false);
    assert.ok(!(await failureOf(pool.run('panic', 'loud'))).stack.includes(__filename));
    for (const [on, name] of [[pool, 'panic'], [scripts, 'fails']]) {
      try {
        on.runSync(name, 'loud');
        assert.fail('it has not failed');
      } catch (error) {
        assert.ok(error.stack.includes(__filename), error.stack);
      }
    }
  });
  for (const callSites of [1, 'yes', null]) assert.throws(() => new WorkerPool({ callSites }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
});

test('the environment variable turns it on, for pools that say nothing', async () => {
  const program = async ({ load, say }) => {
    const { WorkerPool: Pool } = load();
    for (const options of [{}, { callSites: false }]) {
      const pool = new Pool({ maxThreads: 1, ...options });
      const error = await pool.run('panic', 'x').catch((reason) => reason);
      say(pool.options.callSites, error.stack.includes('at async WorkerPool.run'));
      await pool.close();
    }
  };
  const end = await runProgram(process.execPath, program, { env: { ...process.env, RUST_WORKERS_CALL_SITES: '1' } });
  assert.equal(end.stdout, 'true true\nfalse false\n');
});

test('NODE_DEBUG=rust-workers tells of starts and ends, and why', async () => {
  const program = async ({ load }, file) => {
    const { WorkerPool: Pool } = load();
    const threads = new Pool({ maxThreads: 1, name: 'mine' });
    await threads.run('echo', 1);
    await threads.close();
    const pool = new Pool(file, { maxThreads: 1, killTimeout: 20, name: 'workers' });
    await pool.run('echo', 1);
    await pool.run('spins', 0, { timeout: 20 }).catch(() => {});
    await pool.run('exits').catch(() => {});
    await pool.run('echo', 1);
    await pool.destroy();
  };
  const args = [script('run-sync.js')];
  const { stderr } = await runProgram(process.execPath, program, { args, env: { ...process.env, NODE_DEBUG: 'rust-workers' } });
  const lines = stderr.split('\n').filter((line) => /^RUST-WORKERS \d+: /.test(line)).map((line) => line.replace(/^RUST-WORKERS \d+: /, ''));
  for (const expected of [
    /^native thread 'mine-0' starts$/,
    /^native thread 'mine-0' ends$/,
    /^workers: worker 0 \(thread \d+\) starts, with the script file:.*run-sync\.js$/,
    /^workers: worker 0 \(thread \d+\) has loaded the script after \d+ ms$/,
    /^workers: worker 0 \(thread \d+\) is terminated: 1 of its tasks should have stopped, and did not within killTimeout \(20 ms\)$/,
    /^workers: worker 0 \(thread \d+\) has ended with exit code 3$/,
    /^workers: worker 0 \(thread \d+\) took 1 of its tasks with it$/,
    /^workers: worker 0 \(thread \d+\) is told to end: destroy$/,
  ]) {
    assert.ok(lines.some((line) => expected.test(line)), `${expected} is not in\n${lines.join('\n')}`);
  }
  const quiet = await runProgram(process.execPath, program, { args, env: { ...process.env, NODE_DEBUG: 'http' } });
  assert.doesNotMatch(quiet.stderr, /RUST-WORKERS/);
});
