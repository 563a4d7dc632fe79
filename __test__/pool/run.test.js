'use strict';

// pool.run: what goes in, what comes out, and what is refused.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');

const pool = new WorkerPool({ maxThreads: 2, name: 'run-test' });

test('a burst of 100,000 runs on one thread settles in order of submission', async () => {
  const one = new WorkerPool({ maxThreads: 1 });
  const order = [];
  const runs = [];
  for (let i = 0; i < 100_000; i++) {
    runs.push(
      one.run('fibonacci', 1).then((value) => {
        assert.equal(value, 1);
        order.push(i);
      }),
    );
  }
  await Promise.all(runs);
  assert.equal(order.length, 100_000);
  assert.ok(order.every((value, index) => value === index));
  assert.equal(one.completed, 100_000);
  await one.close();
});

test('every kind of value comes back from echo as it went in', async () => {
  const values = [
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1.5,
    NaN,
    Infinity,
    2 ** 53,
    0n,
    -(2n ** 200n),
    '',
    'plain',
    'ünï¢ödé ✓ 🦀',
    'lone \ud800 surrogate',
    'x'.repeat(100_000),
    new Date(86_400_000),
    [],
    [1, 'two', [3, [4n]], undefined],
    {},
    { a: 1, b: { c: [2, { d: null }] }, 'key with \u2603': true },
    new Map([[{ k: 1 }, new Map([['x', new Set([1, 2])]])]]),
    new Set(['a', 1, null]),
    new Uint8Array([1, 2, 3]),
    new Uint8ClampedArray([1, 2, 255]),
    new Int8Array([-1, 1]),
    new Int16Array([-1, 2]),
    new Uint16Array([65535]),
    new Int32Array([-(2 ** 31)]),
    new Uint32Array([2 ** 32 - 1]),
    new Float32Array([0.5, -0]),
    new Float64Array([Math.PI, NaN]),
    new BigInt64Array([-1n]),
    new BigUint64Array([2n ** 64n - 1n]),
    new Uint8Array([1, 2, 3]).buffer,
    new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2),
    Buffer.from('a buffer'),
    { nested: new Float32Array([1, 2]), more: [Buffer.from('x'), new ArrayBuffer(3)] },
    new Float64Array(300_000).fill(1.25),
    { large: new Uint8Array(3_000_000).fill(7) },
  ];
  for (const value of values) assert.deepEqual(await pool.run('echo', value), value);
  assert.ok(Object.is(await pool.run('echo', -0), -0));
  // deepEqual takes no two invalid dates for equal.
  assert.ok(Number.isNaN((await pool.run('echo', new Date(NaN))).getTime()));
  assert.ok(Buffer.isBuffer(await pool.run('echo', Buffer.from('b'))));
});

test('keys that are no Unicode text, or dangerous, come back as they were, also when a shape is known', async () => {
  const odd = { ['\ud800']: 1, b: 2 };
  const proto = Object.defineProperty({}, '__proto__', { value: 5, enumerable: true, writable: true, configurable: true });
  for (let round = 0; round < 12; round++) {
    assert.deepEqual(await pool.run('echo', [odd, odd, odd].map((o) => ({ ...o }))), [odd, odd, odd]);
    const back = await pool.run('echo', proto);
    assert.equal(Object.getPrototypeOf(back), Object.prototype);
    assert.equal(Object.getOwnPropertyDescriptor(back, '__proto__').value, 5);
  }
});

test('an error comes back with its class, message, cause and own properties', async () => {
  const error = new RangeError('too far', { cause: new TypeError('why') });
  error.code = 'E_FAR';
  error.details = { by: [3] };
  const back = await pool.run('echo', error);
  assert.ok(back instanceof RangeError);
  assert.equal(back.message, 'too far');
  assert.equal(back.stack, error.stack);
  assert.equal(back.code, 'E_FAR');
  assert.deepEqual(back.details, { by: [3] });
  assert.ok(back.cause instanceof TypeError);
  assert.equal(back.cause.message, 'why');
});

test('bytes are copied: the caller keeps its buffer, and a part of a buffer is that part', async () => {
  const bytes = Buffer.from('0123456789');
  const digest = await pool.run('sha256', bytes.subarray(2, 5));
  assert.equal(digest.toString('hex'), createHash('sha256').update('234').digest('hex'));
  assert.equal(bytes.toString(), '0123456789');
  const promise = pool.run('echo', bytes);
  bytes.fill(0);
  assert.equal((await promise).toString(), '0123456789');
});

test('transfer gives the memory away and gets it back without a copy', async () => {
  const numbers = new Float64Array([3, 1, 2]);
  const sorted = await pool.run('sort', numbers, { transfer: [numbers.buffer] });
  assert.equal(numbers.length, 0, 'detached here');
  assert.deepEqual(sorted, new Float64Array([1, 2, 3]));
  // A result that rests on JavaScript's own memory can be given away again.
  assert.equal(structuredClone(sorted, { transfer: [sorted.buffer] }).length, 3);
});

