'use strict';

/** Every example that the project began with, as its users would have it; only the name that is required differs. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');

const sharp = require('sharp');

const { run } = require('./run');

/** An example that ends by itself. */
async function ended(script, options) {
  const { code, stdout, stderr } = await run(script, options);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return stdout;
}

/** An example that goes on waiting for messages: it is stopped after its last line. */
async function waiting(script, lines) {
  const { stopped, stdout, stderr } = await run(script, { lines });
  assert.equal(stderr, '');
  assert.ok(stopped, 'it still runs when it has said everything');
  return stdout;
}

describe('the examples of the seed', () => {
  test('basic worker', async () => {
    assert.deepEqual((await waiting('basic/main.js', 2)).sort(), [
      'Received from parent: Hello Worker!',
      'Received from worker: Hello Parent!',
    ]);
  });

  test('passing data', async () => {
    assert.deepEqual((await ended('passing-data/main.js')).sort(), [
      "Worker data: { value: 42, name: 'Test', array: [ 1, 2, 3 ] }",
      '{ result: 84 }',
    ]);
  });

  test('CPU-intensive task', { timeout: 60_000 }, async () => {
    assert.deepEqual(await ended('cpu-intensive/main.js'), [
      'Results: [ 102334155, 165580141, 267914296, 433494437 ]',
    ]);
  });

  test('worker pool, its own class', async () => {
    assert.deepEqual(await ended('worker-pool/worker-pool.js'), ['All tasks completed']);
  });

  test('shared memory', async () => {
    assert.deepEqual((await ended('shared-memory/main.js')).sort(), [
      'Main reads: 100',
      'Main wrote: 42',
      'Worker reads: 42',
      'Worker wrote: 100',
    ]);
  });

  test('atomics', async () => {
    assert.deepEqual(await ended('atomics/main.js'), ['Final value: 2000']);
  });

  test('message channel, one port sent to a worker', async () => {
    assert.deepEqual((await waiting('message-channel/main.js', 2)).sort(), [
      'Received via channel: Response via channel!',
      'Worker received via channel: Hello via channel!',
    ]);
  });

  test('resource limits', { timeout: 60_000 }, async () => {
    const { code, stderr } = await run('resource-limits/main.js');
    assert.match(stderr, /Worker exceeded memory limit\n/);
    assert.equal(code, 0);
  });

  test('isMainThread, one file for both threads', async () => {
    const lines = await ended('is-main-thread/main.js');
    assert.equal(lines[0], 'Running in main thread');
    assert.deepEqual(lines.slice(1).sort(), ['From worker: Hello from worker', 'Running in worker thread']);
  });

  test('image processing with sharp', { timeout: 60_000 }, async (t) => {
    const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-images-'));
    t.after(() => fs.rmSync(cwd, { recursive: true, force: true }));
    const names = ['image1.jpg', 'image2.jpg', 'image3.jpg', 'image4.jpg'];
    const colours = ['red', 'green', 'blue', 'white'];
    const image = (background) => sharp({ create: { width: 1200, height: 900, channels: 3, background } });
    await Promise.all(names.map((name, i) => image(colours[i]).jpeg().toFile(path.join(cwd, name))));
    // The same work in this process, for what the sizes have to be.
    const sizes = await Promise.all(
      names.map(async (name) => (await sharp(path.join(cwd, name)).resize(800, 600).toBuffer()).length),
    );

    const printed = (await ended('image-processing/image-processor.js', { cwd })).join('\n');
    assert.match(printed, /^All images processed: \[/);
    const seen = [...printed.matchAll(/success: true, size: (\d+), path: '(.*?)'/g)];
    assert.deepEqual(
      seen.map(([, size, name]) => [name, Number(size)]),
      names.map((name, i) => [name, sizes[i]]),
    );
  });

  test('transferables', async () => {
    assert.deepEqual((await waiting('transferables/main.js', 2)).sort(), ['0', 'Worker received: 42']);
  });

  test('error, exit and messageerror events', async () => {
    assert.deepEqual(await ended('events/main.js'), [
      'online',
      'message: nested too deep for the stack of the main thread follows',
      'messageerror: true',
      'error: TypeError thrown in the worker',
      'exit: 1',
    ]);
  });
});
