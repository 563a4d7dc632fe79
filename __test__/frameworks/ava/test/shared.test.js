import { once } from 'node:events';

import test from 'ava';
import { MessageChannel, Mutex, SharedBuffer, Worker, errors } from 'rust-workers';

test('a lock and shared memory, with a Worker', async (t) => {
  const mutex = new Mutex();
  const total = new SharedBuffer(4);
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('../scripts/adder.cjs', import.meta.url), { workerData: { mutex, total, port: port2, rounds: 500 }, transferList: [port2] });
  const exit = once(worker, 'exit');
  for (let round = 0; round < 500; round++) {
    const guard = await mutex.lock();
    total.store(0, total.load(0) + 1);
    guard.release();
  }
  t.is(await port1.receive(), 'done');
  t.deepEqual(await exit, [0]);
  t.is(total.load(0), 1000);
});

test('a channel carries values of the language', async (t) => {
  const { port1, port2 } = new MessageChannel({ capacity: 2 });
  const sent = { list: [1, 'two', 3n], map: new Map([['a', new Date(5)]]), bytes: Uint8Array.of(1, 2) };
  await port1.send(sent);
  t.deepEqual(await port2.receive(), sent);
  await t.throwsAsync(port2.receive({ timeout: 5 }), { instanceOf: errors.ReceiveTimeoutError });
  port1.close();
});
