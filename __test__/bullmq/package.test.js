'use strict';

/** The subpath `rust-workers/bullmq` of an installed package: how it loads, and what it says without BullMQ. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const PACKAGE = path.dirname(require.resolve('rust-workers/package.json'));

/** What a program prints. */
const evaluate = (text, cwd = __dirname, ...flags) =>
  execFileSync(process.execPath, [...flags, '-e', text], { cwd, encoding: 'utf8' }).trim();

test('require and import give the same names and the same things', async () => {
  const required = require('rust-workers/bullmq');
  const { default: face, ...named } = await import('rust-workers/bullmq');
  assert.equal(face, required);
  delete named['module.exports'];
  assert.deepEqual(Object.keys(named).sort(), ['PoolWorker', 'poolProcessor']);
  for (const [name, value] of Object.entries(named)) assert.equal(value, required[name]);
  assert.equal(Object.getPrototypeOf(required.PoolWorker), require('bullmq').Worker);
  assert.equal(Object.getPrototypeOf(required.PoolWorker), (await import('bullmq')).Worker);
});

test('its errors are those of the package, whichever of the two is loaded first', () => {
  const check = `
    try { bullmq.poolProcessor({}); } catch (error) { console.log(error instanceof rw.errors.InvalidArgTypeError); }`;
  const face = `const rw = require('rust-workers'); void rw.WorkerPool;`;
  const part = `const bullmq = require('rust-workers/bullmq');`;
  assert.equal(evaluate(face + part + check), 'true');
  assert.equal(evaluate(part + face + check), 'true');
});

test('the core loads neither it nor BullMQ', () => {
  const loaded = evaluate(`
    const rw = require('rust-workers');
    for (const name of Object.keys(rw)) void rw[name];
    console.log(Object.keys(require.cache).filter((file) => /bullmq.(?:lib|dist)|lib.bullmq/.test(file.replace(${JSON.stringify(__dirname)}, ''))).join());
  `);
  assert.equal(loaded, '');
  const bundle = path.join(PACKAGE, 'lib', 'bundle');
  const files = fs.readdirSync(bundle, { withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.length > 3);
  for (const { name } of files) assert.doesNotMatch(fs.readFileSync(path.join(bundle, name), 'utf8'), /bullmq/);
});

test('without BullMQ, or with an older one, it says what to do', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-without-bullmq-'));
  try {
    const modules = path.join(folder, 'node_modules');
    fs.cpSync(PACKAGE, path.join(modules, 'rust-workers'), { recursive: true });
    const load = `
      try { require('rust-workers/bullmq'); } catch (error) {
        const { errors, WorkerPool } = require('rust-workers');
        console.log(error instanceof errors.PeerNotFoundError, error.code, error.message, new WorkerPool({ maxThreads: 1 }).threads);
      }`;
    const missing = evaluate(load, folder);
    assert.match(missing, /^true ERR_RW_PEER_NOT_FOUND rust-workers\/bullmq needs the package 'bullmq' and cannot find it; .*npm install bullmq.* 0$/);
    fs.mkdirSync(path.join(modules, 'bullmq'));
    fs.writeFileSync(path.join(modules, 'bullmq', 'index.js'), 'exports.Worker = class Worker {};');
    assert.match(evaluate(load, folder), /^true ERR_RW_PEER_NOT_FOUND .*5\.64\.0 or later, and found an older one; .*npm install bullmq/);
    // An error of BullMQ's own is not ours to change.
    fs.writeFileSync(path.join(modules, 'bullmq', 'index.js'), "require('ioredis');");
    assert.throws(() => evaluate("require('rust-workers/bullmq')", folder), /Cannot find module 'ioredis'/);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
