'use strict';

// pool.forEach, of which only a number comes back, and pool.reduce.

const assert = require('node:assert/strict');
const { after, describe, test } = require('node:test');

const { SharedBuffer, WorkerPool, errors } = require('rust-workers');
const { busyPool, holdWorker, script: scriptPath, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');
const { kinds, sourceOf } = require('./sources');

const { InputFailedError, PoolClosedError } = errors;

const SCRIPT = scriptPath('flow.js');
const native = new WorkerPool({ maxThreads: 2 });
const script = new WorkerPool(SCRIPT, 2);
after(() => Promise.all([native.close(), script.close()]));

const failure = (promise) => inTime(promise.then((value) => assert.fail(`gave ${value}`), (error) => error), 'it rejects');

const cells = (length = 4) => new Int32Array(new SharedArrayBuffer(4 * length));

/** What is counted, by each variant: inputs that count one each, one that fails, and how many were counted. */
const VARIANTS = [
  {
    name: 'a native task',
    pool: native,
    open: (options) => new WorkerPool({ maxThreads: 2, ...options }),
    make() {
      const shared = new SharedBuffer(64);
      return {
        task: 'atomicAdd',
        one: { buffer: shared, count: 1 },
        bad: { buffer: shared, count: -1 },
        counted: () => new Int32Array(shared.buffer)[0],
      };
    },
    code: 'ERR_RW_OUT_OF_RANGE',
  },
  ...['visit', 'visitLater'].map((task) => ({
    name: `a script's function: ${task}`,
    pool: script,
    open: (options) => new WorkerPool(SCRIPT, { maxThreads: 2, ...options }),
    make() {
      const view = cells();
      return { task, one: { view }, bad: { fails: true }, counted: () => view[0] };
    },
    code: 'E_OWN',
  })),
];

for (const { name, pool, open, make, code } of VARIANTS) {
  describe(`forEach, ${name}`, () => {
    for (const kind of ['array', ...kinds]) {
      const from = (values, more) => (kind === 'array' ? { source: values, seen: { closed: 1 } } : sourceOf(kind, values, more));

      test(`${kind}: each input once, and their number`, async () => {
        for (const count of [0, 1, 2, 17, 400]) {
          const { task, one, counted } = make();
          const { source } = from(Array(count).fill(one));
          assert.equal(await inTime(pool.forEach(task, source), 'forEach'), count);
          assert.equal(counted(), count);
        }
      });

      test(`${kind}: an input that fails is named, and closes the source`, async () => {
        for (const at of [0, 5, 63]) {
          const { task, one, bad } = make();
          const inputs = Array(64).fill(one);
          inputs[at] = bad;
          const { source, seen } = from(inputs);
          const error = await failure(pool.forEach(task, source));
          assert.ok(error instanceof InputFailedError, String(error));
          assert.deepEqual([error.index, error.task, error.cause.code], [at, task, code]);
          await until(() => seen.closed > 0 || seen.read === 64, 'the source is closed');
        }
      });

      if (kind !== 'array') {
        test(`${kind}: an error of the source is the error`, async () => {
          const { task, one, counted } = make();
          const own = new Error('own');
          const { source, seen } = from(Array(9).fill(one), { fails: own });
          assert.equal(await failure(pool.forEach(task, source)), own);
          assert.ok(counted() <= 9);
          assert.equal(seen.closed, 0);
        });
      }
    }

    test('abort, time limit and destroy() end it at once, however quiet the source is', async () => {
      const reason = new Error('enough');
      for (const kind of ['async iterable', 'Readable', 'ReadableStream']) {
        const begin = (from, options) => {
          const { task, one } = make();
          const { source, seen } = sourceOf(kind, Array(3).fill(one), { quiet: true });
          return { seen, error: failure(from.forEach(task, source, options)) };
        };
        const stop = new AbortController();
        const aborted = begin(pool, { signal: stop.signal });
        await until(() => aborted.seen.read === 3, 'it is read');
        stop.abort(reason);
        const error = await aborted.error;
        assert.deepEqual([error.name, error.cause], ['AbortError', reason]);
        assert.equal((await begin(pool, { timeout: 20 }).error).code, 'ERR_RW_TASK_TIMEOUT');
        assert.equal((await begin(pool, { deadline: 20 }).error).code, 'ERR_RW_DEADLINE');
        const own = open();
        const destroyed = begin(own);
        await until(() => destroyed.seen.read === 3, 'it is read');
        await own.destroy();
        assert.ok((await destroyed.error) instanceof PoolClosedError);
        await until(() => aborted.seen.closed === 1 && destroyed.seen.closed === 1, 'the sources are closed');
      }
    });

    test('a closing pool runs all of an array, and of an async source what has come', async () => {
      const own = open();
      const all = make();
      const some = make();
      const { source, seen } = sourceOf('async iterable', Array(5).fill(some.one), { quiet: true });
      const whole = own.forEach(all.task, Array(300).fill(all.one));
      const part = failure(own.forEach(some.task, source));
      await until(() => seen.read === 5, 'it is read');
      const closing = own.close();
      assert.equal(await inTime(whole, 'the array'), 300);
      assert.equal(all.counted(), 300);
      assert.ok((await part) instanceof PoolClosedError);
      await inTime(closing, 'the pool closes');
      assert.ok((await failure(own.forEach(all.task, [1]))) instanceof PoolClosedError);
    });

    test('chunks that find the queue full wait for room', async () => {
      await using(open({ maxThreads: 1, maxQueue: 1 }), async (own) => {
        const { task, one, counted } = make();
        const runs = [Array(100).fill(one), Array(100).fill(one), sourceOf('async iterable', Array(100).fill(one)).source];
        const counts = await inTime(Promise.all(runs.map((run) => own.forEach(task, run))), 'all');
        assert.deepEqual(counts, [100, 100, 100]);
        assert.equal(counted(), 300);
      });
    });

    test('options and arguments that do not fit are refused', async () => {
      const { task, one } = make();
      assert.match((await failure(pool.forEach(task, [one], { transfer: [] }))).message, /copied/);
      assert.match((await failure(pool.forEach(task, [one], { timout: 1 }))).message, /timeout/);
      assert.equal((await failure(pool.forEach(task, 'text'))).code, 'ERR_RW_INVALID_ARG_TYPE');
      assert.equal((await failure(pool.forEach(task))).code, 'ERR_RW_INVALID_ARG_TYPE');
      assert.equal((await failure(pool.forEach(task, [one], { priority: 0.5 }))).code, 'ERR_RW_OUT_OF_RANGE');
      assert.equal((await failure(pool.forEach({}, [one]))).code, 'ERR_RW_UNKNOWN_TASK');
      assert.equal((await failure(pool.forEach(task, [one], { signal: AbortSignal.abort() }))).name, 'AbortError');
      assert.equal((await failure(pool.forEach('native:nothing', [one]))).code, 'ERR_RW_UNKNOWN_TASK');
    });
  });
}

describe('forEach', () => {
  test('few crossings: an array goes in chunks, each a task', async () => {
    await using(new WorkerPool(SCRIPT, 2), async (pool) => {
      const view = cells();
      assert.equal(await pool.forEach('visit', Array(1000).fill({ view })), 1000);
      assert.equal(pool.stats().completed, 16);
    });
    await using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
      assert.equal(await pool.forEach('noop', Array.from({ length: 1000 }, (_, i) => i)), 1000);
      assert.equal(pool.stats().completed, 1000, 'of a native task each input is one');
    });
  });

  test('a loop over quick inputs in a worker stops when it is aborted, and its worker lives', async () => {
    await using(new WorkerPool(SCRIPT, { maxThreads: 1, killTimeout: Infinity }), async (pool) => {
      const view = cells();
      const stop = new AbortController();
      const error = failure(pool.forEach('busy', Array(80_000).fill(view), { signal: stop.signal }));
      await until(() => Atomics.load(view, 0) > 3, 'it runs');
      stop.abort();
      assert.equal((await error).name, 'AbortError');
      assert.equal(await inTime(pool.run('same', 5), 'the worker is free'), 5);
      assert.ok(Atomics.load(view, 0) < 10_000);
    });
  });

  test('a worker that runs several tasks at a time has so many inputs under way', async () => {
    await using(new WorkerPool(SCRIPT, { maxThreads: 1, concurrentTasksPerWorker: 3 }), async (pool) => {
      const view = cells();
      assert.equal(await pool.forEach('overlap', Array(60).fill(view)), 60);
      assert.deepEqual([view[0], view[1]], [0, 3]);
    });
    const view = cells();
    await script.forEach('overlap', Array(10).fill(view));
    assert.ok(view[1] <= 2, 'one for each worker');
  });

  test('a worker that ends: the error says among which inputs', async () => {
    await using(new WorkerPool(SCRIPT, 1), async (pool) => {
      const error = await failure(pool.forEach('exits', [1]));
      assert.deepEqual([error.index, error.cause.code], [0, 'ERR_RW_WORKER_EXITED']);
      const chunk = await failure(pool.forEach('exits', Array.from({ length: 80 }, (_, i) => i)));
      assert.match(chunk.message, /^one of the inputs \d+ to \d+ failed: /);
    });
  });

  test('names that both have are decided when the script is loaded; a function that is not there is told', async () => {
    const late = 'data:text/javascript,await new Promise((go) => setTimeout(go, 20)); export const echo = (x) => { if (x === 9) throw new Error("no nine"); };';
    await using(new WorkerPool(late, 1), async (pool) => {
      assert.equal(await inTime(pool.forEach('echo', [1, 2, 3]), 'the script’s'), 3);
      const error = await failure(pool.forEach('echo', [1, 2, 3, 9]));
      assert.deepEqual([error.index, error.cause.message], [3, 'no nine']);
      assert.equal(await pool.forEach('native:echo', [1, 2, 3]), 3);
      assert.equal(await pool.forEach('noop', [1, 2, 3]), 3);
      assert.equal((await failure(pool.forEach('nothing', [1]))).code, 'ERR_RW_UNKNOWN_TASK');
      assert.equal((await failure(pool.reduce('fibonacci', [1, 2]))).code, 'ERR_RW_INVALID_ARG_VALUE');
    });
    await using(new WorkerPool(late, 1), async (pool) => {
      assert.equal((await failure(pool.reduce('fibonacci', [1, 2]))).cause.code, 'ERR_RW_INVALID_ARG_VALUE');
    });
    await using(new WorkerPool('data:text/javascript,throw new Error("own")', 1), async (pool) => {
      pool.on('error', () => {});
      assert.equal((await failure(pool.forEach('any', [1, 2]))).code, 'ERR_RW_SCRIPT_LOAD');
      assert.equal((await failure(pool.stream('any', [1, 2]).next())).code, 'ERR_RW_SCRIPT_LOAD');
    });
  });

  test('results are not sent: what cannot be cloned is no error', async () => {
    const odd = 'data:text/javascript,export const odd = (x) => () => x;';
    await using(new WorkerPool(odd, 1), async (pool) => {
      await assert.rejects(pool.run('odd', 1));
      assert.equal(await pool.forEach('odd', [1, 2]), 2);
    });
  });
});

