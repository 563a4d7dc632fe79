'use strict';

/**
 * A port in transit, as it stands in a message of Node's: its key, under which the native side keeps it, what its channel
 * was made with, the shared memory that it keeps for the other end, and its fallback port.
 */

const { MalformedValueError } = require('../errors');
const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');
const { arePairs, isNumber } = require('./shared-memory');

/**
 * @typedef {object} TransitRecord
 * @property {string} key
 * @property {{ capacity: number, keepBuffers: boolean }} options
 * @property {[number, SharedArrayBuffer][]} kept shared memory the other end may refer to by number
 * @property {number} introduced how far the numbers of its own went
 * @property {object | undefined} fallback Node's port
 * @property {{ message: unknown } | undefined} early what came by the fallback port before its turn
 * @property {object | undefined} lossPort where no fallback port would tell of a loss: see lost-ports.js
 */

const isObject = (value) => typeof value === 'object' && value !== null;
const isNodePort = (value) => value === undefined || value instanceof NodeMessagePort;

function areOptions(options) {
  return isObject(options) && isNumber(options.capacity) && typeof options.keepBuffers === 'boolean';
}

/**
 * @param {unknown} record as it came in a message
 * @returns {TransitRecord}
 * @throws {MalformedValueError}
 */
function checkRecord(record) {
  if (
    !isObject(record) ||
    typeof record.key !== 'string' ||
    !areOptions(record.options) ||
    !arePairs(record.kept) ||
    !isNumber(record.introduced) ||
    !isNodePort(record.fallback) ||
    !(record.early === undefined || isObject(record.early)) ||
    !isNodePort(record.lossPort)
  ) {
    throw new MalformedValueError(
      'A message holds a MessagePort in a form that cannot be read: use one version of rust-workers in all threads',
    );
  }
  return record;
}

module.exports = { checkRecord };
