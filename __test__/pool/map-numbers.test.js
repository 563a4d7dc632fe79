'use strict';

// pool.map of numbers, beside Array.prototype.map: inputs and outputs cross packed, in memory that is used again.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');

const { WorkerPool } = require('rust-workers');

const pool = new WorkerPool({ maxThreads: 2 });
test.after(() => pool.close());

v8.setFlagsFromString('--allow-natives-syntax');
const isSmi = vm.runInThisContext('(value) => %IsSmi(value)');

/** xorshift32 */
function randomFrom(seed) {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const SPECIAL = [0, -0, NaN, Infinity, -Infinity, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 5e-324, 0.5, -1, 1e300];
const OTHERS = [undefined, null, true, 'text', 12n, { a: 1 }, [1, 2], new Date(5)];

/** Counts around those at which the way of the numbers changes: one chunk, 64 KiB, what is kept. */
const COUNTS = [1, 2, 3, 31, 1023, 1025, 8191, 8192, 8193, 40_000, 131_072, 131_073, 140_000];

function numbers(random, count) {
  const kind = random(4);
  return Array.from({ length: count }, (_, n) => {
    if (kind === 0) return n;
    if (kind === 1) return n + 0.25;
    return random(kind === 2 ? 5 : 500) === 0 ? SPECIAL[random(SPECIAL.length)] : n - 20;
  });
}

test('numbers of every kind and count come back as they were', async () => {
  const random = randomFrom(7);
  for (let round = 0; round < 5; round++) {
    for (const count of COUNTS) {
      const inputs = numbers(random, count);
      const outputs = await pool.map('echo', inputs);
      // Object.is, since deepStrictEqual takes a second for each.
      assert.equal(outputs.length, count);
      const different = inputs.findIndex((input, i) => !Object.is(input, outputs[i]));
      assert.equal(different, -1, `${inputs[different]} became ${outputs[different]} at ${different} of ${count}`);
    }
  }
});

test('integers arrive as small integers, whatever the array of the inputs is made of', async () => {
  for (const count of [3, 500, 9000, 150_000]) {
    const integers = Array.from({ length: count }, (_, n) => n % 100);
    const doubles = [0.5, ...integers];
    doubles.shift();
    for (const inputs of [integers, doubles, Array.from(Float64Array.from(integers))]) {
      const outputs = await pool.map('echo', inputs);
      assert.ok(outputs.every(isSmi), `${count}`);
    }
  }
});

test('a task that returns nothing gives as many undefineds', async () => {
  for (const count of COUNTS) {
    for (const input of [1, 'text']) {
      if (input === 'text' && count > 10_000) continue;
      const outputs = await pool.map('noop', Array.from({ length: count }, () => input));
      assert.equal(outputs.length, count);
      assert.ok(outputs.every((output, i) => output === undefined && Object.hasOwn(outputs, i)));
    }
  }
});

test('arrays with something else among the numbers, and holes', async () => {
  const random = randomFrom(11);
  for (const count of [1, 2, 31, 1025, 8193, 20_000]) {
    for (let round = 0; round < 4; round++) {
      const inputs = numbers(random, count);
      for (let other = 0; other <= round; other++) inputs[random(count)] = OTHERS[random(OTHERS.length)];
      assert.deepEqual(await pool.map('echo', inputs), inputs);
    }
    const holey = numbers(random, count);
    delete holey[random(count)];
    assert.deepEqual(await pool.map('echo', holey), [...holey]);
  }
});

test('the first of one thread to fail is the first in the array', async () => {
  const one = new WorkerPool({ maxThreads: 1 });
  const random = randomFrom(13);
  for (const count of [1, 40, 5_000, 20_000]) {
    const inputs = Array.from({ length: count }, (_, n) => n % 10);
    const at = random(count);
    inputs[at] = -1;
    for (let more = 0; more < 3; more++) inputs[at + random(count - at)] = NaN;
    inputs[at] = -1;
    await assert.rejects(one.map('fibonacci', inputs), (error) => {
      assert.equal(error.code, 'ERR_RW_OUT_OF_RANGE');
      assert.equal(error.message, `input ${at}: task 'fibonacci' takes an integer from 0 to 78; got -1`);
      return true;
    });
    // Its memory did not come back: the next has its own.
    assert.deepEqual(await one.map('echo', inputs), inputs);
  }
  await one.close();
});

test('maps at the same time, in pools of their own, mix nothing up', async () => {
  const other = new WorkerPool({ maxThreads: 1 });
  const random = randomFrom(17);
  for (let round = 0; round < 10; round++) {
    const lists = Array.from({ length: 6 }, () => numbers(random, COUNTS[random(COUNTS.length)]));
    const maps = lists.map((inputs, n) => (n % 2 ? pool : other).map('echo', inputs, { priority: n % 3 }));
    const outputs = await Promise.all(maps);
    lists.forEach((inputs, n) => {
      assert.equal(outputs[n].length, inputs.length);
      assert.ok(inputs.every((input, i) => Object.is(input, outputs[n][i])), `${n}`);
    });
    // They are the callers': a later map writes to none of them.
    const copies = outputs.map((list) => list.slice());
    await pool.map('echo', numbers(random, 9_000));
    assert.deepEqual(outputs[0].slice(0, 2_000), copies[0].slice(0, 2_000));
  }
  await other.close();
});

test('a map of numbers is cancelled, timed out and destroyed in the middle, and the next one is whole', async () => {
  const inputs = Array.from({ length: 100_000 }, () => 15);
  const expected = await pool.map('fibonacci', inputs.slice(0, 100));
  for (let round = 0; round < 10; round++) {
    const stop = new AbortController();
    const aborted = pool.map('fibonacci', inputs, { signal: stop.signal });
    const timed = pool.map('fibonacci', inputs, { timeout: 1 });
    setImmediate(() => stop.abort());
    await Promise.all([
      assert.rejects(aborted, { name: 'AbortError' }), assert.rejects(timed, { name: 'TimeoutError' }),
    ]);
    const closing = new WorkerPool({ maxThreads: 2 });
    const destroyed = assert.rejects(closing.map('fibonacci', inputs), { code: 'ERR_RW_POOL_CLOSED' });
    await closing.destroy();
    await destroyed;
    assert.deepEqual(await pool.map('fibonacci', inputs.slice(0, 100)), expected);
  }
});

test('a full queue refuses a map, and its inputs are still there', async () => {
  const small = new WorkerPool({ maxThreads: 1, maxQueue: 0 });
  const running = small.run('sleep', 20);
  const inputs = Array.from({ length: 20_000 }, (_, n) => n);
  await assert.rejects(small.map('echo', inputs), { code: 'ERR_RW_QUEUE_FULL' });
  await running;
  assert.deepEqual(await small.map('echo', inputs), inputs);
  await small.close();
});
