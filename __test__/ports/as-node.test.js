'use strict';

// The same programs over Node's own ports and over ours: what they log must be equal.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { AsyncLocalStorage, createHook } = require('node:async_hooks');
const { createSecretKey, webcrypto } = require('node:crypto');
const fs = require('node:fs');
const { inspect } = require('node:util');
const vm = require('node:vm');
const nodeThreads = require('node:worker_threads');

const ours = require('rust-workers');
const { until } = require('../support/until');
const { alike, closed, said } = require('./support/alike');

test('a port of ours is a MessagePort and an EventTarget', () => {
  const { port1, port2 } = new ours.MessageChannel();
  assert.ok(port1 instanceof nodeThreads.MessagePort);
  assert.ok(port1 instanceof ours.MessagePort);
  assert.ok(port1 instanceof EventTarget);
  assert.throws(() => new ours.MessagePort(), { code: 'ERR_CONSTRUCT_CALL_INVALID' });
  port1.close();
  port2.close();
});

alike('on gives values, addEventListener and onmessage events, in the order of listeners', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  port2.on('message', (value) => t.log('on', value));
  port2.addEventListener('message', (event) => {
    const { data, type, target, currentTarget, ports, origin, lastEventId, source } = event;
    t.log('listener', data, type, target === port2, currentTarget === port2, ports.length, origin, lastEventId, source);
  });
  port2.onmessage = (event) => t.log('onmessage', event.data, event.constructor.name);
  port2.once('message', (value) => t.log('once', value));
  for (let i = 0; i < 3; i++) port1.postMessage(i);
  port1.close();
  await closed(port2);
  t.log(port2.hasRef(), port1.hasRef());
});

alike('between two messages everything runs that the first left to be run', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  port2.on('message', (value) => {
    t.log('message', value);
    process.nextTick(() => t.log('tick', value));
    Promise.resolve().then(() => t.log('microtask', value)).then(() => process.nextTick(() => t.log('late', value)));
    queueMicrotask(() => t.log('queued', value));
  });
  for (let i = 0; i < 3; i++) port1.postMessage(i);
  port1.close();
  await closed(port2);
});

alike('messages wait for start; listeners start, and the last that goes stops', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  port1.postMessage(1);
  await t.delivered();
  const first = (value) => t.log('first', value);
  port2.on('message', first);
  t.log(port2.hasRef(), port2.listenerCount('message'));
  await t.delivered();
  port2.off('message', first);
  t.log(port2.hasRef());
  port1.postMessage(2);
  await t.delivered();
  t.log(t.receiveMessageOnPort(port2));
  port1.postMessage(3);
  port2.onmessage = ({ data }) => t.log('then', data);
  await t.delivered();
  t.log(typeof port2.onmessage, port2.hasRef());
  port2.onmessage = null;
  t.log(port2.onmessage);
  port2.on('message', first);
  port2.unref();
  port2.on('message', () => {});
  t.log(port2.hasRef());
  port2.ref();
  t.log(port2.hasRef());
  port2.removeAllListeners('message');
  t.log(port2.listenerCount('message'));
  port1.close();
  await closed(port2);
});

alike('close is seen at both ends, after what was posted before, also by a port that never started', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  // In no promised order with those of the other end.
  const first = closed(port1).then(() => '1 closed');
  port2.on('message', (value) => t.log('message', value));
  port2.on('close', () => t.log('2 closed'));
  port1.postMessage('a');
  port1.postMessage('b');
  port1.close();
  port1.postMessage('after the close');
  await closed(port2);
  t.log(await first);
  // Node 20 crashes when it is asked for a message of a closed port.
  if (t.MessageChannel === ours.MessageChannel) assert.equal(t.receiveMessageOnPort(port2), undefined);
  t.log(port2.postMessage('x'), port2.start(), port2.close(), port2.ref(), port2.hasRef());

  const other = new t.MessageChannel();
  const seen = closed(other.port2);
  other.port1.close(() => t.log('callback'));
  await seen;
  await t.delivered();
  t.log('seen');
});

alike('closing in a listener does not drop what is in the queue', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  port2.on('message', (value) => {
    t.log(value);
    if (value === 2) port2.close();
  });
  for (let i = 0; i < 5; i++) port1.postMessage(i);
  await closed(port1);
});

