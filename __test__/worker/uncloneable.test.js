'use strict';

/** `markAsUncloneable`: on every way of ours, what it does to Node's. */

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const workerThreads = require('node:worker_threads');

const rustWorkers = require('rust-workers');
const { evaluate } = require('../support/child');
const { using } = require('../support/pools');

const { MessageChannel, SharedBuffer, Worker, WorkerPool, carry } = rustWorkers;
const { markAsUncloneable } = rustWorkers;

/** What each kind of object does when it is marked. */
const KINDS = {
  'a plain object': () => ({ a: 1 }),
  'an instance': () => new (class Instance { a = 1; })(),
  'one without a prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'a frozen one': () => Object.freeze({ a: 1 }),
  'an Error': () => new RangeError('an error'),
  'an array': () => [1],
  'a Map': () => new Map([[1, 2]]),
  'a Set': () => new Set([1]),
  'a Date': () => new Date(5),
  'a RegExp': () => /x/g,
  'a boxed number': () => Object(1),
  'an ArrayBuffer': () => new ArrayBuffer(4),
  'a Uint8Array': () => new Uint8Array(4),
  'a Blob': () => new Blob(['x']),
};
const PLACES = {
  alone: (it) => it,
  deep: (it) => ({ a: [new Map([[{ key: it }, 1]])] }),
  'beside many': (it) => [...Array.from({ length: 100 }, (_, i) => ({ i })), it],
};

/** Plain, marked or refused: in what words. */
const attempt = (run) => {
  try {
    run();
    return 'taken';
  } catch ({ name, message }) {
    return `${name}: ${message}`;
  }
};

const skip = markAsUncloneable === undefined && 'this Node has none';

describe('markAsUncloneable', { skip }, () => {
  const worker = () => new Worker('', { eval: true });
  const { port1: nodes } = new workerThreads.MessageChannel();
  const { port1: ours } = new MessageChannel();
  nodes.close();
  ours.postMessage(1);

  for (const [kind, make] of Object.entries(KINDS)) {
    test(kind, async () => {
      const thread = worker();
      for (const [place, put] of Object.entries(PLACES)) {
        const object = make();
        const before = attempt(() => ours.postMessage(put(object)));
        markAsUncloneable(object);
        const expected = attempt(() => nodes.postMessage(put(object)));
        assert.equal(before, 'taken', place);
        const ways = {
          port: () => ours.postMessage(put(object)),
          'a port, with something beside that only Node carries': () => ours.postMessage([new Blob([]), put(object)]),
          worker: () => thread.postMessage(put(object)),
          'worker, beside an object of ours': () => thread.postMessage([new SharedBuffer(8), put(object)]),
          'worker, on the way to an object of ours': () => {
            if (Object.isExtensible(object) && kind !== 'a Blob') object.held = new SharedBuffer(8);
            return thread.postMessage(put(object));
          },
          carry: () => nodes.postMessage(...carry([new SharedBuffer(8), put(object)])),
          workerData: () => new Worker('', { eval: true, workerData: [put(object), new SharedBuffer(8)] }),
        };
        for (const [way, send] of Object.entries(ways)) assert.equal(attempt(send), expected, `${place}, ${way}`);
      }
      await thread.terminate();
    });
  }

  test('an object of ours', async () => {
    const thread = worker();
    const shared = new SharedBuffer(8);
    const refusal = /^DataCloneError/;
    assert.equal(attempt(() => thread.postMessage({ shared })), 'taken');
    assert.equal(attempt(() => ours.postMessage({ shared })), 'taken');
    markAsUncloneable(shared);
    assert.match(attempt(() => thread.postMessage({ shared })), refusal);
    assert.match(attempt(() => ours.postMessage({ shared })), refusal);
    await thread.terminate();
  });

  test('a port that is transferred goes, as Node has it', () => {
    const transferred = (Channel, Way) => {
      const { port2 } = new Channel();
      const { port1: way } = new Way();
      markAsUncloneable(port2);
      const outcome = attempt(() => way.postMessage(port2, [port2]));
      way.close();
      return outcome;
    };
    assert.equal(transferred(workerThreads.MessageChannel, workerThreads.MessageChannel), 'taken');
    assert.equal(transferred(workerThreads.MessageChannel, MessageChannel), 'taken');
    assert.equal(transferred(MessageChannel, MessageChannel), 'taken');
  });

  test('tasks', async () => {
    const object = { a: 1 };
    markAsUncloneable(object);
    await using(new WorkerPool(), async (pool) => {
      await assert.rejects(pool.run('echo', { deep: [object] }), {
        code: 'ERR_RW_UNSUPPORTED_VALUE', message: /input\.deep\[0\] is marked as uncloneable/,
      });
    });
    const script = require.resolve('./fixtures/gives-back.js');
    await using(new WorkerPool(script, { maxThreads: 1 }), async (pool) => {
      assert.deepEqual(await pool.runTask({ a: 1 }), { a: 1 });
      await assert.rejects(pool.runTask({ deep: [object] }), { name: 'DataCloneError' });
      assert.deepEqual(await pool.runTask({ a: 2 }), { a: 2 });
    });
  });

  test('by whichever name it is called, and what is no object is let be', async () => {
    assert.equal(workerThreads.markAsUncloneable, markAsUncloneable);
    assert.equal(markAsUncloneable.name, 'markAsUncloneable');
    assert.equal(markAsUncloneable.length, 1);
    for (const value of [undefined, null, 1, 'x', Symbol('s')]) assert.equal(markAsUncloneable(value), undefined);
    const script = `
      import { markAsUncloneable } from 'node:worker_threads';
      import { MessageChannel } from 'rust-workers';
      const object = {};
      markAsUncloneable(object);
      try { new MessageChannel().port1.postMessage({ object }); } catch ({ name }) { console.log(name); }`;
    assert.deepEqual(await evaluate(script, { flags: ['--input-type=module'] }), { stdout: 'DataCloneError\n', stderr: '' });
  });
});

test('a copy of the package that is loaded later is not misled by the first', { skip }, async () => {
  const script = `
    const first = require('rust-workers');
    for (const file of Object.keys(require.cache)) if (!file.endsWith('.node')) delete require.cache[file];
    const second = require('rust-workers');
    const { port1 } = new second.MessageChannel();
    port1.postMessage({ shared: new second.SharedBuffer(8) });
    const object = {};
    first.markAsUncloneable(object);
    try { port1.postMessage(object); } catch ({ name }) { console.log(first === second, name); }`;
  assert.deepEqual(await evaluate(script), { stdout: 'false DataCloneError\n', stderr: '' });
});
