'use strict';

/**
 * `light.map`: a function for many inputs, as `pool.map` has it for tasks: one crossing, one promise, one entry of the queue. What the pack gives for
 * each input (light-output.js) is taken apart once all is there.
 */

const { fulfilled, named, rejected } = require('../flow/outcomes');
const { hasThrown, valueOf } = require('./light-output');

/** What `light.run` takes for each input: one argument, or none where it is undefined. */
function callsOf(inputs, id, index) {
  const call = (input) => [id, index, input === undefined ? [] : [input]];
  return typeof inputs[Symbol.asyncIterator] === 'function' ? callsOfAsync(inputs, call) : Array.from(inputs, call);
}

async function* callsOfAsync(inputs, call) {
  for await (const input of inputs) yield call(input);
}

/** The results. @throws what the first input in their order has thrown whose call threw */
function resultsOf(outputs) {
  return outputs.map((output, index) => {
    if (hasThrown(output)) throw named(output[1], index);
    return valueOf(output);
  });
}

/** With `settle: true`: what became of each. */
function outcomesOf(outcomes, asOurs) {
  return outcomes.map(({ status, value, reason }, index) => {
    if (status === 'rejected') return rejected(asOurs(reason), index);
    return hasThrown(value) ? rejected(value[1], index) : fulfilled(valueOf(value), index);
  });
}

module.exports = { callsOf, outcomesOf, resultsOf };
