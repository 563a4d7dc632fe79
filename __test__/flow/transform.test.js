'use strict';

// pool.transform: a Transform of Node's, and through it a pair of web streams.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { Duplex, PassThrough, Readable, Transform, Writable, compose, finished } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { after, describe, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { script: scriptPath, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');

const native = new WorkerPool({ maxThreads: 2 });
const script = new WorkerPool(scriptPath('flow.js'), 2);
after(() => Promise.all([native.close(), script.close()]));

/** A sink that keeps what it gets. */
const keeper = (all, options) =>
  new Writable({
    objectMode: true,
    write(chunk, encoding, callback) {
      all.push(chunk);
      setImmediate(callback);
    },
    ...options,
  });

const piped = (...streams) => inTime(pipeline(...streams), 'the pipeline');

for (const { name, pool, task, input, failing, code } of [
  { name: 'a native task', pool: native, task: 'fibonacci', input: (i) => i % 20, failing: -1, code: 'ERR_RW_OUT_OF_RANGE' },
  { name: "a script's function", pool: script, task: 'act', input: (i) => ({ value: i, ms: i % 3 }), failing: { fails: true }, code: 'E_OWN' },
]) {
  describe(name, () => {
    test('in order, through a pipeline, for every count', async () => {
      for (const count of [0, 1, 2, 15, 16, 17, 100]) {
        const inputs = Array.from({ length: count }, (_, i) => input(i));
        const all = [];
        const transform = pool.transform(task);
        assert.ok(transform instanceof Transform);
        await piped(Readable.from(inputs), transform, keeper(all));
        assert.deepEqual(all, await pool.map(task, inputs));
        assert.ok(transform.destroyed);
      }
    });

    test('an input that fails destroys all, with an error that names it', async () => {
      const source = Readable.from([input(1), input(2), failing, input(3)]);
      const all = [];
      const error = await piped(source, pool.transform(task), keeper(all)).catch((reason) => reason);
      assert.ok(error instanceof errors.InputFailedError);
      assert.deepEqual([error.index, error.cause.code], [2, code]);
      assert.ok(source.destroyed);
      assert.ok(all.length <= 2);
    });

    test('settle gives outcomes, and ordered: false all of them', async () => {
      const all = [];
      const transform = pool.transform(task, { settle: true, ordered: false, concurrency: 3 });
      await piped(Readable.from([input(1), failing, input(2)]), transform, keeper(all));
      assert.deepEqual(all.map(({ index }) => index).sort(), [0, 1, 2]);
      assert.equal(all.find(({ index }) => index === 1).reason.code, code);
    });

    test('a slow reader stops the writer', async () => {
      const transform = pool.transform(task, { concurrency: 2, highWaterMark: 3 });
      assert.deepEqual([transform.readableHighWaterMark, transform.writableHighWaterMark], [3, 3]);
      let written = 0;
      const write = () => {
        while (written < 100 && transform.write(input(written++)));
      };
      transform.on('drain', write);
      write();
      await turns(20);
      await until(() => transform.readableLength >= 3, 'its readable side is full');
      // One chunk after the other comes in late.
      await turns(50);
      assert.equal(transform.readableLength, 3);
      // Three in each side, two under way, two that are done, one that is asked for, and one on its way in and out.
      assert.ok(written <= 3 + 3 + 2 + 2 + 2, `${written} written`);
      let read = 0;
      transform.on('data', () => read++);
      await until(() => read >= 90 && written === 100, 'it goes on');
      transform.end();
      await inTime(new Promise((resolve) => transform.on('end', resolve)), 'the end');
      assert.equal(read, 100);
    });

    test('destroy() cancels what is under way; end() without data ends; a second end is an error of Node', async () => {
      const transform = pool.transform(task);
      transform.write(input(1));
      const own = new Error('own');
      const closed = new Promise((resolve) => finished(transform, resolve));
      transform.destroy(own);
      assert.equal(await inTime(closed, 'closed'), own);
      const empty = pool.transform(task);
      empty.end();
      assert.deepEqual(await empty.toArray(), []);
    });

    test('the signal ends it, also while nothing is written', async () => {
      const stop = new AbortController();
      const transform = pool.transform(task, { signal: stop.signal });
      const run = piped(new PassThrough({ objectMode: true }), transform, keeper([]));
      await turns(3);
      stop.abort('why');
      const error = await run.catch((reason) => reason);
      assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ERR_RW_TASK_CANCELLED', 'why']);
    });

    test('as web streams, and in a composition', async () => {
      const inputs = Array.from({ length: 30 }, (_, i) => input(i));
      const expected = await pool.map(task, inputs);
      const all = [];
      const web = Readable.toWeb(Readable.from(inputs)).pipeThrough(Duplex.toWeb(pool.transform(task)));
      for await (const output of web) all.push(output);
      assert.deepEqual(all, expected);
      const failure = Readable.toWeb(Readable.from([failing])).pipeThrough(Transform.toWeb(pool.transform(task))).getReader();
      assert.equal((await failure.read().catch((error) => error)).index, 0);
      const both = compose(pool.transform(task), new PassThrough({ objectMode: true }));
      assert.deepEqual(await Readable.from(inputs).compose(both).toArray(), expected);
      assert.deepEqual(await Readable.from(inputs).pipe(pool.transform(task)).toArray(), expected);
    });

    test('a pool that closes, or is destroyed, under it', async () => {
      for (const how of ['close', 'destroy']) {
        const own = pool === native ? new WorkerPool({ maxThreads: 2 }) : new WorkerPool(scriptPath('flow.js'), 2);
        const transform = own.transform(task);
        transform.write(input(1));
        const [first] = await inTime(new Promise((resolve) => transform.once('data', (...all) => resolve(all))), 'the first');
        assert.deepEqual(first, (await pool.map(task, [input(1)]))[0]);
        const ended = new Promise((resolve) => transform.on('error', resolve));
        await inTime(own[how](), how);
        assert.ok((await inTime(ended, 'the error')) instanceof errors.PoolClosedError);
      }
    });

    test('options that do not exist, or do not fit, are refused', () => {
      assert.throws(() => pool.transform(task, { concurency: 1 }), /concurrency/);
      for (const option of ['objectMode', 'readableObjectMode', 'writableObjectMode', 'ordered', 'settle']) {
        assert.throws(() => pool.transform(task, { [option]: 1 }), { code: 'ERR_RW_INVALID_ARG_TYPE' }, option);
      }
      for (const option of ['highWaterMark', 'readableHighWaterMark', 'writableHighWaterMark', 'concurrency']) {
        assert.throws(() => pool.transform(task, { [option]: -1 }), { code: 'ERR_RW_OUT_OF_RANGE' }, option);
      }
      assert.throws(() => pool.transform(7), { code: 'ERR_RW_UNKNOWN_TASK' });
      const transform = pool.transform(task, { readableHighWaterMark: 4, writableHighWaterMark: 5 });
      assert.deepEqual([transform.readableHighWaterMark, transform.writableHighWaterMark], [4, 5]);
      assert.deepEqual([transform.readableObjectMode, transform.writableObjectMode], [true, true]);
    });
  });
}

