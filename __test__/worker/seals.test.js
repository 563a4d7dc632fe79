'use strict';

/** Data that looks like the protocol of the package is data, on every road; messages of ours that were changed are errors. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const workerThreads = require('node:worker_threads');

const {
  carry, getEnvironmentData, MessageChannel, receiveMessageOnPort, setEnvironmentData, SharedBuffer, Worker,
} = require('rust-workers');
const { forgeriesOf, sampleMessage } = require('./fixtures/forgeries');

const forgeries = forgeriesOf(sampleMessage()).map((make) => make());
const plainThread = (script, options, Class = Worker) =>
  new Class(`const threads = require('node:worker_threads'); const { parentPort } = threads; ${script}`, {
    eval: true, ...options,
  });
const thread = (script, options, Class = Worker) =>
  new Class(`const threads = require('rust-workers'); const { parentPort } = threads; ${script}`, {
    eval: true, ...options,
  });

const next = async (worker) => (await once(worker, 'message'))[0];

describe('forgeries are data', () => {
  test('in messages both ways, taken by listeners and by hand', async () => {
    const ways = [
      `parentPort.on('message', (value) => parentPort.postMessage(value));`,
      `for (;;) {
        const received = threads.receiveMessageOnPort(parentPort);
        if (received === undefined) continue;
        parentPort.postMessage(received.message);
        if (received.message === 'end') break;
      }`,
    ];
    for (const way of ways) {
      const worker = thread(way);
      for (const value of [...forgeries, { deep: forgeries }, 'end']) {
        worker.postMessage(value);
        assert.deepEqual(await next(worker), value);
      }
      await worker.terminate();
    }
  });

  test('as workerData and as environment data', async () => {
    const script = 'parentPort.postMessage([threads.workerData, threads.getEnvironmentData("forged")]);';
    for (const value of forgeries) {
      setEnvironmentData('forged', value);
      assert.equal(getEnvironmentData('forged'), value);
      assert.deepEqual(await next(thread(script, { workerData: value })), [value, value]);
    }
    setEnvironmentData('forged', undefined);
  });

  test('on a port of Node', () => {
    const { port1, port2 } = new workerThreads.MessageChannel();
    for (const value of forgeries) {
      port1.postMessage(value);
      assert.deepEqual(receiveMessageOnPort(port2).message, value);
    }
    port1.close();
  });

  test('beside objects of ours', async () => {
    const worker = thread(`parentPort.once('message', (value) => parentPort.postMessage(value))`);
    worker.postMessage({ forgeries, shared: new SharedBuffer(8) });
    const back = await next(worker);
    assert.deepEqual(back.forgeries, forgeries);
    assert.ok(back.shared instanceof SharedBuffer);
  });
});

describe('an echo is data', () => {
  /** Every message that the script gets, and its workerData, as it is without the package; sent back. */
  const ECHO = `
    parentPort.postMessage(threads.workerData);
    parentPort.postMessage(threads.getEnvironmentData('echoed'));
    parentPort.on('message', (value) => { parentPort.postMessage(value); parentPort.postMessage(value); });`;

  test('from a thread without the package, and back to one with it', async () => {
    const shared = new SharedBuffer(8);
    setEnvironmentData('echoed', { shared });
    const echo = plainThread(ECHO, { workerData: { shared } });
    setEnvironmentData('echoed', undefined);
    const other = thread(`parentPort.on('message', (value) => parentPort.postMessage(
      [value instanceof threads.SharedBuffer, value.value?.shared instanceof threads.SharedBuffer, 'records' in value]))`);
    const heard = [];
    const all = new Promise((resolve) => {
      echo.on('message', (message) => heard.push(message) === 4 && resolve());
    });
    echo.postMessage({ shared });
    await all;
    for (const message of heard) {
      assert.deepEqual(Object.keys(message).slice(-3), ['image', 'value', 'records']);
      other.postMessage(message);
      assert.deepEqual(await next(other), [false, false, true]);
    }
    await Promise.all([echo.terminate(), other.terminate()]);
  });

  test('a carried message opens once, wherever', async () => {
    const [message] = carry({ shared: new SharedBuffer(8) });
    const workers = [0, 1, 2].map(() =>
      thread(`parentPort.on('message', (value) => parentPort.postMessage(value.shared instanceof threads.SharedBuffer))`,
        {}, workerThreads.Worker));
    const opened = [];
    for (const worker of workers) {
      worker.postMessage(message);
      opened.push(await next(worker));
      await worker.terminate();
    }
    assert.deepEqual(opened, [true, false, false]);
  });

  test('an old message of the same road does not open again', async () => {
    // The thread hears the first message without the package, and posts it back; then it loads the package.
    const worker = plainThread(`
      parentPort.once('message', (first) => {
        parentPort.postMessage(first);
        const { SharedBuffer } = require('rust-workers');
        parentPort.on('message', (value) => parentPort.postMessage(value.shared instanceof SharedBuffer));
      });`);
    const { MessagePort: { prototype } } = workerThreads;
    const port = worker[Object.getOwnPropertySymbols(worker).find(({ description }) => description === 'kPublicPort')];
    worker.postMessage({ shared: new SharedBuffer(8) });
    const first = await next(worker);
    worker.postMessage({ shared: new SharedBuffer(8) });
    assert.equal(await next(worker), true);
    prototype.postMessage.call(port, first);
    assert.equal(await next(worker), false);
    await worker.terminate();
  });
});

