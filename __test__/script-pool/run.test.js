'use strict';

// What scripts can be, and what goes in and comes out.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const { after, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { MessageChannel, threadId } = require('node:worker_threads');

const { Mutex, SharedBuffer, WorkerPool, errors, MessageChannel: OurChannel } = require('rust-workers');
const { Gate, script, using } = require('../support/pools');
const { inTime, until } = require('../support/until');

const shared = new WorkerPool(script('functions.js'), 2);
after(() => shared.close());

const withPool = (name, options, body) => using(new WorkerPool(script(name), options), body);

test("the seed's style: one message in, one message back, in whatever turn", () =>
  withPool('message.js', 2, async (pool) => {
    const tasks = Array.from({ length: 60 }, (_, number) => pool.runTask({ number, later: number % 3 }));
    assert.deepEqual(
      await Promise.all(tasks),
      Array.from({ length: 60 }, (_, number) => ({ number, double: number * 2 })),
    );
  }));

test('a script with onmessage, which transfers its answer', () =>
  withPool('event-style.js', 1, async (pool) => {
    const bytes = await pool.runTask({ size: 5 });
    assert.deepEqual(bytes, new Uint8Array(5).fill(3));
  }));

test('an exported function, by default and by name, sync and async', async () => {
  assert.deepEqual(await shared.runTask({ a: 1 }), { a: 1 });
  assert.equal(await shared.run('add', { a: 2, b: 3 }), 5);
  assert.equal(await shared.runTask({ a: 2, b: 3 }, { name: 'add' }), 5);
  assert.notEqual(await shared.run('thread'), threadId);
});

test('an ES module, with a default and named exports', () =>
  withPool('module.mjs', { maxThreads: 1, workerData: { mine: true } }, async (pool) => {
    assert.deepEqual(await pool.runTask(7), { input: 7, workerData: { mine: true }, port: true });
    assert.equal(await pool.run('named', 21), 42);
    assert.equal(await pool.run('id'), 0);
  }));

test('a URL, and a file: string', async () => {
  for (const name of [pathToFileURL(script('functions.js')), pathToFileURL(script('functions.js')).href]) {
    const pool = new WorkerPool(name, 1);
    assert.equal(await pool.runTask('x'), 'x');
    await pool.close();
  }
  assert.throws(() => new WorkerPool(new URL('http://localhost/script.js')), errors.InvalidArgValueError);
});

test('a path relative to the caller', async () => {
  const pool = new WorkerPool('../fixtures/scripts/functions.js', 1);
  assert.equal(await pool.runTask('x'), 'x');
  await pool.close();
});

test('TypeScript, where Node strips types', { skip: !process.features.typescript }, () =>
  withPool('types.mts', 1, async (pool) => {
    assert.equal(await pool.runTask({ a: 1 }), 2);
  }));

test('native tasks run in the same pool', async () => {
  assert.equal(await shared.run('fibonacci', 20), 6765);
  assert.deepEqual(await shared.map('fibonacci', [1, 2, 3]), [1, 1, 2]);
  // The script exports `echo` too, and what it exports comes first.
  assert.equal(await shared.runTask('hello', { name: 'echo' }), 'hello');
});

test('a function that is not there', async () => {
  await assert.rejects(shared.run('missing'), (error) => {
    assert.ok(error instanceof Error);
    assert.equal(error.code, 'ERR_RW_UNKNOWN_TASK');
    assert.match(error.message, /'missing'.*add/s);
    return true;
  });
  await withPool('no-default.js', 1, async (pool) => {
    await assert.rejects(pool.runTask(1), { code: 'ERR_RW_UNKNOWN_TASK' });
    assert.equal(await pool.run('only'), 1);
  });
  await assert.rejects(new WorkerPool().runTask(1), errors.UnknownTaskError);
});

