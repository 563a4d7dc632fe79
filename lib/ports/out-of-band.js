'use strict';

/** A message's out-of-band values, as the native side takes them. */

const { types } = require('node:util');

const { bytesOf, pairsOf } = require('../codec/bytes');

const { slice } = Uint8Array.prototype;

/** The bytes where they are. */
const inPlace = (part) => (types.isUint8Array(part) ? part : bytesOf(part));
/** The bytes in memory of their own. */
const copied = (part) => slice.call(inPlace(part));

/**
 * @param {(ArrayBuffer | ArrayBufferView)[]} parts as a writer gives them
 * @param {boolean} [outlives] whether the bytes must outlive their buffers
 */
function outOfBand(parts, outlives = false) {
  if (outlives) return pairsOf(parts, copied);
  // The one to copy, if there is but one.
  return parts.length === 1 ? inPlace(parts[0]) : pairsOf(parts, inPlace);
}

module.exports = { outOfBand };
