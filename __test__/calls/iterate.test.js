'use strict';

// pool.iterate: results that come in parts, with back-pressure.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { after, test } = require('node:test');

const { WorkerPool, errors, task: taskHere } = require('rust-workers');
const { holdWorker, script, using } = require('../support/pools');
const { createRandom } = require('../support/random-values');
const { runNode } = require('../support/child');
const { inTime, turns, until } = require('../support/until');

const shared = new WorkerPool(script('parts.mjs'), 2);
after(() => shared.close());

const withPool = (options, body) => using(new WorkerPool(script('parts.mjs'), options), body);
const cells = () => new Int32Array(new SharedArrayBuffer(12));
const made = (seen) => Atomics.load(seen, 0);
const finals = (seen) => Atomics.load(seen, 1);
const cancelled = (seen) => Atomics.load(seen, 2);
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

/** All parts, and the value that is returned. */
async function all(iterator) {
  const parts = [];
  for (;;) {
    const { done, value } = await inTime(iterator.next(), 'a part');
    if (done) return { parts, value };
    parts.push(value);
  }
}

for (const file of ['parts.mjs', 'parts.js']) {
  test(`${file}: the parts in order, and what is returned`, () =>
    using(new WorkerPool(script(file), 1), async (pool) => {
      for (const name of ['numbers', 'later']) {
        for (const highWaterMark of [1, 2, 3, 16, 1000]) {
          for (const count of [0, 1, 2, 50]) {
            const seen = cells();
            const result = await all(pool.iterate(name, { count, seen }, { highWaterMark }));
            assert.deepEqual(result, { parts: upTo(count), value: `${count} in all` });
            assert.deepEqual([...seen], [count, 1, 0]);
          }
        }
      }
    }));

  test(`${file}: break runs finally, and is over when that has run`, () =>
    using(new WorkerPool(script(file), 1), async (pool) => {
      for (const name of ['numbers', 'later']) {
        for (const highWaterMark of [1, 16]) {
          const seen = cells();
          const parts = [];
          for await (const part of pool.iterate(name, { count: 1000, seen }, { highWaterMark })) {
            parts.push(part);
            if (part === 5) break;
          }
          assert.deepEqual(parts, upTo(6));
          assert.deepEqual([finals(seen), cancelled(seen)], [1, 1]);
          assert.ok(made(seen) <= 6 + highWaterMark + 1, String(made(seen)));
          // Its worker is there for the next.
          assert.deepEqual((await all(pool.iterate(name, { count: 2 }))).parts, [0, 1]);
        }
      }
    }));
}

test('the default export, by the proxy', () =>
  using(new WorkerPool(script('parts.js'), 1), async (pool) => {
    const api = pool.proxy();
    assert.deepEqual((await all(api.default.iterate({ count: 3 }))).parts, [0, 1, 2]);
    assert.deepEqual((await all(api.numbers.with({ priority: 1 }).iterate({ count: 3 }))).parts, [0, 1, 2]);
  }));

test('whatever can be iterated: a stream, an array, a Readable, a promise of any', async () => {
  const given = { count: 4 };
  assert.deepEqual(await all(shared.iterate('stream', given)), { parts: upTo(4), value: undefined });
  assert.deepEqual(await all(shared.iterate('readable', given)), { parts: upTo(4), value: undefined });
  assert.deepEqual(await all(shared.iterate('promised', given)), { parts: upTo(4), value: '4 in all' });
  assert.deepEqual((await all(shared.iterate('list', 'one'))).parts, ['one']);
  assert.deepEqual((await all(shared.iterate('list', [1, 2, 3], { spread: true }))).parts, [1, 2, 3]);
  assert.deepEqual((await all(shared.proxy().list.iterate(1, 2))).parts, [1, 2]);
  const promises = shared.iterate('promises');
  assert.deepEqual([(await promises.next()).value, (await promises.next()).value], [1, 2]);
  await assert.rejects(promises.next(), { name: 'RangeError', message: 'the third' });
});

