'use strict';

/** What tasks of packs do with what the host gives them: memory in place, shared memory, ports, other threads; and how they are stopped. */

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');

const { MessageChannel, SharedBuffer, WorkerPool, errors } = require('rust-workers');
const { compile, noCompiler } = require('../support/packs');
const { inTime, until } = require('../support/until');
const { createRandom, randomValue } = require('../support/random-values');

describe('tasks of packs', { skip: noCompiler }, () => {
  let work;
  let outcomes;
  let pool;
  before(() => {
    work = compile('work');
    outcomes = compile('outcomes');
    pool = new WorkerPool({ maxThreads: 3 }).use(work).use(outcomes);
  });
  after(() => pool.destroy());

  const running = (of = pool) => until(() => of.stats().running > 0, 'the task runs');

  test('values of every kind come back as from the built-in echo', async () => {
    const values = [
      undefined, null, true, false, 0, 1, 127, 128, -1, -0, 2 ** 31, -(2 ** 31), 1.5, NaN, Infinity, -Infinity, 5e-324,
      0n, 1n, -1n, 2n ** 64n, -(2n ** 200n), '', 'a', 'é'.repeat(100), '漢字', '😀', 'a\0b', '\ud800', 'x'.repeat(100_000),
      new Date(0), new Date(1e12), new Date(NaN), [], [1, [2, [3]]], {}, { a: 1, b: { c: 'd' } }, JSON.parse('{"__proto__": 1, "constructor": 2}'),
      new Map([[1, 'a'], [{ k: 1 }, new Map()]]), new Set([1, 'b', new Set()]),
      new Error('e'), new RangeError('r', { cause: 7 }), Object.assign(new TypeError('t'), { code: 'C' }), new AggregateError([new Error('x')], 'a'),
      new ArrayBuffer(0), new ArrayBuffer(9), Buffer.from('bytes'), new DataView(new ArrayBuffer(5)), new Uint8Array(), new Uint8Array([1, 2, 3]),
      new Uint8ClampedArray([255]), new Int8Array([-1]), new Int16Array([-2]), new Uint16Array([65535]), new Int32Array([-3]),
      new Uint32Array([2 ** 32 - 1]), new Float32Array([1.5]), new Float64Array([Math.PI]), new BigInt64Array([-1n]), new BigUint64Array([1n]),
      new Uint8Array(5000).fill(3), [new Uint8Array(2), new Uint8Array(2000), Buffer.alloc(3)], { empty: [new Uint8Array(), new ArrayBuffer(0)] },
    ];
    for (const value of values) {
      const [mine, builtIn] = [await pool.run('give_back', value), await pool.run('echo', value)];
      // Two invalid dates are not equal on every Node.
      if (!Number.isNaN(value?.getTime?.())) assert.deepEqual(mine, builtIn);
      else assert.ok(mine instanceof Date && Number.isNaN(mine.getTime()));
    }
    assert.ok(Object.is(await pool.run('give_back', -0), -0));
  });

  test('random values do, too', async () => {
    const seed = Number(process.env.SEED ?? 7);
    const random = createRandom(seed);
    for (let round = 0; round < 300; round++) {
      const value = randomValue(random);
      const [mine, builtIn] = await Promise.allSettled([pool.run('give_back', value), pool.run('echo', value)]);
      assert.deepEqual(mine.value, builtIn.value, `seed ${seed}, round ${round}`);
      assert.equal(mine.status, builtIn.status);
    }
  });

  test('deep values up to the limit', async () => {
    const nest = (levels) => Array.from({ length: levels }).reduce((inner) => [inner], 1);
    assert.deepEqual(await pool.run('give_back', nest(256)), nest(256));
    await assert.rejects(pool.run('give_back', nest(257)), errors.ValueTooDeepError);
  });

  test('bytes are changed where they are: the caller has a copy, or its own memory back', async () => {
    const copied = new Uint8Array(2000).fill(1);
    const result = await pool.run('copies_and_increments', copied);
    assert.ok(result.every((byte) => byte === 2) && copied.every((byte) => byte === 1));
    for (const size of [3, 2000, 5_000_000]) {
      const given = new Uint8Array(size).fill(1);
      const back = await pool.run('increments', given, { transfer: [given.buffer] });
      assert.equal(given.byteLength, 0);
      assert.ok(back.length === size && back.every((byte) => byte === 2));
    }
    const large = new Float64Array(200_000);
    const changed = await pool.run('increments', large);
    assert.ok(changed instanceof Float64Array && changed.length === large.length && large[0] === 0);
    assert.equal(new Uint8Array(changed.buffer)[77], 1);
  });

  test('shared memory is changed where it is, and is the result', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(64));
    const back = await pool.run('increments', shared);
    assert.equal(back, shared);
    assert.ok(shared.every((byte) => byte === 1));
    const buffer = new SharedBuffer(16);
    assert.equal(await pool.run('increments', buffer), buffer);
  });

  test('a task in place has the memory alone; one that overlaps itself takes it once', async () => {
    const cells = new Int32Array(new SharedArrayBuffer(16));
    const other = new Int32Array(new SharedArrayBuffer(16));
    // In both orders, and in one value twice.
    const inputs = Array.from({ length: 24 }, (_, i) => (i % 2 ? [cells, other, cells] : [other, cells, cells.subarray(0, 2)]));
    await inTime(Promise.all(inputs.map((input) => pool.run('adds', input))), 'none waits for another for ever');
    assert.deepEqual([cells[0], other[0]], [24 * 2 * 20000, 24 * 20000]);
    const atomic = new Int32Array(new SharedArrayBuffer(4));
    await Promise.all(Array.from({ length: 6 }, () => pool.run('adds_atomically', atomic)));
    assert.equal(atomic[0], 120_000);
  });

  test('JavaScript writes to shared memory that an atomic task watches', async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const awaited = pool.run('awaits_one', flag);
    await running();
    // Nobody is kept away by it.
    await pool.run('fill', { data: flag, value: 0 });
    Atomics.store(flag, 0, 1);
    await awaited;
  });

  test('shared memory comes not back in a result of other form', async () => {
    await assert.rejects(pool.run('give_back', [new Uint8Array(new SharedArrayBuffer(4))]), errors.UnsupportedValueError);
  });

  test('parallel_for', async () => {
    assert.equal(await pool.run('threads'), 3);
    for (const count of [0, 1, 2, 1000]) assert.equal(await pool.run('sums', count), Math.abs(count * (count - 1)) / 2);
    await pool.run('parts_misuse');
    await assert.rejects(pool.run('part_ends', 2), (error) => error instanceof RangeError && error.code === 'E_PART' && error.message === 'part 13');
    await assert.rejects(pool.run('part_ends', 3), { code: 'ERR_RW_INVALID_INPUT', message: "task 'part_ends' does not take its input; got part 13" });
    await assert.rejects(pool.run('part_ends', 4), { code: 'ERR_RW_TASK_PANICKED', message: 'part 13' });
    await assert.rejects(pool.run('part_ends', 1), /RW_STOPPED, and nobody had told it to stop/);
    await assert.rejects(pool.run('part_ends', 77), /returned 77, which is no outcome/);
  });

  test('a part that uses the call of the whole is refused on another thread', async () => {
    const refusals = await pool.run('parts_steal');
    assert.ok(refusals >= 1 && refusals < 4, `${refusals}`);
  });

  test('a port: messages there and back, and its end', async () => {
    const { port1, port2 } = new MessageChannel();
    const served = pool.run('serves', { port: port2 }, { transfer: [port2] });
    const messages = [1, 'two', { three: [3] }, new Uint8Array(5000), null, new Map([[1, 2]])];
    for (const message of messages) {
      port1.postMessage(message);
      assert.deepEqual(await port1.receive(), message);
    }
    // Nothing that a task can read: it is passed over.
    port1.postMessage(/regular/);
    port1.close();
    assert.equal(await served, messages.length);
  });

  test('a port whose other end waits for room, or never reads', async () => {
    const { port1, port2 } = new MessageChannel({ capacity: 2 });
    const flooded = pool.run('floods', port2, { transfer: [port2] });
    for (let i = 0; i < 1000; i++) assert.equal(await port1.receive(), i & 127);
    port1.close();
    await flooded;
    const other = new MessageChannel({ capacity: 2 });
    const stopped = new AbortController();
    const blocked = pool.run('floods', other.port2, { transfer: [other.port2], signal: stopped.signal });
    await running();
    stopped.abort();
    await assert.rejects(blocked, { name: 'AbortError' });
    await until(() => pool.stats().running === 0, 'the task has ended');
    other.port1.close();
  });

  test('a wait at a port has a limit of its own', async () => {
    const { port1, port2 } = new MessageChannel();
    assert.equal(await pool.run('receives_soon', port2, { transfer: [port2] }), 6);
    port1.close();
  });

  test('a port that is given back is a port again', async () => {
    const { port1, port2 } = new MessageChannel();
    const { port } = await pool.run('give_back', { port: port2 }, { transfer: [port2] });
    port.postMessage('by way of a pack');
    assert.equal(await port1.receive(), 'by way of a pack');
    port1.close();
  });

  test('reports', async () => {
    const seen = [];
    await pool.run('reports', 500, { onProgress: (report) => seen.push(report) });
    assert.deepEqual(seen, Array.from({ length: 500 }, (_, i) => i));
    await pool.run('reports', 500);
  });

  test('a task that takes much memory gives all of it back', async () => {
    const result = await pool.run('hoards', 2000);
    assert.deepEqual([result.length, result[0]], [65_536, 1999 & 255]);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 20; round++) await pool.run('hoards', 1000);
    assert.ok(process.memoryUsage().rss - before < 500 << 20);
  });

  test('is stopped by a signal, a time limit, a deadline', async () => {
    for (const task of ['spin', 'parts_spin', 'sleeps']) {
      const input = task === 'sleeps' ? 60_000 : undefined;
      const controller = new AbortController();
      const aborted = pool.run(task, input, { signal: controller.signal });
      await running();
      controller.abort();
      await assert.rejects(aborted, errors.TaskCancelledError);
      await until(() => pool.stats().running === 0, `${task} has ended`);
      await assert.rejects(pool.run(task, input, { timeout: 20 }), errors.TaskTimeoutError);
      await assert.rejects(pool.run(task, input, { runTimeout: 20 }), errors.TaskTimeoutError);
      await assert.rejects(pool.run(task, input, { deadline: 20 }), (error) => error instanceof errors.DeadlineError && error.started);
      await until(() => pool.stats().running === 0, `${task} has ended`);
    }
    assert.throws(() => pool.runSync('spin', undefined, { timeout: 20 }), errors.TaskTimeoutError);
  });

  test('before it begins, it never does', async () => {
    const one = new WorkerPool({ maxThreads: 1 }).use(work);
    const first = one.run('sleeps', 100);
    const aborted = AbortSignal.abort();
    await assert.rejects(one.run('forever', 1, { signal: aborted }), errors.TaskCancelledError);
    await assert.rejects(one.run('forever', 1, { timeout: 5 }), errors.TaskTimeoutError);
    const controller = new AbortController();
    const waiting = one.run('forever', 1, { signal: controller.signal });
    controller.abort();
    await assert.rejects(waiting, errors.TaskCancelledError);
    await first;
    await inTime(one.close(), 'the pool closes');
  });

  test('while it waits for shared memory', async () => {
    const cells = new Int32Array(new SharedArrayBuffer(8));
    const holder = new WorkerPool({ maxThreads: 3 }).use(work);
    const controller = new AbortController();
    // It reads the memory until it is told to stop; others may read too, and one that changes it waits.
    const reads = holder.run('spin', cells, { signal: controller.signal });
    await running(holder);
    assert.equal(await holder.run('sum', cells), 0);
    await assert.rejects(holder.run('increments', cells, { timeout: 20 }), errors.TaskTimeoutError);
    const stopped = new AbortController();
    const waits = holder.run('increments', [cells, cells.subarray(1)], { signal: stopped.signal });
    await until(() => holder.stats().running === 2, 'it waits on its thread');
    stopped.abort();
    await assert.rejects(waits, errors.TaskCancelledError);
    await until(() => holder.stats().running === 1, 'the wait has ended');
    const follows = holder.run('increments', cells);
    controller.abort();
    await assert.rejects(reads, errors.TaskCancelledError);
    assert.equal(await follows, cells);
    assert.deepEqual([...new Uint8Array(cells.buffer)], Array.from({ length: 8 }, () => 1));
    await holder.close();
  });

  test('close() waits for it, destroy() stops it', async () => {
    const closes = new WorkerPool({ maxThreads: 1 }).use(work);
    const slept = closes.run('sleeps', 50);
    await closes.close();
    assert.equal(await slept, undefined);
    const ends = new WorkerPool({ maxThreads: 1 }).use(work);
    const spun = ends.run('spin').catch((error) => error);
    const waited = ends.run('spin').catch((error) => error);
    await running(ends);
    await inTime(ends.destroy(), 'the pool is destroyed');
    for (const error of [await spun, await waited]) assert.ok(error instanceof errors.PoolClosedError);
  });

  test('one that does not listen costs its thread for that long, and its caller nothing', async () => {
    const alone = new WorkerPool({ maxThreads: 2 }).use(work);
    const controller = new AbortController();
    const deaf = alone.run('deaf', 300, { signal: controller.signal });
    await running(alone);
    controller.abort();
    await assert.rejects(deaf, errors.TaskCancelledError);
    assert.equal(alone.stats().running, 1, 'it runs on');
    assert.equal(await alone.run('echo', 'others go on'), 'others go on');
    await inTime(alone.close(), 'it has ended');
  });
});
