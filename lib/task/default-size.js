'use strict';

/** How many threads a pool has whose options do not say it, and who says it. */

const { binding } = require('../native');
const { InvalidArgValueError } = require('../errors');
const { describe } = require('../validators');

/** The environment variable that says it for all pools of a process. */
const VARIABLE = 'RUST_WORKERS_THREADS';

/**
 * @param {number} most that a pool may have
 * @returns {{ maxThreads: number, from: 'environment' | 'cpus' }}
 * @throws when the variable says something else than a number of threads
 */
function defaultSize(most) {
  const given = process.env[VARIABLE];
  // Set and empty is how a shell takes a variable back for one command.
  if (given === undefined || given === '') return { maxThreads: Math.min(binding.defaultThreads(), most), from: 'cpus' };
  const maxThreads = /^[0-9]{1,9}$/.test(given) ? Number(given) : 0;
  if (maxThreads < 1 || maxThreads > most) {
    throw new InvalidArgValueError(
      `The environment variable ${VARIABLE} must be an integer between 1 and ${most}: how many threads a pool has at the most ` +
        `whose options do not say it. It is ${describe(given)}; correct it, or unset it to go by the CPUs`,
    );
  }
  return { maxThreads, from: 'environment' };
}

module.exports = { defaultSize };
