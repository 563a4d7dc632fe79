'use strict';

/**
 * Whether a script is still at something: whether anything keeps its thread's event loop alive, so that code of the script's
 * may run that nobody calls from outside.
 *
 * `process.getActiveResourcesInfo` does not tell. It names no work of libuv's threads other than requests to the file system
 * and for addresses: not `crypto.pbkdf2`, zlib, WebCrypto, `dns.resolve` (in Node 20 to 26), nor `fs.readFile` (in Node 26,
 * which reads a file as one such piece of work); nor Workers and handles of addons.
 *
 * Relies on: 'beforeExit' being emitted in a Worker too when its event loop has nothing left (in Node 20 to 26, since 10.5;
 * documented for a process only). Listeners of the script's hear that event as well.
 * Without: the loop ends, and with it the worker: a task that waits for a listener is rejected with a WorkerExitedError.
 * Test: __test__/runtime/loop-end.test.js, __test__/script-pool/loading.test.js.
 */

const { setImmediate } = require('./clock');

const waiting = new Set();

/** The loop goes on for one turn; what the functions leave decides whether for longer. */
function atLoopEnd() {
  setImmediate(() => {
    for (const ended of [...waiting]) ended();
  });
}

/**
 * Calls a function each time that nothing keeps the event loop alive any more, in a turn of the loop that is added for it.
 *
 * @param {() => void} ended
 * @returns {() => void} takes it back
 */
function onLoopEnd(ended) {
  if (waiting.size === 0) process.on('beforeExit', atLoopEnd);
  waiting.add(ended);
  return () => {
    waiting.delete(ended);
    if (waiting.size === 0) process.off('beforeExit', atLoopEnd);
  };
}

module.exports = { onLoopEnd };