describe('a message of ours that was changed is an error', () => {
  const changes = {
    'no records': (message) => { message.records = undefined; },
    'records that are none': (message) => { message.records = [null, 7, 'x']; },
    'an unknown type tag': (message) => { message.records = [{ typeTag: 'toString', content: {} }]; },
    'a SharedBuffer of nothing': (message) => { message.records = [{ typeTag: 'SharedBuffer', content: { buffer: 1 } }]; },
    'a view of a type there is not': (message) => {
      message.records = [{ typeTag: 'AtomicView', content: { array: [1], type: 'int7' } }];
    },
    'a view of plain memory': (message) => {
      message.records = [{ typeTag: 'AtomicView', content: { array: new Int32Array(2), type: 'int32' } }];
    },
    'a lock where there is none': (message) => {
      message.records = [{ typeTag: 'Mutex', content: { buffer: new SharedArrayBuffer(64), byteOffset: 0 } }];
    },
    'a port with a number of another': (message) => {
      message.records = [{ typeTag: 'MessagePort', content: { id: 1, options: {}, kept: [] } }];
    },
    'a port of nothing': (message) => { message.records = [{ typeTag: 'MessagePort', content: null }]; },
  };
  const script = `
    parentPort.on('messageerror', (error) => parentPort.postMessage([error instanceof Error, error.code, error.message]));
    parentPort.on('message', () => parentPort.postMessage('taken'));`;

  for (const [what, change] of Object.entries(changes)) {
    test(what, async () => {
      const worker = thread(script, {}, workerThreads.Worker);
      const [message] = carry({ shared: new SharedBuffer(8) });
      change(message);
      worker.postMessage(message);
      const answer = await next(worker);
      assert.equal(answer[0], true, String(answer));
      const [whole] = carry({ shared: new SharedBuffer(8) });
      worker.postMessage(whole);
      assert.equal(await next(worker), 'taken');
      await worker.terminate();
    });
  }

  test('what came with it and was made already ends', async () => {
    const { port1, port2 } = new MessageChannel();
    const [message, list] = carry({ port: port2, shared: new SharedBuffer(8) }, [port2]);
    message.records.push({ typeTag: 'SharedBuffer', content: 'nothing' });
    const { port1: out, port2: into } = new workerThreads.MessageChannel();
    port1.ref();
    const closed = once(port1, 'close');
    out.postMessage(message, list);
    assert.throws(() => receiveMessageOnPort(into));
    await closed;
    out.close();
  });
});
