'use strict';

/** Long texts in shared memory: V8 reads them there, so that all threads together have one copy. */

const { binding } = require('../native');
const { hasExternalStrings } = require('../runtime/external-strings');
const { bufferText } = require('../runtime/intrinsics');
const { regionView } = require('../region-view');

const { latin1Slice, ucs2Slice } = bufferText;

/**
 * From so many units on. A string over foreign memory costs some microseconds to make and to collect, a copy of this length
 * as much.
 */
const LONG = 8 * 1024;

/**
 * @param {{ memory: SharedArrayBuffer, u8: Uint8Array }} tree
 * @param {number} start in bytes
 * @param {number} length in units
 * @param {boolean} isWide
 */
function longText({ memory, u8 }, start, length, isWide) {
  const bytes = isWide ? length * 2 : length;
  if (hasExternalStrings) return binding.sharedString(regionView(memory), start, bytes, isWide);
  return (isWide ? ucs2Slice : latin1Slice).call(u8, start, start + bytes);
}

module.exports = { LONG, longText };
