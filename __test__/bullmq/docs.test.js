'use strict';

/** Every program of docs/bullmq.md runs as it is printed, with the port of this test's Redis. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');

const { until, useRedis } = require('./support/house');

const house = useRedis();
const PAGE = path.join(__dirname, '..', '..', 'docs', 'bullmq.md');

/** The programs by file name: the first line of each block names its file. */
const programs = new Map(
  [...fs.readFileSync(PAGE, 'utf8').matchAll(/^```js\n\/\/ (\S+)\n([^]*?)^```$/gm)].map(([, name, text]) => [name, text]),
);
let folder;

/** The folder with the programs. */
function prepared() {
  if (folder !== undefined) return folder;
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-bullmq-docs-'));
  fs.symlinkSync(path.join(__dirname, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
  for (const [name, text] of programs) fs.writeFileSync(path.join(folder, name), text.replaceAll('6379', house.connection.port));
  return folder;
}
after(() => folder !== undefined && fs.rmSync(folder, { recursive: true, force: true }));

/** Starts a program; `ended` resolves to what it has left. */
function start(name) {
  const child = spawn(process.execPath, [name], { cwd: prepared(), stdio: ['ignore', 'pipe', 'pipe'] });
  const left = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) child[stream].setEncoding('utf8').on('data', (text) => (left[stream] += text));
  house.closing(() => child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...left }));
  return { child, left, ended };
}

const printed = (stdout) => ({ code: 0, signal: null, stdout, stderr: '' });

test('each block is a program', () => {
  const blocks = fs.readFileSync(PAGE, 'utf8').match(/^```(?:js|ts|mjs|cjs|javascript|typescript)$/gm);
  assert.equal(programs.size, blocks.length);
  assert.deepEqual([...programs.keys()], ['tasks.js', 'worker.js', 'add.js', 'options.js', 'cancel.js', 'processor.js']);
});

test('a queue in three files; SIGTERM ends the worker', async () => {
  const worker = start('worker.js');
  await until(() => worker.left.stdout === 'ready\n', 'the worker is ready');
  assert.deepEqual(await start('add.js').ended, printed('9592\n'));
  worker.child.kill('SIGTERM');
  assert.deepEqual(await worker.ended, printed('ready\n'));
});

for (const [name, stdout] of [
  ['options.js', /^[0-9a-f]{64}\n$/],
  ['cancel.js', /^The job was cancelled: no longer needed\n$/],
  ['processor.js', /^168\n$/],
]) {
  test(`${name} runs`, async () => {
    const end = await start(name).ended;
    assert.deepEqual(end, printed(end.stdout));
    assert.match(end.stdout, stdout);
  });
}
