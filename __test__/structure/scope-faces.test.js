'use strict';

// The methods of a scope beside run: runSync, transform and proxy, and what ends them.

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');
const { PassThrough, Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { script, using } = require('../support/pools');
const { inTime, until } = require('../support/until');

const cellsOf = () => new Int32Array(new SharedArrayBuffer(16));
const errorOf = (promise) => inTime(promise.then((value) => assert.fail(`it gave ${value}`), (error) => error), 'it fails');
const thrownBy = (run) => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
};

const KINDS = {
  native: { open: () => new WorkerPool({ maxThreads: 3 }), endless: (scope) => scope.run('primes', 10_000_000_000), same: 'echo', slow: ['sleep', 60_000] },
  script: { open: () => new WorkerPool(script('structure.js'), { maxThreads: 3, killTimeout: 100 }), endless: (scope) => scope.run('spins', cellsOf()), same: 'same', slow: ['sleeps', 60_000] },
};

for (const [kind, { open, endless, same, slow }] of Object.entries(KINDS)) {
  test(`${kind}: runSync in a scope: its output, its failure, its deadline, and the siblings`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    assert.equal(await pool.scope((scope) => scope.runSync(same, 7)), 7);
    let sibling;
    const failure = await errorOf(pool.scope((scope) => {
      sibling = endless(scope);
      scope.runSync('native:panic', 'boom');
    }));
    assert.equal(failure.code, 'ERR_RW_TASK_PANICKED');
    assert.equal((await errorOf(sibling)).cause, failure, 'a failure cancels the siblings');
    assert.equal(pool.stats().running, 0);
    // Caught, it is told no more; with 'settled' nothing is cancelled.
    assert.equal(await pool.scope({ join: 'settled' }, async (scope) => {
      assert.equal(thrownBy(() => scope.runSync('native:panic', 'x')).code, 'ERR_RW_TASK_PANICKED');
      return scope.run(same, 5);
    }), 5);
    const late = await errorOf(pool.scope({ deadline: 50 }, (scope) => scope.runSync(...slow)));
    assert.equal(late.code, 'ERR_RW_DEADLINE');
    const first = await pool.scope({ join: 'any' }, async (scope) => {
      sibling = endless(scope);
      return scope.runSync(same, 'won');
    });
    assert.equal(first, 'won');
    assert.equal((await errorOf(sibling)).name, 'AbortError');
    // A getter of the options and one of the input that end the scope.
    const scope = pool.scope();
    const mine = new Error('mine');
    assert.equal(thrownBy(() => scope.runSync(same, { get a() { scope.cancel(mine); } })).cause, mine);
    assert.equal(thrownBy(() => scope.runSync(same, 1)).cause, mine, 'it is cancelled');
    assert.equal(thrownBy(() => scope.runSync(same, 1, { signal: undefined })).code, 'ERR_RW_INVALID_ARG_VALUE');
    await inTime(scope.close(), 'it closes');
    assert.equal(thrownBy(() => scope.runSync(same, 1)).code, 'ERR_RW_SCOPE_CLOSED');
    await until(() => pool.stats().running === 0, 'nothing is left');
  }));

  test(`${kind}: a transform in a scope`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    const all = await pool.scope(async (scope) => {
      const seen = [];
      await pipeline(Readable.from([1, 2, 3]), scope.transform(same), async (source) => {
        for await (const value of source) seen.push(value);
      });
      return seen;
    });
    assert.deepEqual(all, [1, 2, 3]);
    // Cancelled: one that nobody has written to, one whose tasks run, one that is piped.
    for (const state of ['idle', 'running', 'piped']) {
      const mine = new Error(state);
      const scope = pool.scope();
      const transform = scope.transform(...(state === 'idle' ? [same] : [slow[0]]));
      let piped;
      if (state === 'running') transform.write(slow[1]);
      if (state === 'piped') piped = errorOf(pipeline(Readable.from([slow[1]]), transform, new PassThrough({ objectMode: true })));
      if (state !== 'idle') await until(() => pool.stats().running === 1, 'it runs');
      const failed = new Promise((resolve) => transform.once('error', resolve));
      scope.cancel(mine);
      const error = await inTime(failed, 'it fails');
      assert.deepEqual([error.name, error.cause], ['AbortError', mine]);
      if (piped !== undefined) assert.equal(await piped, error);
      await inTime(scope.close(), 'the scope is over');
      assert.equal(pool.stats().running, 0);
      assert.equal(getEventListeners(scope.signal, 'abort').length, 0);
    }
    // The deadline, and a failed sibling.
    const late = await errorOf(pool.scope({ deadline: 50 }, (scope) => pipeline(Readable.from([slow[1]]), scope.transform(slow[0]), new PassThrough({ objectMode: true }))));
    // The task's own limit, or the scope's: whichever is seen first.
    assert.equal((late.code === 'ERR_RW_INPUT_FAILED' ? late.cause : late).code, 'ERR_RW_DEADLINE');
    let transform;
    const failure = await errorOf(pool.scope((scope) => {
      transform = scope.transform(same);
      return scope.run('native:panic', 'boom');
    }));
    assert.equal(failure.code, 'ERR_RW_TASK_PANICKED');
    assert.ok(transform.destroyed);
    assert.equal(transform.errored.cause, failure, 'nobody listened, and the process lives');
  }));

  test(`${kind}: a transform that fails, and one that is left`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    // Nobody listens: the scope tells.
    const unheard = await errorOf(pool.scope(async (scope) => {
      const transform = scope.transform('native:panic');
      transform.write('boom');
      transform.resume();
      await until(() => transform.destroyed, 'it has failed');
      assert.equal(scope.signal.aborted, false, 'it cancels no sibling');
    }));
    assert.equal(unheard.cause.code, 'ERR_RW_TASK_PANICKED');
    // Somebody does.
    assert.equal(await pool.scope(async (scope) => {
      const error = await errorOf(pipeline(Readable.from(['boom']), scope.transform('native:panic'), new PassThrough({ objectMode: true })));
      return error.cause.code;
    }), 'ERR_RW_TASK_PANICKED');
    let left;
    let piped;
    await inTime(pool.scope((scope) => {
      left = scope.transform(same);
      piped = errorOf(pipeline(new PassThrough({ objectMode: true }), left, new PassThrough({ objectMode: true })));
    }), 'the scope ends');
    assert.ok(left.destroyed);
    assert.equal((await piped).code, 'ERR_STREAM_PREMATURE_CLOSE');
    const scope = pool.scope();
    await scope.close();
    assert.throws(() => scope.transform(same), { code: 'ERR_RW_SCOPE_CLOSED' });
    assert.throws(() => pool.scope().transform('nobody here', { concurrency: 0 }));
  }));

  test(`${kind}: a proxy in a scope`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    assert.equal(await pool.scope((scope) => scope.proxy()[same](7)), 7);
    let sibling;
    const failure = await errorOf(pool.scope(async (scope) => {
      const api = scope.proxy({ priority: 1 });
      sibling = api[slow[0]].with({ priority: 2 })(slow[1]);
      await scope.run('native:panic', 'boom');
    }));
    assert.equal(failure.code, 'ERR_RW_TASK_PANICKED');
    assert.equal((await errorOf(sibling)).cause, failure, 'its tasks are the scope\'s');
    const scope = pool.scope();
    const api = scope.proxy();
    await scope.close();
    assert.equal((await errorOf(api[same](1))).code, 'ERR_RW_SCOPE_CLOSED');
    assert.throws(() => scope.proxy(), { code: 'ERR_RW_SCOPE_CLOSED' });
    assert.throws(() => pool.scope().proxy({ prioritty: 1 }), { message: /did you mean 'priority'/ });
    assert.throws(() => pool.scope().proxy(null), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  }));
}
