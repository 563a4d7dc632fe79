'use strict';

/**
 * The template of a pack in Rust (examples/native-task) as a user copies it: its own tests, its program, its tasks on a pool. The blocks
 * of docs/native-packs.md are pieces of its files.
 */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { ROOT } = require('../docs/support/markdown');
const { arePieces } = require('../docs/support/pieces');
const { runNode } = require('../support/child');

const TEMPLATE = path.join(ROOT, 'examples', 'native-task');
/** Kept between runs, so that only the first one compiles everything. */
const COPY = path.join(ROOT, 'target', 'native-task');
const FILES = ['Cargo.toml', 'src/lib.rs', 'src/tests.rs', 'index.mjs', 'tasks.d.ts', 'README.md'];
const LIBRARY = { win32: 'native_task.dll', darwin: 'libnative_task.dylib' }[process.platform] ?? 'libnative_task.so';

const hasCargo = spawnSync('cargo', ['--version']).status === 0;
const cargo = (...words) => {
  const { status, stderr, stdout } = spawnSync('cargo', [...words, '--quiet'], { cwd: COPY, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  return stdout;
};

/** `node_modules` as npm makes it, but for a link in the place of the package. */
function copyTemplate() {
  fs.mkdirSync(path.join(COPY, 'src'), { recursive: true });
  fs.mkdirSync(path.join(COPY, 'node_modules'), { recursive: true });
  for (const file of FILES) {
    const text = fs.readFileSync(path.join(TEMPLATE, file), 'utf8');
    const copy = path.join(COPY, file);
    // cargo compiles what is newer.
    if (!fs.existsSync(copy) || fs.readFileSync(copy, 'utf8') !== text) fs.writeFileSync(copy, text);
  }
  fs.rmSync(path.join(COPY, 'node_modules', 'rust-workers'), { force: true });
  fs.symlinkSync(ROOT, path.join(COPY, 'node_modules', 'rust-workers'), 'junction');
}

describe('the template of a pack in Rust', { skip: hasCargo ? false : 'there is no cargo' }, () => {
  let pool;
  before(() => {
    copyTemplate();
    cargo('build', '--release');
    pool = new WorkerPool({ maxThreads: 2 });
    pool.use(path.join(COPY, 'target', 'release', LIBRARY));
  });
  after(() => pool?.close());

  test('passes its own tests', () => {
    assert.match(cargo('test'), /4 passed; 0 failed/);
  });

  test('runs its program', async () => {
    const { code, stdout, stderr } = await runNode([path.join(COPY, 'index.mjs')], { cwd: COPY, timeout: 30_000 });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'mandelbrot: 60000 bytes',
      'invert: 254 where it was 1',
      'norms: 5 13',
      'stopped: AbortError',
      'task \'mandelbrot\' takes { width, height, iterations }; got input.width: the string "wide", expected usize',
    ]);
  });

  test('reports, in order, and stops at every stage', async () => {
    const rows = [];
    const size = { width: 4, height: 50 };
    await pool.run('mandelbrot', size, { onProgress: (done) => rows.push(done.rows) });
    assert.ok(rows.length > 0);
    assert.deepEqual(rows, [...rows].sort((a, b) => a - b));
    assert.equal(rows.at(-1), 50);
    const aborted = AbortSignal.abort();
    await assert.rejects(pool.run('mandelbrot', size, { signal: aborted }), { name: 'AbortError' });
    const stop = new AbortController();
    const running = pool.run('mandelbrot', { width: 100, height: 1e9 }, { signal: stop.signal, onProgress: () => stop.abort() });
    await assert.rejects(running, { name: 'AbortError' });
    await assert.rejects(pool.run('mandelbrot', { width: 100, height: 1e9 }, { timeout: 20 }), { code: 'ERR_RW_TASK_TIMEOUT' });
  });

  test('inverts bytes of any size, and each kind of bytes', async () => {
    for (const length of [0, 1, 1_024, 1_025, 100_000]) {
      const bytes = await pool.run('invert', new Uint8Array(length).fill(3));
      assert.ok(bytes instanceof Uint8Array);
      assert.deepEqual([bytes.length, bytes.every((byte) => byte === 252)], [length, true]);
    }
    assert.deepEqual(await pool.run('invert', Buffer.from([0])), Uint8Array.of(255));
    assert.deepEqual(await pool.run('invert', new ArrayBuffer(2)), Uint8Array.of(255, 255));
    await assert.rejects(pool.run('invert', [1]), { code: 'ERR_RW_INVALID_INPUT', message: /an array, expected a Uint8Array/ });
    await assert.rejects(pool.run('invert', new Float32Array(1)), /a Float32Array, expected a Uint8Array/);
  });

  test('works in parallel, and keeps its errors', async () => {
    const cells = Float64Array.from({ length: 20_000 }, (_, index) => (index % 2 === 0 ? 3 : 4));
    const norms = await pool.run('norms', [2, cells]);
    assert.ok(norms instanceof Float64Array && norms.length === 10_000 && norms.every((norm) => norm === 5));
    await assert.rejects(pool.run('norms', [3, cells]), { code: 'ERR_RW_INVALID_INPUT', message: /20000 cells are no rows of 3/ });
    const error = await pool.run('mandelbrot', { width: 0, height: 0 }).catch((thrown) => thrown);
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.code, error.message], ['EMPTY_AREA', 'an area has at least one pixel']);
    await assert.rejects(pool.run('mandelbrot', { width: 1 }), /input: missing field `height`/);
  });
});

test('the code of docs/native-packs.md is that of the template', () => {
  assert.equal(arePieces('docs/native-packs.md', FILES.map((file) => path.join(TEMPLATE, file))), 4);
});
