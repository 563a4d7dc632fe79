'use strict';

/**
 * What a port is while it travels in a message of Node's: its key, under which the native side keeps it, what its
 * channel was made with, what it keeps for the other end, and its half of the companion.
 */

const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');
const { MalformedValueError } = require('../errors');
const { arePairs, isNumber } = require('./shared-memory');

/**
 * @typedef {object} PortRecord
 * @property {string} key
 * @property {{ capacity: number, keepBuffers: boolean }} terms
 * @property {[number, SharedArrayBuffer][]} kept shared memory the other end may refer to by number
 * @property {number} introduced how far the numbers of its own went
 * @property {object | undefined} half
 * @property {{ message: unknown } | undefined} early what came by the half before its turn
 * @property {object | undefined} witness where no half would tell: what tells of a loss
 */

const isObject = (value) => typeof value === 'object' && value !== null;
const isPort = (value) => value === undefined || value instanceof NodeMessagePort;

function areTerms(terms) {
  return isObject(terms) && isNumber(terms.capacity) && typeof terms.keepBuffers === 'boolean';
}

/**
 * @param {unknown} record as it came in a message
 * @returns {PortRecord}
 * @throws {MalformedValueError}
 */
function checkRecord(record) {
  if (
    !isObject(record) ||
    typeof record.key !== 'string' ||
    !areTerms(record.terms) ||
    !arePairs(record.kept) ||
    !isNumber(record.introduced) ||
    !isPort(record.half) ||
    !(record.early === undefined || isObject(record.early)) ||
    !isPort(record.witness)
  ) {
    throw new MalformedValueError(
      'A message holds a MessagePort in a form that cannot be read: use one version of rust-workers in all threads',
    );
  }
  return record;
}

module.exports = { checkRecord };