const cyclic = { name: 'cycle' };
cyclic.self = cyclic;
class Point {
  constructor() {
    this.x = 1;
  }
}
const values = {
  undefined: undefined,
  null: null,
  numbers: [0, -0, 1.5, NaN, Infinity, 2 ** 40],
  booleans: [true, false],
  'a plain true': true,
  strings: ['', 'short', 'long'.repeat(500), '😀\ud800'],
  'a small object': { a: 1, b: 'x', c: [1, 2, 3] },
  'a BigInt': 2n ** 70n,
  'Map and Set': new Map([['a', new Set([1, { b: 2 }])]]),
  'Date and RegExp': [new Date(0), /a+/gi],
  'an error': new RangeError('not thrown'),
  'a cycle': cyclic,
  'a class instance': new Point(),
  'holes in an array': [1, , 3], // eslint-disable-line no-sparse-arrays
  'large bytes': new Uint8Array(100_000).fill(5),
  'bytes deep inside': { list: [new Float64Array([1, 2]), new ArrayBuffer(5000)] },
  'a Buffer': Buffer.from('hello'),
  'a long array of objects': Array.from({ length: 5_000 }, (_, i) => ({ i, name: `item ${i}` })),
};
for (const [name, value] of Object.entries(values)) {
  test(`both ways as structured clone has it: ${name}`, async () => {
    const expected = Buffer.isBuffer(value) ? new Uint8Array(value) : structuredClone(value);
    const answer = await shared.runTask(value);
    assert.deepStrictEqual(answer, expected);
    if (value === cyclic) assert.equal(answer.self, answer);
  });
}

test('what cannot be cloned is refused: going in at once, coming out as the task’s error', async () => {
  await assert.rejects(shared.runTask({ f() {} }), { name: 'DataCloneError' });
  await assert.rejects(shared.run('cannotCross'), { name: 'DataCloneError' });
});

test('the input is what it was at the call', async () => {
  const input = { list: [1] };
  const odd = new Map([[new Point(), input]]);
  const runs = [shared.runTask(input), shared.runTask(odd)];
  input.list.push(2);
  const [plain, aside] = await Promise.all(runs);
  assert.deepEqual(plain, { list: [1] });
  assert.deepEqual([...aside.values()], [{ list: [1] }]);
});

test('shared memory is shared, not copied', async () => {
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const stop = new AbortController();
  const run = shared.run('untilAborted', { cells }, { signal: stop.signal });
  const rejected = assert.rejects(run, { name: 'AbortError' });
  await until(() => Atomics.load(cells, 1) === 1, 'the task has begun');
  stop.abort();
  await rejected;
  await until(() => Atomics.load(cells, 0) !== 0, 'the task has seen it');
  assert.equal(Atomics.load(cells, 0), 1);
});

test('transfer gives memory away: listed, found, and a port', async () => {
  const listed = new Uint8Array(10).fill(1);
  assert.equal(await shared.run('measure', { bytes: listed }, { transfer: [listed.buffer] }), 10);
  assert.equal(listed.byteLength, 0);
  const found = { bytes: new Uint8Array(10), more: [new Map([['deep', new Uint8Array(3)]])] };
  assert.equal(await shared.run('measure', found, { transfer: 'auto' }), 10);
  assert.equal(found.bytes.byteLength, 0);
  assert.equal(found.more[0].get('deep').byteLength, 0);
  const { port1, port2 } = new MessageChannel();
  const back = await shared.run('passOn', { port: port2 }, { transfer: [port2] });
  port1.postMessage('through two threads');
  const [message] = await once(back.port, 'message');
  assert.equal(message, 'through two threads');
  port1.close();
});

