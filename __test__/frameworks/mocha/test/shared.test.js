'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');

const { MessageChannel, Mutex, SharedBuffer, Worker, errors } = require('rust-workers');

it('a lock and shared memory, with a Worker', async () => {
  const mutex = new Mutex();
  const total = new SharedBuffer(4);
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(path.join(__dirname, '../scripts/adder.cjs'), { workerData: { mutex, total, port: port2, rounds: 500 }, transferList: [port2] });
  const exit = once(worker, 'exit');
  for (let round = 0; round < 500; round++) {
    const guard = await mutex.lock();
    total.store(0, total.load(0) + 1);
    guard.release();
  }
  assert.equal(await port1.receive(), 'done');
  assert.deepEqual(await exit, [0]);
  assert.equal(total.load(0), 1000);
});

it('a channel carries values of the language', async () => {
  const { port1, port2 } = new MessageChannel({ capacity: 2 });
  const sent = { list: [1, 'two', 3n], map: new Map([['a', new Date(5)]]), bytes: Uint8Array.of(1, 2) };
  await port1.send(sent);
  assert.deepEqual(await port2.receive(), sent);
  await assert.rejects(port2.receive({ timeout: 5 }), errors.ReceiveTimeoutError);
  port1.close();
});
