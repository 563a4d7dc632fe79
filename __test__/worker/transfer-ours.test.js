'use strict';

// SharedBuffers, locks and ports inside workerData and messages, at depth, and through a nested worker.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { Barrier, Condvar, MessageChannel, Mutex, RwLock, Semaphore, SharedBuffer, Worker } = require('rust-workers');

/** Answers with what arrived, having used all of it, and hands everything on to a worker of its own when asked. */
const SOURCE = `
  const assert = require('node:assert');
  const rw = require('rust-workers');
  const { parentPort, workerData } = rw;
  function use({ deep: [{ shared }], locks, twice }) {
    assert.ok(shared instanceof rw.SharedBuffer);
    assert.strictEqual(twice, shared, 'the same object where it stands twice');
    for (const [name, lock] of Object.entries(locks)) assert.ok(lock instanceof rw[name], name);
    locks.Mutex.lockSync().release();
    shared.add(0, 1);
  }
  use(workerData);
  parentPort.on('message', async (message) => {
    use(message);
    if (message.nested > 0) {
      const { port, ...workerData } = message;
      const inner = new rw.Worker(message.source, { eval: true, workerData });
      inner.postMessage({ ...message, nested: message.nested - 1 }, port ? [port] : []);
      await new Promise((resolve) => inner.once('message', resolve));
      await inner.terminate();
    } else if (message.port) {
      message.port.postMessage('from the innermost', []);
      message.port.close();
    }
    parentPort.postMessage({ back: message.twice });
  });
`;

test('they arrive as themselves, through two levels of workers', { timeout: 30_000 }, async () => {
  const shared = new SharedBuffer(64);
  const locks = {
    Mutex: new Mutex(),
    RwLock: new RwLock(),
    Semaphore: new Semaphore(2),
    Condvar: new Condvar(),
    Barrier: new Barrier(2),
  };
  const value = { deep: [{ shared }], locks, twice: shared };
  const worker = new Worker(SOURCE, { eval: true, workerData: value });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage({ ...value, nested: 1, source: SOURCE, port: port2 }, [port2]);
  const [[message], [innermost]] = await Promise.all([once(worker, 'message'), once(port1, 'message')]);
  assert.equal(innermost, 'from the innermost');
  assert.ok(message.back instanceof SharedBuffer);
  assert.equal(message.back.buffer.byteLength, 64);
  // workerData and a message in the outer worker, workerData and a message in the inner one.
  assert.equal(shared.load(0), 4);
  await worker.terminate();
});
