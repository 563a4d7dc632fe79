'use strict';

// Two threads that take turns: the worker then waits for the next message in place (src/node/adaptive_wait.rs).

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');

const { Worker, MessageChannel } = require('rust-workers');
const { assertPromised, timeOf } = require('../support/promised-time');
const { until } = require('../support/until');

async function begin(way) {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(path.join(__dirname, 'fixtures', 'turns.js'));
  const counts = new Int32Array(new SharedArrayBuffer(8));
  worker.postMessage({ port: port2, way, counts }, [port2]);
  await once(worker, 'message');
  return { worker, port: port1, counts };
}

async function withWorker(way, body) {
  const { worker, port, counts } = await begin(way);
  try {
    await body(port, counts);
  } finally {
    port.close();
    await worker.terminate();
  }
}

/** Counts the ticks of a timer of this thread, of the same interval as that of the worker. */
function ticking() {
  const own = { ticks: 0, stop: () => clearInterval(timer) };
  const timer = setInterval(() => own.ticks++, 2);
  return own;
}

/** Takes turns while this thread's own timer ticks so often. */
function exchangeFor(port, ticks) {
  const own = ticking();
  return new Promise((resolve, reject) => {
    let turns = 0;
    const listener = (value) => {
      if (value !== turns + 1) reject(new Error(`${value} came instead of ${turns + 1}`));
      turns = value;
      if (own.ticks < ticks) return port.postMessage(value);
      port.off('message', listener);
      own.stop();
      resolve({ turns, ticks: own.ticks });
    };
    port.on('message', listener);
    port.postMessage(0);
  });
}

for (const way of ['atOnce', 'inTick', 'later']) {
  test(`taking turns, answered ${way}: every message comes, and the worker's own timers go on`, () =>
    withWorker(way, async (port, counts) => {
      const before = [...counts];
      const { turns, ticks } = await exchangeFor(port, 300);
      const [intervals, immediates] = before.map((count, i) => Atomics.load(counts, i) - count);
      assert.ok(turns > 100, `${turns} turns`);
      // A free worker has as many of them as this thread, and nearly as many immediates.
      assert.ok(intervals > ticks / 8, `${intervals} intervals beside ${ticks} of this thread`);
      assert.ok(immediates > ticks / 8, `${immediates} immediates beside ${ticks} intervals of this thread`);
    }));
}

test('after an exchange the worker is back at its event loop', () =>
  withWorker('atOnce', async (port, counts) => {
    for (let round = 0; round < 20; round++) {
      await exchangeFor(port, 10);
      const before = Atomics.load(counts, 0);
      const own = ticking();
      await until(() => own.ticks >= 30, 'ticks of this thread');
      own.stop();
      const intervals = Atomics.load(counts, 0) - before;
      assert.ok(intervals >= 5, `${intervals} intervals beside 30 of this thread`);
    }
  }));

test('a worker that waits in place is terminated within 100 ms', async () => {
  const terminated = async (ticks) => {
    const { worker, port } = await begin('atOnce');
    await exchangeFor(port, ticks);
    const took = await timeOf(() => worker.terminate());
    port.close();
    return took;
  };
  // It waits so after some exchanges; one message begins none.
  await assertPromised(100, () => terminated(15), () => terminated(0));
});
