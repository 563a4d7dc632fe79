'use strict';

// Two threads that take turns: the worker then waits for the next message in place (src/node/exchange.rs).

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');

const { Worker, MessageChannel } = require('rust-workers');

async function begin(way) {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(path.join(__dirname, 'fixtures', 'turns.js'));
  worker.postMessage({ port: port2, way }, [port2]);
  await once(worker, 'message');
  return { worker, port: port1 };
}

async function withWorker(way, body) {
  const { worker, port } = await begin(way);
  try {
    await body(port);
  } finally {
    port.close();
    await worker.terminate();
  }
}

/** Takes turns for so many milliseconds; the number of turns. */
function exchange(port, time) {
  const end = performance.now() + time;
  return new Promise((resolve, reject) => {
    let sent = 0;
    const listener = (value) => {
      if (value !== sent + 1) reject(new Error(`${value} came instead of ${sent + 1}`));
      sent = value;
      if (performance.now() < end) return port.postMessage(value);
      port.off('message', listener);
      resolve(value);
    };
    port.on('message', listener);
    port.postMessage(0);
  });
}

async function ask(port, question) {
  const answer = once(port, 'message');
  port.postMessage(question);
  return (await answer)[0];
}

for (const way of ['atOnce', 'inTick', 'later']) {
  test(`taking turns, answered ${way}: every message comes, and the worker's own timers go on`, () =>
    withWorker(way, async (port) => {
      const before = await ask(port, 'counts');
      const turns = await exchange(port, 600);
      const { intervals, immediates } = await ask(port, 'counts');
      assert.ok(turns > 100, `${turns} turns`);
      // In 600 ms a free worker has 300 of the one and some 250 of the other; the machine may be busy.
      assert.ok(intervals - before.intervals > 40, `${intervals - before.intervals} intervals`);
      assert.ok(immediates - before.immediates > 40, `${immediates - before.immediates} immediates`);
    }));
}

test('after an exchange the worker is back at its event loop', () =>
  withWorker('atOnce', async (port) => {
    for (let round = 0; round < 20; round++) {
      await exchange(port, 20);
      const before = await ask(port, 'counts');
      // Beside this thread's own: the machine may be busy.
      let own = 0;
      const interval = setInterval(() => own++, 2);
      await new Promise((resolve) => setTimeout(resolve, 60));
      clearInterval(interval);
      const intervals = (await ask(port, 'counts')).intervals - before.intervals;
      assert.ok(intervals >= Math.min(5, own / 4), `${intervals} intervals, and ${own} in this thread`);
    }
  }));

test('a worker that waits in place is terminated at once', async () => {
  for (let round = 0; round < 10; round++) {
    const { worker, port } = await begin('atOnce');
    await exchange(port, 30);
    const started = performance.now();
    await worker.terminate();
    assert.ok(performance.now() - started < 1000, `took ${performance.now() - started} ms`);
    port.close();
  }
});
