'use strict';

// pool.map of a script's function: many small inputs, each of them a task of its own in every respect but its cost.

const assert = require('node:assert/strict');
const { after, describe, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { MapWindow } = require('../../lib/pool/map-window');
const { Gate, script: scriptPath, using } = require('../support/pools');
const { block, inTime, until } = require('../support/until');

const SCRIPT = scriptPath('flow.js');
const pool = new WorkerPool(SCRIPT, 2);
after(() => pool.close());

const fate = (promise) => inTime(promise.then((value) => value, (error) => error), 'the map');
const numbers = (count) => Array.from({ length: count }, (_, i) => i);
const cells = (length) => new Int32Array(new SharedArrayBuffer(4 * length));

/** A number generator that can be repeated. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** Values of every way: straight into the queue, as a wire, as bytes, with memory beside the wire, and by Node's port. */
const ways = [
  (i) => i,
  (i) => `text ${i}`,
  () => undefined,
  () => null,
  (i) => ({ i, list: [i, `${i}`] }),
  (i) => new Uint8Array(3).fill(i),
  (i) => ({ bytes: new Uint8Array(20_000).fill(i) }),
  (i) => new Map([[i, new Date(i)]]),
  (i) => ({ url: new Blob([`${i}`]).size, view: new Int32Array(new SharedArrayBuffer(4)).fill(i) }),
  (i) => 2n ** 70n + BigInt(i),
  (i) => 'x'.repeat(10_000 + i),
];

const sources = {
  array: (values) => values,
  'set of boxes': (values) => new Set(values.map((value) => ({ value }))),
  generator: function* (values) {
    yield* values;
  },
  'async generator': async function* (values) {
    yield* values;
  },
};

for (const options of [{ maxThreads: 2 }, { maxThreads: 1, maxQueue: 1 }, { maxThreads: 2, concurrentTasksPerWorker: 3 }]) {
  describe(`map of a script's function, ${JSON.stringify(options)}`, () => {
    for (const [name, from] of Object.entries(sources)) {
      test(`values of every way, in order: ${name}`, async () => {
        await using(new WorkerPool(SCRIPT, options), async (own) => {
          // On workers that are starting, and on those that run.
          for (let round = 0; round < 2; round++) {
            const values = numbers(330).map((i) => ways[i % ways.length](i));
            const expected = name === 'set of boxes' ? values.map((value) => ({ value })) : values;
            assert.deepEqual(await inTime(own.map('same', from(values)), 'the map'), expected);
          }
        });
      });
    }

    test('as Promise.allSettled of run has it, for random programs', async () => {
      await using(new WorkerPool(SCRIPT, options), async (own) => {
        const next = random(options.maxThreads * 7 + (options.maxQueue ?? 0));
        for (let round = 0; round < 12; round++) {
          const inputs = numbers(1 + next(200)).map((i) => {
            const input = { value: next(3) === 0 ? { i, blob: new SharedArrayBuffer(1) } : i, ms: next(40) === 0 ? 1 : 0, fails: next(9) === 0 };
            return next(50) === 0 ? { ...input, f() {} } : input;
          });
          // What cannot be cloned fails a map over an array at the call.
          const isWhole = inputs.every(({ f }) => f === undefined);
          const source = isWhole ? inputs : sources.generator(inputs);
          const outcomes = await fate(own.map('act', source, { settle: true }));
          const one = (input) => own.run('act', input).catch(async (error) => {
            if (error.code !== 'ERR_RW_QUEUE_FULL') throw error;
            await new Promise((resolve) => own.once('drain', resolve));
            return one(input);
          });
          const expected = [];
          for (const input of inputs) expected.push((await Promise.allSettled([one(input)]))[0]);
          assert.deepEqual(outcomes.map(({ index }) => index), numbers(inputs.length));
          assert.deepEqual(
            outcomes.map(({ status, value, reason }) => [status, value, reason?.name, reason?.message]),
            expected.map(({ status, value, reason }) => [status, value, reason?.name, reason?.message]),
          );
        }
        assert.deepEqual([own.queueSize, own.stats().running], [0, 0]);
      });
    });

    test('each input is a task: it counts, and has its times', async () => {
      await using(new WorkerPool(SCRIPT, options), async (own) => {
        await own.map('same', numbers(3_000));
        await fate(own.map('act', [{ fails: true }], { settle: true }));
        const stats = own.stats();
        assert.deepEqual([stats.submitted, stats.completed, stats.failed], [3_001, 3_000, 1]);
      });
    });
  });
}

test('twenty thousand, as they were at the call', async () => {
  const inputs = numbers(20_000).map((i) => ({ i }));
  const run = pool.map('same', inputs);
  inputs.forEach((input) => (input.i = 'late'));
  assert.deepEqual(await run, numbers(20_000).map((i) => ({ i })));
  assert.deepEqual(await pool.map('same', numbers(20_000)), numbers(20_000));
});

test('an input that fails stops the loops of the others, and what waits does not begin', async () => {
  await using(new WorkerPool(SCRIPT, 2), async (own) => {
    await own.ready;
    const view = cells(2);
    // One loops until it is told to stop; then one fails, and the rest is never begun.
    const failed = fate(own.map('spin', [view, null, ...Array(5_000).fill(view)]));
    assert.ok((await failed) instanceof TypeError);
    await until(() => own.stats().running === 0 && own.queueSize === 0, 'nothing is left');
    assert.equal(view[1], view[0], 'each that had begun was told to stop');
    assert.ok(view[0] <= 2);
    assert.equal(await own.run('same', 1), 1);
    assert.equal(own.workers.length, 2);
  });
});

test('a signal: at the call, in the queue, while it runs, from a getter, and when all is answered', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (own) => {
    await own.ready;
    for (const when of ['before', 'queued', 'running', 'getter', 'answered']) {
      const reason = new Error(when);
      const stop = new AbortController();
      const view = cells(2);
      const gate = new Gate();
      if (when === 'before') stop.abort(reason);
      const blocker = when === 'queued' ? own.run('held', gate.cells) : undefined;
      const getter = { get x() { if (when === 'getter') stop.abort(reason); return view; } };
      const task = when === 'running' ? 'spin' : 'same';
      const inputs = when === 'running' ? Array(600).fill(view) : [1, getter, ...numbers(600)];
      const run = fate(own.map(task, inputs, { signal: stop.signal }));
      if (when === 'running') await until(() => view[0] === 1, 'it loops');
      if (when === 'answered') {
        const before = own.stats().completed;
        // Its first answers wait in the event queue meanwhile.
        block(5);
        await until(() => own.stats().completed > before, 'some are answered');
      }
      if (when !== 'before' && when !== 'getter') stop.abort(reason);
      const outcome = await run;
      if (when === 'answered' && Array.isArray(outcome)) continue;
      assert.deepEqual([outcome.name, outcome.cause], ['AbortError', reason], when);
      gate.open();
      await blocker;
      await until(() => own.stats().running === 0 && own.queueSize === 0, 'nothing is left');
      if (when === 'running') assert.deepEqual([...view], [1, 1]);
      assert.deepEqual(await own.map('same', [1, 2]), [1, 2]);
    }
  });
});

