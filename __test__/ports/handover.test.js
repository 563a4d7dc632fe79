'use strict';

// Between any two messages a port may stop, close, move or change its listeners: the next message is the first that was
// not shown.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { MessageChannel, Worker, receiveMessageOnPort } = require('rust-workers');
const { alike, closed, said } = require('./support/alike');

/** Each of another size and way: small, with a block, large, through the fallback port. */
const MIXED = [1, new Uint8Array(3000), 'y'.repeat(20_000), new Blob(['x']), 2, new Uint8Array(5000), 'z'.repeat(300_000), 3];
const nameOf = (value) => (typeof value === 'object' ? `${value.constructor.name} ${value.size ?? value.length}` : `${value}`.slice(0, 2) + `${value}`.length);

for (const [way, later] of Object.entries({ now: (what) => what(), microtask: queueMicrotask, tick: process.nextTick })) {
  for (let at = 0; at < MIXED.length; at++) {
    alike(`moved by the listener of message ${at}, ${way}: none is lost, none comes twice`, async (t) => {
      const { port1, port2 } = new t.MessageChannel();
      const carrier = new t.MessageChannel();
      for (const value of MIXED) port1.postMessage(value);
      const moved = new Promise((resolve) => {
        let count = 0;
        port2.on('message', (value) => {
          t.log('here', nameOf(value));
          if (count++ === at) {
            later(() => {
              carrier.port1.postMessage(port2, [port2]);
              resolve(t.receiveMessageOnPort(carrier.port2).message);
            });
          }
        });
      });
      const there = await moved;
      there.on('message', (value) => t.log('there', nameOf(value)));
      port1.close();
      await closed(there);
      carrier.port1.close();
    });
  }
}

alike('once with messages at hand, and later on: the next comes', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  for (let i = 0; i < 5; i++) port1.postMessage(i);
  port2.once('message', (value) => t.log('once', value));
  await t.delivered();
  port1.postMessage(5);
  await t.delivered();
  t.log('waits');
  port2.on('message', (value) => t.log('on', value));
  await t.delivered();
  port1.postMessage(6);
  port1.close();
  await closed(port2);
});

alike('onmessage set to null and again, with its effect on the loop', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  t.log(port2.hasRef());
  port2.onmessage = ({ data }) => {
    t.log('first', data);
    port2.onmessage = null;
    t.log(port2.hasRef(), port2.onmessage);
  };
  for (let i = 0; i < 4; i++) port1.postMessage(i);
  await t.delivered();
  port2.onmessage = ({ data }) => t.log('second', data);
  t.log(port2.hasRef(), port2.listenerCount('message'));
  await t.delivered();
  port2.onmessage = null;
  port1.postMessage(4);
  await t.delivered();
  port2.on('message', (value) => t.log('on', value));
  port2.onmessage = 'not a function';
  t.log(port2.onmessage, port2.listenerCount('message'));
  port1.close();
  await closed(port2);
});

alike('a transfer that is refused inside a listener changes nothing', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const carrier = new t.MessageChannel();
  port2.on('message', (value) => {
    t.log(nameOf(value));
    t.log(said(() => carrier.port1.postMessage([port2, () => {}], [port2]))[0]);
    t.log(said(() => carrier.port1.postMessage({ port2, get broken() { throw new RangeError('getter'); } }, [port2])));
  });
  for (const value of MIXED) port1.postMessage(value);
  port1.close();
  await closed(port2);
  carrier.port1.close();
});

alike('the end whose other end has just closed is transferred, with what waits in it', async (t) => {
  const carrier = new t.MessageChannel();
  for (const values of [[], [1], [new Blob(['x'])], [1, new Blob(['x']), 2]]) {
    const { port1, port2 } = new t.MessageChannel();
    for (const value of values) port1.postMessage(value);
    port1.close();
    carrier.port1.postMessage({ port2 }, [port2]);
    const { port2: there } = t.receiveMessageOnPort(carrier.port2).message;
    there.on('message', (value) => t.log(nameOf(value)));
    await closed(there);
    t.log('closed');
  }
  carrier.port1.close();
});

alike('a getter that posts through, or closes, the port that its message is posted to', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  port2.on('message', (value) => t.log(value));
  port1.postMessage({ get a() { port1.postMessage('inner'); return 'outer'; } });
  port1.postMessage({ get a() { port1.postMessage(new Uint8Array(2)); return 'outer'; } });
  port1.postMessage({ get a() { port1.close(); return 'closing'; } });
  port1.postMessage('after the close');
  await closed(port2);
});

alike('a port may be used while the message with which it leaves is read', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const inner = new t.MessageChannel();
  let posted = false;
  const value = {
    port: inner.port2,
    get a() {
      if (!posted) inner.port2.postMessage('last words');
      posted = true;
      return 1;
    },
  };
  port1.postMessage(value, [inner.port2]);
  const { message } = t.receiveMessageOnPort(port2);
  inner.port2.postMessage('nowhere');
  message.port.postMessage('first words');
  t.log(t.receiveMessageOnPort(inner.port1), t.receiveMessageOnPort(inner.port1), t.receiveMessageOnPort(inner.port1));
  inner.port1.close();
  port1.close();
  await closed(port2);
});

alike('of a bad transfer list Node speaks before a getter is read', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const { port1: other } = new t.MessageChannel();
  const gone = new t.MessageChannel();
  gone.port1.close();
  const buffer = new ArrayBuffer(8);
  const value = { get a() { t.log('read'); return 1; } };
  for (const list of [[other, other], [port1], [gone.port1], [buffer, buffer], [{}], [buffer, other, other, 5], [5, other, other]]) {
    t.log(said(() => port1.postMessage(value, list)));
  }
  t.log(buffer.byteLength);
  other.close();
  port1.close();
  await closed(port2);
});

test('a port posted to a Worker and its other end closed at once: everything arrives', async () => {
  const code = `
    const { parentPort } = require('rust-workers');
    parentPort.on('message', ({ port }) => {
      const got = [];
      port.on('message', (value) => got.push(value));
      port.on('close', () => parentPort.postMessage(got.length));
    });`;
  const worker = new Worker(code, { eval: true });
  for (const [posted, close] of [[3, true], [0, true], [3, false]]) {
    const { port1, port2 } = new MessageChannel();
    for (let i = 0; i < posted; i++) port1.postMessage(i % 2 === 0 ? i : new Blob(['x']));
    worker.postMessage({ port: port2 }, [port2]);
    if (!close) port1.postMessage(new Blob(['last']));
    port1.close();
    assert.deepEqual(await once(worker, 'message'), [close ? posted : posted + 1]);
  }
  await worker.terminate();
});

test('two ports whose messages are read in turn, from within their listeners, mix nothing up', async () => {
  const [a, b] = [new MessageChannel(), new MessageChannel()];
  const got = [];
  for (let i = 0; i < 600; i++) {
    a.port1.postMessage(i % 7 === 0 ? { a: i, blob: new Blob(['x']) } : { a: i });
    b.port1.postMessage(i % 5 === 0 ? { b: i, bytes: new Uint8Array(2000) } : { b: i });
  }
  a.port2.on('message', (value) => got.push(value.a, receiveMessageOnPort(b.port2).message.b));
  a.port1.close();
  await once(a.port2, 'close');
  assert.deepEqual(got, Array.from({ length: 600 }, (_, i) => [i, i]).flat());
  b.port1.close();
});