test('shared memory, locks and ports of ours in tasks and workerData', async () => {
  const counter = new SharedBuffer(8);
  const mutex = new Mutex();
  await withPool('ours.js', { maxThreads: 1, workerData: { counter: counter.buffer } }, async (pool) => {
    const back = await pool.runTask({ list: [{ counter: counter.buffer, mutex }] });
    assert.ok(Mutex.from(back.mutex).tryLock(), 'a lock arrives as the place where it stands');
    assert.equal(SharedBuffer.from(back.counter).load(0), 2, 'one by the input, one by workerData');
    assert.equal(counter.load(0), 2);
    const { port1, port2 } = new OurChannel();
    const heard = once(port1, 'message');
    assert.equal(await pool.run('post', { port: port2 }, { transfer: [port2] }), 'posted');
    assert.deepEqual(await heard, ['by the script']);
    port1.close();
  });
});

test('move gives a result away: listed, and found', () =>
  withPool('functions.js', 1, async (pool) => {
    const { nested } = await pool.run('moveOut', 100_000);
    assert.deepEqual(nested[0], new Uint8Array(100_000).fill(9));
    assert.equal(await pool.run('wasDetached'), true);
    const found = await pool.run('moveAuto', 10);
    assert.deepEqual(found.nested.get('bytes'), new Uint8Array(10).fill(8));
  }));

test("Node's own options, and the script as the main module", async () => {
  const options = {
    maxThreads: 1,
    workerData: { some: ['data'] },
    argv: ['one', 2],
    env: { ...process.env, SCRIPT_POOL_TEST: 'yes' },
    stdout: true,
  };
  const pool = new WorkerPool(script('functions.js'), options);
  const created = once(pool, 'workerCreate');
  const seen = await pool.run('environment');
  assert.deepEqual(seen, {
    workerData: { some: ['data'] },
    argv: ['one', '2'],
    script: script('functions.js'),
    env: 'yes',
    main: true,
  });
  const [worker] = await created;
  const printed = once(worker.stdout.setEncoding('utf8'), 'data');
  await pool.run('print', 'on stdout');
  assert.deepEqual(await printed, ['on stdout']);
  await pool.close();
});

test('what a script posts outside of tasks is an event of the pool', async () => {
  const heard = once(shared, 'message');
  assert.equal(await shared.run('say', { hello: true }), 'said');
  assert.deepEqual((await heard)[0], { hello: true });
});

test('progress comes in order, before the answer, in the async context of the call', async () => {
  const storage = new AsyncLocalStorage();
  const seen = [];
  const answer = await storage.run('mine', async () => {
    const onProgress = (p) => seen.push([p, storage.getStore()]);
    const done = await shared.run('report', 5, { onProgress });
    assert.equal(storage.getStore(), 'mine');
    return done;
  });
  assert.equal(answer, 'done');
  assert.deepEqual(seen, Array.from({ length: 5 }, (_, done) => [{ done }, 'mine']));
  const odd = [];
  await shared.run('reportOddThings', 0, { onProgress: (p) => odd.push(p) });
  assert.deepEqual(odd, [new Map([['key', new Date(5)]]), new Uint8Array(4096).fill(1), undefined]);
  // Reports that nobody wants do no harm.
  assert.equal(await shared.run('reportOddThings'), 'done');
});

test('several tasks at a time on one worker; each sees itself', () =>
  withPool('functions.js', { maxThreads: 1, concurrentTasksPerWorker: 4 }, async (pool) => {
    await pool.runTask(0);
    // Two rounds of four.
    const gates = [new Gate(), new Gate()];
    const runs = Array.from({ length: 8 }, (_, index) => pool.run('held', gates[index >> 2].cells));
    await until(() => gates[0].begun === 4, 'four are held');
    const { running, queueSize } = pool.stats();
    assert.deepEqual([running, queueSize, gates[1].begun], [4, 4, 0]);
    gates[0].open();
    await until(() => gates[1].begun === 4, 'four more are held');
    gates[1].open();
    await Promise.all(runs);
    const slow = Array.from({ length: 8 }, (_, index) => pool.run('countSlowly', { index, time: 8 - index }));
    assert.deepEqual(await Promise.all(slow), [0, 1, 2, 3, 4, 5, 6, 7]);
    const seen = { a: [], b: [] };
    const run = (name) => pool.run('ownProgress', name, { onProgress: (p) => seen[name].push(p) });
    await Promise.all([run('a'), run('b')]);
    assert.deepEqual(seen, { a: ['a begins', 'a ends'], b: ['b begins', 'b ends'] });
  }));

