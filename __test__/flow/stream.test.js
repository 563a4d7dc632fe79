'use strict';

// pool.stream: over every kind of source, by native tasks and by functions of a script.

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { after, describe, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { Gate, busyPool, script: scriptPath, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');
const { kinds, sourceOf } = require('./sources');

const { InputFailedError, PoolClosedError } = errors;

const native = new WorkerPool({ maxThreads: 2 });
const script = new WorkerPool(scriptPath('flow.js'), 2);
after(() => Promise.all([native.close(), script.close()]));

/** What a stream gives: its outputs, and the error that it ends with. */
async function drained(stream) {
  const outputs = [];
  try {
    for await (const output of stream) outputs.push(output);
    return { outputs };
  } catch (error) {
    return { outputs, error };
  }
}
const drain = (stream) => inTime(drained(stream), 'the stream ends');

/** An input of each variant; a native one fails as the codec takes it and the task does not. */
const VARIANTS = [
  {
    name: 'a native task',
    pool: native,
    task: 'fibonacci',
    input: ({ value, fails }) => (fails ? -1 : value),
    output: (value) => [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181][value % 20],
    code: 'ERR_RW_OUT_OF_RANGE',
    wait: 'sleep',
    open: () => new WorkerPool({ maxThreads: 2 }),
  },
  {
    name: "a script's function",
    pool: script,
    task: 'act',
    input: (given) => given,
    output: (value) => value,
    code: 'E_OWN',
    wait: 'held',
    open: () => new WorkerPool(scriptPath('flow.js'), 2),
  },
];

const plain = (count) => Array.from({ length: count }, (_, i) => ({ value: i % 20 }));

for (const { name, pool, task, input, output, code, open } of VARIANTS) {
  const expected = (count) => Array.from({ length: count }, (_, i) => output(i % 20));

  describe(name, () => {
    for (const kind of kinds) {
      test(`${kind}: outputs in order, none for none, and the source is not closed when it has ended`, async () => {
        for (const count of [0, 1, 2, 25]) {
          const { source, seen } = sourceOf(kind, plain(count).map(input));
          assert.deepEqual(await drain(pool.stream(task, source)), { outputs: expected(count) });
          assert.deepEqual(seen, { read: count, closed: 0 });
        }
      });

      test(`${kind}: leaving the loop closes the source, once`, async () => {
        const { source, seen } = sourceOf(kind, plain(25).map(input));
        for await (const value of pool.stream(task, source, { concurrency: 2 })) {
          assert.equal(value, output(0));
          break;
        }
        await until(() => seen.closed > 0, 'the source is closed');
        await turns(2);
        assert.equal(seen.closed, 1);
      });

      test(`${kind}: an input that fails ends the stream after those before it, names itself, and closes the source`, async () => {
        const inputs = plain(40).map((given, i) => input({ ...given, fails: i === 7 || i === 9 }));
        const { source, seen } = sourceOf(kind, inputs);
        const { outputs, error } = await drain(pool.stream(task, source, { concurrency: 4 }));
        assert.deepEqual(outputs, expected(7));
        assert.ok(error instanceof InputFailedError);
        assert.deepEqual([error.code, error.index, error.task, error.cause.code], ['ERR_RW_INPUT_FAILED', 7, task, code]);
        assert.equal(error.message, `input 7 failed: ${error.cause.message}`);
        await until(() => seen.closed > 0, 'the source is closed');
        assert.equal(seen.closed, 1);
      });

      test(`${kind}: an error of the source comes after the outputs of what it gave, as it is`, async () => {
        const own = new Error('own');
        const { source, seen } = sourceOf(kind, plain(5).map(input), { fails: own });
        const { outputs, error } = await drain(pool.stream(task, source));
        assert.deepEqual(outputs, expected(5));
        assert.equal(error, own);
        assert.equal(seen.closed, 0);
      });

      test(`${kind}: it is read no further than concurrency and highWaterMark allow`, async () => {
        const { source, seen } = sourceOf(kind, plain(60).map(input));
        const stream = pool.stream(task, source, { concurrency: 3, highWaterMark: 2 });
        await turns(5);
        assert.equal(seen.read, 0, 'nothing before the first output is asked for');
        for (let taken = 1; taken <= 20; taken++) {
          assert.deepEqual(await stream.next(), { done: false, value: output((taken - 1) % 20) });
          // Where the consumer is slow it goes on as far as it may.
          if (taken % 5 === 0) await until(() => seen.read >= taken + 5, 'it is read ahead');
          await turns(2);
          // A Readable holds one more itself.
          assert.ok(seen.read <= taken + 5 + (kind === 'Readable' ? 2 : 0), `${seen.read} read, ${taken} taken`);
        }
        await stream.return();
      });
    }

    for (const kind of kinds.filter((one) => !['iterable', 'generator'].includes(one))) {
      test(`${kind} that has gone quiet: abort, return() and destroy() end it at once, and close it`, async () => {
        const reason = new Error('enough');
        const begin = async (from, options) => {
          const { source, seen } = sourceOf(kind, plain(2).map(input), { quiet: true });
          const stream = from.stream(task, source, options);
          await stream.next();
          await stream.next();
          return { stream, seen, last: drain(stream) };
        };
        const stop = new AbortController();
        const aborted = await begin(pool, { signal: stop.signal });
        stop.abort(reason);
        const { error } = await aborted.last;
        assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ERR_RW_TASK_CANCELLED', reason]);
        await until(() => aborted.seen.closed === 1, 'closed after abort');

        const returned = await begin(pool);
        assert.deepEqual(await inTime(returned.stream.return(5), 'return()'), { done: true, value: 5 });
        assert.deepEqual(await returned.last, { outputs: [] });
        await until(() => returned.seen.closed === 1, 'closed after return');

        const own = open();
        const destroyed = await begin(own);
        await own.destroy();
        assert.ok((await destroyed.last).error instanceof PoolClosedError);
        await until(() => destroyed.seen.closed === 1, 'closed after destroy');
      });
    }

    test('settle: an outcome for each, in order and as they come', async () => {
      const inputs = plain(12).map((given, i) => input({ ...given, fails: i % 3 === 1 }));
      for (const ordered of [true, false]) {
        const { outputs, error } = await drain(pool.stream(task, inputs, { settle: true, ordered, concurrency: 5 }));
        assert.equal(error, undefined);
        const indexes = outputs.map(({ index }) => index);
        if (ordered) assert.deepEqual(indexes, Array.from({ length: 12 }, (_, i) => i));
        assert.deepEqual(new Set(indexes).size, 12);
        for (const { index, ...outcome } of outputs) {
          if (index % 3 === 1) assert.deepEqual([outcome.status, outcome.reason.code], ['rejected', code]);
          else assert.deepEqual(outcome, { status: 'fulfilled', value: output(index) });
        }
      }
    });

    test('map with settle: an outcome for each; without, an error of ours names its input', async () => {
      const inputs = plain(12).map((given, i) => input({ ...given, fails: i % 3 === 1 }));
      for (const source of [inputs, new Set(inputs.map((one) => one)), sourceOf('async iterable', inputs).source]) {
        const given = source instanceof Set ? [...source] : inputs;
        const outcomes = await pool.map(task, source, { settle: true });
        assert.equal(outcomes.length, given.length);
        outcomes.forEach(({ status, index }, i) => {
          assert.equal(index, i);
          assert.equal(status, given[i] === inputs[1] || given[i].fails ? 'rejected' : 'fulfilled');
        });
      }
      assert.deepEqual(await pool.map(task, [], { settle: true }), []);
      await assert.rejects(pool.map(task, inputs, { settle: 1 }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      // One that fails: of several it is whichever is found first.
      inputs.splice(3);
      const error = await pool.map(task, inputs).catch((reason) => reason);
      assert.equal(error.code, code);
      if (code.startsWith('ERR_RW')) assert.equal(error.index, 1);
      else assert.ok(!('index' in error), "an error of the script's own stays as it is");
      const late = await pool.map(task, sourceOf('async iterable', inputs).source).catch((reason) => reason);
      assert.equal(late.index, code.startsWith('ERR_RW') ? 1 : undefined);
    });

    test('a closing pool gives what was read, then fails; the source is closed', async () => {
      for (const kind of kinds) {
        const own = open();
        const { source, seen } = sourceOf(kind, plain(60).map(input));
        const stream = own.stream(task, source, { concurrency: 3, highWaterMark: 0 });
        assert.deepEqual(await stream.next(), { done: false, value: output(0) });
        const closing = own.close();
        const { read } = seen;
        const { outputs, error } = await drain(stream);
        assert.ok(error instanceof PoolClosedError, `${kind}: ${error}`);
        // A Readable has read one more itself.
        assert.ok(outputs.length >= read - 2 && outputs.length <= read - 1, `${kind}: ${outputs.length} of ${read}`);
        assert.deepEqual(outputs, expected(60).slice(1, outputs.length + 1));
        await until(() => seen.closed === 1, `${kind} is closed`);
        await inTime(closing, 'the pool closes');
        assert.ok((await drain(own.stream(task, [1]))).error instanceof PoolClosedError);
      }
    });

    test('a pool that closes once the source has ended fails nothing', async () => {
      const own = open();
      const stream = own.stream(task, plain(3).map(input));
      const first = await stream.next();
      assert.equal(first.value, output(0));
      const closing = own.close();
      assert.deepEqual(await drain(stream), { outputs: [output(1), output(2)] });
      await inTime(closing, 'the pool closes');
    });

    test('what asks before there is anything gets its outputs in order, and the end', async () => {
      const stream = pool.stream(task, plain(3).map(input));
      const asked = Array.from({ length: 5 }, () => stream.next());
      assert.deepEqual(await inTime(Promise.all(asked), 'all'), [
        ...[0, 1, 2].map((i) => ({ done: false, value: output(i) })),
        { done: true, value: undefined },
        { done: true, value: undefined },
      ]);
      const failing = pool.stream(task, [input({ fails: true, value: 1 })]);
      const [first, second] = await Promise.allSettled([failing.next(), failing.next()]);
      assert.equal(first.reason.index, 0);
      assert.deepEqual(second.value, { done: true, value: undefined });
    });

    test('a queue that is full makes the stream wait, and loses nothing', async () => {
      await using(pool === native ? new WorkerPool({ maxThreads: 1, maxQueue: 1 }) : new WorkerPool(scriptPath('flow.js'), { maxThreads: 1, maxQueue: 1 }), async (own) => {
        const results = await inTime(
          Promise.all([
            drain(own.stream(task, plain(30).map(input), { concurrency: 8 })),
            drain(own.stream(task, plain(30).map(input), { concurrency: 8, ordered: false })),
            own.map(task, sourceOf('async iterable', plain(30).map(input)).source),
          ]),
          'all end',
        );
        assert.deepEqual(results[0], { outputs: expected(30) });
        assert.deepEqual(results[1].outputs.sort((a, b) => a - b), expected(30).sort((a, b) => a - b));
        assert.deepEqual(results[2], expected(30));
      });
    });

    test('what is no option, no source or no task is refused at the call', () => {
      assert.throws(() => pool.stream(task, [], { concurency: 2 }), /concurrency/);
      for (const concurrency of [0, -1, 1.5, NaN]) {
        assert.throws(() => pool.stream(task, [], { concurrency }), { code: 'ERR_RW_OUT_OF_RANGE' });
      }
      assert.throws(() => pool.stream(task, [], { concurrency: '2' }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      assert.throws(() => pool.stream(task, [], { ordered: 1 }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      assert.throws(() => pool.stream(task, [], { settle: 'yes' }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      assert.throws(() => pool.stream(task, [], { highWaterMark: -1 }), { code: 'ERR_RW_OUT_OF_RANGE' });
      assert.throws(() => pool.stream(task, [], { signal: {} }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      assert.throws(() => pool.stream(task, 'text'), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      assert.throws(() => pool.stream(task), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      assert.throws(() => pool.stream(5, []), { code: 'ERR_RW_UNKNOWN_TASK' });
    });

    for (const where of ['open', 'next getter', 'next', 'no object', 'done', 'value']) {
      test(`a source that throws: ${where}`, async () => {
        const own = new Error('own');
        const source = {
          [Symbol.iterator]() {
            if (where === 'open') throw own;
            return {
              get next() {
                if (where === 'next getter') throw own;
                return () => {
                  if (where === 'next') throw own;
                  if (where === 'no object') return 5;
                  if (where === 'done') return { get done() { throw own; } };
                  return { done: false, get value() { throw own; } };
                };
              },
            };
          },
        };
        const { outputs, error } = await drain(pool.stream(task, source));
        assert.deepEqual(outputs, []);
        if (where === 'no object') assert.ok(error instanceof TypeError);
        else assert.equal(error, own);
      });
    }

    test('a source that ends the stream while it is opened, asked and read', async () => {
      for (const where of ['open', 'next', 'value']) {
        let stream;
        let closed = 0;
        const source = {
          [Symbol.iterator]() {
            if (where === 'open') stream.return();
            return {
              next() {
                if (where === 'next') stream.return();
                return {
                  done: false,
                  get value() {
                    stream.return();
                    return input({ value: 1 });
                  },
                };
              },
              return() {
                closed++;
                return {};
              },
            };
          },
        };
        stream = pool.stream(task, source);
        assert.deepEqual(await drain(stream), { outputs: [] });
        assert.equal(closed, 1, where);
      }
    });

    test('a source that asks the stream for more while it is asked', async () => {
      let stream;
      const asked = [];
      function* source() {
        for (let i = 0; i < 6; i++) {
          if (i % 2 === 0) asked.push(stream.next());
          yield input({ value: i });
        }
      }
      stream = pool.stream(task, source());
      const { outputs } = await drain(stream);
      const all = [...(await Promise.all(asked)).map(({ value }) => value), ...outputs].filter((one) => one !== undefined);
      assert.deepEqual(all.sort((a, b) => a - b), expected(6).sort((a, b) => a - b));
    });

    test('a signal that has aborted: nothing is read; a stream is closed, an iterable was never opened', async () => {
      for (const kind of kinds) {
        const { source, seen } = sourceOf(kind, plain(3).map(input));
        const { outputs, error } = await drain(pool.stream(task, source, { signal: AbortSignal.abort('why') }));
        assert.deepEqual([outputs, error.name, error.cause, seen.read], [[], 'AbortError', 'why', 0]);
        const isStream = kind.startsWith('Readable');
        if (isStream) await until(() => seen.closed === 1, 'the stream is closed');
        else assert.equal(seen.closed, 0);
      }
    });

    test('an abort drops what nobody has taken, and the next who asks learns of it', async () => {
      const stop = new AbortController();
      const { source, seen } = sourceOf('generator', plain(20).map(input));
      const stream = pool.stream(task, source, { signal: stop.signal, concurrency: 2 });
      assert.equal((await stream.next()).value, output(0));
      await until(() => seen.read >= 4, 'some are there');
      stop.abort();
      assert.equal(seen.closed, 1);
      await assert.rejects(stream.next(), { name: 'AbortError' });
      assert.deepEqual(await stream.next(), { done: true, value: undefined });
    });

    test('a signal that throws when it is asked or listened to ends the stream with that', async () => {
      const own = new Error('own');
      const odd = (where) => ({
        get aborted() {
          if (where === 'aborted') throw own;
          return false;
        },
        addEventListener() {
          if (where === 'listen') throw own;
        },
        removeEventListener() {},
      });
      for (const where of ['aborted', 'listen']) {
        const { source, seen } = sourceOf('ReadableStream', plain(3).map(input));
        assert.equal((await drain(pool.stream(task, source, { signal: odd(where) }))).error, own);
        await until(() => seen.closed === 1, 'closed');
      }
    });

    test('throw() rejects with what it is given, and ends the stream', async () => {
      const own = new Error('own');
      const { source, seen } = sourceOf('generator', plain(9).map(input));
      const stream = pool.stream(task, source, { concurrency: 2 });
      await stream.next();
      await assert.rejects(stream.throw(own), own);
      assert.equal(seen.closed, 1);
      assert.deepEqual(await stream.next(), { done: true, value: undefined });
    });

    test('`await using` and a stream as the source of another', async () => {
      const { source, seen } = sourceOf('ReadableStream', plain(9).map(input));
      const stream = pool.stream(task, source);
      await stream.next();
      await stream[Symbol.asyncDispose]();
      await until(() => seen.closed === 1, 'closed');
      const inner = native.stream('fibonacci', [1, 2, 3, 4, 5, 6]);
      const outer = native.stream('echo', inner, { concurrency: 2 });
      assert.deepEqual((await drain(outer)).outputs, [1, 1, 2, 3, 5, 8]);
      const all = await Readable.from(pool.stream(task, plain(5).map(input))).toArray();
      assert.deepEqual(all, expected(5));
    });
  });
}

describe('random programs', () => {
  /** A small generator of numbers (mulberry32), so that a failure can be repeated by its seed. */
  const randomOf = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };

  for (const { name, pool, task, input, output } of VARIANTS) {
    test(`${name}: as Readable.map has it, whatever the source and the consumer`, async () => {
      for (let seed = 1; seed <= 150; seed++) {
        const random = randomOf(seed);
        const below = (limit) => Math.floor(random() * limit);
        const count = below(24);
        const failures = random() < 0.5 ? 0 : 0.15;
        const given = Array.from({ length: count }, (_, i) => ({ value: i % 20, ms: random() < 0.3 ? below(4) : 0, fails: random() < failures }));
        const kind = kinds[below(kinds.length)];
        const options = { concurrency: 1 + below(5), highWaterMark: below(4), ordered: random() < 0.6, settle: random() < 0.3 };
        const leavesAfter = random() < 0.3 ? below(count + 1) : Infinity;
        const { source, seen } = sourceOf(kind, given.map(input));
        const what = `seed ${seed}: ${kind} of ${count}, ${JSON.stringify({ ...options, leavesAfter })}`;

        const stream = pool.stream(task, source, options);
        const outputs = [];
        let failure;
        const consume = async () => {
          if (leavesAfter === 0) return stream.return();
          for await (const value of stream) {
            outputs.push(value);
            const bound = outputs.length + options.concurrency + options.highWaterMark + (kind === 'Readable' ? 2 : 0);
            assert.ok(seen.read <= bound, `${what}: ${seen.read} read, ${outputs.length} taken`);
            if (outputs.length >= leavesAfter) break;
            if (below(3) === 0) await turns(below(3));
          }
        };
        await inTime(consume().catch((error) => (failure = error)), what);
        if (failure !== undefined && !(failure instanceof InputFailedError)) throw failure;

        // The oracle runs the same with the same failures.
        const wanted = [];
        let oracleFailedAt;
        const mapped = Readable.from(given.map((one, index) => ({ one, index }))).map(
          async ({ one, index }) => {
            if (one.fails && !options.settle) throw Object.assign(new Error('oracle'), { index });
            return options.settle ? { status: one.fails ? 'rejected' : 'fulfilled', index } : output(one.value);
          },
          { concurrency: options.concurrency },
        );
        try {
          for await (const value of mapped) wanted.push(value);
        } catch (error) {
          oracleFailedAt = error.index;
        }
        const shown = (value) => (options.settle ? { status: value.status, index: value.index } : value);
        if (options.ordered) {
          assert.deepEqual(outputs.map(shown), wanted.slice(0, leavesAfter), what);
          if (leavesAfter > wanted.length) assert.equal(failure?.index, oracleFailedAt, what);
        } else if (oracleFailedAt === undefined) {
          const key = (value) => (options.settle ? value.index : value);
          const sorted = outputs.map(key).sort((a, b) => a - b);
          const all = wanted.map(key).sort((a, b) => a - b);
          if (leavesAfter >= count) assert.deepEqual(sorted, all, what);
          else assert.equal(outputs.length, leavesAfter, what);
        } else if (failure !== undefined) {
          assert.ok(given[failure.index].fails, what);
        }
        const endedEarly = failure !== undefined || (leavesAfter <= count && leavesAfter > 0 && outputs.length === leavesAfter);
        if (endedEarly) await until(() => seen.closed === 1 || seen.read === count, `${what}: closed`);
        else if (leavesAfter > 0) assert.equal(seen.closed, 0, what);
        assert.ok(seen.closed <= 1, what);
      }
    });
  }
});

describe('what is under way', () => {
  test('concurrency bounds it, and return() cancels it: native', async () => {
    await using(new WorkerPool({ maxThreads: 4 }), async (pool) => {
      const stream = pool.stream('sleep', Array(10).fill(60_000), { concurrency: 3 });
      const asked = stream.next();
      await until(() => pool.stats().running === 3, 'three run');
      await turns(3);
      const { running, queueSize } = pool.stats();
      assert.deepEqual([running, queueSize], [3, 0]);
      await stream.return();
      assert.deepEqual(await asked, { done: true, value: undefined });
      await until(() => pool.stats().running === 0, 'none runs');
      assert.equal(pool.stats().cancelled, 3);
    });
  });

  test("concurrency bounds it, and return() cancels it: a script's loop stops", async () => {
    await using(new WorkerPool(scriptPath('flow.js'), 2), async (pool) => {
      const view = new Int32Array(new SharedArrayBuffer(8));
      const stream = pool.stream('spin', Array(10).fill(view), { concurrency: 2 });
      const asked = stream.next();
      await until(() => Atomics.load(view, 0) === 2, 'two run');
      await stream.return();
      assert.deepEqual(await asked, { done: true, value: undefined });
      await until(() => Atomics.load(view, 1) === 2, 'both stop');
      assert.equal(Atomics.load(view, 0), 2);
    });
  });

  test('a failure cancels what is behind it, and lets what is before it finish', async () => {
    await using(new WorkerPool({ maxThreads: 3 }), async (pool) => {
      const stream = pool.stream('sleep', [30, -1, 60_000, 60_000], { concurrency: 3 });
      const { outputs, error } = await drain(stream);
      assert.deepEqual([outputs.length, error.index], [1, 1]);
      await until(() => pool.stats().running === 0, 'the third is cancelled');
      assert.equal(pool.stats().cancelled, 1);
    });
    await using(new WorkerPool(scriptPath('flow.js'), 3), async (pool) => {
      const gate = new Gate();
      const inputs = [{ value: 1, ms: 30 }, { fails: true, value: 2 }, { value: 3, ms: 60_000 }];
      const { outputs, error } = await drain(pool.stream('act', inputs, { concurrency: 3 }));
      assert.deepEqual([outputs, error.index, error.cause.value], [[1], 1, 2]);
      gate.open();
    });
  });

  test('the lowest input that fails is the one, though another fails first', async () => {
    const inputs = [{ value: 0, ms: 40, fails: true }, { value: 1, fails: true }];
    assert.equal((await drain(script.stream('act', inputs, { concurrency: 2 }))).error.index, 0);
    assert.equal((await drain(script.stream('act', inputs, { concurrency: 2, ordered: false }))).error.index, 1);
  });

  test('in the order of their ends: a slow input delays no other', async () => {
    // A pool of its own: memory that is shared goes to one worker at once, which must have nothing else to do.
    await using(new WorkerPool(scriptPath('flow.js'), 2), async (pool) => {
      const [slow, quick] = [new Gate(), new Gate()];
      quick.open();
      const stream = pool.stream('held', [slow.cells, quick.cells], { ordered: false, settle: true });
      try {
        assert.equal((await inTime(stream.next(), 'the quick one')).value.index, 1);
      } finally {
        slow.open();
      }
      assert.equal((await inTime(stream.next(), 'the slow one')).value.index, 0);
      assert.equal((await stream.next()).done, true);
    });
  });

  test('a time limit counts for each task, and is its outcome', async () => {
    const { outputs } = await drain(native.stream('sleep', [0, 60_000, 0], { settle: true, timeout: 40 }));
    assert.deepEqual(outputs.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
    assert.equal(outputs[1].reason.code, 'ERR_RW_TASK_TIMEOUT');
    const { error } = await drain(script.stream('act', [{ value: 1, ms: 60_000 }], { timeout: 20 }));
    assert.deepEqual([error.index, error.cause.name], [0, 'TimeoutError']);
  });

  test('primitives and odd values that a script throws are the cause', async () => {
    const { error } = await drain(script.stream('throwsText', [1]));
    assert.deepEqual([error.cause, error.message], ['a text', 'input 0 failed: a text']);
  });

  test('inputs are transferred: a list, all, what a function says; and its error is that input', async () => {
    const buffers = () => Array.from({ length: 4 }, () => new ArrayBuffer(8));
    const listed = buffers();
    assert.deepEqual((await drain(script.stream('bytes', listed, { transfer: listed }))).outputs, [8, 8, 8, 8]);
    assert.ok(listed.every((buffer) => buffer.byteLength === 0));
    const all = buffers();
    assert.deepEqual((await drain(script.stream('bytes', all, { transfer: 'auto' }))).outputs, [8, 8, 8, 8]);
    assert.ok(all.every((buffer) => buffer.byteLength === 0));
    for (const [pool, task] of [[script, 'bytes'], [native, 'crc32']]) {
      const views = buffers().map((buffer) => new Uint8Array(buffer));
      const { outputs } = await drain(pool.stream(task, views, { transfer: (view) => [view.buffer] }));
      assert.equal(outputs.length, 4);
      assert.ok(views.every((view) => view.length === 0));
      const own = new Error('own');
      const { error } = await drain(pool.stream(task, buffers(), { transfer() { throw own; } }));
      assert.deepEqual([error.index, error.cause], [0, own]);
      const wrong = await drain(pool.stream(task, buffers(), { transfer: () => 5 }));
      assert.deepEqual([wrong.error.index, wrong.error.cause.code], [0, 'ERR_RW_INVALID_ARG_TYPE']);
    }
  });

  test('destroy() while a queue is full and inputs wait', async () => {
    const { pool, blocker } = await busyPool({ maxQueue: 1 });
    const stream = pool.stream('fibonacci', plain(9).map(({ value }) => value), { concurrency: 5 });
    const asked = stream.next();
    await turns(2);
    const rejected = Promise.all([assert.rejects(asked, PoolClosedError), assert.rejects(blocker, PoolClosedError)]);
    await pool.destroy();
    await inTime(rejected, 'both reject');
  });

  test('several tasks of a worker at a time', async () => {
    await using(new WorkerPool(scriptPath('flow.js'), { maxThreads: 1, concurrentTasksPerWorker: 4 }), async (pool) => {
      const { outputs } = await drain(pool.stream('act', plain(40)));
      assert.deepEqual(outputs, plain(40).map(({ value }) => value));
    });
  });
});
