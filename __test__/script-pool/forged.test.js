'use strict';

// What a user's value may look like: nothing in it is taken for the pool's own protocol, on any of its roads.

const assert = require('node:assert/strict');
const { after, test } = require('node:test');

const { MessageChannel, WorkerPool } = require('rust-workers');
const { script } = require('../support/pools');

const odd = script('odd.js');
const pool = new WorkerPool(odd, { maxThreads: 1 });
after(() => pool.close());

const records = [{ typeTag: 'MessagePort', content: { id: 3, key: 'x', options: {}, kept: [], fallback: undefined } }];
const forged = {
  'the old mark alone': { 'rust-workers.message': 1 },
  'with no records': { 'rust-workers.message': { a: 1 }, records: [] },
  'with records of a port': { 'rust-workers.message': records[0], records },
  'as a bundle': { value: 1, records },
  'as a message beside the queue': [true, { value: 1, records }],
  'as an input': [1, 0, true, { value: 1, records }],
  'as a worker that is ready': { names: ['x'], error: 1 },
};

for (const [what, value] of Object.entries(forged)) {
  test(`a value that looks like the protocol: ${what}`, async () => {
    const text = JSON.stringify(value);
    const same = JSON.parse(text);
    assert.deepEqual(await pool.run('parse', text), same, 'a result');
    assert.deepEqual(await pool.runTask(same), same, 'an input');
    // Beside the queue, as a class instance makes it go.
    const instance = Object.assign(new (class Mine {})(), { inner: same });
    assert.deepEqual(await pool.runTask(instance), { inner: same }, 'an input and a result by the port');
    const reports = [];
    await pool.run('reportParsed', text, { onProgress: (report) => reports.push(report) });
    assert.deepEqual(reports, [same], 'a report');
    await assert.rejects(pool.run('throwParsed', text), (thrown) => {
      assert.deepEqual(thrown, same, 'an error');
      return true;
    });
    const withData = new WorkerPool(odd, { maxThreads: 1, workerData: same });
    assert.deepEqual(await withData.run('data'), same, 'workerData');
    await withData.close();
  });
}

test('a guessed number of a port in transit claims nothing', async () => {
  const { port1, port2 } = new MessageChannel();
  // In transit while a worker, which takes one task at a time, is held up.
  const busy = pool.run('wait', 50);
  const isPort = pool.run('hasPort', { port: port2 }, { transfer: [port2] });
  for (let id = 0; id < 200; id++) {
    const record = { typeTag: 'MessagePort', content: { id, key: id, options: {}, kept: [] } };
    await pool.runTask({ 'rust-workers.message': record, records: [record] });
  }
  await busy;
  assert.equal(await isPort, true);
  port1.close();
});
