'use strict';

/**
 * Sends the output of a worker's script to the main thread before the task is answered.
 *
 * Node's stream for it in a worker posts one piece, and keeps the others until the main thread asks for more: the main
 * thread may have ended by then, or ended the worker. So what is kept is let go before each answer. While a task runs the
 * stream's back-pressure is Node's.
 *
 * Relies on: a worker's `process.stdout` and `stderr` being getters that can be replaced, and their streams writing by
 * `_writev` (in Node 20 to 26).
 * Without: what was printed last may come after the answer, or not at all if the worker is ended.
 * Test: __test__/runtime/worker-output.test.js, __test__/script-pool/output.test.js.
 */

/** For each stream that was used: lets go of what it keeps. */
const flushes = [];

function prepare(stream) {
  const write = stream._writev;
  if (typeof write !== 'function') return stream;
  /** Tells the stream that its last piece is through. */
  let pending;
  stream._writev = function (chunks, callback) {
    const done = (error) => {
      if (pending !== done) return;
      pending = undefined;
      callback(error);
    };
    pending = done;
    write.call(this, chunks, done);
  };
  flushes.push(() => {
    while (pending !== undefined) pending();
  });
  return stream;
}

/** Node makes the stream when it is first asked for; so does this. */
function watch(name) {
  const descriptor = Object.getOwnPropertyDescriptor(process, name);
  if (typeof descriptor?.get !== 'function' || !descriptor.configurable) return;
  let stream;
  const get = () => (stream ??= prepare(descriptor.get.call(process)));
  Object.defineProperty(process, name, { ...descriptor, get });
}

/** From now on, in this worker. */
function watchOutput() {
  watch('stdout');
  watch('stderr');
}

/** Lets go of all that was printed. */
function flushOutput() {
  for (let i = 0; i < flushes.length; i++) flushes[i]();
}

module.exports = { flushOutput, watchOutput };
