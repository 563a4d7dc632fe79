'use strict';

/** Ends of pools, threads and processes while tasks of packs run, also such that never return. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { before, describe, test } = require('node:test');

const { compile, noCompiler } = require('../support/packs');

const MAIN = JSON.stringify(require.resolve('rust-workers'));
const LIMIT = 30_000;

describe('the end of', { skip: noCompiler }, () => {
  let library;
  before(() => {
    library = JSON.stringify(compile('work'));
  });

  /** Runs a program, which must end by itself in time. */
  function run(body, status = 0) {
    const program = `
      const { WorkerPool, MessageChannel, errors } = require(${MAIN});
      const { Worker } = require('node:worker_threads');
      const assert = require('node:assert/strict');
      const library = ${library};
      const running = (pool, count = 1) => new Promise((resolve) => {
        const look = () => (pool.stats().running >= count ? resolve() : setTimeout(look, 1));
        look();
      });
      (async () => { ${body} })().catch((error) => { console.error(error); process.exit(9); });
    `;
    const child = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: LIMIT });
    assert.equal(child.signal, null, `it was ended by ${child.signal}: ${child.stderr}`);
    assert.equal(child.status, status, child.stderr);
    return child;
  }

  const inputs = {
    nothing: 'undefined, {}',
    'memory of JavaScript': '(bytes = new Uint8Array(100_000)), { transfer: [bytes.buffer] }',
    'shared memory': 'new Uint8Array(new SharedArrayBuffer(8)), {}',
    'a port': '(port = new MessageChannel()).port2, { transfer: [port.port2] }',
  };

  for (const [what, input] of Object.entries(inputs)) {
    test(`the process, with a task that stops when it is told to, and has ${what}`, () => {
      run(`
        let bytes, port;
        const pool = new WorkerPool({ maxThreads: 2 }).use(library);
        pool.run('spin', ${input}).catch(() => {});
        await running(pool);
        process.exit(0);
      `);
    });
  }

  test('the process, with a task that never returns', () => {
    run(`
      const pool = new WorkerPool({ maxThreads: 2 }).use(library);
      pool.run('forever').catch(() => {});
      await running(pool);
      process.exit(3);
    `, 3);
  });

  for (const [what, input] of Object.entries({
    memory: '[3000, bytes = new Uint8Array(5000)], { transfer: [bytes.buffer] }',
    'shared memory': '[3000, new Uint8Array(new SharedArrayBuffer(8))], {}',
  })) {
    test(`the process waits for a task that has ${what} and does not listen, and says so`, () => {
      const { stderr } = run(`
        let bytes;
        const pool = new WorkerPool({ maxThreads: 1 }).use(library);
        pool.run('deaf_first', ${input}).catch(() => {});
        await running(pool);
        // Not exit(), which waits for nothing.
        pool.unref();
      `);
      assert.match(stderr, new RegExp(`^rust-workers: a thread cannot end, since a native task has ${what} of it`));
    });
  }

  test('a cancelled task that never returns: its caller has the error, the process ends by exit()', () => {
    run(`
      const pool = new WorkerPool({ maxThreads: 2 }).use(library);
      const controller = new AbortController();
      const stuck = pool.run('forever', undefined, { signal: controller.signal });
      await running(pool);
      controller.abort();
      await assert.rejects(stuck, errors.TaskCancelledError);
      await assert.rejects(pool.run('forever', undefined, { timeout: 10 }), errors.TaskTimeoutError);
      // Both threads are gone, and close() waits for them.
      const closed = await Promise.race([pool.close({ force: true }).then(() => 'closed'), new Promise((done) => setTimeout(done, 100, 'waits'))]);
      assert.equal(closed, 'waits');
      const other = new WorkerPool({ maxThreads: 1 }).use(library);
      await other.run('sleeps', 1);
      await other.close();
      process.exit(4);
    `, 4);
  });

  test('a Worker, with tasks that stop when they are told to', () => {
    run(`
      const code = \`
        const { WorkerPool } = require(\${JSON.stringify(${MAIN})});
        const pool = new WorkerPool({ maxThreads: 2 }).use(\${JSON.stringify(library)});
        const shared = new Uint8Array(new SharedArrayBuffer(64));
        const bytes = new Uint8Array(5000);
        pool.run('spin', [shared, bytes], { transfer: [bytes.buffer] }).catch(() => {});
        pool.run('parts_spin').catch(() => {});
        setTimeout(() => require('node:worker_threads').parentPort.postMessage('up'), 20);
      \`;
      for (let round = 0; round < 10; round++) {
        const workers = Array.from({ length: 3 }, () => new Worker(code, { eval: true }));
        await Promise.all(workers.map((worker) => new Promise((up) => worker.once('message', up))));
        await Promise.all(workers.map((worker) => worker.terminate()));
      }
    `);
  });

  test('a Worker, with a task that never returns', () => {
    run(`
      const code = \`
        const { WorkerPool } = require(\${JSON.stringify(${MAIN})});
        const pool = new WorkerPool({ maxThreads: 1 }).use(\${JSON.stringify(library)});
        pool.run('forever').catch(() => {});
        setTimeout(() => require('node:worker_threads').parentPort.postMessage('up'), 20);
      \`;
      const worker = new Worker(code, { eval: true });
      await new Promise((up) => worker.once('message', up));
      await worker.terminate();
      process.exit(5);
    `, 5);
  });

  test('a script worker that asks its pool for tasks of a pack', () => {
    run(`
      const fs = require('node:fs');
      const file = require('node:path').join(fs.mkdtempSync(require('node:os').tmpdir() + '/rust-workers-'), 'asks.cjs');
      fs.writeFileSync(file, "exports.ask = () => require(" + JSON.stringify(${MAIN}) + ").task.pool.run('spin');");
      for (let round = 0; round < 5; round++) {
        const pool = new WorkerPool(file, { maxThreads: 2 }).use(library);
        const asked = [pool.run('ask'), pool.run('ask'), pool.run('spin')].map((task) => task.catch((error) => error));
        await running(pool, 2);
        await pool.destroy();
        for (const error of await Promise.all(asked)) assert.ok(error instanceof Error, String(error));
      }
      fs.rmSync(require('node:path').dirname(file), { recursive: true });
    `);
  });

  test('many pools, while their tasks begin and end', () => {
    run(`
      for (let round = 0; round < 30; round++) {
        const pools = Array.from({ length: 3 }, () => new WorkerPool({ maxThreads: 2 }).use(library));
        const tasks = pools.flatMap((pool) => [
          pool.run('sums', 50), pool.run('spin'), pool.run('block', 1), pool.run('hoards', 3), pool.run('sleeps', 5),
          pool.run('increments', new Uint8Array(3000)), pool.map('sums', [1, 2, 3]), pool.run('reports', 50, { onProgress() {} }),
        ]);
        const ended = Promise.allSettled(tasks);
        if (round % 2) await new Promise((done) => setTimeout(done, round % 5));
        await Promise.all(pools.map((pool) => pool.destroy()));
        await ended;
      }
    `);
  });
});
