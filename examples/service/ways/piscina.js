'use strict';

/** In a worker of piscina: for the comparison. */

const path = require('node:path');

const { Piscina } = require('piscina');

function open({ threads, maxQueue }) {
  const pool = new Piscina({
    filename: path.join(__dirname, '..', 'primes.js'),
    name: 'countPrimes',
    minThreads: threads,
    maxThreads: threads,
    maxQueue,
  });
  return {
    run: (limit, { signal, timeout }) => pool.run(limit, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]) }),
    close: () => pool.close(),
  };
}

module.exports = { open };
