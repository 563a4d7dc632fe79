'use strict';

/** Threads for the tests of the locks. */

const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { setTimeout: sleep } = require('node:timers/promises');

const PACKAGE = path.join(__dirname, '../..');

/** What a thread's body may use besides `data` and `tell(value)`. */
const HEAD = `
  const { parentPort, workerData: data } = require('node:worker_threads');
  const { Mutex, RwLock, Semaphore, Condvar, Barrier } = require(${JSON.stringify(PACKAGE)});
  const { setTimeout: sleep } = require('node:timers/promises');
  const tell = (value) => parentPort.postMessage(value);
  const forever = () => setInterval(() => {}, 1e6);
`;

/**
 * A thread that runs `body`, an async function's text.
 *
 * `heard(count)` waits for that many of its messages; `ended` is the promise of its end, rejected by its error.
 */
function thread(body, data) {
  const worker = new Worker(`${HEAD}(async () => {${body}})();`, { eval: true, workerData: data });
  const messages = [];
  let onMessage = () => {};
  worker.on('message', (message) => {
    messages.push(message);
    onMessage();
  });
  const ended = new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => resolve(messages));
  });
  ended.catch(() => onMessage());
  return {
    worker,
    ended,
    async heard(count = 1) {
      while (messages.length < count) {
        await Promise.race([new Promise((resolve) => { onMessage = resolve; }), ended.then(() => {
          if (messages.length < count) throw new Error('the thread ended without a word');
        })]);
      }
      return messages.slice(0, count);
    },
  };
}

/** Waits until `condition` holds; fails after five seconds. */
async function until(condition, what = 'the condition') {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come about`);
    await sleep(2);
  }
}

/** The cells of a lock. */
const cellsOf = (lock) => new Int32Array(lock.buffer, lock.byteOffset);

/** True when somebody is queued at a mutex or RwLock: its CONTENDED flag. */
const isContended = (lock) => (Atomics.load(cellsOf(lock), 1) & (1 << 29)) !== 0;

/** The `code` of what a call throws or a promise rejects with. */
async function codeOf(call) {
  try {
    await call();
  } catch (error) {
    return error.code;
  }
  return 'no error';
}

module.exports = { PACKAGE, cellsOf, codeOf, isContended, sleep, thread, until };
