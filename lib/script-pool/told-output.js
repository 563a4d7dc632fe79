'use strict';

/**
 * What a task with the option `onOutput` tells its caller: besides how far it is, what it prints. Both go the same way, in their
 * order, as `[kind, value]`; task-output.js is the worker's side.
 */

/** Kinds: how far the task is, or the stream to which it has written. */
const PROGRESS = 0;
const STREAMS = ['', 'stdout', 'stderr'];

/**
 * The listener to what such a task tells.
 *
 * @param {(chunk: string | Uint8Array, stream: 'stdout' | 'stderr') => void} onOutput
 * @param {((value: unknown) => void) | undefined} onProgress
 */
function listener(onOutput, onProgress) {
  return ([kind, value]) => {
    if (kind === PROGRESS) onProgress?.(value);
    else onOutput(value, STREAMS[kind]);
  };
}

module.exports = { PROGRESS, STREAMS, listener };