alike('receiveMessageOnPort takes the next message, inside a listener too', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  t.log(t.receiveMessageOnPort(port2));
  port1.postMessage(undefined);
  port1.postMessage({ a: 1 });
  t.log(t.receiveMessageOnPort(port2), t.receiveMessageOnPort(port2), t.receiveMessageOnPort(port2));
  t.log(said(() => t.receiveMessageOnPort({})));
  port2.on('message', (value) => t.log('listener', value, t.receiveMessageOnPort(port2)?.message));
  for (let i = 0; i < 5; i++) port1.postMessage(i);
  port1.close();
  await closed(port2);
});

alike('what cannot be posted says so, and leaves the channel as it was', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const gone = new t.MessageChannel();
  gone.port1.close();
  const buffer = new ArrayBuffer(8);
  t.log(said(() => port1.postMessage()));
  t.log(said(() => port1.postMessage(() => {})));
  t.log(said(() => port1.postMessage({ deep: [Symbol('s')] })));
  t.log(said(() => port1.postMessage(1, 5)));
  t.log(said(() => port1.postMessage(1, { transfer: null })));
  t.log(said(() => port1.postMessage(1, [{}])));
  t.log(said(() => port1.postMessage(1, [port1])));
  t.log(said(() => port1.postMessage(1, [buffer, buffer])));
  t.log(said(() => port1.postMessage(1, [gone.port1])));
  t.log(said(() => port1.postMessage({ fail: () => {} }, [buffer])), buffer.byteLength);
  const other = new t.MessageChannel();
  t.log(said(() => port1.postMessage(1, [other.port1, other.port1])));
  t.log(said(() => port1.postMessage([other.port1, () => {}], [other.port1])));
  // Refused, so it is here still.
  other.port1.postMessage('alive');
  t.log(t.receiveMessageOnPort(other.port2));
  t.log(said(() => port1.postMessage(1, null)), said(() => port1.postMessage(2, {})), said(() => port1.postMessage(3, [])));
  t.log(t.receiveMessageOnPort(port2), t.receiveMessageOnPort(port2), t.receiveMessageOnPort(port2));
  other.port1.close();
  port1.close();
  await closed(port2);
});

alike('transfer detaches; a set, an options object and a closed port do too', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const buffers = Array.from({ length: 4 }, (_, i) => Uint8Array.of(i, 1, 2).buffer);
  const view = new Uint8Array(buffers[0], 1);
  port1.postMessage({ view, again: view }, [buffers[0]]);
  port1.postMessage(buffers[1], new Set([buffers[1]]));
  port1.postMessage('not in it', { transfer: [buffers[2]] });
  t.log(buffers.map((buffer) => buffer.byteLength), view.length);
  const { message } = t.receiveMessageOnPort(port2);
  t.log(message, message.view === message.again, message.view.buffer.byteLength);
  t.log(t.receiveMessageOnPort(port2), t.receiveMessageOnPort(port2));
  port1.close();
  port1.postMessage(buffers[3], [buffers[3]]);
  t.log(buffers[3].byteLength);
  await closed(port2);
});

alike('order holds across every way a message can go', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const shared = new SharedArrayBuffer(4);
  port2.on('message', (value) => t.log(typeof value === 'number' ? value : Object.prototype.toString.call(value)));
  for (let i = 0; i < 200; i++) {
    port1.postMessage(i);
    if (i % 3 === 0) port1.postMessage(new Blob(['x']));
    if (i % 5 === 0) port1.postMessage(new ArrayBuffer(3), [new ArrayBuffer(1)]);
    if (i % 7 === 0) port1.postMessage(new Uint8Array(5000));
    if (i % 11 === 0) port1.postMessage(shared);
  }
  port1.close();
  await closed(port2);
});

