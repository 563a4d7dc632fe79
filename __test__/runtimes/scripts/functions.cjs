'use strict';

const { move, task } = require('../../..');

class Refused extends Error {}

module.exports = (input) => ({ got: input });

Object.assign(module.exports, {
  double: (n) => n * 2,
  later: async (n) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return n + 1;
  },
  progress() {
    for (let i = 1; i <= 3; i++) task.progress({ done: i });
    return 'all';
  },
  untilCancelled() {
    let turns = 0;
    while (!task.cancelled) turns++;
    task.throwIfCancelled();
    return turns;
  },
  forever() {
    for (;;);
  },
  signalled: () =>
    new Promise((resolve) => {
      task.progress('listening');
      task.signal.addEventListener('abort', () => resolve(task.signal.reason.name));
    }),
  fails() {
    const error = new Refused('no', { cause: new RangeError('the cause') });
    throw Object.assign(error, { code: 'E_NO', list: [1, { two: 2 }] });
  },
  failsWithText() {
    throw 'just a text';
  },
  fillsMemory() {
    const kept = [];
    for (;;) kept.push({ number: kept.length, text: `text ${kept.length}` });
  },
  exits: (code) => process.exit(code),
  failsLater() {
    setTimeout(() => {
      throw new Error('outside of the task');
    }, 1);
    return new Promise(() => {});
  },
  moved(size) {
    const bytes = new Uint8Array(size).fill(7);
    return move(bytes);
  },
  bytes: (input) => [input.constructor.name, input.byteLength, input[0]],
  kinds: (value) => value,
  worker: () => task.workerId,
  adds: ({ shared, mutex, times }) => {
    for (let i = 0; i < times; i++) {
      const guard = mutex.lockSync();
      shared.store(0, shared.load(0) + 1);
      guard.release();
    }
    return shared.load(0);
  },
  answersOn: ({ port }) => {
    port.postMessage('by the port');
    port.close();
    return 'sent';
  },
  prints(text) {
    console.log(text);
    return 'printed';
  },
});
