'use strict';

/** Copies each range of the parts beside a wire, as the native side does. */
const copiesOf = (parts) =>
  parts.map((part) =>
    ArrayBuffer.isView(part) ? part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength) : part.slice(0));

module.exports = { copiesOf };