alike('everything that Node carries arrives, nested anywhere', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const nodeChannel = new nodeThreads.MessageChannel();
  const stream = new ReadableStream({ start: (c) => (c.enqueue('chunk'), c.close()) });
  const key = await webcrypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']);
  const file = await fs.promises.open(__filename);
  const wasm = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  const cyclic = { list: [] };
  cyclic.list.push(cyclic, new Map([[cyclic, new Set([cyclic])]]));
  const error = new RangeError('told', { cause: new TypeError('why') });
  port1.postMessage(
    {
      list: [new Blob(['blob']), createSecretKey(Buffer.from('secret')), { key }, new Map([['wasm', wasm]])],
      cyclic, error, file, stream, port: nodeChannel.port1, big: 10n ** 40n, expression: /x/gi, when: new Date(5),
      memory: new SharedArrayBuffer(8), sparse: [1, , 3], boxed: Object('text'), minusZero: -0,
    },
    [file, stream, nodeChannel.port1],
  );
  const { message } = t.receiveMessageOnPort(port2);
  t.log(await message.list[0].text(), message.list[1].export().toString(), message.list[2].key.algorithm);
  t.log(message.list[3].get('wasm') instanceof WebAssembly.Module, message.cyclic.list[0] === message.cyclic);
  t.log([...message.cyclic.list[1].keys()][0] === message.cyclic, message.error.name, message.error.message);
  t.log((await message.stream.getReader().read()).value, message.port instanceof nodeThreads.MessagePort);
  t.log(message.big, message.expression, message.when, message.memory.byteLength, message.boxed, message.minusZero);
  t.log(message.sparse, (await message.file.read(Buffer.alloc(5))).buffer.toString());
  message.port.postMessage('through');
  t.log(nodeThreads.receiveMessageOnPort(nodeChannel.port2));
  await message.file.close();
  nodeChannel.port2.close();
  port1.close();
  await closed(port2);
});

alike('an AbortSignal that can be transferred tells of its abort', async (t) => {
  const { transferableAbortController } = require('node:util');
  const { port1, port2 } = new t.MessageChannel();
  const control = transferableAbortController();
  port1.postMessage({ signal: control.signal }, [control.signal]);
  const { signal } = t.receiveMessageOnPort(port2).message;
  t.log(signal.aborted);
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  control.abort('reason');
  await aborted;
  t.log(signal.aborted, signal.reason);
  port1.close();
  await closed(port2);
});

alike('ports move in messages with what waits in them, and the old object closes', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const inner = new t.MessageChannel();
  const old = closed(inner.port2);
  inner.port1.postMessage('before');
  inner.port1.postMessage(new Blob(['before too']));
  port2.on('messageerror', (error) => t.log('messageerror', error.message));
  const arrived = new Promise((resolve) => port2.addEventListener('message', resolve));
  port1.postMessage({ deep: [{ port: inner.port2 }], same: inner.port2 }, [inner.port2]);
  inner.port1.postMessage('after');
  inner.port2.postMessage('lost');
  const event = await arrived;
  const { port } = event.data.deep[0];
  t.log(event.data.same === port, event.ports.length, event.ports[0] === port, port instanceof nodeThreads.MessagePort);
  t.log(said(() => port1.postMessage(1, [inner.port2])));
  port.on('message', (value) => t.log(Object.prototype.toString.call(value), typeof value === 'string' && value));
  const back = [];
  inner.port1.on('message', (value) => back.push(Object.prototype.toString.call(value)));
  port.postMessage('hello');
  port.postMessage(new Blob([]));
  await old;
  await until(() => back.length >= 2, 'both have come back');
  inner.port1.close();
  await closed(port);
  t.log(back);
  port1.close();
  await closed(port2);
});

alike('a port that is lost with its message closes', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const inner = new t.MessageChannel();
  inner.port1.on('message', () => {});
  port1.postMessage(inner.port2, [inner.port2]);
  port2.close();
  await closed(inner.port1);
  t.log('closed');
});

alike('a closed port that still has messages can be transferred, and they come along', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const inner = new t.MessageChannel();
  inner.port1.postMessage('last words');
  inner.port1.close();
  await t.delivered();
  port1.postMessage(inner.port2, [inner.port2]);
  const { message: port } = t.receiveMessageOnPort(port2);
  t.log(t.receiveMessageOnPort(port));
  port.close();
  port1.close();
  await closed(port2);
});

