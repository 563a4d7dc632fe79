'use strict';

/** A message's out-of-band values, as the native side takes them. */

const { types } = require('node:util');

const { bytesOf: asBytes, partPairs } = require('../codec/bytes');

const { slice } = Uint8Array.prototype;

function bytesOf(part) {
  return types.isUint8Array(part) ? part : asBytes(part);
}

/** Their own copy of the bytes. */
const copyOf = (part) => slice.call(bytesOf(part));

/**
 * @param {(ArrayBuffer | ArrayBufferView)[]} parts as a writer gives them
 * @param {boolean} [copied] whether the bytes must outlive their buffers
 */
function outOfBand(parts, copied = false) {
  // The one to copy, if there is but one.
  if (parts.length === 1 && !copied) return bytesOf(parts[0]);
  return partPairs(parts, copied ? copyOf : bytesOf);
}

module.exports = { outOfBand };
