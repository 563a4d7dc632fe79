'use strict';

// A process ends although threads of it are blocked in locks.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { test } = require('node:test');

const { PACKAGE } = require('./support');

/** Runs a script in a process of its own: its output, exit code, and how long it took from its first word on. */
function run(script) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 15_000 });
    let output = '';
    let began;
    child.stdout.on('data', (data) => {
      began ??= performance.now();
      output += data;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ output, code, signal, took: performance.now() - began }));
  });
}

const BLOCKED_THREADS = `
  const { Mutex } = require(${JSON.stringify(PACKAGE)});
  const { Worker } = require('node:worker_threads');
  const mutex = new Mutex();
  mutex.lockSync();
  const body = 'const { workerData, parentPort } = require("node:worker_threads"); parentPort.postMessage(1);' +
    'require(${JSON.stringify(PACKAGE)}).Mutex.from(workerData).lockSync();';
  const workers = [0, 1].map(() => new Worker(body, { eval: true, workerData: mutex }));
  const blocked = Promise.all(workers.map((worker) => new Promise((heard) => worker.once('message', heard))))
    .then(() => new Promise((later) => setTimeout(later, 60)));
`;

test('process.exit() while threads are blocked in lockSync', async () => {
  const { code, took, output } = await run(`${BLOCKED_THREADS}
    blocked.then(() => { console.log('blocked'); process.exit(7); });`);
  assert.equal(output, 'blocked\n');
  assert.equal(code, 7);
  assert.ok(took < 1000, `${took} ms`);
});

test('the natural end while threads that hold no process are blocked in lockSync', async () => {
  const { code, took, output } = await run(`${BLOCKED_THREADS}
    blocked.then(() => { for (const worker of workers) worker.unref(); console.log('blocked'); });`);
  assert.equal(output, 'blocked\n');
  assert.equal(code, 0);
  assert.ok(took < 1000, `${took} ms`);
});

test('process.exit() of a thread that holds a lock, and of the process with pending promises of locks', async () => {
  const { code, output } = await run(`
    const { Mutex } = require(${JSON.stringify(PACKAGE)});
    const { Worker } = require('node:worker_threads');
    const mutex = new Mutex();
    const body = 'require(${JSON.stringify(PACKAGE)}).Mutex.from(require("node:worker_threads").workerData).lockSync(); process.exit();';
    new Worker(body, { eval: true, workerData: mutex }).once('exit', () => {
      mutex.lock().catch((error) => {
        console.log(error.code);
        mutex.recover();
        mutex.lock();
        process.exit(3);
      });
    });`);
  assert.equal(output, 'ERR_RW_LOCK_POISONED\n');
  assert.equal(code, 3);
});