alike('emit, dispatchEvent and listener options are those of an event target', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const control = new AbortController();
  port2.addEventListener('message', () => t.log('with signal'), { signal: control.signal });
  port2.addEventListener('message', { handleEvent: (event) => t.log('object', event.data) }, { once: true });
  port1.postMessage(1);
  await t.delivered();
  control.abort();
  t.log(port2.listenerCount('message'), port2.hasRef(), port2.emit('nothing'));
  port2.on('message', (value) => t.log('emitted', value));
  port2.emit('message', 5);
  port2.dispatchEvent(new Event('other'));
  t.log(port2.eventNames().includes('message'));
  port2.close();
  await closed(port1);
});

alike('async hooks get the port itself, and see that it ends', async (t) => {
  const resources = [];
  const ended = [];
  const ids = new Set();
  const hook = createHook({
    init(id, type, _, resource) {
      if (type !== 'MESSAGEPORT') return;
      ids.add(id);
      resources.push(resource);
      // It is not made yet.
      t.log(inspect(resource).includes('active: true, refed: false'));
    },
    destroy: (id) => ids.has(id) && ended.push(id),
  }).enable();
  const { port1, port2 } = new t.MessageChannel();
  port1.postMessage({ plain: 1 });
  t.log(resources.length, resources[0] === port1, resources[1] === port2);
  t.log(t.receiveMessageOnPort(port2));
  port1.close();
  await closed(port2);
  await until(() => ended.length >= 2, 'both end');
  hook.disable();
  t.log(ended.length);
});

alike('listeners run in the async context in which the channel was made', async (t) => {
  const storage = new AsyncLocalStorage();
  const { port1, port2 } = storage.run('making', () => new t.MessageChannel());
  const end = closed(port2);
  storage.run('listening', () => {
    port2.on('message', () => {
      t.log('message', storage.getStore());
      Promise.resolve().then(() => t.log('microtask', storage.getStore()));
    });
    port2.on('close', () => t.log('close', storage.getStore()));
  });
  storage.run('posting', () => {
    port1.postMessage(1);
    port1.postMessage(2);
  });
  await t.delivered();
  port1.close();
  await end;
  storage.disable();
});

alike('a bad transfer list is refused in the same words, and one that throws is heard', (t) => {
  const { port1 } = new t.MessageChannel();
  const iterable = (iterator) => ({ [Symbol.iterator]: () => iterator });
  const thrower = iterable({
    next() {
      throw new RangeError('mine');
    },
  });
  const lists = [0, false, 'X', Symbol('X'), [1], [{}], [null], [new Uint8Array(1)], thrower];
  for (const list of [null, 0, {}, iterable({}), iterable({ next: 42 }), iterable({ next: () => 1 }), thrower]) {
    lists.push({ transfer: list }, list);
  }
  for (const list of lists) t.log(said(() => port1.postMessage({ plain: 1 }, list)));
  port1.close();
  for (const list of lists) t.log(said(() => port1.postMessage({ plain: 1 }, list)));
});

alike('a port that is marked as untransferable stays, as Node has it', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const inner = new t.MessageChannel();
  t.markAsUntransferable(inner.port1);
  t.log(said(() => port1.postMessage(inner.port1, [inner.port1])), said(() => port1.postMessage(1, [inner.port1])));
  t.log(said(() => new t.Worker('', { eval: true, workerData: inner.port1, transferList: [inner.port1] })));
  inner.port1.postMessage('still here');
  t.log(t.receiveMessageOnPort(inner.port2), t.receiveMessageOnPort(port2));
  inner.port1.close();
  port1.close();
  await closed(port2);
});

alike('a port that has left is refused, listed or not', (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const inner = new t.MessageChannel();
  t.log(said(() => port1.postMessage({ port: inner.port2 })), said(() => new t.Worker('', { eval: true, workerData: port2 })));
  port1.postMessage(inner.port2, [inner.port2]);
  t.log(said(() => port1.postMessage(inner.port2)), said(() => port1.postMessage(inner.port2, [inner.port2])));
  t.log(said(() => inner.port2.postMessage(() => {})), inner.port2.postMessage(1), inner.port2.hasRef());
  port1.close();
  port2.close();
});

