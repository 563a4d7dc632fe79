'use strict';

/** What the native side does with the parts beside a wire: a copy of each range. */
const copiesOf = (parts) =>
  parts.map((part) =>
    ArrayBuffer.isView(part) ? part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength) : part.slice(0));

module.exports = { copiesOf };
