'use strict';

// What a finished task has printed is printed, however the program goes on: as by a bare Worker.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode } = require('../support/child');

const lines = (what, count) => Array.from({ length: count }, (_, i) => `${what} ${i}\n`).join('');

onEachNode('output', (run) => {
  for (const count of [1, 3, 4_000]) {
    for (const how of ['close', 'destroy', 'end of main', 'a second task', 'unref']) {
      test(`${count} lines, then: ${how}`, async () => {
        const end = await run(
          async ({ load }, given, way) => {
            const { WorkerPool } = load();
            const pool = new WorkerPool('./__test__/fixtures/scripts/odd.js', { maxThreads: 2 });
            await pool.run('print', given);
            if (way === 'close') await pool.close();
            if (way === 'destroy') await pool.destroy();
            if (way === 'a second task') await pool.runTask(1);
            if (way === 'unref') pool.unref();
          },
          { args: [count, how] },
        );
        assert.equal(end.code, 0, end.stderr);
        assert.equal(end.stdout, lines('line', count));
        assert.equal(end.stderr, lines('error', count));
      });
    }
  }

  test('a script that prints while it listens, and one that pipes to stdout', async () => {
    const end = await run(async ({ load }) => {
      const { WorkerPool } = load();
      const source = `
        import { Readable } from 'node:stream';
        import { parentPort } from 'node:worker_threads';
        parentPort.on('message', (n) => {
          const source = Readable.from((function* () { for (let i = 0; i < n; i++) yield 'x'.repeat(1000); })());
          source.pipe(process.stdout, { end: false });
          source.on('end', () => parentPort.postMessage('piped'));
        });`;
      const pool = new WorkerPool(`data:text/javascript,${encodeURIComponent(source)}`, { maxThreads: 1 });
      await pool.runTask(300);
    });
    assert.deepEqual({ code: end.code, length: end.stdout.length }, { code: 0, length: 300_000 });
  });
});
