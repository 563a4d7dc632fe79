import { once } from 'node:events';

import { MessageChannel, Mutex, SharedBuffer, Worker, WorkerPool, errors } from 'rust-workers';
import { expect, test, vi } from 'vitest';

test('a lock and shared memory, with a Worker', async () => {
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
  expect(await port1.receive()).toBe('done');
  expect((await exit)[0]).toBe(0);
  expect(total.load(0)).toBe(1000);
});

test('a channel carries values of the language', async () => {
  const { port1, port2 } = new MessageChannel({ capacity: 2 });
  const sent = { list: [1, 'two', 3n], map: new Map([['a', new Date(5)]]), bytes: Uint8Array.of(1, 2) };
  await port1.send(sent);
  expect(await port2.receive()).toEqual(sent);
  const waiting = port2.receive({ timeout: 5 });
  await expect(waiting).rejects.toThrow(errors.ReceiveTimeoutError);
  port1.close();
});

test('time limits go by real time under fake timers', async () => {
  vi.useFakeTimers();
  try {
    const pool = new WorkerPool({ maxThreads: 1 });
    await expect(pool.run('sleep', 60_000, { timeout: 20 })).rejects.toThrow(errors.TaskTimeoutError);
    await pool.close();
  } finally {
    vi.useRealTimers();
  }
});
