'use strict';

const { Thread, assert, once, rejection, rw } = require('../support');

const { MessageChannel, MessagePort, WorkerPool, receiveMessageOnPort } = rw;

module.exports = {
  area: 'channels',
  checks: {
    'values of every kind, in order': async () => {
      const { port1, port2 } = new MessageChannel();
      const values = [1, 'ü', { a: [1n] }, new Map([[1, 2]]), new Date(3), Uint8Array.of(1), null, undefined, new Error('e')];
      const seen = [];
      const done = new Promise((resolve) => port2.on('message', (value) => seen.push(value) === values.length && resolve()));
      for (const value of values) port1.postMessage(value);
      await done;
      assert.deepEqual(seen.slice(0, 8), values.slice(0, 8));
      assert.equal(seen[8].message, 'e');
      const closed = once(port2, 'close');
      port1.close();
      await closed;
    },
    'texts of every length, to a thread and back': async () => {
      const thread = new Thread();
      const { port1, port2 } = new MessageChannel();
      const echo = thread.run(async (_, port) => {
        for (let i = 0; i < 24; i++) port.postMessage(await port.receive(10_000));
        await port.receive(10_000);
        port.close();
      }, [port2], [port2]);
      for (const part of ['abc', 'aéÿ', '漢a字', '\ud800x\udc00']) {
        for (const length of [3, 66, 3000, 33_000, 140_001, 1_000_002]) {
          const text = part.repeat(length / 3);
          port1.postMessage({ text, twice: [text] });
          const back = await port1.receive(10_000);
          assert.ok(back.text === text && back.twice[0] === text, `${part} ${length}`);
        }
      }
      port1.postMessage('end');
      await echo;
      await thread.end();
    },
    'listeners of every style': async () => {
      const { port1, port2 } = new MessageChannel();
      const seen = [];
      port2.on('message', (value) => seen.push(`on ${value}`));
      port2.once('message', (value) => seen.push(`once ${value}`));
      port2.addEventListener('message', (event) => {
        seen.push(`event ${event.data} ${event.target === port2} ${event instanceof MessageEvent}`);
      });
      port2.onmessage = ({ data }) => seen.push(`onmessage ${data}`);
      assert.equal(port2.listenerCount('message'), 4);
      port1.postMessage('a');
      port1.postMessage('b');
      while (seen.length < 7) await new Promise(setImmediate);
      assert.deepEqual(seen, [
        'on a', 'once a', 'event a true true', 'onmessage a', 'on b', 'event b true true', 'onmessage b',
      ]);
      assert.ok(port2 instanceof MessagePort && port2 instanceof EventTarget);
      port2.onmessage = null;
      port2.removeAllListeners('message');
      assert.equal(port2.listenerCount('message'), 0);
      port1.close();
    },
    'between threads, both ways': async () => {
      const { port1, port2 } = new MessageChannel();
      const thread = new Thread();
      await thread.run((_, port) => {
        port.on('message', (n) => (n === 'end' ? port.close() : port.postMessage(n + 1)));
      }, [port2], [port2]);
      let next = 0;
      await new Promise((resolve) => {
        port1.on('message', (n) => ((next = n) < 200 ? port1.postMessage(n) : resolve()));
        port1.postMessage(0);
      });
      assert.equal(next, 200);
      const closed = once(port1, 'close');
      port1.postMessage('end');
      await closed;
      await thread.end();
    },
    'receive, receiveSync, for await': async () => {
      const { port1, port2 } = new MessageChannel();
      const received = port2.receive();
      port1.postMessage('first');
      assert.equal(await received, 'first');
      port1.postMessage('second');
      assert.equal(port2.receiveSync(), 'second');
      assert.equal(receiveMessageOnPort(port2), undefined);
      port1.postMessage({ third: 3 });
      assert.deepEqual(receiveMessageOnPort(port2), { message: { third: 3 } });
      for (let i = 0; i < 3; i++) port1.postMessage(i);
      port1.close();
      const rest = [];
      for await (const value of port2) rest.push(value);
      assert.deepEqual(rest, [0, 1, 2]);
      assert.equal((await rejection(port2.receive())).code, 'ERR_RW_PORT_CLOSED');
    },
    'receiveSync waits for another thread': async () => {
      const { port1, port2 } = new MessageChannel();
      const thread = new Thread();
      thread.start((_, port) => port.postMessage(port.receiveSync()), [port2], [port2]);
      port1.postMessage('there and back');
      assert.equal(port1.receiveSync(10_000), 'there and back');
      port1.close();
      await thread.end();
    },
    'the native task primes, by a port': async () => {
      const pool = new WorkerPool({ maxThreads: 1 });
      const { port1, port2 } = new MessageChannel();
      const task = pool.run('primes', { limit: 1e9, port: port2 }, { transfer: [port2] });
      let last = 0;
      for await (const prime of port1) {
        last = prime;
        if (prime > 1000) port1.postMessage('stop');
      }
      assert.ok(last > 1000);
      await task;
      await pool.close();
    },
    'transfer of memory and of ports': async () => {
      const { port1, port2 } = new MessageChannel();
      const bytes = new Uint8Array(1000).fill(3);
      port1.postMessage(bytes, [bytes.buffer]);
      assert.equal(bytes.byteLength, 0);
      assert.equal((await port2.receive())[999], 3);
      const inner = new MessageChannel();
      port1.postMessage({ port: inner.port2 }, [inner.port2]);
      const { port } = await port2.receive();
      inner.port1.postMessage('by the moved port');
      assert.equal(await port.receive(), 'by the moved port');
      const node = new (require('node:worker_threads').MessageChannel)();
      port1.postMessage({ port: node.port2 }, [node.port2]);
      const { port: native } = await port2.receive();
      const message = once(native, 'message');
      node.port1.postMessage('by a port of the runtime');
      assert.deepEqual(await message, ['by a port of the runtime']);
      for (const one of [port1, inner.port1, node.port1]) one.close();
    },
    'values that only the runtime can carry': async () => {
      const { port1, port2 } = new MessageChannel();
      class Point {
        x = 1;
      }
      const blob = new Blob(['text of a blob']);
      port1.postMessage(new Point());
      port1.postMessage('between');
      port1.postMessage({ blob });
      assert.deepEqual({ ...(await port2.receive()) }, { x: 1 });
      assert.equal(await port2.receive(), 'between');
      assert.equal(await (await port2.receive()).blob.text(), 'text of a blob');
      port1.close();
    },
    'what cannot be cloned is refused': async () => {
      const { port1, port2 } = new MessageChannel();
      const caught = (run) => {
        try {
          run();
        } catch (error) {
          return error.name;
        }
        return 'nothing';
      };
      assert.equal(caught(() => port1.postMessage(() => {})), 'DataCloneError');
      assert.equal(caught(() => port1.postMessage({ deep: [Symbol('s')] })), 'DataCloneError');
      const inner = new MessageChannel();
      assert.match(caught(() => port1.postMessage(inner.port1)), /^(DataCloneError|TypeError)$/);
      assert.equal(caught(() => port1.postMessage(0, [inner.port1, inner.port1])), 'DataCloneError');
      port1.postMessage('still works');
      assert.equal(await port2.receive(), 'still works');
      port1.close();
      inner.port1.close();
    },
    'capacity: trySend and send': async () => {
      const { port1, port2 } = new MessageChannel({ capacity: 1 });
      assert.deepEqual([port1.trySend(1), port1.trySend(2)], [true, false]);
      const sent = port1.send(3);
      assert.equal(await port2.receive(), 1);
      await sent;
      assert.equal(await port2.receive(), 3);
      port1.close();
    },
    'a listener that throws': async () => {
      const { port1, port2 } = new MessageChannel();
      const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
      const seen = [];
      port2.on('message', (value) => {
        seen.push(value);
        if (value === 1) throw new Error('of the listener');
      });
      port1.postMessage(1);
      port1.postMessage(2);
      assert.equal((await uncaught).message, 'of the listener');
      while (seen.length < 2) await new Promise(setImmediate);
      port1.close();
    },
    'the async context of listeners': async () => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const storage = new AsyncLocalStorage();
      const { port1, port2 } = storage.run('of the channel', () => new MessageChannel());
      const seen = new Promise((resolve) => port2.on('message', () => resolve(storage.getStore())));
      port1.postMessage(1);
      assert.equal(await seen, 'of the channel');
      port1.close();
    },
    'keys of node:crypto': async () => {
      const { createSecretKey } = require('node:crypto');
      const { port1, port2 } = new MessageChannel();
      port1.postMessage({ key: createSecretKey(Buffer.from('secret')) });
      assert.equal((await port2.receive()).key.export().toString(), 'secret');
      port1.close();
    },
    'a port without a listener does not hold the process': async () => {
      const { port1, port2 } = new MessageChannel();
      port1.postMessage('nobody reads this');
      port2.on('message', () => {});
      port2.unref();
      assert.equal(port2.hasRef(), false);
    },
    'a thread that ends closes the other end': async () => {
      const { port1, port2 } = new MessageChannel();
      const thread = new Thread();
      await thread.run((_, port) => void (globalThis.kept = port), [port2], [port2]);
      const closed = once(port1, 'close');
      port1.ref();
      await thread.end();
      await closed;
    },
  },
};
