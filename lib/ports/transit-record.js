'use strict';

/**
 * The record of a port in transit, in a message of Node's: the key under which the native side keeps the port, the options
 * of its channel, the shared memory that it keeps for the other end, and its fallback port.
 */

const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');
const { unreadablePort } = require('../transfer/other-copy');
const { arePairs, isNumber } = require('./shared-memory');

/**
 * @typedef {object} TransitRecord
 * @property {string} key
 * @property {{ capacity: number, keepBuffers: boolean }} options
 * @property {[number, SharedArrayBuffer][]} kept shared memory the other end may refer to by number
 * @property {number} introduced the last number that it gave to shared memory of its own
 * @property {object | undefined} fallback Node's port
 * @property {{ message: unknown } | undefined} early a message that came by the fallback port before its turn
 * @property {object | undefined} lossPort a port that reports a loss, if there is no fallback port: see lost-ports.js
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
    throw unreadablePort();
  }
  return record;
}

module.exports = { checkRecord };
