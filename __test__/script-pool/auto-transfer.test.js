'use strict';

const assert = require('node:assert/strict');
const { test, describe } = require('node:test');

const { MessageChannel, WorkerPool, isMarkedAsUntransferable, markAsUntransferable } = require('../..');
const { move, takeNow: takeAside } = require('../../lib/script-pool/transfer');
const { transferablesIn: transferablesOf } = require('../../lib/transfer/transferables');
const { script } = require('../support/pools');

const auto = { transfer: 'auto' };
const memory = () => new WebAssembly.Memory({ initial: 1 });
const pooled = () => {
  const { buffer, byteOffset, length } = Buffer.from('abc');
  return new Uint8Array(buffer, byteOffset, length);
};
const marked = () => {
  const buffer = new ArrayBuffer(8);
  markAsUntransferable(buffer);
  return buffer;
};

describe("'auto' moves what can be moved and copies the rest", () => {
  const fixed = { 'WebAssembly memory': () => new Uint8Array(memory().buffer, 8, 16), 'the Buffer pool': pooled, 'marked memory': marked };
  for (const [name, make] of Object.entries(fixed)) {
    test(name, () => {
      const [first, own, last] = [make(), new Uint8Array(4), new ArrayBuffer(65_536)];
      const length = first.byteLength;
      const value = { first, deep: [new Map([[own, new Set([last])]])] };
      const { value: taken } = takeAside(value, transferablesOf(value));
      assert.deepEqual([first.byteLength, own.byteLength, last.byteLength], [length, 0, 0]);
      assert.deepEqual([taken.first.byteLength, [...taken.deep[0].keys()][0].byteLength], [length, 4]);
    });

    test(`${name}, alone and moved by a script's answer`, () => {
      const value = make();
      const { list } = move(value);
      assert.equal(takeAside(value, list).value.byteLength, value.byteLength);
      assert.ok(value.byteLength > 0);
    });

    test(`${name}, named in a list, is refused as by Node`, { skip: isMarkedAsUntransferable === undefined }, () => {
      const value = make();
      const list = [value.buffer ?? value];
      assert.throws(() => takeAside(value, list), { name: 'DataCloneError' });
      assert.throws(() => structuredClone(value, { transfer: list }), { name: 'DataCloneError' });
    });
  }

  test('a getter is not called to look for what can be moved, and once to send it', () => {
    let runs = 0;
    const own = new Uint8Array(4);
    const value = { wasm: new Uint8Array(memory().buffer, 0, 16), own, get late() { return ++runs; } };
    const list = transferablesOf(value);
    assert.equal(runs, 0);
    assert.equal(takeAside(value, list).value.late, 1);
    assert.equal(runs, 1);
  });

  test('to a script, and ports too', async () => {
    const pool = new WorkerPool(script('functions.js'), { maxThreads: 1 });
    const { port1, port2 } = new MessageChannel();
    const value = { wasm: new Uint8Array(memory().buffer, 0, 16), own: new Uint8Array(4), port1 };
    assert.ok(transferablesOf(value).includes(port1));
    await assert.rejects(pool.run('no such function', value, auto), { code: 'ERR_RW_UNKNOWN_TASK' });
    assert.deepEqual([value.wasm.byteLength, value.own.byteLength], [16, 0]);
    port2.close();
    await pool.close();
  });

  test('what the value itself is refused for is told, with its place, and nothing has moved', () => {
    const own = new Uint8Array(4);
    const value = { own, list: [1, { callback() {} }] };
    assert.throws(() => takeAside(value, transferablesOf(value)), (error) => {
      assert.equal(error.name, 'DataCloneError');
      assert.equal(error.cause.code, 'ERR_RW_UNSUPPORTED_VALUE');
      assert.match(error.cause.message, /^input\.list\[1\]\.callback is a function/);
      return true;
    });
    assert.equal(own.byteLength, 4);
  });
});

