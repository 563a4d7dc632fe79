'use strict';

// Signals and time limits at awkward moments: aborted while the input is read, by a listener of another signal, in
// onProgress; and signals that are not Node's, and misbehave.

const assert = require('node:assert/strict');
const { after, test } = require('node:test');

const { Mutex, Semaphore, WorkerPool } = require('rust-workers');
const { runProgram } = require('../support/child');
const { block } = require('../support/until');

const pool = new WorkerPool({ maxThreads: 1 });
after(() => pool.close());

async function* source(...values) {
  yield* values;
}

test('a signal aborted inside a getter of the input: the task is not even submitted', async () => {
  const reason = new Error('in the getter');
  const aborting = (stop) => ({ before: 1, get a() { stop.abort(reason); return 2; }, after: 3 });
  const calls = {
    run: (input, signal) => pool.run('echo', input, { signal }),
    'run, shared task': (input, signal) => pool.run('sort', { get data() { return input.a; } }, { signal }),
    'run, parallel': (input, signal) => pool.run('sum', input, { signal, parallel: true }),
    'map, array': (input, signal) => pool.map('echo', [1, input], { signal }),
    'map, iterable': (input, signal) => pool.map('echo', (function* () { yield 1; void input.a; yield 2; })(), { signal }),
    'map, async source': (input, signal) => pool.map('echo', source(input), { signal }),
    'map, async source itself': (input, signal) => pool.map('echo', { get [Symbol.asyncIterator]() { void input.a; return source; } }, { signal }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const stop = new AbortController();
    const { submitted } = pool.stats();
    await assert.rejects(call(aborting(stop), stop.signal), (error) => {
      assert.equal(error.name, 'AbortError', name);
      assert.equal(error.cause, reason, name);
      return true;
    });
    assert.equal(pool.stats().submitted, submitted, name);
  }
  assert.equal(await pool.run('echo', 1), 1);
});

test('a transferred buffer is gone, whether or not the task was aborted while it was read', async () => {
  const stop = new AbortController();
  const block = new ArrayBuffer(2_000);
  const input = { block, get a() { stop.abort(); return 1; } };
  await assert.rejects(pool.run('echo', input, { signal: stop.signal, transfer: [block] }), { name: 'AbortError' });
  assert.equal(block.byteLength, 0);
});

test("a listener of one signal aborts another, submits with both, and closes the pool", async () => {
  const own = new WorkerPool({ maxThreads: 1 });
  const [one, other] = [new AbortController(), new AbortController()];
  const inner = [];
  one.signal.addEventListener('abort', () => {
    other.abort();
    inner.push(own.run('echo', 1, { signal: one.signal }), own.run('echo', 2, { signal: other.signal }), own.run('echo', 3));
    own.close();
  });
  const runs = [
    own.run('sleep', 60_000, { signal: one.signal }),
    own.run('sleep', 60_000, { signal: other.signal }),
    own.run('echo', 4, { signal: AbortSignal.any([one.signal, other.signal]) }),
  ];
  one.abort();
  const seen = await Promise.allSettled([...runs, ...inner]);
  assert.deepEqual(seen.map(({ value, reason }) => reason?.name ?? value), [...Array(5).fill('AbortError'), 3]);
  await own.close();
});

/** A signal made by hand. */
function fake(members = {}) {
  const listeners = new Set();
  return {
    aborted: false,
    reason: 'fake',
    addEventListener: (type, listener) => listeners.add(listener),
    removeEventListener: (type, listener) => listeners.delete(listener),
    listeners,
    abort() {
      this.aborted = true;
      for (const listener of [...listeners]) listener.call(this, { type: 'abort' });
    },
    ...members,
  };
}

test('signals that are not Node’s: they work, and leave nothing behind', async () => {
  const signal = fake();
  assert.equal(await pool.run('echo', 1, { signal }), 1);
  assert.equal(signal.listeners.size, 0);
  const run = pool.run('sleep', 60_000, { signal });
  signal.abort();
  signal.abort();
  await assert.rejects(run, { name: 'AbortError', cause: 'fake' });
  await assert.rejects(pool.run('echo', 1, { signal: { aborted: false } }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
});

test('signals that throw from any member: that one task is rejected, or the error is uncaught; nothing is lost', async () => {
  const { code, stdout, stderr } = await runProgram(process.execPath, async ({ load }) => {
    const { Mutex, Semaphore, WorkerPool } = load();
    const uncaught = [];
    process.on('uncaughtException', (error) => uncaught.push(error.message));
    const pool = new WorkerPool({ maxThreads: 1 });
    const own = (name) => () => {
      throw new Error(name);
    };
    const base = () => ({ aborted: false, reason: 'r', addEventListener() {}, removeEventListener() {} });
    const fate = (promise) => promise.then((value) => value, (error) => error.message);
    const with_ = (members) => Object.defineProperties(base(), members);
    const signals = {
      aborted: with_({ aborted: { get: own('aborted') } }),
      addEventListener: with_({ addEventListener: { value: own('addEventListener') } }),
      'get addEventListener': with_({ addEventListener: { get: own('get addEventListener') } }),
      removeEventListener: with_({ removeEventListener: { value: own('removeEventListener') } }),
      reason: with_({
        reason: { get: own('reason') },
        addEventListener: { value: (type, listener) => setTimeout(listener, 5) },
      }),
      'at once': with_({ addEventListener: { value: (type, listener) => listener() } }),
      'while listened to': (() => {
        let looks = 0;
        return with_({ aborted: { get: () => looks++ > 1 } });
      })(),
    };
    const lines = [];
    for (const [name, signal] of Object.entries(signals)) {
      const outcomes = [
        await fate(pool.run('sleep', name === 'reason' ? 60_000 : 1, { signal })),
        await fate(pool.map('sleep', [name === 'reason' ? 60_000 : 1], { signal })),
      ];
      lines.push(`${name}: ${outcomes.map((outcome) => outcome ?? 'undefined')}`);
    }
    // A lock that is granted to nobody would stay held.
    for (const signal of [signals.addEventListener, signals.removeEventListener]) {
      const mutex = new Mutex();
      const guard = mutex.lockSync();
      const waiting = fate(mutex.lock({ signal }).then((got) => (got.release(), 'granted')));
      await null;
      guard.release();
      lines.push(`mutex: ${await waiting}`);
      (await mutex.lock({ timeout: 5_000 })).release();
      const semaphore = new Semaphore(1);
      const permit = semaphore.acquireSync(1);
      const queued = fate(semaphore.acquire(1, { signal }).then((got) => (got?.release?.(), 'granted')));
      await null;
      permit.release();
      lines.push(`semaphore: ${await queued}`);
    }
    lines.push(`then ${await pool.run('echo', 'goes on')}`);
    await pool.close();
    console.log([...lines, `uncaught ${[...new Set(uncaught)]}`].join('\n'));
  });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, [
    'aborted: aborted,aborted',
    'addEventListener: addEventListener,addEventListener',
    'get addEventListener: get addEventListener,get addEventListener',
    'removeEventListener: undefined,',
    'reason: The task was aborted,The task was aborted',
    'at once: The task was aborted,The task was aborted',
    'while listened to: The task was aborted,The task was aborted',
    'mutex: addEventListener', 'semaphore: addEventListener', 'mutex: granted', 'semaphore: granted',
    'then goes on', 'uncaught removeEventListener', '',
  ].join('\n'));
});

test('a time limit that has passed while the thread was blocked: rejected once, and the answer that came is none', async () => {
  const run = pool.run('sleep', 5, { timeout: 10 });
  block(60);
  const seen = await run.then(() => 'resolved', (error) => error.code);
  assert.ok(['resolved', 'ERR_RW_TASK_TIMEOUT'].includes(seen), seen);
  await assert.rejects(pool.run('sleep', 100, { timeout: 0 }), { code: 'ERR_RW_TASK_TIMEOUT' });
  const stop = AbortSignal.timeout(5);
  await assert.rejects(pool.run('sleep', 60_000, { signal: stop, timeout: 60_000 }), { name: 'AbortError' });
  assert.equal(await pool.run('echo', 1), 1);
});

test('a lock whose waiter was aborted in the moment it was granted is held by nobody', async () => {
  const mutex = new Mutex();
  for (let round = 0; round < 200; round++) {
    const stop = new AbortController();
    const guard = mutex.lockSync();
    const waiting = mutex.lock({ signal: stop.signal });
    guard.release();
    if (round % 2) await new Promise(setImmediate);
    stop.abort();
    const got = await waiting.catch((error) => assert.equal(error.code, 'ERR_RW_LOCK_ABORTED'));
    got?.release();
    (await mutex.lock({ timeout: 5_000 })).release();
  }
  assert.equal(new Semaphore(1).available, 1);
});
