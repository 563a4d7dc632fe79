'use strict';

/** A message's out-of-band values, as the native side takes them. */

const { types } = require('node:util');

const { bytesOf, pairsOf } = require('../codec/bytes');
const { isWide } = require('../codec/is-wide');

const { slice } = Uint8Array.prototype;

/** The bytes where they are. A text is its own value. */
const inPlace = (part) => (typeof part === 'string' || types.isUint8Array(part) ? part : bytesOf(part));
/** The bytes in memory of their own. */
const copied = (part) => (typeof part === 'string' ? part : slice.call(inPlace(part)));

const isWideText = (part) => typeof part === 'string' && isWide(part);

/**
 * @param {(ArrayBuffer | ArrayBufferView | string)[]} parts as a writer gives them
 * @param {boolean} [outlives] whether the bytes must outlive their buffers
 */
function outOfBand(parts, outlives = false) {
  // The one to copy, if there is but one.
  if (!outlives && parts.length === 1 && !isWideText(parts[0])) return inPlace(parts[0]);
  const pairs = pairsOf(parts, outlives ? copied : inPlace);
  for (let i = 0; i < parts.length; i++) if (isWideText(parts[i])) pairs[i * 2 + 1] = true;
  return pairs;
}

module.exports = { outOfBand };