test('a stream is read no further than is asked for, and is cancelled', async () => {
  const seen = cells();
  const iterator = shared.iterate('stream', { count: 100, seen }, { highWaterMark: 3 });
  assert.equal((await iterator.next()).value, 0);
  // Several are granted at a time.
  await until(() => made(seen) === 3, 'it is ahead');
  await turns(20);
  assert.ok(made(seen) <= 4, String(made(seen)));
  assert.deepEqual(await iterator.return('done'), { done: true, value: 'done' });
  assert.deepEqual([finals(seen), cancelled(seen)], [1, 1]);
});

test('values of every kind, moved ones too', async () => {
  const { parts } = await all(shared.iterate('kinds'));
  assert.deepEqual(parts.slice(0, 3), [undefined, null, { deep: [new Map([[1, new Date(0)]])] }]);
  assert.equal(await parts[3].text(), 'xy');
  assert.ok(parts[4] instanceof RangeError);
  assert.deepEqual([parts[5].byteLength, parts[6], parts[7].length], [32, 0, 100_000]);
});

test('the worker gives no more than highWaterMark parts ahead, however they are taken', async () => {
  const random = createRandom(7);
  for (const name of ['numbers', 'later']) {
    for (const highWaterMark of [1, 2, 5, 16]) {
      const seen = cells();
      const iterator = shared.iterate(name, { count: 10_000, seen }, { highWaterMark });
      let asked = 0;
      for (let round = 0; round < 30; round++) {
        const burst = random(2 * highWaterMark) + 1;
        const results = [];
        for (let i = 0; i < burst; i++) results.push(iterator.next());
        const values = (await Promise.all(results)).map(({ value }) => value);
        assert.deepEqual(values, Array.from({ length: burst }, (_, i) => asked + i));
        asked += burst;
        assert.ok(made(seen) <= asked + highWaterMark, `${name}: ${made(seen)} of ${asked} + ${highWaterMark}`);
        if (random(4) === 0) await turns(random(5));
      }
      // As far ahead as it may go, or half as far: several are granted at a time.
      await until(() => made(seen) >= asked + Math.ceil(highWaterMark / 2), 'it goes ahead');
      await turns(10);
      assert.ok(made(seen) <= asked + highWaterMark);
      await iterator.return();
    }
  }
});

test('nothing begins before the first part is asked for', () =>
  withPool(1, async (pool) => {
    const seen = cells();
    const iterator = pool.iterate('numbers', { count: 5, seen });
    const left = pool.iterate('numbers', { count: 5, seen });
    await turns(5);
    assert.equal(pool.stats().submitted, 0);
    assert.deepEqual(await left.return(1), { done: true, value: 1 });
    assert.deepEqual(await left.next(), { done: true, value: undefined });
    assert.equal(pool.stats().submitted, 0);
    assert.equal((await iterator.next()).value, 0);
    assert.deepEqual((await all(iterator)).parts, [1, 2, 3, 4]);
  }));

test('parts that were given come before the error, which comes whole and once', async () => {
  for (const [name, at, message] of [['failing', 3, 'in the middle'], ['failing', 0, 'in the middle'], ['failsLater', 3, 'later']]) {
    const iterator = shared.iterate(name, { at, where: 'yield' });
    for (const part of upTo(at)) assert.deepEqual(await iterator.next(), { done: false, value: part });
    await assert.rejects(iterator.next(), (error) => {
      assert.ok(error instanceof RangeError);
      assert.deepEqual([error.message, error.code, error.at], [message, 'E_PART', at]);
      assert.match(error.stack, /parts\.mjs/);
      return true;
    });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  }
  await assert.rejects(shared.iterate('fails').next(), { name: 'RangeError', message: 'before the first' });
});

test('what finally throws rejects the loop that was left', async () => {
  const loop = async () => {
    for await (const part of shared.iterate('failing', { where: 'finally' })) if (part === 2) break;
  };
  await assert.rejects(loop(), { code: 'E_FINALLY', message: 'in the end' });
  const iterator = shared.iterate('failing', { where: 'finally' });
  await iterator.next();
  await assert.rejects(iterator.throw(new TypeError('mine')), { code: 'E_FINALLY' });
  const other = shared.iterate('numbers', { count: 10 });
  await other.next();
  await assert.rejects(other.throw(new TypeError('mine')), { message: 'mine' });
});

