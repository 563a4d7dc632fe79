'use strict';

/**
 * The template of a pack in C (examples/c-task) as a user copies it: its build without a warning, its program, its tasks on a pool. The
 * blocks of docs/c-packs.md are pieces of its files, or walks.
 */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { arePieces } = require('../docs/support/pieces');
const { ROOT } = require('../docs/support/markdown');
const { runNode } = require('../support/child');
const { noCompiler, temporary } = require('../support/packs');

const TEMPLATE = path.join(ROOT, 'examples', 'c-task');

describe('the template of a pack in C', { skip: noCompiler }, () => {
  let copy;
  let pool;
  before(() => {
    copy = path.join(temporary(), 'c-task');
    fs.cpSync(TEMPLATE, copy, { recursive: true });
    fs.mkdirSync(path.join(copy, 'node_modules'));
    fs.symlinkSync(ROOT, path.join(copy, 'node_modules', 'rust-workers'), 'junction');
    const { build } = JSON.parse(fs.readFileSync(path.join(copy, 'package.json'), 'utf8')).scripts;
    for (const flags of ['-std=c99 -pedantic -Werror', '-std=c17 -pedantic -Werror', '']) {
      const { status, stdout, stderr } = spawnSync(`${build} ${flags}`, { cwd: copy, shell: true, encoding: 'utf8' });
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
    }
    pool = new WorkerPool({ maxThreads: 2 });
    pool.use(path.join(copy, 'tasks.so'));
  });
  after(() => pool?.close());

  test('runs its program', async () => {
    const { code, stdout, stderr } = await runNode([path.join(copy, 'index.mjs')], { cwd: '/', timeout: 30_000 });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'mandelbrot: 60000 bytes in 200 rows',
      'invert: 254 where it was 1',
      'norms: 5 13',
      'stopped: AbortError',
      "task 'mandelbrot' takes { width, height, iterations }; got a string for option 'width'",
    ]);
  });

  test('reports, in order, and stops at every stage', async () => {
    const rows = [];
    const size = { width: 4, height: 50 };
    const pixels = await pool.run('mandelbrot', size, { onProgress: (done) => rows.push(done.rows) });
    // A corner escapes at the second step; the middle of the third column is inside of the set.
    assert.deepEqual([pixels.constructor, pixels.length, pixels[0], pixels[25 * 4 + 2]], [Uint8Array, 200, 1, 255]);
    assert.deepEqual(rows, Array.from({ length: 50 }, (_, row) => row + 1));
    await assert.rejects(pool.run('mandelbrot', size, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    const stop = new AbortController();
    const large = { width: 30_000, height: 30_000 };
    await assert.rejects(pool.run('mandelbrot', large, { signal: stop.signal, onProgress: () => stop.abort() }), { name: 'AbortError' });
    await assert.rejects(pool.run('mandelbrot', large, { timeout: 20 }), { code: 'ERR_RW_TASK_TIMEOUT' });
  });

  test('inverts bytes of any size and kind, where they stand', async () => {
    for (const length of [0, 1, 1_024, 1_025, 100_000]) {
      for (const Type of [Uint8Array, Int8Array, Uint8ClampedArray]) {
        const bytes = await pool.run('invert', new Type(length).fill(3));
        assert.equal(bytes.constructor, Type);
        assert.deepEqual([bytes.length, new Uint8Array(bytes.buffer).every((byte) => byte === 252)], [length, true]);
      }
    }
    assert.deepEqual(await pool.run('invert', Buffer.from([0])), Buffer.from([255]));
    assert.deepEqual(await pool.run('invert', new ArrayBuffer(2)), Uint8Array.of(255, 255).buffer);
    await assert.rejects(pool.run('invert', [1]), { code: 'ERR_RW_INVALID_INPUT', message: /takes bytes; got an array$/ });
    await assert.rejects(pool.run('invert', new Float32Array(1)), /got an array of larger elements/);
  });

  test('works in parallel, and keeps its errors', async () => {
    const cells = Float64Array.from({ length: 20_000 }, (_, index) => (index % 2 === 0 ? 3 : 4));
    for (const options of [{}, { parallel: true }]) {
      const norms = await pool.run('norms', { columns: 2, cells }, options);
      assert.ok(norms instanceof Float64Array && norms.length === 10_000 && norms.every((norm) => norm === 5));
    }
    assert.deepEqual(await pool.run('norms', { columns: 2, cells: new Float64Array(0) }), new Float64Array(0));
    await assert.rejects(pool.run('norms', { columns: 3, cells }), { code: 'ERR_RW_INVALID_INPUT', message: /got cells that are no whole rows/ });
    await assert.rejects(pool.run('norms', { columns: 0, cells }), /no whole rows/);
    await assert.rejects(pool.run('norms', { columns: 2, cells: [3, 4] }), /got an array for option 'cells'/);
    await assert.rejects(pool.run('norms', { columns: 2, cells: new Float32Array(2) }), /no Float64Array/);
    const error = await pool.run('mandelbrot', { width: 0, height: 0 }).catch((thrown) => thrown);
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.code, error.message], ['EMPTY_AREA', 'an area has at least one pixel, and one iteration']);
    await assert.rejects(pool.run('mandelbrot', { width: 2 ** 31, height: 2 ** 31 }), { code: 'LARGE_AREA' });
    await assert.rejects(pool.run('mandelbrot', { width: 1 }), /got undefined for option 'height'/);
    await assert.rejects(pool.run('mandelbrot', { width: 1.5, height: 1 }), /got a number that is no integer for option 'width'/);
  });
});

test('the code of docs/c-packs.md is that of the template', () => {
  const files = ['tasks.c', 'index.mjs', 'package.json', 'tasks.d.ts'].map((file) => path.join(TEMPLATE, file));
  assert.ok(arePieces('docs/c-packs.md', files) >= 3);
});
