'use strict';

/**
 * Text to bytes and back, where Buffers have no methods for it.
 *
 * Relies on (as `bufferText` of intrinsics.js does): `Buffer.prototype` having `latin1Write`, `ucs2Write`, `latin1Slice`
 * and `ucs2Slice`, which `Buffer#write` and `Buffer#toString` call (undocumented, in Node 20 to 26); they cost half as much.
 * Without: these, which are called in the same way.
 * Test: __test__/runtime/buffer-text.test.js.
 */

const { fromCharCode } = String;
/** A call takes no more arguments than some ten thousand. */
const AT_ONCE = 4096;

/** The text of so many units. */
function textOf(length, unitAt) {
  let text = '';
  for (let at = 0; at < length; ) {
    const units = [];
    for (const end = Math.min(length, at + AT_ONCE); at < end; at++) units.push(unitAt(at));
    text += fromCharCode(...units);
  }
  return text;
}

module.exports = {
  /** @returns {number} bytes written */
  ucs2Write(text, start, length) {
    const units = Math.min(text.length, length >> 1);
    for (let i = 0; i < units; i++) {
      const unit = text.charCodeAt(i);
      this[start + i * 2] = unit & 0xff;
      this[start + i * 2 + 1] = unit >> 8;
    }
    return units * 2;
  },

  latin1Write(text, start, length) {
    const units = Math.min(text.length, length);
    for (let i = 0; i < units; i++) this[start + i] = text.charCodeAt(i);
    return units;
  },

  latin1Slice(start = 0, end = this.length) {
    return textOf(end - start, (i) => this[start + i]);
  },

  ucs2Slice(start = 0, end = this.length) {
    return textOf((end - start) >> 1, (i) => this[start + i * 2] | (this[start + i * 2 + 1] << 8));
  },
};
