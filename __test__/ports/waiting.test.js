'use strict';

// Beyond Node: bounded channels, receiving by hand, blocking, iterating.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');

const { Worker, MessageChannel, receiveMessageOnPort, errors } = require('rust-workers');
const { assertPromised, timeOf } = require('../support/promised-time');
const { turns, until } = require('../support/until');

test('trySend says whether there was room', () => {
  const { port1, port2 } = new MessageChannel({ capacity: 2 });
  assert.deepEqual([port1.trySend(1), port1.trySend(new Blob([])), port1.trySend(3)], [true, true, false]);
  assert.equal(port1.backlog, 2);
  assert.equal(receiveMessageOnPort(port2).message, 1);
  assert.equal(port1.trySend(3), true);
  assert.ok(receiveMessageOnPort(port2).message instanceof Blob);
  assert.equal(receiveMessageOnPort(port2).message, 3);
  assert.equal(receiveMessageOnPort(port2), undefined);
  const buffer = new ArrayBuffer(8);
  port1.trySend(1);
  port1.trySend(2);
  assert.equal(port1.trySend(buffer, [buffer]), false);
  assert.equal(buffer.byteLength, 8, 'what was refused is here still');
  port1.close();
  assert.equal(port1.trySend(1), false);
});

test('send waits for room, in order, and is rejected when nobody is left', async () => {
  const { port1, port2 } = new MessageChannel({ capacity: 3 });
  const order = [];
  const sends = Array.from({ length: 50 }, (_, i) => port1.send(i).then(() => order.push(i)));
  await until(() => order.length === 3, 'there is room for three');
  await turns(10);
  assert.equal(order.length, 3);
  const got = [];
  for (let i = 0; i < 50; i++) got.push(await port2.receive(5000));
  await Promise.all(sends);
  assert.deepEqual(got, Array.from({ length: 50 }, (_, i) => i));
  assert.deepEqual(order, got);
  for (let i = 0; i < 3; i++) await port1.send(i);
  const late = port1.send('late');
  port2.close();
  await assert.rejects(late, errors.PortClosedError);
  await assert.rejects(port1.send(1), errors.PortClosedError);
  const other = new MessageChannel({ capacity: 1 });
  await assert.rejects(other.port1.send(() => {}), { name: 'DataCloneError' });
  other.port1.close();
});

test('a capacity keeps the queue short for a slow reader on another thread', async () => {
  const { port1, port2 } = new MessageChannel({ capacity: 100 });
  const worker = new Worker(path.join(__dirname, 'fixtures', 'echo.js'));
  worker.postMessage({ port: port2 }, [port2]);
  let back = 0;
  let most = 0;
  port1.on('message', () => back++);
  for (let i = 0; i < 5000; i++) {
    await port1.send(i);
    most = Math.max(most, port1.backlog);
  }
  await until(() => back === 5000, 'all have come back');
  assert.ok(most <= 100, `${most} waited`);
  port1.close();
  await worker.terminate();
});

test('receive takes messages one by one, before listeners, and ends by time, signal and close', async () => {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage('first');
  assert.equal(await port2.receive(), 'first');
  const both = [port2.receive(), port2.receive(1000)];
  port1.postMessage('a');
  port1.postMessage('b');
  assert.deepEqual(await Promise.all(both), ['a', 'b']);
  await assert.rejects(port2.receive(10), (error) => error instanceof errors.ReceiveTimeoutError && error.name === 'TimeoutError');
  const control = new AbortController();
  const aborted = port2.receive({ signal: control.signal });
  control.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  await assert.rejects(port2.receive({ timeout: -1 }), errors.OutOfRangeError);
  const seen = [];
  const waiting = port2.receive();
  port2.on('message', (value) => seen.push(value));
  port1.postMessage('for the one who waits');
  port1.postMessage('for the listener');
  assert.equal(await waiting, 'for the one who waits');
  await until(() => seen.length > 0, 'the listener hears one');
  assert.deepEqual(seen, ['for the listener']);
  const last = port2.receive();
  port1.close();
  await assert.rejects(last, errors.PortClosedError);
});

test('what receive took in advance goes to listeners that come later, and along with the port', async () => {
  const { port1, port2 } = new MessageChannel();
  for (let i = 0; i < 10; i++) port1.postMessage(i);
  assert.equal(await port2.receive(), 0);
  const carrier = new MessageChannel();
  carrier.port1.postMessage(port2, [port2]);
  const there = await carrier.port2.receive();
  assert.equal(await there.receive(), 1);
  assert.equal(receiveMessageOnPort(there).message, 2);
  const seen = [];
  const closed = once(there, 'close');
  there.on('message', (value) => seen.push(value));
  port1.close();
  await closed;
  assert.deepEqual(seen, [3, 4, 5, 6, 7, 8, 9]);
  carrier.port1.close();
});

test('for await gives messages until the channel closes', async () => {
  const { port1, port2 } = new MessageChannel();
  const got = [];
  const reader = (async () => {
    for await (const value of port2) got.push(value);
  })();
  for (let i = 0; i < 300; i++) {
    port1.postMessage(i);
    if (i % 50 === 0) await turns(1);
  }
  port1.close();
  await reader;
  assert.deepEqual(got, Array.from({ length: 300 }, (_, i) => i));
});

test('receiveSync blocks for a message from another thread, and ends by time and by close', async () => {
  const worker = new Worker(path.join(__dirname, 'fixtures', 'echo.js'));
  const { port1, port2 } = new MessageChannel();
  const echoed = new Int32Array(new SharedArrayBuffer(4));
  worker.postMessage({ port: port2, echoed }, [port2]);
  await once(worker, 'message');
  for (let i = 0; i < 200; i++) {
    port1.postMessage(i % 20 === 0 ? new Blob([]) : { i });
    const got = port1.receiveSync(10_000);
    if (i % 20 === 0) assert.ok(got instanceof Blob);
    else assert.deepEqual(got, { i });
  }
  const took = await timeOf(() => assert.throws(() => port1.receiveSync(80), errors.ReceiveTimeoutError));
  assert.ok(took >= 79, `${took} ms`);
  port1.postMessage('last');
  await until(() => Atomics.load(echoed, 0) === 201, 'the last one is on its way back');
  await worker.terminate();
  assert.equal(port1.receiveSync(1000), 'last');
  assert.throws(() => port1.receiveSync(1000), errors.PortClosedError);
});

test('a thread blocked in receiveSync is terminated within 50 ms', async () => {
  const terminated = async (work, round) => {
    const code = `
      const { parentPort, MessageChannel } = require('rust-workers');
      const { port1 } = new MessageChannel();
      parentPort.postMessage('here');
      ${work}`;
    const worker = new Worker(code, { eval: true });
    await once(worker, 'message');
    // Nobody can ask whether it is blocked by now. At several moments of the slices in which it waits.
    await after(20 + 7 * round);
    return timeOf(() => worker.terminate());
  };
  await assertPromised(50, (n) => terminated('port1.receiveSync();', n), (n) => terminated('setInterval(Object, 1_000);', n));
});

test('options are checked', () => {
  assert.throws(() => new MessageChannel({ capacity: 0 }), errors.OutOfRangeError);
  assert.throws(() => new MessageChannel({ capacity: '5' }), errors.InvalidArgTypeError);
  assert.throws(() => new MessageChannel(null), errors.InvalidArgTypeError);
  assert.throws(() => new MessageChannel({ keepBuffers: 1 }), errors.InvalidArgTypeError);
});
