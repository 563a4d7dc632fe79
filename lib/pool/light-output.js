'use strict';

/** What `light.run` of the pack gives (packs/light/src/tasks/run.rs): a value; an array in an array of one; in an array of two, what was thrown. */

const hasThrown = (output) => Array.isArray(output) && output.length === 2;
const valueOf = (output) => (Array.isArray(output) ? output[0] : output);

module.exports = { hasThrown, valueOf };
