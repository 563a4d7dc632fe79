'use strict';

// Ports whose other end a native task holds.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test, after: afterAll } = require('node:test');

const { WorkerPool, MessageChannel, errors, receiveMessageOnPort } = require('rust-workers');

const pool = new WorkerPool();
afterAll(() => pool.close());

test('echo serves a port until it closes', async () => {
  const { port1, port2 } = new MessageChannel();
  const served = pool.run('echo', { port: port2 }, { transfer: [port2] });
  const values = [1, 'text', { deep: [new Map([[1, new Set(['x'])]])] }, new Uint8Array(70_000).fill(3), null, 7n];
  for (const value of values) port1.postMessage(value);
  for (const value of values) assert.deepEqual(await port1.receive(10_000), value);
  const given = Uint8Array.from({ length: 5000 }, (_, i) => i).buffer;
  const expected = given.slice(0);
  port1.postMessage(given, [given]);
  assert.equal(given.byteLength, 0);
  assert.deepEqual(await port1.receive(10_000), expected);
  assert.throws(() => port1.postMessage(new Blob([])), { name: 'DataCloneError', message: /native task/ });
  const burst = 20_000;
  let back = 0;
  const all = new Promise((resolve, reject) => {
    port1.on('message', (value) => {
      if (value !== back) reject(new Error(`${value} came instead of ${back}`));
      if (++back === burst) resolve();
    });
  });
  for (let i = 0; i < burst; i++) port1.postMessage(i);
  await all;
  port1.close();
  assert.equal(await served, values.length + 1 + burst);
  await assert.rejects(async () => port2.receive(), errors.PortClosedError);
});

test('primes streams what it finds, at the pace of the reader, and stops when told', async () => {
  const { port1, port2 } = new MessageChannel({ capacity: 16 });
  const task = pool.run('primes', { limit: 1e10, port: port2 }, { transfer: [port2] });
  const got = [];
  for await (const prime of port1) {
    got.push(prime);
    if (got.length === 10) port1.postMessage('stop');
  }
  assert.deepEqual(got.slice(0, 10), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
  assert.equal(await task, got.length);
  assert.ok(got.length < 1000);
});

test('a task that is aborted lets its port go', async () => {
  const { port1, port2 } = new MessageChannel();
  const control = new AbortController();
  const task = pool.run('echo', { port: port2 }, { transfer: [port2], signal: control.signal });
  port1.postMessage('on');
  assert.equal(await port1.receive(10_000), 'on');
  const closed = once(port1, 'close');
  port1.ref();
  control.abort();
  await assert.rejects(task, { name: 'AbortError' });
  await closed;
});

test('a port that a task gives back is a port again', async () => {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage('waits');
  const { other } = await pool.run('echo', { other: port2 }, { transfer: [port2] });
  assert.deepEqual(receiveMessageOnPort(other), { message: 'waits' });
  other.postMessage('back');
  assert.deepEqual(receiveMessageOnPort(port1), { message: 'back' });
  other.close();
});

test('a port must be on the list, once, and be there', async () => {
  const { port1, port2 } = new MessageChannel();
  await assert.rejects(pool.run('echo', { port: port2 }), { name: 'DataCloneError' });
  await assert.rejects(pool.run('echo', { port: port2 }, { transfer: [port2, port2] }), errors.InvalidArgValueError);
  port1.close();
  port2.close();
  await assert.rejects(pool.run('echo', { port: port2 }, { transfer: [port2] }), { name: 'DataCloneError' });
});
