'use strict';

/**
 * The addon of examples/shared-engine as a user copies it: its program, and the ends of threads and processes while its work runs. The
 * blocks of C in docs/shared-engine.md are pieces of it.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');

const { ROOT } = require('../docs/support/markdown');
const { arePieces } = require('../docs/support/pieces');
const { onEachNode, quietly, runNode } = require('../support/child');
const { compileAddon, noAddons, temporary } = require('../support/packs');

const EXAMPLE = path.join(ROOT, 'examples', 'shared-engine');
const ROUNDS = Number(process.env.RW_ROUNDS ?? 6);

describe('the page of the engine', () => {
  test('shows pieces of the example', () => {
    assert.equal(arePieces('docs/shared-engine.md', [path.join(EXAMPLE, 'addon.c')]), 4);
  });
});

if (noAddons) {
  test('the example of the engine', { skip: noAddons }, () => {});
} else {
  const folder = path.join(temporary(), 'shared-engine');
  before(() => {
    fs.mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    fs.symlinkSync(ROOT, path.join(folder, 'node_modules', 'rust-workers'), 'junction');
    fs.copyFileSync(path.join(EXAMPLE, 'index.mjs'), path.join(folder, 'index.mjs'));
    fs.copyFileSync(compileAddon(path.join(EXAMPLE, 'addon.c')), path.join(folder, 'shared_engine.node'));
  });

  test('the example runs', async () => {
    const end = await runNode(['index.mjs'], { cwd: folder });
    assert.deepEqual(end, quietly(
      '333833500',
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      '[ 1, 385, 338350 ]',
      '5 tasks on the threads of one pool',
      'the pool is closed',
    ));
  });

  onEachNode('the example of the engine', (run) => {
    /** Work of all sizes, on a pool of its own and on one that all threads share. */
    const work = ({ load, parentPort }, file) => {
      const { WorkerPool } = load();
      const addon = require(file);
      for (const pool of [new WorkerPool({ maxThreads: 2 }), WorkerPool.open('the example', { maxThreads: 2 })]) {
        for (let i = 0; i < 300; i++) addon.sumOfSquares(pool.engine, i % 50 === 0 ? 1e12 : i * 100).catch(() => {});
      }
      setInterval(Object, 1_000);
      parentPort?.postMessage('go');
    };
    const text = `(tools) => (${work})(tools, ${JSON.stringify(path.join(folder, 'shared_engine.node'))})`;

    test('its promises hold the event loop, and reject with what has ended them', async () => {
      const program = async ({ load, say }, file) => {
        const { WorkerPool } = load();
        const addon = require(file);
        const pool = new WorkerPool({ maxThreads: 1 });
        const endless = addon.sumOfSquares(pool.engine, 1e15).catch((error) => say(error.message));
        setTimeout(() => pool.destroy(), 20);
        await endless;
        for (const wrong of [[], [{}, 1], [pool.engine, 'x']]) {
          try {
            addon.sumOfSquares(...wrong);
          } catch (error) {
            say(error.name);
          }
        }
      };
      const end = await run(program, { args: [path.join(folder, 'shared_engine.node')] });
      assert.deepEqual(end, quietly('the pool was destroyed while the task ran', 'TypeError', 'TypeError', 'TypeError'));
    });

    test('terminate() of workers with work in flight', async () => {
      const program = async ({ once, say, start, after }, workerText, rounds) => {
        for (let round = 0; round < rounds; round++) {
          const workers = [start(workerText), start(workerText)];
          await Promise.all(workers.map((worker) => once(worker, 'message')));
          await after(Math.floor(Math.random() * 8));
          say('ended with', ...(await Promise.all(workers.map((worker) => worker.terminate()))));
        }
      };
      const end = await run(program, { args: [text, ROUNDS] });
      assert.deepEqual(end, quietly(...Array.from({ length: ROUNDS }, () => 'ended with 1 1')));
    });

    test('process.exit(), and an uncaught error, with work in flight', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const isError = round % 2 === 1;
        const program = async ({ load, after }, workText, throws) => {
          new Function('require', `return (${workText})`)(require)({ load });
          await after(Math.floor(Math.random() * 8));
          if (throws) setImmediate(() => { throw new Error('on purpose'); });
          else process.exit(7);
        };
        const { code, signal, stderr } = await run(program, { args: [text, isError] });
        assert.deepEqual([code, signal], [isError ? 1 : 7, null], stderr);
      }
    });
  });
}
