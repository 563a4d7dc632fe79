'use strict';

// Option names: every call of the package that takes options refuses those that do not exist, and says what was meant.

const assert = require('node:assert/strict');
const { after, test } = require('node:test');

const {
  Barrier, Condvar, MessageChannel, Mutex, RwLock, Semaphore, SharedBuffer, WorkerPool,
} = require('rust-workers');

const { runProgram } = require('../support/child');
const { busyPool, script: scriptPath } = require('../support/pools');

const SCRIPT = scriptPath('mapping.js');

const pool = new WorkerPool({ maxThreads: 1 });
const script = new WorkerPool(SCRIPT, 1);
after(() => Promise.all([pool.close(), script.close()]));

/** Everything that takes options, by what it is called with. */
const TAKERS = {
  'new WorkerPool(options)': { call: (o) => new WorkerPool(o), known: 'maxThreads', slip: 'maxThread' },
  'new WorkerPool(script, options)': { call: (o) => new WorkerPool(SCRIPT, o), known: 'killTimeout', slip: 'killTimout' },
  recycle: { call: (recycle) => new WorkerPool(SCRIPT, { recycle }), known: 'afterTasks', slip: 'afterTask' },
  'run, native': { call: (o) => pool.run('echo', 1, o), known: 'timeout', slip: 'timout' },
  'map, native': { call: (o) => pool.map('echo', [1], o), known: 'priority', slip: 'priorty' },
  'map, async source': { call: (o) => pool.map('echo', (async function* () {})(), o), known: 'signal', slip: 'singal' },
  'run, script': { call: (o) => script.run('same', 1, o), known: 'onProgress', slip: 'onProgres' },
  'runTask': { call: (o) => script.runTask(1, o), known: 'transfer', slip: 'trasnfer' },
  'map, script': { call: (o) => script.map('same', [1], o), known: 'onProgress', slip: 'OnProgress' },
  'run, native:': { call: (o) => script.run('native:echo', 1, o), known: 'parallel', slip: 'paralel' },
  close: { call: (o) => pool.close(o), known: 'force', slip: 'forced' },
  MessageChannel: { call: (o) => new MessageChannel(o), known: 'capacity', slip: 'capacty' },
  'port.receive': {
    async call(o) {
      const { port1 } = new MessageChannel();
      try {
        return await port1.receive(o);
      } finally {
        port1.close();
      }
    },
    known: 'timeout', slip: 'timeOuts',
  },
  SharedBuffer: { call: (o) => new SharedBuffer(8, o), known: 'maxByteLength', slip: 'maxBytelenth' },
  'mutex.lock': { call: (o) => new Mutex().lock(o), known: 'signal', slip: 'signa' },
  'mutex.lockSync': { call: (o) => new Mutex().lockSync(o), known: 'timeout', slip: 'timeot' },
  'new RwLock': { call: (o) => new RwLock(o), known: 'maxReaders', slip: 'maxReader' },
  'rwLock.read': { call: (o) => new RwLock().read(o), known: 'timeout', slip: 'tiemout' },
  'rwLock.writeSync': { call: (o) => new RwLock().writeSync(o), known: 'timeout', slip: 'tiemout' },
  'new Semaphore': { call: (o) => new Semaphore(1, o), known: 'max', slip: 'mac' },
  'semaphore.acquire': { call: (o) => new Semaphore(1).acquire(1, o), known: 'timeout', slip: 'time_out' },
  'barrier.wait': { call: (o) => new Barrier(1).wait(o), known: 'timeout', slip: 'timeuot' },
  'condvar.wait': {
    call: (o) => new Condvar().wait(new Mutex().lockSync(), o), known: 'timeout', slip: 'timeoutt',
  },
};

/** The error of a call that throws or rejects. */
async function errorOf(call, options) {
  try {
    await call(options);
  } catch (error) {
    return error;
  }
  return assert.fail('it was accepted');
}