test('a worker that ends: the error names its input, and with `settle` costs no other', async () => {
  for (const at of [0, 7, 900]) {
    await using(new WorkerPool(SCRIPT, 1), async (own) => {
      const inputs = numbers(1_000);
      inputs[at] = 'exit';
      const outcomes = await inTime(own.map('exitsAt', inputs, { settle: true }), 'all');
      const lost = outcomes.filter(({ status }) => status === 'rejected');
      assert.deepEqual(lost.map(({ index, reason }) => [index, reason.code]), [[at, 'ERR_RW_WORKER_EXITED']]);
      const error = await fate(own.map('exitsAt', inputs));
      assert.deepEqual([error.code, error.index], ['ERR_RW_WORKER_EXITED', at]);
    });
  }
});

test('the end of the pool in the middle: close() finishes it, destroy() ends it at once', async () => {
  const closed = new WorkerPool(SCRIPT, 2);
  const whole = closed.map('same', numbers(5_000));
  const closing = closed.close();
  assert.deepEqual(await inTime(whole, 'the map'), numbers(5_000));
  await closing;
  for (let round = 0; round < 10; round++) {
    const own = new WorkerPool(SCRIPT, 2);
    await own.ready;
    const cut = fate(own.map('same', numbers(50_000)));
    const before = own.stats().completed;
    await until(() => own.stats().completed > before + round * 100, 'some are done');
    await own.destroy();
    const outcome = await cut;
    if (!Array.isArray(outcome)) assert.ok(outcome instanceof errors.PoolClosedError, String(outcome));
  }
});

