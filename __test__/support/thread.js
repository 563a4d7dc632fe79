'use strict';

/** Threads of Node's own Worker that run a text, for tests of what threads do to each other through shared memory. */

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { inTime } = require('./until');

const PACKAGE = path.join(__dirname, '..', '..');

/** The functions that a thread's body may use, beside the package (`rw`) and `data`. */
const HEAD = `
  const { parentPort, workerData: data } = require('node:worker_threads');
  const rw = require(${JSON.stringify(PACKAGE)});
  const { Barrier, Condvar, Mutex, RwLock, Semaphore, SharedBuffer, WorkerPool, rustAtomics } = rw;
  const { until } = require(${JSON.stringify(path.join(__dirname, 'until.js'))});
  const tell = (value) => parentPort.postMessage(value);
  /** The next value that the test sends; the thread lives until then. */
  const told = () => new Promise((resolve) => parentPort.once('message', resolve));
  const forever = () => setInterval(() => {}, 1e6);
`;

/**
 * A thread that runs `body`, an async function's text, with `data`.
 *
 * `heard(count)` waits for its first messages, `next()` for its next one; `tell(value)` ends its wait for `told()`; `ended`
 * is the promise of its end, with all its messages, rejected by its error. An error of a thread whose `ended` nobody
 * waits for fails the test as an unhandled rejection.
 */
function thread(body, data) {
  const worker = new Worker(`${HEAD}(async () => {${body}})();`, { eval: true, workerData: data });
  const messages = [];
  let failure;
  let isOver = false;
  let wakers = [];
  const wake = () => {
    const woken = wakers;
    wakers = [];
    for (const waker of woken) waker();
  };
  worker.on('message', (message) => {
    messages.push(message);
    wake();
  });
  const ended = new Promise((resolve, reject) => {
    worker.on('error', (error) => {
      failure = error;
      reject(error);
      wake();
    });
    worker.on('exit', () => {
      isOver = true;
      resolve(messages);
      wake();
    });
  });
  let taken = 0;
  return {
    worker,
    ended,
    tell: (value = 'go on') => worker.postMessage(value),
    async heard(count = 1) {
      while (messages.length < count) {
        if (failure !== undefined) throw failure;
        if (isOver) throw new Error(`the thread ended after ${messages.length} messages`);
        await inTime(new Promise((resolve) => wakers.push(resolve)), 'a message of a thread');
      }
      return messages.slice(0, count);
    },
    async next() {
      const number = ++taken;
      return (await this.heard(number))[number - 1];
    },
  };
}

module.exports = { PACKAGE, thread };
