'use strict';

/** The same work as the native tasks of these names. */

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

function sumSqrt(n, iterations = 1_000_000) {
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += Math.sqrt(i) * n;
  return sum;
}

module.exports = { fibonacci, sumSqrt };
