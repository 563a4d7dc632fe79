'use strict';

/** The option `deterministic` of a pool: the seed by which the order of its decisions can be repeated. */

const { InvalidArgValueError } = require('../errors');
const { validateInteger } = require('../validators');

/** Stands for "no seed" on the native side. */
const NO_SEED = -1;

/**
 * @param {object} options of a pool
 * @returns {object} of the settings, those that it decides
 */
function deterministicSettings({ deterministic, aging }) {
  if (deterministic === undefined) return { deterministic: NO_SEED };
  validateInteger(deterministic, 'options.deterministic', 0);
  if (aging !== undefined && aging !== Infinity) {
    throw new InvalidArgValueError(
      '"options.aging" goes by the clock, and "options.deterministic" asks for an order that does not: leave one of them out',
    );
  }
  return { deterministic, aging: Infinity };
}

module.exports = { NO_SEED, deterministicSettings };
