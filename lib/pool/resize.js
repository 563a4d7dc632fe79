'use strict';

/** `pool.resize`: another number of threads while the pool works. */

const { binding } = require('../native');
const { OutOfRangeError, PoolClosedError } = require('../errors');
const { MAX_THREADS, SIZE_FROM } = require('../task/options');
const { validateInteger, validateOptions } = require('../validators');

const RESIZE = new Set(['maxThreads', 'minThreads']);

/**
 * @param {unknown} options as the user passed them; what they do not say stays as it is
 * @param {object} pool
 * @param {{ minThreads: number, maxThreads: number }} pool.now
 * @param {number} pool.from who has said how many threads there may be
 * @param {import('../task/native-pool').NativePool} pool.native
 * @param {import('../script-pool/worker-manager').WorkerManager} [pool.workers]
 * @param {boolean} pool.closed
 */
function resize(options, { now, from, native, workers, closed }) {
  const given = validateOptions(options, 'options', RESIZE);
  // Each is read once: it may be a getter.
  const { minThreads, maxThreads } = given;
  if (maxThreads !== undefined) validateInteger(maxThreads, 'options.maxThreads', 1, MAX_THREADS);
  if (minThreads !== undefined) validateInteger(minThreads, 'options.minThreads', 0, MAX_THREADS);
  const min = minThreads ?? now.minThreads;
  const max = maxThreads ?? now.maxThreads;
  if (min > max) {
    const said = (value) => (value === undefined ? ', as it is; give both to change both' : '');
    throw new OutOfRangeError(
      `"options.minThreads" (${min}${said(minThreads)}) must not be above "options.maxThreads" (${max}${said(maxThreads)})`,
    );
  }
  if (closed) throw new PoolClosedError('the pool is closed and cannot be resized; make another one');
  binding.resizePool(native.handle, min, max, maxThreads === undefined ? from : SIZE_FROM.indexOf('option'));
  workers?.resize(minThreads, max);
}

module.exports = { resize };