test('inputs of one key: one at a time, in their order', async () => {
  await using(new WorkerPool(SCRIPT, 2), async (own) => {
    const view = cells(2);
    await own.map('overlap', Array(30).fill(view), { key: 'one' });
    assert.equal(view[1], 1);
    assert.deepEqual(await own.map('same', numbers(2_000), { key: 'one', priority: 3 }), numbers(2_000));
  });
});

test('a function that is not there is told, before and after the script is known', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (own) => {
    for (let round = 0; round < 2; round++) {
      const error = await fate(own.map('nosuch', numbers(100)));
      assert.equal(error.code, 'ERR_RW_UNKNOWN_TASK');
      const outcomes = await own.map('nosuch', numbers(30), { settle: true });
      assert.ok(outcomes.every(({ status }, i) => status === 'rejected' && outcomes[i].index === i));
      await own.ready;
    }
  });
});

test('twenty thousand that all fail, with `settle`: no stack is used up', async () => {
  const outcomes = await pool.map('act', Array(20_000).fill({ fails: true }), { settle: true });
  assert.ok(outcomes.every(({ reason }, i) => reason.code === 'E_OWN' && outcomes[i].index === i));
});

test('inputs that take long: few wait in the queue, so that others who submit need not', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (own) => {
    await own.ready;
    const view = cells(1);
    const run = own.map('busy', Array(60).fill(view));
    const order = [];
    run.then(() => order.push('map'));
    await until(() => view[0] >= 10, 'it is under way');
    assert.ok(own.queueSize <= 4, `${own.queueSize} wait`);
    await own.run('same', 1).then(() => order.push('other'));
    await run;
    assert.deepEqual(order, ['other', 'map']);
  });
});

test('the pool is resized while the source is opened, and in the middle', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (own) => {
    const source = {
      [Symbol.iterator]() {
        own.resize({ maxThreads: 2 });
        return numbers(50)[Symbol.iterator]();
      },
    };
    assert.deepEqual(await fate(own.map('same', source)), numbers(50));
    const run = own.map('same', numbers(20_000));
    own.resize({ maxThreads: 1 });
    assert.equal((await run).length, 20_000);
  });
});

describe('how many are under way', () => {
  const through = (window, ms) => {
    const { size } = window;
    for (let i = 1; i < size; i++) window.answered();
    block(ms);
    window.answered();
  };

  test('more while they are quick, fewer when they are slow, never fewer than keep the threads busy', () => {
    const window = new MapWindow(2, Infinity, true);
    assert.equal(window.size, 8);
    for (let tries = 0; window.size < 4096 && tries < 1_000; tries++) through(window, 0);
    assert.equal(window.size, 4096);
    while (window.size > 8) {
      const { size } = window;
      through(window, 12);
      assert.equal(window.size, Math.max(8, size / 2));
    }
    through(window, 12);
    assert.equal(window.size, 8);
  });

  test('never more than the queue takes; and as few as at first for a source that is read as it is worked off', () => {
    for (const [threads, maxQueue, grows, first, most] of [
      [2, 0, true, 2, 2], [2, 3, true, 5, 5], [1, 50, true, 4, 51], [3, Infinity, false, 12, 12],
    ]) {
      const window = new MapWindow(threads, maxQueue, grows);
      assert.equal(window.size, first);
      for (let tries = 0; tries < 200; tries++) through(window, 0);
      assert.ok(window.size <= most, `${window.size}`);
    }
  });

  test('once there are many, half of them go at a time', () => {
    const window = new MapWindow(1, Infinity, true);
    for (let tries = 0; window.size < 4096 && tries < 1_000; tries++) through(window, 0);
    assert.equal(window.hasRoom(4095), true);
    assert.equal(window.hasRoom(4096), false);
    assert.equal(window.hasRoom(2049), false);
    assert.equal(window.hasRoom(2048), true);
    assert.equal(window.hasRoom(2049), true);
  });
});
