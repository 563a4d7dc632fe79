'use strict';

/** `pool.map` over an async iterable: inputs are taken only as fast as the pool works them off. */

const { onAbort } = require('./abort');
const nodeGlobals = require('./node-globals');

/** Tasks under way for each thread: enough that a thread finds the next one waiting. */
const DEPTH = 4;

/**
 * @param {import('./worker-pool').WorkerPool} pool
 * @param {string} task
 * @param {AsyncIterable<unknown>} inputs
 * @param {object} options of each run
 * @returns {Promise<unknown[]>} the outputs in the order of the inputs
 */
async function mapStream(pool, task, inputs, options) {
  const outputs = [];
  const underWay = new Set();
  const limit = pool.options.maxThreads * DEPTH;
  const stop = new nodeGlobals.AbortController();
  const { signal } = stop;
  // Not `AbortSignal.any`, which takes none but Node's: in a page's realm the signal is the page's.
  const ignore = options.signal && onAbort(options.signal, () => stop.abort(options.signal.reason));
  let failure;
  const fail = (error) => {
    failure ??= { error };
    stop.abort();
  };
  try {
    let index = 0;
    for await (const input of inputs) {
      if (failure) break;
      const place = index++;
      const run = pool.run(task, input, { ...options, signal }).then((output) => {
        outputs[place] = output;
      }, fail);
      const tracked = run.finally(() => underWay.delete(tracked));
      underWay.add(tracked);
      if (underWay.size >= limit) await Promise.race(underWay);
      if (failure) break;
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(underWay);
  ignore?.();
  if (failure) throw failure.error;
  return outputs;
}

module.exports = { mapStream };
