'use strict';

/** Numbers in one segment, so many that its bytes fit the cache of a core. */
const SEGMENT = 262_144;

/**
 * How many primes there are up to a limit, by a segmented sieve: work for the CPU, and nothing else.
 *
 * @param {number} limit
 * @param {() => void} [checkpoint] called before each segment, so every millisecond or so; what it throws ends the work
 */
function countPrimes(limit, checkpoint = () => {}) {
  const small = primesUpTo(Math.floor(Math.sqrt(limit)));
  const composite = new Uint8Array(SEGMENT);
  let count = 0;
  for (let start = 2; start <= limit; start += SEGMENT) {
    checkpoint();
    const length = Math.min(SEGMENT, limit + 1 - start);
    composite.fill(0);
    for (const prime of small) {
      if (prime * prime >= start + length) break;
      let multiple = Math.max(prime * prime, Math.ceil(start / prime) * prime) - start;
      for (; multiple < length; multiple += prime) composite[multiple] = 1;
    }
    for (let i = 0; i < length; i++) count += 1 - composite[i];
  }
  return count;
}

function primesUpTo(limit) {
  const composite = new Uint8Array(limit + 1);
  const primes = [];
  for (let n = 2; n <= limit; n++) {
    if (composite[n] === 1) continue;
    primes.push(n);
    for (let multiple = n * n; multiple <= limit; multiple += n) composite[multiple] = 1;
  }
  return primes;
}

module.exports = { countPrimes };
