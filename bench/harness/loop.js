'use strict';

/** For what takes nanoseconds: a call for each, as `perSecond` makes, would be most of what is measured. */

const { millis } = require('./measure');

/**
 * @param {number} count
 * @param {(count: number) => unknown} loop does it `count` times; may return a promise. Each entry needs
 *   one of its own: the engine compiles a loop that several share for all that they call.
 * @returns {Promise<number>} times a second
 */
async function loopPerSecond(count, loop) {
  const took = await millis(() => loop(count));
  return count / (took / 1000);
}

module.exports = { loopPerSecond };
