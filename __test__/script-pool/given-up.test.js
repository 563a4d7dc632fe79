'use strict';

// What was given away with a task that was given up is let go: ports close. And an answer leaves when it is given.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { MessageChannel } = require('node:worker_threads');

const { WorkerPool } = require('rust-workers');
const rustWorkers = require('rust-workers');
const { holdWorker, script } = require('../support/pools');
const { inTime, until } = require('../support/until');

for (const [what, Channel] of [["Node's", MessageChannel], ['ours', rustWorkers.MessageChannel]]) {
  for (const [how, ended] of Object.entries({
    signal: 'ERR_RW_TASK_CANCELLED', timeout: 'ERR_RW_TASK_TIMEOUT', destroy: 'ERR_RW_POOL_CLOSED',
  })) {
    test(`a port in the input of a task that waits, ${what}: ${how}`, async () => {
      const pool = new WorkerPool(script('ports.js'), { maxThreads: 1 });
      await pool.run('peer');
      const { task, open } = await holdWorker(pool);
      const busy = task.then(() => 'held', ({ code }) => code);
      const { port1, port2 } = new Channel();
      port1.on('message', () => {});
      const isClosed = once(port1, 'close');
      const stop = new AbortController();
      const terms = { signal: { signal: stop.signal }, timeout: { timeout: 20 }, destroy: {} }[how];
      const rejected = assert.rejects(pool.run('take', { port2 }, { transfer: [port2], ...terms }), { code: ended });
      if (how === 'signal') stop.abort();
      if (how === 'destroy') pool.destroy();
      await rejected;
      await inTime(isClosed, 'the port closes');
      open();
      assert.equal(await busy, how === 'destroy' ? ended : 'held');
      await pool.close();
    });
  }
}

for (const how of ['late', 'later']) {
  test(`a port in a result that nobody waits for any more: ${how}`, async () => {
    const pool = new WorkerPool(script('ports.js'), { maxThreads: 1, killTimeout: Infinity });
    await pool.run('peer');
    await until(async () => {
      await assert.rejects(pool.run(how, 100, { timeout: 30 }), { name: 'TimeoutError' });
      return (await pool.run('peer')) !== 'none';
    }, 'the task begins before its time is up');
    await until(async () => (await pool.run('peer')) === 'closed', 'the port closes');
    await pool.close();
  });
}

test('an answer leaves at once, whatever the listener does after it', async () => {
  const pool = new WorkerPool(script('answers-then.js'), { maxThreads: 1 });
  const memory = new Int32Array(new SharedArrayBuffer(4));
  assert.deepEqual(await inTime(pool.runTask({ then: 'wait', memory }), 'the answer'), { answer: 'wait' });
  Atomics.store(memory, 0, 1);
  Atomics.notify(memory, 0);
  assert.deepEqual(await pool.runTask({ then: 'exit' }), { answer: 'exit' });
  assert.deepEqual(await pool.runTask({ then: 'nothing' }), { answer: 'nothing' });
  assert.equal(await pool.runTask({ then: 'nothing given' }), 'TypeError');
  await pool.close();
});

test('a listener that throws after its answer ends its worker, and no other task', async () => {
  const pool = new WorkerPool(script('answers-then.js'), { maxThreads: 1 }).on('error', () => {});
  const answers = await Promise.all(['throw', 'nothing', 'throw', 'nothing'].map((then) => pool.runTask({ then })));
  assert.deepEqual(answers.map(({ answer }) => answer), ['throw', 'nothing', 'throw', 'nothing']);
  await pool.close();
});