for (const [name, { call, known, slip }] of Object.entries(TAKERS)) {
  test(`${name}: a slip, a stranger and an undefined one are refused`, async () => {
    const near = await errorOf(call, { [slip]: undefined });
    assert.equal(near.code, 'ERR_RW_INVALID_ARG_VALUE');
    assert.ok(near.message.startsWith(`unknown option '${slip}'`), near.message);
    assert.ok(near.message.endsWith(`did you mean '${known}'?`), near.message);
    const far = await errorOf(call, { wholly: 1 });
    assert.equal(far.code, 'ERR_RW_INVALID_ARG_VALUE');
    assert.match(far.message, /^unknown option 'wholly'.*; the (only option is|options are) '/);
  });
}

test('names of other packages, and of other calls, come with a hint', async () => {
  const hints = [
    [() => new WorkerPool({ filename: SCRIPT }), /unknown option 'filename'; the script is the first argument/],
    [() => new WorkerPool({ workerData: 1 }), /'workerData'; it is for pools with a script/],
    [() => new WorkerPool({ maxQueueSize: 1 }), /'maxQueue'/],
    [() => new WorkerPool({ poolSize: 1 }), /here it is 'maxThreads'/],
    [() => new WorkerPool({ maxWorkers: 1 }), /'maxThreads'/],
    [() => new WorkerPool(SCRIPT, { useAtomics: false }), /wait: 'block'/],
    [() => new WorkerPool(SCRIPT, { eval: true }), /a file or a URL/],
    [() => new WorkerPool(SCRIPT, { maxMemoryLimitBeforeRecycle: 1 }), /maxMemoryMb/],
    [() => new WorkerPool({ maxQueue: 'auto', maxThreads: 3 }), /square of maxThreads, here 9/],
    [() => pool.run('echo', 1, { transferList: [] }), /'transfer'/],
    [() => pool.run('echo', 1, { abortSignal: undefined }), /'signal'/],
    [() => pool.run('echo', 1, { onOutput() {} }), /a script's functions, and this is a native task/],
    [() => new Mutex().lockSync({ signal: AbortSignal.abort() }), /use the asynchronous form/],
    [() => new WorkerPool({ [`${'x'.repeat(100_000)}`]: 1 }), /^unknown option 'x{40}\.\.\.'; the options are/],
  ];
  for (const [call, message] of hints) {
    const error = await errorOf(call);
    assert.match(error.message, message);
    assert.match(error.code, /^ERR_RW_INVALID_ARG_/);
  }
});

test('a number or nonsense in place of options says what to write', () => {
  const cases = [
    [() => new WorkerPool(4), /Received 4; for 4 threads: new WorkerPool\(\{ maxThreads: 4 \}\)/],
    [() => new WorkerPool(SCRIPT, '4'), /Received '4'; for 4 workers: new WorkerPool\(script, 4\)/],
    [() => new WorkerPool(SCRIPT, null), /must be a number of workers, or an object of options/],
    [() => new WorkerPool(() => {}), /a script, its path or URL, comes first/],
    [() => new WorkerPool([SCRIPT]), /a script, its path or URL, comes first/],
    [() => new WorkerPool(Symbol('s')), /Received Symbol\(s\)/],
    [() => new WorkerPool(5n), /Received 5n/],
  ];
  for (const [call, message] of cases) assert.throws(call, { code: 'ERR_RW_INVALID_ARG_TYPE', message });
  assert.throws(() => new WorkerPool(SCRIPT, 0), { code: 'ERR_RW_OUT_OF_RANGE', message: /"size".*between 1 and 1024/ });
});

test("a bag may be an instance of a class, as Node's may; symbols and inherited names count for nothing", async () => {
  class Options {
    get timeout() {
      return 5_000;
    }
    get signal() {
      return AbortSignal.abort(new Error('from a class'));
    }
    somethingElse() {}
  }
  await assert.rejects(pool.run('echo', 1, new Options()), (error) => error.cause.message === 'from a class');
  // As in Node.
  await assert.rejects(require('node:timers/promises').setTimeout(5, 1, new Options()), { name: 'AbortError' });
  assert.equal(await pool.run('echo', 1, { [Symbol('s')]: 1 }), 1);
  assert.equal(await pool.run('echo', 1, { __proto__: null, priority: 1 }), 1);
  assert.equal(await pool.run('echo', 1, Object.create({ priority: 1, whatever: 2 })), 1);
  const hidden = Object.defineProperty({}, 'priority', { value: 'x', enumerable: false });
  await assert.rejects(pool.run('echo', 1, hidden), { code: 'ERR_RW_INVALID_ARG_TYPE' });
});

test('what stands on Object.prototype was given by nobody', async () => {
  const { code, stdout, stderr } = await runProgram(process.execPath, async ({ load }, SCRIPT) => {
    const { MessageChannel, Mutex, Semaphore, SharedBuffer, WorkerPool } = load();
    const pool = new WorkerPool({ maxThreads: 1 });
    const script = new WorkerPool(SCRIPT, 1);
    await script.run('same', 1);
    const names = ['signal', 'priority', 'timeout', 'transfer', 'parallel', 'onProgress', 'name', 'maxThreads', 'maxQueue',
      'force', 'capacity', 'keepBuffers', 'maxByteLength', 'max', 'linger', 'wait', 'stranger'];
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, {
        value: 'nonsense', configurable: true, writable: true, enumerable: name === 'stranger' || name === 'timeout',
      });
    }
    const seen = [
      await pool.run('echo', 1, {}),
      ...(await pool.map('echo', [2], { transfer: [] })),
      await script.run('same', 3, { priority: 1 }),
      await script.runTask(4, { name: 'same' }),
    ];
    (await new Mutex().lock({})).release();
    new SharedBuffer(8, {});
    new Semaphore(1, {});
    new MessageChannel({}).port1.close();
    class Options {
      get priority() {
        return 'from a class';
      }
    }
    seen.push(await pool.run('echo', 1, new Options()).catch((error) => error.code));
    await new WorkerPool({}).close({});
    await pool.close({});
    await script.close({});
    for (const name of names) delete Object.prototype[name];
    console.log(...seen);
  }, { args: [SCRIPT] });
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '1 2 3 4 ERR_RW_INVALID_ARG_TYPE\n', stderr: '' });
});