test('a part that cannot cross throws at its yield', async () => {
  assert.deepEqual((await all(shared.iterate('refused', { catches: true }))).parts, [1, 'caught DataCloneError']);
  const iterator = shared.iterate('refused', { catches: false });
  await iterator.next();
  await assert.rejects(iterator.next(), { name: 'DataCloneError' });
  await assert.rejects(shared.iterate('refusedStream').next(), { name: 'DataCloneError' });
});

test('what has no parts, a name that nobody has, a native task', async () => {
  for (const [input, shown] of [[5, '5'], ['text', "'text'"], [null, 'null'], [{ a: 1 }, 'an instance of Object']]) {
    await assert.rejects(shared.iterate('value', input).next(), (error) => {
      assert.ok(error instanceof errors.UnsupportedValueError);
      assert.ok(error.message.startsWith(`The function returned ${shown}, which has no parts`), error.message);
      return true;
    });
  }
  await assert.rejects(shared.iterate('nothing').next(), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
  await assert.rejects(shared.iterate('nobody').next(), { code: 'ERR_RW_UNKNOWN_TASK' });
  await assert.rejects(shared.iterate('').next(), { code: 'ERR_RW_UNKNOWN_TASK' });
  assert.throws(() => shared.iterate('native:sum'), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /gives its result as one/ });
  assert.throws(() => shared.iterate(1), { code: 'ERR_RW_UNKNOWN_TASK' });
  const native = new WorkerPool();
  assert.throws(() => native.iterate('sum', new Float64Array(1)), { code: 'ERR_RW_INVALID_ARG_VALUE' });
  assert.throws(() => native.iterate('numbers', {}), { code: 'ERR_RW_UNKNOWN_TASK' });
  await native.close();
});

