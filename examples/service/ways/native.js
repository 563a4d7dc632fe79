'use strict';

/** As a native task, on a Rust thread. */

const { WorkerPool } = require('rust-workers');

function open({ threads, maxQueue, closeTimeout }) {
  const pool = new WorkerPool({ maxThreads: threads, maxQueue, name: 'service' });
  return {
    pool,
    run: (limit, options) => pool.run('primes', limit, options),
    close: () => pool.close({ timeout: closeTimeout }),
  };
}

module.exports = { open };
