'use strict';

/** A message's out-of-band values, as the native side takes them. */

const { types } = require('node:util');

const { bytesOf: asBytes } = require('../codec/bytes');
const { arrayOf } = require('../runtime/intrinsics');

const { slice } = Uint8Array.prototype;

function bytesOf(part) {
  return types.isUint8Array(part) ? part : asBytes(part);
}

/**
 * @param {(ArrayBuffer | ArrayBufferView)[]} parts as a writer gives them
 * @param {boolean} [copied] whether the bytes must outlive their buffers
 */
function outOfBand(parts, copied = false) {
  // The one to copy, if there is but one; else pairs of bytes and whether to pin them (never).
  if (parts.length === 1 && !copied) return bytesOf(parts[0]);
  const pairs = arrayOf(parts.length * 2);
  for (let i = 0; i < parts.length; i++) {
    const bytes = bytesOf(parts[i]);
    pairs[i * 2] = copied ? slice.call(bytes) : bytes;
    pairs[i * 2 + 1] = false;
  }
  return pairs;
}

module.exports = { outOfBand };