test('run() says of such a function that its parts are to be iterated', async () => {
  for (const name of ['numbers', 'later', 'stream']) {
    await assert.rejects(shared.run(name, { count: 1 }), (error) => {
      assert.ok(error instanceof errors.UnsupportedValueError);
      assert.match(error.message, /pool\.iterate\(name, input\)/);
      // Of a stream, Node 20 says that it is missing in the transfer list.
      assert.ok(name === 'stream' ? error.cause !== undefined : error.cause.name === 'DataCloneError');
      return true;
    });
  }
  await assert.rejects(shared.map('numbers', [{ count: 1 }]), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
});

test('options: wrong ones are refused at once', async () => {
  for (const highWaterMark of [0, -1, 1.5, 2 ** 16, '1', Infinity]) {
    assert.throws(() => shared.iterate('numbers', {}, { highWaterMark }), /highWaterMark/);
  }
  assert.throws(() => shared.iterate('numbers', {}, { highWatermark: 1 }), { message: /did you mean 'highWaterMark'/ });
  assert.throws(() => shared.iterate('numbers', {}, { concurrency: 1 }), { code: 'ERR_RW_INVALID_ARG_VALUE' });
  assert.throws(() => shared.iterate('numbers', {}, 5), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  assert.throws(() => shared.iterate('numbers', {}, { timeout: -1 }), { code: 'ERR_RW_OUT_OF_RANGE' });
  assert.deepEqual((await all(shared.iterate('', { count: 2 }, { name: 'numbers' }))).parts, [0, 1]);
  await assert.rejects(shared.iterate('list', 1, { spread: true }).next(), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  await assert.rejects(shared.iterate('value', () => {}).next(), { name: 'DataCloneError' });
});

for (const [stage, name] of [['waits for its consumer', 'numbers'], ['computes', 'looking'], ['awaits something', 'listening']]) {
  test(`a task that ${stage}: its signal, its time limit, break`, async () => {
    const waits = name === 'numbers';
    for (const how of ['signal', 'timeout', 'break']) {
      const seen = cells();
      const stop = new AbortController();
      const options = { highWaterMark: 2, ...(how === 'signal' && { signal: stop.signal }) };
      if (how === 'timeout') options.timeout = 300;
      const iterator = shared.iterate(name, { count: 100, seen }, options);
      await iterator.next();
      await until(() => made(seen) === (waits ? 3 : 1), 'it is at that point');
      if (how === 'break') {
        await inTime(iterator.return(), 'the loop is left');
      } else {
        if (how === 'signal') stop.abort(new Error('mine'));
        const next = how === 'timeout' && !waits ? iterator.next() : until(() => how === 'signal' || cancelled(seen) > 0, 'it stops').then(() => iterator.next());
        const expected = how === 'signal' ? { name: 'AbortError', code: 'ERR_RW_TASK_CANCELLED' } : { code: 'ERR_RW_TASK_TIMEOUT' };
        await assert.rejects(inTime(next, 'the error'), expected);
      }
      await until(() => cancelled(seen) === 1, 'it knew that it was cancelled');
      assert.deepEqual(await inTime(iterator.next(), 'the end'), { done: true, value: undefined });
    }
  });
}

test('a signal that has aborted, and one that aborts in the queue', () =>
  withPool(1, async (pool) => {
    const seen = cells();
    const aborted = pool.iterate('numbers', { count: 5, seen }, { signal: AbortSignal.abort() });
    await assert.rejects(aborted.next(), { name: 'AbortError' });
    const held = await holdWorker(pool);
    const stop = new AbortController();
    const queued = pool.iterate('numbers', { count: 5, seen }, { signal: stop.signal });
    const left = pool.iterate('numbers', { count: 5, seen });
    const [first, other] = [queued.next(), left.next()];
    stop.abort();
    await assert.rejects(first, { name: 'AbortError' });
    await inTime(left.return(), 'it is left');
    assert.deepEqual(await other, { done: true, value: undefined });
    held.open();
    await held.task;
    assert.deepEqual([...seen], [0, 0, 0]);
  }));

test('a function that never looks and never yields loses its worker after killTimeout', () =>
  withPool({ maxThreads: 1, killTimeout: 50 }, async (pool) => {
    let ended = 0;
    pool.on('workerDestroy', () => ended++);
    for (const signal of [undefined, new AbortController().signal]) {
      const seen = cells();
      const iterator = pool.iterate('stuck', { seen }, { signal });
      await iterator.next();
      await until(() => finals(seen) === 1, 'it is stuck');
      await inTime(iterator.return(), 'the loop is left');
    }
    await until(() => ended === 2, 'its workers have ended');
    assert.deepEqual((await all(pool.iterate('numbers', { count: 2 }))).parts, [0, 1]);
  }));

test('a worker that dies: the parts before, then its error', () =>
  withPool(1, async (pool) => {
    const iterator = pool.iterate('exits', { at: 3 });
    const parts = [];
    await assert.rejects(async () => {
      for await (const part of iterator) parts.push(part);
    }, { code: 'ERR_RW_WORKER_EXITED', exitCode: 3 });
    assert.deepEqual(parts, [0, 1, 2]);
    assert.deepEqual((await all(pool.iterate('numbers', { count: 1 }))).parts, [0]);
  }));

test('a value that nothing can give any more', () =>
  withPool(1, async (pool) => {
    const iterator = pool.iterate('never');
    assert.equal((await iterator.next()).value, 1);
    await assert.rejects(inTime(iterator.next(), 'the second part'), { code: 'ERR_RW_TASK_FAILED', message: /nothing can settle/ });
  }));

test('close() in the middle: it goes on to its end', () =>
  withPool(2, async (pool) => {
    const iterators = ['numbers', 'later', 'stream'].slice(0, 2).map((name) => pool.iterate(name, { count: 100 }, { highWaterMark: 2 }));
    await Promise.all(iterators.map((iterator) => iterator.next()));
    const closed = pool.close();
    const refused = pool.iterate('numbers', { count: 1 });
    await assert.rejects(refused.next(), { code: 'ERR_RW_POOL_CLOSED' });
    for (const iterator of iterators) assert.deepEqual((await all(iterator)).parts, upTo(100).slice(1));
    await inTime(closed, 'the pool closes');
  }));

test('destroy() in the middle: the parts that have come, then the error; and return() settles', async () => {
  for (const name of ['numbers', 'later']) {
    const pool = new WorkerPool(script('parts.mjs'), 2);
    const seen = cells();
    const iterator = pool.iterate(name, { count: 100, seen }, { highWaterMark: 4 });
    await iterator.next();
    const left = pool.iterate('stuck', { seen });
    await left.next();
    await until(() => made(seen) === 4 && finals(seen) === 1, 'it is ahead');
    const leaves = left.return();
    await inTime(pool.destroy(), 'the pool closes');
    await inTime(leaves, 'the loop is left');
    const parts = [];
    await assert.rejects(async () => {
      for await (const part of iterator) parts.push(part);
    }, { code: 'ERR_RW_POOL_CLOSED' });
    assert.deepEqual(parts, [1, 2, 3]);
  }
});

test('a queue that is full', () =>
  withPool({ maxThreads: 1, maxQueue: 1 }, async (pool) => {
    const held = await holdWorker(pool);
    const input = { count: 1 };
    const first = pool.iterate('numbers', input);
    const next = first.next();
    await assert.rejects(pool.iterate('numbers', input).next(), (error) => {
      assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
      assert.equal(error.input, input);
      return true;
    });
    held.open();
    assert.deepEqual(await next, { done: false, value: 0 });
    await first.return();
  }));

for (const killTimeout of [1000, Infinity]) {
  test(`several on one worker, killTimeout ${killTimeout}: they take turns, and one that is left ends no other`, () =>
    withPool({ maxThreads: 1, concurrentTasksPerWorker: 4, killTimeout }, async (pool) => {
      const seen = [cells(), cells(), cells(), cells()];
      const iterators = ['numbers', 'later', 'numbers', 'later'].map((name, i) =>
        pool.iterate(name, { count: 1000, seen: seen[i] }, { highWaterMark: 3 }));
      const firsts = await Promise.all(iterators.map((iterator) => inTime(iterator.next(), 'the first part')));
      assert.deepEqual(firsts.map(({ value }) => value), [0, 0, 0, 0]);
      await inTime(iterators[0].return(), 'one is left');
      assert.equal(finals(seen[0]), 1);
      await inTime(iterators[1].return(), 'another is left');
      assert.equal(finals(seen[1]), 1);
      const rest = await Promise.all(iterators.slice(2).map(all));
      for (const { parts } of rest) assert.deepEqual(parts, upTo(1000).slice(1));
      assert.equal(pool.stats().workers, 1);
    }));
}

test('several on one worker: each has its async context, before and after it waited', () =>
  withPool({ maxThreads: 1, concurrentTasksPerWorker: 3, killTimeout: Infinity }, async (pool) => {
    const store = new AsyncLocalStorage();
    const seen = [];
    const names = ['a', 'b', 'c'];
    const results = await Promise.all(names.map((name) => {
      const onProgress = (value) => seen.push([store.getStore(), value]);
      return store.run(`caller of ${name}`, () => all(pool.iterate('contexts', { name, count: 20 }, { highWaterMark: 2, onProgress })));
    }));
    names.forEach((name, i) => assert.deepEqual(results[i].parts, Array(20).fill([true, name])));
    assert.equal(seen.length, 60);
    for (const [caller, value] of seen) assert.equal(caller, `caller of ${value}`);
  }));

test('reports are told beside the parts', async () => {
  const reports = [];
  const { parts } = await all(shared.iterate('reports', 5, { onProgress: (value) => reports.push(value) }));
  assert.deepEqual(parts, upTo(5));
  assert.deepEqual(reports, upTo(5).map((i) => `before ${i}`));
});

test('return() while parts are asked for: they end, and so does the task', async () => {
  for (const name of ['never', 'later']) {
    const seen = cells();
    const iterator = shared.iterate(name, { count: 3, seen, time: 60_000 });
    if (name === 'never') await iterator.next();
    const [a, b] = [iterator.next(), iterator.next()];
    if (name === 'never') {
      await inTime(iterator.return(), 'it is left');
    } else {
      // Its timer keeps it: the worker is ended for it.
      await until(() => shared.stats().running > 0, 'it runs');
      await inTime(iterator[Symbol.asyncDispose](), 'it is left');
    }
    assert.deepEqual(await Promise.all([a, b, iterator.next()]), Array(3).fill({ done: true, value: undefined }));
    assert.deepEqual(await iterator.return(7), { done: true, value: 7 });
  }
});

test('a worker that is to be replaced gives all parts before', () =>
  withPool({ maxThreads: 1, concurrentTasksPerWorker: 2, recycle: { afterTasks: 1 } }, async (pool) => {
    const iterator = pool.iterate('later', { count: 100 }, { highWaterMark: 2 });
    await iterator.next();
    assert.equal(await pool.run('value', 1), 1);
    // It takes no more, and still learns what it may give.
    const next = pool.run('value', 2);
    assert.deepEqual((await all(iterator)).parts, upTo(100).slice(1));
    assert.equal(await inTime(next, 'the next worker'), 2);
  }));

test('random iterations beside each other, as the same functions give them here', () =>
  withPool({ maxThreads: 2, concurrentTasksPerWorker: 3 }, async (pool) => {
    const random = createRandom(13);
    async function one() {
      const name = ['numbers', 'later', 'stream', 'failsLater', 'promised'][random(5)];
      const [count, highWaterMark, stopAt] = [random(40), random(9) + 1, random(60)];
      const seen = cells();
      const iterator = pool.iterate(name, { count, at: count, seen }, { highWaterMark });
      const parts = [];
      let failed;
      try {
        for await (const part of iterator) {
          parts.push(part);
          if (part === stopAt) break;
          if (random(7) === 0) await turns(1);
        }
      } catch (error) {
        failed = error.code;
      }
      const isLeft = stopAt < count;
      assert.deepEqual(parts, upTo(isLeft ? stopAt + 1 : count));
      // It may fail while it is being left.
      if (failed !== undefined || !isLeft) assert.equal(failed, name === 'failsLater' ? 'E_PART' : undefined);
      if (name === 'numbers' || name === 'later') assert.equal(finals(seen), 1);
      // Unless it was at its end already.
      if (name === 'stream' && isLeft && made(seen) < count) assert.equal(finals(seen), 1);
    }
    for (let round = 0; round < 25; round++) await inTime(Promise.all(Array.from({ length: 8 }, one)), 'the iterations');
    assert.deepEqual([pool.stats().running, pool.stats().queueSize], [0, 0]);
  }));

test('an iterator that was forgotten gives its worker back', async () => {
  const program = `
    const { WorkerPool } = require(${JSON.stringify(require.resolve('rust-workers'))});
    const pool = new WorkerPool(${JSON.stringify(script('parts.mjs'))}, 1);
    const seen = new Int32Array(new SharedArrayBuffer(12));
    (async () => {
      await (() => pool.iterate('numbers', { count: 1000, seen }).next())();
      const timer = setInterval(gc, 10);
      while (Atomics.load(seen, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      clearInterval(timer);
      await pool.run('value', 1);
      console.log('free');
    })();`;
  const { stdout, code } = await runNode(['--expose-gc', '-e', program]);
  assert.deepEqual([stdout, code], ['free\n', 0]);
});

test('an iterator of which nothing is asked keeps no process alive; one that is asked does', async () => {
  const program = (body) => `
    const { WorkerPool } = require(${JSON.stringify(require.resolve('rust-workers'))});
    const pool = new WorkerPool(${JSON.stringify(script('parts.mjs'))}, 1);
    (async () => {
      const iterator = pool.iterate('later', { count: 100, time: 20 }, { highWaterMark: 1 });
      await iterator.next();
      ${body}
      console.log('last');
    })();`;
  for (const body of ['globalThis.iterator = iterator;', 'await iterator.next(); await iterator.next();', 'pool.unref(); pool.ref(); await iterator.next();', 'await iterator.return();']) {
    const { stdout, stderr, code } = await runNode(['-e', program(body)]);
    assert.deepEqual([stdout, stderr, code], ['last\n', '', 0], body);
  }
  // Nothing holds the loop, so the program ends in the middle of its await.
  const { stdout, code } = await runNode(['-e', program('pool.unref(); await iterator.next(); await iterator.next();')]);
  assert.deepEqual([stdout, code], ['', 0]);
});

test('an iterator that is none fails as in a loop of the language', async () => {
  const results = {
    'Iterator result undefined is not an object': () => ({ [Symbol.iterator]: () => ({ next() {} }) }),
    'Iterator result 5 is not an object': () => ({ [Symbol.asyncIterator]: () => ({ next: async () => 5 }) }),
    'The result of the function gave an iterator that has no function `next`': () => ({ [Symbol.iterator]: () => 5 }),
  };
  for (const [message, fn] of Object.entries(results)) {
    await assert.rejects(inTime(shared.iterate(fn, []).next(), message), { name: 'TypeError', message });
  }
});

test('there is no task on this side', () => assert.equal(taskHere.signal, undefined));