test('transfer works for buffers inside a value, also twice the same one, and detaches all it names', async () => {
  const large = new ArrayBuffer(100_000);
  new Uint8Array(large).fill(9);
  const small = new ArrayBuffer(8);
  const unused = new ArrayBuffer(16);
  const input = { first: new Uint8Array(large), second: new Uint8Array(large, 50_000), small };
  const output = await pool.run('echo', input, { transfer: [large, small, unused] });
  assert.deepEqual([large.byteLength, small.byteLength, unused.byteLength], [0, 0, 0]);
  assert.equal(output.first.length, 100_000);
  assert.equal(output.second.length, 50_000);
  assert.ok(output.first.every((byte) => byte === 9) && output.second.every((byte) => byte === 9));
  assert.equal(output.small.byteLength, 8);
});

test('what transfer cannot take is refused and nothing is detached', async () => {
  const good = new ArrayBuffer(8);
  await assert.rejects(pool.run('echo', good, { transfer: [good, good] }), {
    code: 'ERR_RW_INVALID_ARG_VALUE',
  });
  await assert.rejects(pool.run('echo', good, { transfer: [good, new Uint8Array(1)] }), {
    code: 'ERR_RW_INVALID_ARG_TYPE',
  });
  await assert.rejects(pool.run('echo', 1, { transfer: 5 }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  assert.equal(good.byteLength, 8);
});

test('an unknown task names itself and the tasks there are', async () => {
  await assert.rejects(pool.run('sha265', ''), (error) => {
    assert.ok(error instanceof errors.UnknownTaskError);
    assert.equal(error.code, 'ERR_RW_UNKNOWN_TASK');
    assert.match(error.message, /'sha265'.*sha256/s);
    return true;
  });
  await assert.rejects(pool.run(undefined), { code: 'ERR_RW_UNKNOWN_TASK' });
  await assert.rejects(pool.run(Symbol('x')), { code: 'ERR_RW_UNKNOWN_TASK' });
});

test('a wrong input names the task and what it takes', async () => {
  await assert.rejects(pool.run('fibonacci', 'ten'), (error) => {
    assert.ok(error instanceof errors.InvalidInputError && error instanceof TypeError);
    assert.match(error.message, /^task 'fibonacci' takes .*; got a string$/);
    assert.equal(error.task, 'fibonacci');
    return true;
  });
  await assert.rejects(pool.run('fibonacci', -1), (error) => {
    assert.ok(error instanceof errors.OutOfRangeError && error instanceof RangeError);
    assert.match(error.message, /'fibonacci' takes/);
    return true;
  });
  await assert.rejects(pool.run('sort', [3, 1]), { code: 'ERR_RW_INVALID_INPUT' });
});

test('a value that cannot cross is refused with the path of the key', async () => {
  await assert.rejects(pool.run('echo', { items: [1, 2, { callback() {} }] }), (error) => {
    assert.equal(error.code, 'ERR_RW_UNSUPPORTED_VALUE');
    assert.match(error.message, /input\.items\[2\]\.callback/);
    return true;
  });
  const cyclic = { a: { b: {} } };
  cyclic.a.b.back = cyclic.a;
  await assert.rejects(pool.run('echo', cyclic), (error) => {
    assert.equal(error.code, 'ERR_RW_CYCLIC_VALUE');
    assert.match(error.message, /input\.a\.b\.back/);
    return true;
  });
  let deep = [];
  for (let i = 0; i < 5000; i++) deep = [deep];
  await assert.rejects(pool.run('echo', deep), { code: 'ERR_RW_VALUE_TOO_DEEP' });
  await assert.rejects(pool.run('echo', Symbol('s')), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
  await assert.rejects(pool.run('echo', () => {}), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
});

test('a getter that throws rejects with its own error', async () => {
  const own = new Error('own');
  const input = {
    get boom() {
      throw own;
    },
  };
  await assert.rejects(pool.run('echo', input), own);
});

test('a panic rejects its promise and the thread lives on', async () => {
  const one = new WorkerPool({ maxThreads: 1 });
  for (let i = 0; i < 50; i++) {
    await assert.rejects(one.run('panic', `number ${i}`), (error) => {
      assert.ok(error instanceof errors.TaskPanickedError);
      assert.match(error.message, new RegExp(`task 'panic' panicked: .*number ${i}`));
      return true;
    });
  }
  assert.equal(await one.run('fibonacci', 10), 55);
  assert.equal(one.stats().failed, 50);
  assert.equal(one.threads, 1);
  await one.close();
});

test('the native tasks are in a list that the unknown-task error shows', async () => {
  for (const task of ['fibonacci', 'primes', 'sumSqrt', 'sha256', 'sha512', 'crc32', 'blake3', 'sort', 'wordCount']) {
    await assert.rejects(pool.run(task, Symbol('never an input')), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
  }
});

test.after(() => pool.close());