test('a file, chunk by chunk, in bytes', async () => {
  const chunks = [];
  const all = [];
  const source = fs.createReadStream(__filename, { highWaterMark: 1000 });
  source.on('data', (chunk) => chunks.push(chunk));
  await piped(source, native.transform('sha256', { concurrency: 3 }), keeper(all));
  assert.ok(chunks.length > 5);
  assert.deepEqual(all, chunks.map((chunk) => createHash('sha256').update(chunk).digest()));

  // As bytes on both sides: text is made bytes on the way in.
  const bytes = script.transform('same', { objectMode: false });
  assert.deepEqual([bytes.readableObjectMode, bytes.writableObjectMode], [false, false]);
  bytes.write('abc');
  bytes.end(Buffer.from('def'));
  const whole = Buffer.concat(await bytes.toArray());
  assert.equal(whole.toString(), 'abcdef');
  const wrong = native.transform('fibonacci', { readableObjectMode: false });
  wrong.end(5);
  await assert.rejects(wrong.toArray(), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('undefined is an output, and null an error that says what to do', async () => {
  assert.deepEqual(await Readable.from([1, 2]).pipe(native.transform('noop')).toArray(), [undefined, undefined]);
  for (const pool of [native, script]) {
    const transform = pool.transform(pool === native ? 'echo' : 'same');
    const source = new PassThrough({ objectMode: true });
    source.pipe(transform);
    source.write(1);
    // A Writable refuses null itself; a result may be null all the same.
    const results = pool === native ? native.transform('echo') : script.transform('act');
    results.end(pool === native ? { a: 1 } : { value: null });
    if (pool === native) assert.deepEqual(await results.toArray(), [{ a: 1 }]);
    else {
      const error = await results.toArray().catch((reason) => reason);
      assert.equal(error.index, 0);
      assert.match(error.message, /returned null, which would end the stream/);
    }
    transform.destroy();
  }
});

test('as many at a time as `concurrency`', async () => {
  await using(new WorkerPool({ maxThreads: 4 }), async (pool) => {
    const transform = pool.transform('sleep', { concurrency: 3 });
    for (let i = 0; i < 10; i++) transform.write(60_000);
    await until(() => pool.stats().running === 3, 'three run');
    await turns(3);
    assert.deepEqual([pool.stats().running, pool.stats().queueSize], [3, 0]);
    transform.destroy();
    await until(() => pool.stats().running === 0, 'none runs');
  });
  await using(new WorkerPool(scriptPath('flow.js'), 2), async (pool) => {
    const view = new Int32Array(new SharedArrayBuffer(8));
    const transform = pool.transform('spin');
    for (let i = 0; i < 10; i++) transform.write(view);
    await until(() => Atomics.load(view, 0) === 2, 'two run');
    transform.destroy();
    await until(() => Atomics.load(view, 1) === 2, 'both stop');
  });
});