test('a full queue says what is so and what to do', async () => {
  for (const [maxQueue, message] of [
    [0, /^every thread is busy, and maxQueue is 0: no task may wait; wait for 'drain', or raise maxQueue$/],
    [1, /^the queue is full: 1 task waits for a busy thread, and maxQueue is 1; wait for 'drain'/],
    [3, /^the queue is full: 3 tasks wait for busy threads, and maxQueue is 3; wait for 'drain'/],
  ]) {
    const { pool: full, free } = await busyPool({ maxQueue });
    const runs = Array.from({ length: maxQueue }, () => full.run('noop'));
    await assert.rejects(full.run('noop'), { code: 'ERR_RW_QUEUE_FULL', message });
    free();
    await Promise.all(runs);
    await full.close();
  }
});

test('a name in the input of a built-in task that it does not know is refused', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  const cell = new Int32Array(new SharedArrayBuffer(8));
  const slips = [
    ['sha256', { data: 'x', encodng: 'hex' }], ['blake3', { data: 'x', paralel: true }], ['primes', { limit: 5, lst: true }],
    ['fill', { data: new Uint8Array(3), value: 1, of: 2 }], ['sort', { data: new Float64Array(3), parallell: true }],
    ['histogram', { data: new Uint8Array(3), bin: 1 }], ['atomicAdd', { buffer: cell, amount: 2 }],
    ['atomicNotify', { buffer: cell, idx: 0 }], ['sumSqrt', { n: 1, iteration: 5 }],
  ];
  for (const [task, input] of slips) {
    const slip = Object.keys(input).at(-1);
    await assert.rejects(pool.run(task, input), ({ code, message }) =>
      code === 'ERR_RW_INVALID_INPUT' && message.endsWith(`; got the unknown option '${slip}'`));
    await pool.run(task, { ...input, [slip]: undefined });
  }
  await pool.close();
});
