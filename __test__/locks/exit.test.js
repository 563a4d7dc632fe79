'use strict';

// A process ends although threads of it are blocked in locks.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { runProgram } = require('../support/child');
const { assertPromised } = require('../support/promised-time');

/** A process whose threads are blocked in a lock each, or idle, and how it is to end. Says `ready` before. */
async function program({ load, say, start, once, until }, blocked, how) {
  const { Mutex } = load();
  const mutexes = [new Mutex(), new Mutex()];
  const guards = mutexes.map((mutex) => mutex.lockSync());
  const workers = mutexes.map((mutex) =>
    blocked
      ? start(({ load: loadHere, workerData }) => loadHere().Mutex.from(workerData).lockSync(), { workerData: mutex })
      : start(({ load: loadHere, parentPort }) => {
          loadHere();
          setInterval(Object, 1_000);
          parentPort.postMessage('idle');
        }),
  );
  const isContended = ({ buffer }) => (Atomics.load(new Int32Array(buffer), 1) & (1 << 29)) !== 0;
  if (blocked) await until(() => mutexes.every(isContended), 'both threads wait');
  else await Promise.all(workers.map((worker) => once(worker, 'message')));
  say('ready', guards.length);
  if (how === 'exit') process.exit(7);
  for (const worker of workers) worker.unref();
}

/** Runs the program; how long it took from its word to its end. */
async function timeToEnd(blocked, how) {
  let ready;
  const onOutput = () => (ready ??= performance.now());
  const end = await runProgram(process.execPath, program, { args: [blocked, how], onOutput });
  const took = performance.now() - ready;
  assert.deepEqual(end, { code: how === 'exit' ? 7 : 0, signal: null, stdout: 'ready 2\n', stderr: '' });
  return took;
}

for (const [how, what] of [
  ['exit', 'process.exit() while threads are blocked in lockSync'],
  ['unref', 'the natural end while threads that hold no process are blocked in lockSync'],
]) {
  test(`${what}: within 100 ms`, () =>
    assertPromised(100, () => timeToEnd(true, how), () => timeToEnd(false, how), 3));
}

test('process.exit() of a thread that holds a lock, and of the process with pending promises of locks', async () => {
  const end = await runProgram(process.execPath, async ({ load, once, say, start }) => {
    const { Mutex } = load();
    const mutex = new Mutex();
    const owner = start(
      ({ load: loadHere, workerData }) => {
        loadHere().Mutex.from(workerData).lockSync();
        process.exit();
      },
      { workerData: mutex },
    );
    await once(owner, 'exit');
    await mutex.lock().catch((error) => say(error.code));
    mutex.recover();
    mutex.lock();
    process.exit(3);
  });
  assert.deepEqual(end, { code: 3, signal: null, stdout: 'ERR_RW_LOCK_POISONED\n', stderr: '' });
});
