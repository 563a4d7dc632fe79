'use strict';

/** The work of every worker on its input: next to nothing, so that the pools themselves are measured. */

const small = ({ a, b, c }) => ({ sum: a + c.length, name: b });
const bytes = (input) => input;
const lengthOf = (input) => input.length;
/** As the native task sumSqrt: some work that takes as long however many threads share a core. */
const roots = ({ n, iterations }) => {
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += Math.sqrt(i) * n;
  return sum;
};

module.exports = { bytes, lengthOf, roots, small };
