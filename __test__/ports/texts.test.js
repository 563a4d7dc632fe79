'use strict';

// Texts of every kind and length through a port, beside Node's: short ones stand in the wire, long ones beside it.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const nodeThreads = require('node:worker_threads');

const { MessageChannel, Worker, WorkerPool, receiveMessageOnPort } = require('rust-workers');
const { onEachNode, quietly } = require('../support/child');

const LENGTHS = [0, 1, 12, 24, 25, 63, 64, 65, 1000, 16_000, 32_767, 32_768, 32_769, 65_535, 65_536, 131_071, 131_072, 131_073, 1_000_001];

/** Texts by the characters that V8 keeps them with, and by how it keeps them. */
const KINDS = {
  ASCII: (length) => 'abcdefg'.repeat(Math.ceil(length / 7)).slice(0, length),
  'Latin-1': (length) => 'aéÿ'.repeat(Math.ceil(length / 3)).slice(0, length),
  wide: (length) => '漢a字'.repeat(Math.ceil(length / 3)).slice(0, length),
  'wide at the end': (length) => (length === 0 ? '' : `${'x'.repeat(length - 1)}€`),
  'lone surrogates': (length) => '\ud800\udc00\udc00'.repeat(Math.ceil(length / 3)).slice(0, length),
  'Latin-1 in wide memory': (length) => `漢${'é'.repeat(length)}`.slice(1),
  'put together': (length) => 'x'.repeat(length >> 1) + 'é'.repeat(length - (length >> 1)),
};

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: by itself, within a value, as keys, and twice`, () => {
    const ours = new MessageChannel();
    const nodes = new nodeThreads.MessageChannel();
    for (const length of LENGTHS) {
      const text = make(length);
      assert.equal(text.length, length);
      const values = [text, { id: 1, text, list: [text, 5] }, new Map([[text, 1], ['a', text]]), { [text]: text }, new Error(text.slice(0, 70_000))];
      for (const value of values) {
        ours.port1.postMessage(value);
        nodes.port1.postMessage(value);
        const { message } = receiveMessageOnPort(ours.port2);
        assert.deepStrictEqual(message, nodeThreads.receiveMessageOnPort(nodes.port2).message, `${length}`);
      }
    }
    ours.port1.close();
    nodes.port1.close();
  });
}

test('long texts among blocks, ports and what only Node carries', async () => {
  const { port1, port2 } = new MessageChannel();
  const text = 'é'.repeat(200_000);
  const wide = '漢'.repeat(50_000);
  const moved = new MessageChannel();
  const values = [
    [{ text, bytes: new Uint8Array(5000).fill(1), wide, more: [text, new Float64Array(500)] }],
    [{ text, port: moved.port1, wide }, [moved.port1]],
    [{ text, blob: new Blob(['x']), wide }],
    [{ get text() { return text; }, wide, get again() { return wide; } }],
    [[text, wide, text, wide]],
  ];
  for (const [value, list] of values) {
    port1.postMessage(value, list);
    const { message } = receiveMessageOnPort(port2);
    if (Array.isArray(value)) assert.deepEqual(message, value);
    else {
      assert.ok(message.text === text && message.wide === wide);
      if (message.again !== undefined) assert.equal(message.again, wide);
      if (message.more !== undefined) assert.equal(message.more[0], text);
    }
  }
  moved.port2.close();
  port1.close();
});

test('to a native task and back', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  const { port1, port2 } = new MessageChannel();
  const served = pool.run('echo', { port: port2 }, { transfer: [port2] });
  for (const make of Object.values(KINDS)) {
    for (const length of [0, 70, 32_768, 200_000]) {
      const text = make(length);
      const shared = [text];
      port1.postMessage({ text, twice: [shared, shared] });
      assert.deepEqual(await port1.receive(10_000), { text, twice: [[text], [text]] });
    }
  }
  port1.close();
  await served;
  await pool.close();
});

test('they wait in a port that moves, and go with it', async () => {
  const { port1, port2 } = new MessageChannel();
  const texts = [1, 40_000, 200_000].map((length) => KINDS.wide(length)).concat('x'.repeat(300_000));
  for (const text of texts) port1.postMessage({ text });
  assert.equal(port2.receiveSync().text, texts[0]);
  const worker = new Worker(
    `const { parentPort, workerData } = require(${JSON.stringify(require.resolve('rust-workers'))});
    workerData.on('message', ({ text }) => parentPort.postMessage(text));`,
    { eval: true, workerData: port2, transferList: [port2] },
  );
  for (const text of texts.slice(1)) assert.equal((await new Promise((resolve) => worker.once('message', resolve))), text);
  await worker.terminate();
  port1.close();
});

test('a text that changes nothing: a refused message has sent nothing, and the next one arrives', () => {
  const { port1, port2 } = new MessageChannel();
  const text = 'x'.repeat(100_000);
  assert.throws(() => port1.postMessage({ text, not: () => {} }), { name: 'DataCloneError' });
  assert.throws(() => port1.postMessage({ text, get not() { throw new RangeError('mine'); } }), RangeError);
  port1.postMessage(text);
  assert.equal(receiveMessageOnPort(port2).message, text);
  assert.equal(receiveMessageOnPort(port2), undefined);
  port1.close();
});

onEachNode('the memory of long texts', (run) => {
  test('is let go of with the text, with an unread message, and with the thread that reads', async () => {
    const end = await run(async ({ load, say, until }) => {
      const { MessageChannel: Channel, Worker: OurWorker } = load();
      const { binding } = require('./lib/native');
      const none = (what) => until(() => (globalThis.gc(), binding.externalStringCount() === 0), what);
      const { port1, port2 } = new Channel();
      for (let i = 0; i < 20; i++) port1.postMessage({ text: 'x'.repeat(200_000 + i) });
      let kept = [];
      for (let i = 0; i < 10; i++) kept.push(port2.receiveSync().text);
      say(binding.externalStringCount(), kept.every((text, i) => text === 'x'.repeat(200_000 + i)));
      kept = undefined;
      port2.close();
      await none('the texts are let go of');
      const before = process.memoryUsage.rss();
      const other = new Channel();
      for (let i = 0; i < 30; i++) other.port1.postMessage('x'.repeat(10_000_000));
      const full = process.memoryUsage.rss() - before;
      other.port2.close();
      await until(() => (globalThis.gc(), process.memoryUsage.rss() - before < full / 2), 'unread texts are let go of');
      const worker = new OurWorker(
        `const { parentPort, workerData } = require(${JSON.stringify(process.cwd())});
        globalThis.kept = [];
        workerData.on('message', (text) => { globalThis.kept.push(text); parentPort.postMessage(globalThis.kept.length); });`,
        { eval: true, workerData: (globalThis.third = new Channel()).port2, transferList: [globalThis.third.port2] },
      );
      for (let i = 0; i < 5; i++) globalThis.third.port1.postMessage('y'.repeat(200_000));
      await new Promise((resolve) => worker.on('message', (count) => count === 5 && resolve()));
      say(binding.externalStringCount());
      await worker.terminate();
      await none('the texts of the thread are let go of');
      say('none');
    }, { execArgv: ['--expose-gc'] });
    assert.deepEqual(end, quietly('10 true', '5', 'none'));
  });
});