alike('a port moved to another context speaks with objects of that context, both ways and in order', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  const inner = new t.MessageChannel();
  const context = vm.createContext({ log: t.log });
  t.log(said(() => t.moveMessagePortToContext(port1, {})), said(() => t.moveMessagePortToContext({}, context)));
  port2.postMessage('before');
  context.port = t.moveMessagePortToContext(port1, context);
  port2.postMessage({ list: [1, new Uint8Array(2)], inner: inner.port1 }, [inner.port1]);
  port2.postMessage(new Blob(['x']));
  const file = await fs.promises.open(__filename);
  port2.postMessage(file, [file]);
  port2.postMessage(null);
  vm.runInContext(
    `port.onmessage = ({ data, ports }) => {
      log(String(data), data?.list instanceof Array, ports.length, ports[0] !== undefined && ports[0] === data.inner);
      if (data?.inner) data.inner.postMessage(['by the inner one']);
      if (data === null) port.postMessage(new Map([['back', {}]]));
    };
    port.onmessageerror = ({ data }) => log(data.code);
    port.start();`,
    context,
  );
  const back = await new Promise((resolve) => port2.on('message', resolve));
  t.log(back instanceof Map, back);
  t.log(await new Promise((resolve) => inner.port2.on('message', resolve)));
  const ends = closed(inner.port2);
  inner.port2.close();
  await ends;
  const end = closed(port2);
  vm.runInContext('port.close()', context);
  await end;
  t.log(said(() => t.moveMessagePortToContext(port2, context)));
});

alike('a port closes a while after close was called', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  port1.on('message', () => {});
  port2.on('message', () => {});
  port1.on('close', () => t.log('1', port1.hasRef()));
  port2.close();
  t.log(port1.hasRef(), port2.hasRef());
  await closed(port1);
  await t.delivered();
  t.log(port1.hasRef(), port2.hasRef());
});

alike('a listener that closes the port gets what was posted before', async (t) => {
  const { port1, port2 } = new t.MessageChannel();
  port1.on('message', (value) => {
    t.log(value);
    port1.close();
  });
  port2.postMessage('foo');
  port2.postMessage('bar');
  await closed(port2);
});

alike('receiveMessageOnPort refuses what is no port', (t) => {
  for (const value of [undefined, null, 0, 'x', {}, [], () => {}, new EventTarget()]) {
    t.log(said(() => t.receiveMessageOnPort(value)));
  }
});

alike('a port is made by nobody else, has the names of Node\'s and tells what it is', async (t) => {
  t.log(said(() => t.MessagePort()), said(() => new t.MessagePort()), said(() => t.MessageChannel()));
  t.log(said(() => new (class extends t.MessagePort {})()));
  t.log(Object.getOwnPropertyNames(t.MessagePort.prototype).sort(), t.MessagePort.name, t.MessagePort.length);
  const { port1, port2 } = new t.MessageChannel();
  t.log(port1.constructor === t.MessagePort, port1 instanceof t.MessagePort, Object.keys(port1), `${port1}`);
  const states = () => [port1, port2].map((port) => /active: \w+(,\s+refed: \w+)?/.exec(inspect(port))[0].replace(/\s+/g, ' '));
  t.log(inspect({ a: { b: { port1 } } }), states());
  port1.ref();
  t.log(states());
  t.log(port1.postMessage(1), port1.close(), port1.postMessage(1));
  port2.on('message', () => {});
  await closed(port2);
  await t.delivered();
  t.log(states());
});

test('a channel of ours is a class that can be extended', () => {
  class Mine extends ours.MessageChannel {}
  const { port1, port2 } = new Mine({ capacity: 1 });
  assert.ok(port1 instanceof ours.MessagePort);
  port1.close();
  port2.close();
});

test('where Node clones by itself a port of ours is refused, since Node 22.10', (t) => {
  if (nodeThreads.markAsUncloneable === undefined) return t.skip('this Node cannot be told');
  const { port1 } = new ours.MessageChannel();
  assert.throws(() => structuredClone({ port1 }), { name: 'DataCloneError' });
  assert.throws(() => new nodeThreads.MessageChannel().port1.postMessage(port1), { name: 'DataCloneError' });
  port1.close();
});