test('a promise that was forgotten is told as such, in an input and in a result', async () => {
  const source = new URL('data:text/javascript,export const late = () => [Promise.resolve(1)]; export const same = (x) => x');
  const pool = new WorkerPool(source, 1);
  for (const [task, input] of [['same', [Promise.resolve(1)]], ['late']]) {
    const error = await pool.run(task, input).catch((error) => error);
    assert.match(error.cause.message, /\[0\] is a Promise, which cannot cross to another thread: did you forget `await`\?$/);
  }
  const { cause } = await pool.run('same', [() => {}]).catch((error) => error);
  assert.match(cause.message, /a function: functions cannot cross to another thread; pass what structured clone takes$/);
  await assert.rejects(pool.run('native:sort', [1], { parallel: 'yes' }), /must be a boolean\. Received 'yes'$/);
  await pool.close();
});

describe('memory that has left already is refused, and no empty buffer arrives in its place', () => {
  const source =
    "import { parentPort } from 'node:worker_threads';" +
    'const gone = () => { const left = new ArrayBuffer(8); structuredClone(left, { transfer: [left] }); return left; };' +
    `import { createRequire } from 'node:module'; const { move } = createRequire(${JSON.stringify(__filename)})('../..');` +
    'export const len = (memory) => memory.byteLength; export const deep = ({ memory }) => memory.byteLength;' +
    'export const moved = () => move(1, [gone()]);' +
    "parentPort.on('message', () => { try { parentPort.postMessage(1, [gone()]); } catch (error) { parentPort.postMessage(error.name); } });";
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const gone = () => {
    const memory = new ArrayBuffer(8);
    structuredClone(memory, { transfer: [memory] });
    return memory;
  };
  const already = { code: 'ERR_RW_INVALID_ARG_VALUE', message: /^The "options\.transfer\[0\]" argument is already detached\. / };
  const refused = { name: 'DataCloneError', message: /detached/ };

  test('named in a list: of a cold pool, a warm one, by run, runTask and map, and by a name that may be native', async () => {
    const pool = new WorkerPool(url, 1);
    const memory = new ArrayBuffer(8);
    const options = { transfer: [memory] };
    const first = pool.run('len', memory, options);
    await assert.rejects(pool.run('len', memory, options), already);
    assert.equal(await first, 8);
    await assert.rejects(pool.run('len', memory, options), already);
    await assert.rejects(pool.run('deep', { memory }, options), already);
    await assert.rejects(pool.run('len', 1, options), already);
    await assert.rejects(pool.runTask(memory, options), already);
    await assert.rejects(pool.map('len', [memory], options), already);
    await assert.rejects(pool.run('native:echo', memory, options), already);
    await pool.close();
    const cold = new WorkerPool(url, 1);
    await assert.rejects(cold.run('echo', memory, options), already);
    await cold.close();
  });

  test("found by 'auto'", async () => {
    const pool = new WorkerPool(url, 1);
    const view = new Uint8Array(8);
    structuredClone(view, { transfer: [view.buffer] });
    for (const input of [gone(), view]) {
      await assert.rejects(pool.run('len', input, auto), refused);
      await assert.rejects(pool.run('deep', { memory: input }, auto), refused);
      await assert.rejects(pool.map('len', [input], auto), refused);
    }
    await pool.close();
  });

  test('given away by a result, and by an answer of the message style', async () => {
    const pool = new WorkerPool(url, 1);
    await assert.rejects(pool.run('moved'), refused);
    assert.equal(await pool.runTask(1), 'DataCloneError');
    await pool.close();
  });
});

test('what stands in the place of a transfer list, or in it, is told with what to give', async () => {
  const pool = new WorkerPool(script('functions.js'), 1);
  const view = new Uint8Array(8);
  const code = 'ERR_RW_INVALID_ARG_TYPE';
  await assert.rejects(pool.run('count', view, { transfer: view.buffer }), {
    code,
    message: /must be an array of ArrayBuffers and ports, or 'auto' for all that are in the input\. Received an instance of ArrayBuffer$/,
  });
  const message = /"options\.transfer\[0\]" .* \(for a view: view\.buffer\).* Received an instance of Uint8Array$/;
  for (const task of ['count', 'native:echo']) await assert.rejects(pool.run(task, view, { transfer: [view] }), { code, message });
  assert.equal(view.byteLength, 8);
  await pool.close();
});
