'use strict';

/** How a task of a pack ends, and what its caller gets: results, errors of its own, faults. */

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { compile, noCompiler } = require('../support/packs');

describe('outcomes', { skip: noCompiler }, () => {
  let pool;
  let library;
  before(() => {
    library = compile('outcomes');
    pool = new WorkerPool({ maxThreads: 2 });
    assert.equal(pool.use(library), pool);
  });
  after(() => pool.close());

  /** The error of a task. */
  const errorOf = (task, input) => pool.run(task, input).then(assert.fail, (error) => error);

  test('a result, and none', async () => {
    assert.equal(await pool.run('plus_one', 41), 42);
    assert.equal(await pool.run('native:plus_one', 1e9), 1e9 + 1);
    assert.equal(await pool.run('nothing'), undefined);
    assert.equal(await pool.run('nothing', { any: 'thing' }), undefined);
  });

  test('an error with a name and a code is one of that class', async () => {
    const error = await errorOf('fails_named');
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.name, error.code, error.message], ['RangeError', 'E_FAR', 'too far: 漢']);
    assert.ok(error.stack.startsWith(`RangeError: too far: 漢\n    at task 'fails_named' (${library}`), error.stack);
  });

  test('with a name that no class has it is an Error of that name', async () => {
    const error = await errorOf('fails_own_name');
    assert.equal(Object.getPrototypeOf(error), Error.prototype);
    assert.deepEqual([error.name, error.code, error.message, String(error)], ['MoonError', 'E_MOON', 'no moon', 'MoonError: no moon']);
  });

  test('what it leaves out is what such errors usually have', async () => {
    const named = await errorOf('fails_name_only');
    assert.ok(named instanceof TypeError);
    assert.deepEqual([named.name, named.code], ['TypeError', 'ERR_RW_TASK_FAILED']);
    const coded = await errorOf('fails_code_only');
    assert.deepEqual([coded.name, coded.code, coded.message], ['Error', 'E_CODE', 'a code']);
    const plain = await errorOf('fails_plainly');
    assert.ok(plain instanceof errors.TaskFailedError);
    assert.deepEqual([plain.code, plain.message, plain.task], ['ERR_RW_TASK_FAILED', 'just so', 'fails_plainly']);
  });

  test('texts that are no UTF-8 are made some', async () => {
    const error = await errorOf('fails_badly');
    assert.deepEqual([error.name, error.code, error.message], ['\ufffd\ufffd', '\ufffd', 'bad \ufffd text']);
  });

  test('an input that the task refuses', async () => {
    const told = await errorOf('plus_one', 'text');
    assert.ok(told instanceof errors.InvalidInputError);
    assert.equal(told.message, "task 'plus_one' takes a number from 0 on; got something else");
    assert.equal((await errorOf('refuses', [])).message, "task 'refuses' takes a miracle; got an array");
  });

  test('a panic', async () => {
    const told = await errorOf('panics');
    assert.ok(told instanceof errors.TaskPanickedError);
    assert.deepEqual([told.message, told.task], ['index 7 out of range', 'panics']);
    assert.match((await errorOf('panics_silently')).message, /'panics_silently' panicked, and did not say how/);
  });

  test('what no task may return is told as the fault of the pack', async () => {
    const faults = [
      [await errorOf('fails_silently'), /returned RW_FAILED without an error/],
      [await errorOf('stops_by_itself'), /returned RW_STOPPED, and nobody had told it to stop/],
    ];
    for (const number of [5, 6, 7, 8, 9, -1, 2 ** 31 - 1]) {
      faults.push([await errorOf('returns_number', number), new RegExp(`returned ${number}, which is no outcome`)]);
    }
    for (const [error, message] of faults) {
      assert.ok(error instanceof errors.TaskFailedError);
      assert.match(error.message, message);
      assert.ok(error.message.includes(library), error.message);
    }
  });

  test('the last result counts', async () => {
    assert.deepEqual(await pool.run('gives_twice'), new Uint8Array(3000).fill(7));
    assert.equal(await pool.run('gives_bad_then_good'), 1);
    const error = await errorOf('gives_good_then_bad');
    assert.ok(error instanceof errors.MalformedValueError);
    assert.match(error.message, /the result of task 'gives_good_then_bad' of .* was refused: .* it has no tag 0xee/);
  });

  test('blocks of every size', async () => {
    for (const size of [0, 1, 7, 8, 1024, 1025, 65_536, 3_000_001]) {
      const block = await pool.run('block_of', size);
      assert.equal(block.length, size);
      assert.ok(block.every((byte, index) => byte === (index & 255)));
    }
    const error = await errorOf('block_of', 2 ** 52);
    assert.deepEqual([error.constructor, error.code], [RangeError, 'E_MEMORY']);
  });

  test('a result of memory that is not its own is refused', async () => {
    for (let way = 0; way <= 17; way++) {
      const error = await errorOf('foreign', way);
      assert.match(error.code, /^ERR_RW_(MALFORMED_VALUE|UNSUPPORTED_VALUE|VALUE_TOO_LARGE)$/, `${way}: ${error.message}`);
      assert.match(error.message, /^the result of task 'foreign' of .* was refused: /);
    }
  });

  test('arguments of the host that make no sense are refused', async () => {
    assert.equal(await pool.run('nonsense'), 0);
  });

  test('in maps the error is that of its input', async () => {
    assert.deepEqual(await pool.map('plus_one', [1, 2, 3]), [2, 3, 4]);
    assert.deepEqual(await pool.map('give_back', ['a', { b: 1 }]), ['a', { b: 1 }]);
    const settled = await pool.map('plus_one', [1, 'x'], { settle: true });
    assert.deepEqual(settled.map(({ status }) => status), ['fulfilled', 'rejected']);
    assert.equal(settled[1].reason.code, 'ERR_RW_INVALID_INPUT');
    const error = await pool.map('fails_named', [1, 2]).then(assert.fail, (reason) => reason);
    assert.deepEqual([error.constructor, error.code], [RangeError, 'E_FAR']);
  });
});
