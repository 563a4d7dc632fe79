'use strict';

/**
 * Waiting for an event instead of for a time. What does not come about is an error that names it, after a limit that is far
 * beyond what anything here takes, on a loaded machine too: only what hangs reaches it.
 */

const { setTimeout: after } = require('node:timers/promises');

/** Below the limits of the test runner and of child processes, so that it is this error that is seen. */
const LIMIT = 30_000;

/**
 * Waits until a condition holds.
 *
 * @param {() => unknown} condition asked again and again; may be async
 * @param {string} what it waits for, for the error
 * @returns {Promise<unknown>} the result of the condition
 */
async function until(condition, what) {
  const deadline = performance.now() + LIMIT;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`did not come about: ${what}`);
    await after(1);
  }
}

/**
 * The outcome of a promise that may hang. Keeps the event loop alive meanwhile: events of what does not hold it (an idle
 * pool, the close of a port without listeners for messages) come all the same.
 *
 * @param {Promise<T>} promise
 * @param {string} what it is, for the error
 * @returns {Promise<T>}
 * @template T
 */
async function inTime(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`has not settled: ${what}`)), LIMIT);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** So many turns of the event loop: in each, whatever is due on this thread is delivered. */
async function turns(count) {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

/** Blocks this thread, so that no timer and no answer gets through, until a condition holds. */
function blockUntil(condition, what) {
  const deadline = performance.now() + LIMIT;
  while (!condition()) if (performance.now() > deadline) throw new Error(`did not come about: ${what}`);
}

/** Blocks this thread for so many milliseconds. */
function block(ms) {
  for (const end = performance.now() + ms; performance.now() < end;);
}

module.exports = { block, blockUntil, inTime, turns, until };
