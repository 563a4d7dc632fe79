'use strict';

/** The options of a pool about the order in which waiting tasks run (src/pool/rank.rs): checked, with their defaults. */

const { InvalidArgValueError } = require('../errors');
const { describe, validateNumber } = require('../validators');

/** @returns {{ aging: number, queueOrder: 'fifo' | 'lifo' }} */
function queueOrder(options) {
  const { aging = 10_000, queueOrder: order = 'fifo' } = options;
  validateNumber(aging, 'options.aging', 0);
  if (order !== 'fifo' && order !== 'lifo') {
    throw new InvalidArgValueError(
      'The "options.queueOrder" argument must be \'fifo\', the oldest task of a priority first, or \'lifo\', the newest. ' +
        `Received ${describe(order)}`,
    );
  }
  return { aging, queueOrder: order };
}

module.exports = { queueOrder };