test('several messages at a time in the style of the seed', () =>
  withPool('message.js', { maxThreads: 1, concurrentTasksPerWorker: 3 }, async (pool) => {
    const tasks = [30, 20, 10, 1].map((later, number) => pool.runTask({ number, later }));
    const answers = await Promise.all(tasks);
    assert.deepEqual(
      answers.map(({ number }) => number),
      [0, 1, 2, 3],
    );
  }));

test('workers know their number', async () => {
  const numbers = await Promise.all(Array.from({ length: 20 }, () => shared.run('workerId')));
  for (const number of numbers) assert.ok(number === 0 || number === 1);
});

test('wrong options are refused with their name', () => {
  const file = script('functions.js');
  const wrong = [
    [{ concurrentTasksPerWorker: 0 }, errors.OutOfRangeError],
    [{ killTimeout: -1 }, errors.OutOfRangeError],
    [{ wait: 'atomics' }, errors.InvalidArgValueError],
    [{ recycle: 5 }, errors.InvalidArgTypeError],
    [{ recycle: { afterTasks: 0 } }, errors.OutOfRangeError],
  ];
  for (const [options, Class] of wrong) assert.throws(() => new WorkerPool(file, options), Class);
  assert.throws(() => new WorkerPool(file, 0), errors.OutOfRangeError);
  assert.throws(() => new WorkerPool(''), errors.InvalidArgValueError);
});

test('a run with wrong options is rejected', async () => {
  await assert.rejects(shared.runTask(1, { onProgress: 5 }), errors.InvalidArgTypeError);
  await assert.rejects(shared.runTask(1, { name: 5 }), errors.InvalidArgValueError);
  await assert.rejects(shared.runTask(1, { timeout: -5 }), errors.OutOfRangeError);
});

test("a script in the seed's style answers with objects of ours, and posts them besides", () =>
  withPool('answers-ours.js', 1, async (pool) => {
    const memory = new SharedBuffer(8);
    const posted = once(pool, 'message');
    const { given } = await pool.runTask({ input: memory, besides: memory });
    new Int32Array(memory.buffer)[0] = 7;
    assert.equal(new Int32Array(given.buffer)[0], 7);
    // What is no answer keeps no process alive.
    const [{ besides }] = await inTime(posted, 'what it posts besides');
    assert.equal(new Int32Array(besides.buffer)[0], 7);
    assert.ok((await pool.runTask({ input: [new Mutex(), 1] })).given[0] instanceof Mutex);
    const { port1, port2 } = new OurChannel();
    const back = await pool.runTask({ input: { port: port2 } }, { transfer: [port2] });
    port1.postMessage('there');
    assert.deepEqual(await once(back.given.port, 'message'), ['there']);
    port1.close();
  }));

test('pool.options has the options of a script too: as they were given, or their defaults', async () => {
  const workerData = { any: 'thing' };
  const given = { maxThreads: 1, killTimeout: 5, recycle: { afterTasks: 3 }, workerData, argv: ['a'] };
  await using(new WorkerPool(script('functions.js'), given), ({ options }) => {
    const { killTimeout, wait, linger, concurrentTasksPerWorker, recycle, argv } = options;
    assert.deepEqual([killTimeout, wait, linger, concurrentTasksPerWorker, argv], [5, 'event', 0, 1, ['a']]);
    assert.equal(options.workerData, workerData);
    assert.equal(recycle.afterTasks, 3);
    assert.equal('env' in options, false);
  });
  await using(new WorkerPool(), ({ options }) => assert.equal('killTimeout' in options, false));
});
