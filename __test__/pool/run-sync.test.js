'use strict';

// runSync: this thread blocks until the answer is here; native tasks and functions of a script.

const assert = require('node:assert/strict');
const { after, test } = require('node:test');
const vm = require('node:vm');

const { MessageChannel, WorkerPool, errors } = require('rust-workers');
const { busyPool, script, using } = require('../support/pools');
const { assertPromised } = require('../support/promised-time');
const { thread } = require('../support/thread');
const { turns, until } = require('../support/until');

const native = new WorkerPool({ maxThreads: 2 });
const scripts = new WorkerPool(script('run-sync.js'), { maxThreads: 1, killTimeout: 50 });
after(() => Promise.all([native.close(), scripts.close()]));

const VALUES = [undefined, null, true, 0, -0, NaN, 2 ** 40, 'é'.repeat(40_000), [1, , 'x'], { a: { b: [new Date(5)] } }, 12n, new Map([[1, 2]])];

/** What a function throws. */
function thrownBy(run) {
  try {
    run();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

for (const [what, pool] of [['native tasks', native], ["a script's functions", scripts]]) {
  test(`${what}: values come back as run() gives them`, async () => {
    for (const value of VALUES) {
      assert.deepEqual(pool.runSync('echo', value), await pool.run('echo', value));
    }
  });

  test(`${what}: promises of other tasks are settled, and their code runs only afterwards`, async () => {
    const order = [];
    const others = Array.from({ length: 50 }, (_, i) => pool.run('echo', i).then(() => order.push(i)));
    const output = pool.runSync('echo', 'mine');
    order.push('mine');
    assert.equal(output, 'mine');
    await Promise.all(others);
    assert.equal(order[0], 'mine');
    assert.equal(order.length, 51);
  });

  test(`${what}: the queue's limit, a closed pool and a wrong name, as in run()`, async () => {
    assert.throws(() => pool.runSync('nobody', 1), { code: 'ERR_RW_UNKNOWN_TASK' });
    assert.throws(() => pool.runSync(undefined, 1), { code: 'ERR_RW_UNKNOWN_TASK' });
    const closed = pool === native ? new WorkerPool() : new WorkerPool(script('run-sync.js'), 1);
    await closed.close();
    assert.throws(() => closed.runSync('echo', 1), { code: 'ERR_RW_POOL_CLOSED' });
  });

  test(`${what}: options that a blocked thread cannot serve, and misspelt ones, are refused`, () => {
    for (const name of ['signal', 'onProgress', 'dedupe', 'cache', 'retries']) {
      assert.throws(() => pool.runSync('echo', 1, { [name]: undefined }), {
        code: 'ERR_RW_INVALID_ARG_VALUE',
        message: new RegExp(`^unknown option '${name}'; runSync does not have it: `),
      });
    }
    assert.throws(() => pool.runSync('echo', 1, { timeOut: 5 }), { message: /did you mean 'timeout'\?/ });
    assert.throws(() => pool.runSync('echo', 1, null), { code: 'ERR_RW_INVALID_ARG_TYPE' });
    assert.throws(() => pool.runSync('echo', 1, { timeout: -1 }), { code: 'ERR_RW_OUT_OF_RANGE' });
    const broken = new Error('of a getter');
    const getter = { get priority() { throw broken; } };
    assert.equal(thrownBy(() => pool.runSync('echo', 1, getter)), broken);
    assert.equal(thrownBy(() => pool.runSync('echo', { get a() { throw broken; } })), broken);
  });

  test(`${what}: a getter of the input may run the pool itself`, () => {
    const input = { get inner() { return pool.runSync('echo', 'inner'); } };
    assert.deepEqual(pool.runSync('echo', input), { inner: 'inner' });
  });

  test(`${what}: memory is transferred there and back`, () => {
    const bytes = new Uint8Array(100_000).fill(7);
    const back = pool.runSync('echo', bytes, { transfer: [bytes.buffer] });
    assert.equal(bytes.length, 0);
    assert.deepEqual(back, new Uint8Array(100_000).fill(7));
  });

  test(`${what}: a time limit ends the wait; the late answer never reaches a later call`, async () => {
    const [name, input] = pool === native ? ['sleep', 60] : ['later', 60];
    let late = 0;
    for (let i = 0; i < 20; i++) {
      const error = thrownBy(() => pool.runSync(pool === native ? 'sleep' : 'never', 60_000, { timeout: 5 }));
      assert.equal(error.code, 'ERR_RW_TASK_TIMEOUT');
      assert.match(error.message, /took longer than 5 ms/);
      // One that may still come.
      if (i % 5 === 0) {
        try {
          pool.runSync(name, input, { timeout: 1 });
        } catch (raced) {
          assert.equal(raced.code, 'ERR_RW_TASK_TIMEOUT');
          late++;
        }
      }
      assert.equal(pool.runSync('echo', i), i);
    }
    assert.ok(late > 0);
    await until(() => pool.stats().running === 0, 'all tasks have ended');
  });

  test(`${what}: ports that were posted to, timers and progress have their turn afterwards`, async () => {
    const { port1, port2 } = new MessageChannel();
    const seen = [];
    port1.on('message', (message) => seen.push(message));
    await turns(2);
    port2.postMessage('before');
    const timer = new Promise((resolve) => setTimeout(() => resolve(seen.push('timer')), 0));
    pool.runSync(pool === native ? 'sleep' : 'later', 10);
    assert.deepEqual(seen, []);
    await timer;
    await until(() => seen.length === 2, 'the message was delivered');
    port1.close();
  });
}

test('the queue is full: the refused input is the error\'s', async () => {
  const { pool, free } = await busyPool({ maxQueue: 0 });
  const input = { a: 1 };
  const error = thrownBy(() => pool.runSync('echo', input));
  assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
  assert.equal(error.input, input);
  free();
  await pool.close();
});

test('a queue of a script that is full', async () => {
  await using(new WorkerPool(script('run-sync.js'), { maxThreads: 1, maxQueue: 1, killTimeout: 20 }), async (pool) => {
    await pool.run('echo', 1);
    const stop = new AbortController();
    const others = [1, 2].map(() => pool.run('never', 0, { signal: stop.signal }).catch(() => {}));
    for (const input of ['text', new Blob(['x'])]) {
      const error = thrownBy(() => pool.runSync('echo', input));
      assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
      if (input === 'text') assert.equal(error.input, input);
    }
    stop.abort();
    await Promise.all(others);
  });
});

test('native errors are those of run()', async () => {
  const error = thrownBy(() => native.runSync('panic', 'loud'));
  const other = await native.run('panic', 'loud').catch((reason) => reason);
  assert.equal(error.constructor, errors.TaskPanickedError);
  assert.equal(error.message, other.message);
  assert.throws(() => native.runSync('fibonacci', -1), { code: (await native.run('fibonacci', -1).catch((e) => e)).code });
});

test('a task that works in place on shared memory, with `parallel`', () => {
  const array = new Float64Array(new SharedArrayBuffer(24));
  array.set([3, 1, 2]);
  native.runSync('sort', array, { parallel: true, priority: 3 });
  assert.deepEqual([...array], [1, 2, 3]);
});

test('what a script throws is thrown whole', async () => {
  for (const name of ['fails', 'failsLater']) {
    const error = thrownBy(() => scripts.runSync(name, 'why'));
    const other = await scripts.run(name, 'why').catch((reason) => reason);
    assert.ok(error instanceof TypeError);
    assert.deepEqual({ ...error, stack: 0, message: error.message }, { ...other, stack: 0, message: other.message });
    assert.deepEqual(error.details, { of: ['this'] });
    assert.match(error.stack, /run-sync\.js/);
  }
  assert.equal(thrownBy(() => scripts.runSync('throwsNumber')), 7);
});

test('values that only Node carries, to the script and back', async () => {
  const blob = scripts.runSync('blob', 'text');
  assert.equal(await blob.text(), 'text');
  assert.equal(scripts.runSync('textOf', new Blob(['there'])), 'there');
  assert.equal(scripts.runSync('moved', 100_000).length, 100_000);
  const both = await Promise.all([scripts.run('textOf', new Blob(['a'])), scripts.run('blob', 'b')]);
  assert.equal(both[0], 'a');
  for (let i = 0; i < 20; i++) {
    const pending = scripts.run('blob', `async ${i}`);
    assert.equal(scripts.runSync('textOf', new Blob([`sync ${i}`])), `sync ${i}`);
    assert.equal(await (await pending).text(), `async ${i}`);
  }
});

test('workers start while the thread is blocked: the first call of a program, a name that a native task has too, a missing script', () => {
  const first = new WorkerPool(script('run-sync.js'), { maxThreads: 2, minThreads: 0 });
  assert.deepEqual(first.runSync('sum', 1), ['script', 1]);
  first.destroy();
  const module = new WorkerPool(script('module.mjs'), { maxThreads: 1, workerData: 5 });
  assert.equal(module.runSync('named', 21), 42);
  module.destroy();
  const broken = new WorkerPool(script('broken.js'), { maxThreads: 1 });
  const told = [];
  broken.on('error', (error) => told.push(error));
  assert.equal(thrownBy(() => broken.runSync('echo', 1)).code, 'ERR_RW_SCRIPT_LOAD');
  assert.equal(thrownBy(() => broken.runSync('sum', 1)).code, 'ERR_RW_SCRIPT_LOAD');
  assert.deepEqual(told, []);
  broken.destroy();
});

test('the time limit counts while the script is loaded', async () => {
  const pool = new WorkerPool(script('loads-slowly.js'), { maxThreads: 1 });
  for (const name of ['echo', 'sum']) {
    const began = performance.now();
    const error = thrownBy(() => pool.runSync(name, 1, { timeout: 30 }));
    assert.equal(error.code, 'ERR_RW_TASK_TIMEOUT');
    assert.ok(performance.now() - began >= 29);
  }
  assert.equal(pool.runSync('sum', 1, { timeout: 60_000 }), 'loaded');
  await pool.destroy();
});

test('deadline and runTimeout hold while the thread is blocked', () => {
  for (const [pool, name] of [[native, 'sleep'], [scripts, 'never']]) {
    const late = thrownBy(() => pool.runSync(name, 60_000, { deadline: new Date(Date.now() + 30) }));
    assert.deepEqual([late.code, late.started], ['ERR_RW_DEADLINE', true]);
    const before = thrownBy(() => pool.runSync('echo', 1, { deadline: new Date(Date.now() - 1) }));
    assert.deepEqual([before.code, before.started], ['ERR_RW_DEADLINE', false]);
    const ran = thrownBy(() => pool.runSync(name, 60_000, { runTimeout: 20, timeout: 30_000 }));
    assert.equal(ran.code, 'ERR_RW_TASK_TIMEOUT');
    assert.match(ran.message, /ran for longer than 20 ms/);
    assert.equal(pool.runSync('echo', 5, { deadline: 20_000, runTimeout: 20_000, timeout: 20_000 }), 5);
  }
});

test('a time limit does not run the listeners of others', async () => {
  const { port1, port2 } = new MessageChannel();
  const seen = [];
  port1.on('message', (message) => seen.push(message));
  await turns(2);
  const reports = scripts.run('reports', 3, { onProgress: (value) => seen.push(value) });
  for (const [pool, name] of [[native, 'sleep'], [scripts, 'never']]) {
    port2.postMessage(name);
    assert.equal(thrownBy(() => pool.runSync(name, 60_000, { timeout: 30 })).code, 'ERR_RW_TASK_TIMEOUT');
    assert.deepEqual(seen, []);
  }
  assert.equal(await reports, 3);
  await until(() => seen.length === 5, 'messages and reports have come');
  port1.close();
});

test('a worker that ends is noticed and replaced while the thread is blocked', async () => {
  await using(new WorkerPool(script('run-sync.js'), { maxThreads: 1 }), async (pool) => {
    const destroyed = [];
    pool.on('workerDestroy', () => destroyed.push('destroyed'));
    pool.on('error', () => {});
    for (const name of ['exits', 'diesLater', 'exits']) {
      assert.equal(thrownBy(() => pool.runSync(name)).code, 'ERR_RW_WORKER_EXITED');
      assert.equal(pool.runSync('add', { a: 1, b: 2 }), 3);
    }
    assert.deepEqual(destroyed, []);
    await until(() => destroyed.length === 3, 'the ends are told');
    // Node has told the exit code by then.
    await assert.rejects(pool.run('exits'), { code: 'ERR_RW_WORKER_EXITED', exitCode: 3 });
  });
});

test('tasks of run() that a dying worker had are rejected with the reason that Node tells later', async () => {
  await using(new WorkerPool(script('run-sync.js'), { maxThreads: 1, concurrentTasksPerWorker: 3 }), async (pool) => {
    await pool.run('echo', 1);
    const other = pool.run('never');
    const rejected = assert.rejects(other, { code: 'ERR_RW_WORKER_EXITED', exitCode: 3 });
    assert.equal(thrownBy(() => pool.runSync('exits')).code, 'ERR_RW_WORKER_EXITED');
    assert.equal(pool.runSync('echo', 5), 5);
    await rejected;
  });
});

test('a worker whose task does not stop is ended by a thread that only blocks', () => {
  for (let i = 0; i < 3; i++) {
    assert.equal(thrownBy(() => scripts.runSync('spins', 0, { timeout: 5 })).code, 'ERR_RW_TASK_TIMEOUT');
    assert.equal(scripts.runSync('echo', i), i);
  }
  assert.equal(thrownBy(() => scripts.runSync('stops', 0, { timeout: 5 })).code, 'ERR_RW_TASK_TIMEOUT');
});

test('in a Worker, as on main', async () => {
  const { ended } = thread(`
    const pool = new WorkerPool();
    const scripts = new WorkerPool(data, 1);
    tell([pool.runSync('echo', 'there'), scripts.runSync('add', { a: 1, b: 2 }), await scripts.run('echo', 5)]);
    await Promise.all([pool.close(), scripts.close()]);
  `, script('run-sync.js'));
  assert.deepEqual(await ended, [['there', 3, 5]]);
});

test('a task of a script that runs tasks of other pools so', async () => {
  await using(new WorkerPool(script('nests-sync.js'), 2), async (pool) => {
    const outputs = await Promise.all([1, 2, 3, 4].map((n) => pool.run('nested', n)));
    assert.deepEqual(outputs, [2, 4, 6, 8]);
    assert.equal(pool.runSync('nested', 21), 42);
  });
});

for (const [what, start] of [
  ['a native task', `new WorkerPool().runSync('sleep', 1e6);`],
  ["a script's function", `new WorkerPool(data, 1).runSync('never');`],
]) {
  test(`a thread that is blocked for ${what} is terminated within 100 ms`, async () => {
    const took = async (body) => {
      const { worker, heard } = thread(`tell(1); ${body}`, script('run-sync.js'));
      await heard();
      await new Promise((resolve) => setTimeout(resolve, 60));
      const began = performance.now();
      await worker.terminate();
      return performance.now() - began;
    };
    await assertPromised(100, () => took(start), () => took('forever();'));
  });
}

test('code that is stopped from outside while it is blocked leaves the pool in order', async () => {
  const context = { pool: native };
  assert.throws(() => vm.runInNewContext("pool.runSync('sleep', 300)", context, { timeout: 50 }), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
  assert.equal(native.runSync('echo', 1), 1);
  assert.equal(await native.run('echo', 2), 2);
  await until(() => native.stats().running === 0, 'the task, which goes on, has ended');
});

test('random programs: calls of every kind, one after the other and beside promises, give what run() gives', async () => {
  await using(new WorkerPool(script('run-sync.js'), { maxThreads: 2, killTimeout: 20 }), async (pool) => {
    const seed = Number(process.env.SEED ?? Date.now() % 100_000);
    let state = seed;
    const random = (below) => (state = (state * 1103515245 + 12345) % 2 ** 31) % below;
    const expected = new Map();
    for (let i = 0; i < 300; i++) {
      const isNative = random(2) === 0;
      const on = isNative && random(2) === 0 ? native : pool;
      const name = isNative ? 'native:echo' : ['echo', 'later', 'reports'][random(3)];
      const value = random(1000);
      switch (random(4)) {
        case 0:
          expected.set(on.run(name, value, random(2) === 0 ? { timeout: 20_000 } : undefined), value);
          break;
        case 1:
          assert.equal(thrownBy(() => pool.runSync('fails', `seed ${seed}`)).name, 'OddError');
          break;
        case 2:
          await turns(1);
          break;
        default:
          assert.equal(on.runSync(name, value, random(2) === 0 ? { timeout: 20_000, priority: random(3) } : undefined), value, `seed ${seed}`);
      }
    }
    for (const [promise, value] of expected) assert.equal(await promise, value, `seed ${seed}`);
  });
});
