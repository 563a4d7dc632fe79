'use strict';

/**
 * The ways to run the CPU work. Each opens with the settings and gives
 *   run(limit, { signal, timeout })  a promise of the number of primes
 *   pool                             the WorkerPool, where there is one
 *   close()                          a promise
 */

const ways = {
  inline: () => require('./inline'),
  native: () => require('./native'),
  script: () => require('./script'),
  piscina: () => require('./piscina'),
};

module.exports = { openWay: (settings) => ways[settings.way]().open(settings) };