describe('reduce', () => {
  const numbers = Array.from({ length: 1000 }, (_, i) => (i * 7) % 13);
  const texts = numbers.map(String);

  for (const associative of [false, true]) {
    test(`as Array.prototype.reduce has it, associative: ${associative}`, async () => {
      for (const count of [1, 2, 3, 4, 5, 17, 1000]) {
        const values = texts.slice(0, count);
        const options = { associative };
        const join = (text, value) => `${text},${value}`;
        assert.equal(await script.reduce('join', values, undefined, options), values.reduce(join));
        assert.equal(await script.reduce('join', values, 'begin', options), values.reduce(join, 'begin'));
        for (const task of ['add', 'addLater']) {
          const sum = numbers.slice(0, count).reduce((a, b) => a + b, 5);
          assert.equal(await script.reduce(task, numbers.slice(0, count), 5, options), sum);
        }
      }
    });

    for (const kind of kinds) {
      test(`${kind}, associative: ${associative}`, async () => {
        const { source } = sourceOf(kind, texts.slice(0, 30));
        assert.equal(await script.reduce('join', source, undefined, { associative }), texts.slice(0, 30).join());
        const own = new Error('own');
        assert.equal(await failure(script.reduce('join', sourceOf(kind, texts.slice(0, 3), { fails: own }).source)), own);
      });
    }

    test(`a value that fails is named, associative: ${associative}`, async () => {
      for (const at of [1, 3, 9]) {
        const values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        values[at] = 'fail';
        const error = await failure(script.reduce('addUntil', values, 0, { associative }));
        assert.ok(error instanceof InputFailedError);
        assert.deepEqual([error.index, error.cause.code], [associative && at === 6 ? 6 : at, 'E_OWN']);
      }
    });
  }

  test('a failure while the parts are combined names the values of the part', async () => {
    const odd = "data:text/javascript,export const odd = (a, b) => { if (a === 'x' || b === 'x') throw new Error('no x'); return 'x'; };";
    await using(new WorkerPool(odd, 2), async (pool) => {
      const error = await failure(pool.reduce('odd', [1, 2, 3, 4], undefined, { associative: true }));
      assert.match(error.message, /^one of the inputs 2 to 3 failed: no x$/);
    });
  });

  test('one crossing; with associative one for each worker, and one more', async () => {
    await using(new WorkerPool(SCRIPT, 2), async (pool) => {
      await pool.reduce('add', numbers, 0);
      assert.equal(pool.stats().completed, 1);
      await pool.reduce('add', numbers, 0, { associative: true });
      assert.equal(pool.stats().completed, 4);
      assert.deepEqual(await pool.reduce('indexes', ['a', 'b', 'c'], []), [0, 1, 2]);
      assert.deepEqual(await pool.reduce('indexes', [[], 'b', 'c']), [1, 2]);
    });
  });

  test('nothing to reduce: the initial value, or an error that says so', async () => {
    assert.equal(await script.reduce('add', [], 5), 5);
    const error = await failure(script.reduce('add', []));
    assert.equal(error.code, 'ERR_RW_INVALID_ARG_VALUE');
    assert.match(error.message, /initial value/);
  });

  test('a native task says what to do instead', async () => {
    const error = await failure(native.reduce('fibonacci', [1, 2]));
    assert.equal(error.code, 'ERR_RW_INVALID_ARG_VALUE');
    assert.match(error.message, /Run map/);
    assert.equal((await failure(script.reduce('native:sha256', ['a']))).code, 'ERR_RW_INVALID_ARG_VALUE');
  });

  test('abort stops the worker’s loop; options that do not fit are refused', async () => {
    await using(new WorkerPool(SCRIPT, { maxThreads: 1, killTimeout: Infinity }), async (pool) => {
      const stop = new AbortController();
      const { task, open } = await holdWorker(pool);
      const error = failure(pool.reduce('addLater', Array(1_000_000).fill(1), 0, { signal: stop.signal }));
      open();
      await task;
      await until(() => pool.stats().running === 1, 'it runs');
      stop.abort('why');
      assert.equal((await error).cause, 'why');
      assert.equal(await inTime(pool.run('same', 1), 'the worker is free'), 1);
    });
    assert.match((await failure(script.reduce('add', [1], 0, { asociative: true }))).message, /associative/);
    assert.equal((await failure(script.reduce('add', [1], 0, { associative: 1 }))).code, 'ERR_RW_INVALID_ARG_TYPE');
    assert.equal((await failure(script.reduce('add', 5, 0))).code, 'ERR_RW_INVALID_ARG_TYPE');
  });

  test('a closing pool finishes the reduction of an array; destroy() ends it', async () => {
    const own = new WorkerPool(SCRIPT, 2);
    const sum = own.reduce('addLater', Array(5000).fill(1), 0, { associative: true });
    const closing = own.close();
    assert.equal(await inTime(sum, 'the sum'), 5000);
    await inTime(closing, 'the pool closes');
    const other = new WorkerPool(SCRIPT, 1);
    const error = failure(other.reduce('addLater', Array(1_000_000).fill(1), 0));
    await turns(2);
    await other.destroy();
    assert.ok((await error) instanceof PoolClosedError);
    const { pool, blocker } = await busyPool();
    const waiting = failure(pool.forEach('noop', [1, 2]));
    const rejected = assert.rejects(blocker);
    await pool.destroy();
    await rejected;
    assert.ok((await waiting) instanceof PoolClosedError);
  });
});
