'use strict';

/** What rides beside a message's wire, as the native side takes it: pairs of bytes and whether to pin them (never). */

const { types } = require('node:util');

/** @param {boolean} [copied] whether the bytes must outlive their buffers */
function partsOf(parts, copied = false) {
  const pairs = [];
  for (const part of parts) {
    const bytes = types.isArrayBuffer(part)
      ? new Uint8Array(part)
      : new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    pairs.push(copied ? bytes.slice() : bytes, false);
  }
  return pairs;
}

module.exports = { partsOf };
