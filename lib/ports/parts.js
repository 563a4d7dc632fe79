'use strict';

/** What rides beside a message's wire, as the native side takes it. */

const { types } = require('node:util');

function bytesOf(part) {
  if (types.isUint8Array(part)) return part;
  if (types.isArrayBuffer(part)) return new Uint8Array(part);
  return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}

/** @param {boolean} [copied] whether the bytes must outlive their buffers */
function partsOf(parts, copied = false) {
  // The one to copy, if there is but one; else pairs of bytes and whether to pin them (never).
  if (parts.length === 1 && !copied) return bytesOf(parts[0]);
  const pairs = [];
  for (const part of parts) {
    const bytes = bytesOf(part);
    pairs.push(copied ? Uint8Array.prototype.slice.call(bytes) : bytes, false);
  }
  return pairs;
}

module.exports = { partsOf };
