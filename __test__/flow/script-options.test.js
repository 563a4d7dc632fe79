'use strict';

// Options that a script's tasks have, in the calls that take many inputs: a file, a worker, and who is told.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { after, describe, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { script: scriptPath, using } = require('../support/pools');
const { inTime } = require('../support/until');
const { sourceOf } = require('./sources');

const SCRIPT = scriptPath('flow.js');
const OTHER = scriptPath('mapping.js');
const pool = new WorkerPool(OTHER, 2);
after(() => pool.close());

const failure = (promise) => inTime(promise.then((value) => assert.fail(`gave ${value}`), (error) => error), 'it rejects');
const numbers = (count) => Array.from({ length: count }, (_, i) => i);

/** The calls, by how a function that prints its input is called for each. */
const CALLS = {
  forEach: (own, source, options) => own.forEach('says', source, options),
  reduce: (own, source, options) => own.reduce('saysAndAdds', source, 0, options),
  'reduce, associative': (own, source, options) => own.reduce('saysAndAdds', source, 0, { ...options, associative: true }),
};
const COUNT = 40;

for (const [name, call] of Object.entries(CALLS)) {
  describe(name, () => {
    for (const kind of ['array', 'async iterable']) {
      const from = () => (kind === 'array' ? numbers(COUNT) : sourceOf(kind, numbers(COUNT)).source);

      test(`${kind}: a function of another file, on one worker, what it prints to the caller`, async () => {
        await using(new WorkerPool(OTHER, 2), async (own) => {
          await own.ready;
          for (const { id } of own.workers) {
            const told = [];
            const result = await call(own, from(), { filename: SCRIPT, worker: id, onOutput: (chunk, stream) => told.push([chunk, stream]) });
            assert.equal(result, name === 'forEach' ? COUNT : (COUNT * (COUNT - 1)) / 2);
            const lines = told.map(([chunk]) => chunk).join('').trim().split('\n').map((line) => line.split(':').map(Number));
            assert.ok(told.every(([, stream]) => stream === 'stdout'));
            assert.ok(lines.every(([worker]) => worker === id), JSON.stringify(lines));
            const printed = lines.map(([, value]) => value);
            // The results of parts are combined by the same function.
            if (name !== 'reduce, associative') assert.deepEqual(printed.sort((a, b) => a - b), numbers(COUNT));
          }
        });
      });

      test(`${kind}: listeners run in the async context of the call, also where chunks wait for room`, async () => {
        await using(new WorkerPool(SCRIPT, { maxThreads: 1, maxQueue: 1 }), async (own) => {
          const store = new AsyncLocalStorage();
          const seen = new Set();
          const others = own.map('act', Array(60).fill({ ms: 1 }));
          await store.run('mine', () => call(own, from(), { onOutput: () => seen.add(store.getStore()) }));
          await others;
          assert.deepEqual([...seen], ['mine']);
        });
      });
    }

    test('a worker that is not there, a file that is not, a listener that is none', async () => {
      assert.equal((await failure(call(pool, [1], { worker: 99, filename: SCRIPT }))).code, 'ERR_RW_INVALID_ARG_VALUE');
      assert.equal((await failure(call(pool, [1], { worker: 'x', filename: SCRIPT }))).code, 'ERR_RW_INVALID_ARG_TYPE');
      const noFile = await failure(call(pool, [1], { filename: scriptPath('nosuch.js') }));
      assert.ok(noFile.code === 'ERR_RW_SCRIPT_LOAD' || noFile.cause?.code === 'ERR_RW_SCRIPT_LOAD' || noFile instanceof Error);
      assert.equal((await failure(call(pool, [1], { onOutput: 5, filename: SCRIPT }))).code, 'ERR_RW_INVALID_ARG_TYPE');
    });

    test('the worker ends in the middle: the error says so, and nothing hangs', async () => {
      await using(new WorkerPool(SCRIPT, 2), async (own) => {
        await own.ready;
        const [{ id }] = own.workers;
        const run = name === 'forEach' ? own.forEach('exits', numbers(9), { worker: id }) : own.reduce('exits', numbers(9), 0, { worker: id });
        const error = await failure(run);
        assert.equal((error.cause ?? error).code, 'ERR_RW_WORKER_EXITED');
      });
    });
  });
}

test('map and stream: listeners run in the async context of the call, also where inputs wait for room', async () => {
  await using(new WorkerPool(OTHER, { maxThreads: 1, maxQueue: 1 }), async (own) => {
    const store = new AsyncLocalStorage();
    const calls = {
      map: (source, options) => own.map('report', source, options),
      stream: async (source, options) => {
        for await (const output of own.stream('report', source, options)) void output;
      },
    };
    for (const [name, call] of Object.entries(calls)) {
      for (const source of [numbers(30), sourceOf('async iterable', numbers(30)).source]) {
        const seen = new Set();
        const others = own.map('wait', Array(40).fill(1));
        await store.run(name, () => call(source, { onProgress: () => seen.add(store.getStore()) }));
        await others;
        assert.deepEqual([...seen], [name]);
      }
    }
  });
});

test('a native task refuses them by name, also where only the script tells that it is native', async () => {
  const native = new WorkerPool({ maxThreads: 1 });
  for (const options of [{ worker: 0 }, { onOutput() {} }, { filename: SCRIPT }]) {
    const [name] = Object.keys(options);
    const refusal = await failure(native.forEach('noop', [1], options));
    assert.equal(refusal.code, 'ERR_RW_INVALID_ARG_VALUE');
    assert.match(refusal.message, new RegExp(`${name}.*script`));
  }
  await native.close();
  await using(new WorkerPool(OTHER, 1), async (own) => {
    const early = await failure(own.forEach('noop', [1], { onOutput() {} }));
    const late = await failure(own.forEach('noop', [1], { onOutput() {} }));
    for (const error of [early, late]) assert.match((error.cause ?? error).message, /onOutput.*script/);
  });
});

test('what only single tasks have is refused by all that take many inputs', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (own) => {
    for (const option of ['dedupe', 'cache', 'retries']) {
      const options = { [option]: option === 'retries' ? 1 : 'key' };
      const refusals = [
        await failure(own.map('same', [1], options)),
        await failure(own.map('native:echo', [1], options)),
        await failure(own.forEach('same', [1], options)),
        await failure(own.forEach('native:noop', [1], options)),
        await failure(own.reduce('add', [1], 0, options)),
      ];
      for (const call of [() => own.stream('same', [1], options), () => own.transform('same', options), () => own.iterate('same', 1, options)]) {
        assert.throws(call, (error) => refusals.push(error) > 0);
      }
      for (const refusal of refusals) {
        assert.ok(refusal instanceof errors.InvalidArgValueError, String(refusal));
        assert.match(refusal.message, new RegExp(`${option}.*single tasks`));
      }
    }
  });
});
