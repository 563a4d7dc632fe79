'use strict';

// The memory a writer writes to, and the primitives of the wire: everything that cannot run user code.

const {
  NULL, UNDEFINED, FALSE, TRUE, INT32, FLOAT64, BIGINT, LATIN1, UTF8, UTF16, SHORT_LATIN1,
} = require('./tags');

const FIRST_SIZE = 16 * 1024;
/** A slab that grew beyond this for one value is let go before the next. */
const KEPT_SIZE = 1024 * 1024;
const SHORT_LIMIT = 64;

// Methods of Buffer.prototype that Node 20–26 have (undocumented, and what Buffer#write calls itself).
const { utf8Write, ucs2Write } = Buffer.prototype;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const isWellFormed = typeof ''.isWellFormed === 'function'
  ? (text) => text.isWellFormed()
  : (text) => !/\p{Surrogate}/u.test(text);

/** A growing byte buffer with a cursor. */
class Slab {
  /** @param {number} maxBytes most bytes one value may take on the wire */
  constructor(maxBytes) {
    this.bytes = Buffer.allocUnsafeSlow(FIRST_SIZE);
    this.capacity = FIRST_SIZE;
    this.pos = 0;
    this.maxBytes = maxBytes;
  }

  /** Back to the start, for the next value. */
  rewind() {
    this.pos = 0;
    if (this.capacity > KEPT_SIZE) {
      this.bytes = Buffer.allocUnsafeSlow(FIRST_SIZE);
      this.capacity = FIRST_SIZE;
    }
  }

  /** Room for `count` more bytes. */
  grow(count) {
    const needed = this.pos + count;
    if (needed > this.maxBytes) this.tooLarge();
    const capacity = Math.max(this.capacity * 2, needed);
    const bytes = Buffer.allocUnsafeSlow(capacity);
    bytes.set(this.bytes.subarray(0, this.pos));
    this.bytes = bytes;
    this.capacity = capacity;
  }

  byte(value) {
    if (this.pos === this.capacity) this.grow(1);
    this.bytes[this.pos++] = value;
  }

  u32(value) {
    if (this.pos + 4 > this.capacity) this.grow(4);
    const bytes = this.bytes;
    const pos = this.pos;
    bytes[pos] = value;
    bytes[pos + 1] = value >>> 8;
    bytes[pos + 2] = value >>> 16;
    bytes[pos + 3] = value >>> 24;
    this.pos = pos + 4;
  }

  f64(value) {
    if (this.pos + 8 > this.capacity) this.grow(8);
    float[0] = value;
    const bytes = this.bytes;
    const pos = this.pos;
    if (littleEndian) for (let i = 0; i < 8; i++) bytes[pos + i] = floatBytes[i];
    else for (let i = 0; i < 8; i++) bytes[pos + i] = floatBytes[7 - i];
    this.pos = pos + 8;
  }

  tagged(tag, value) {
    if (this.pos + 5 > this.capacity) this.grow(5);
    this.bytes[this.pos++] = tag;
    this.u32(value);
  }

  number(value) {
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      if (value >= 0 && value < 128) this.byte(value);
      else this.tagged(INT32, value);
    } else {
      this.byte(FLOAT64);
      this.f64(value);
    }
  }

  string(text) {
    const length = text.length;
    if (length < SHORT_LIMIT) {
      if (this.pos + SHORT_LIMIT > this.capacity) this.grow(SHORT_LIMIT);
      const bytes = this.bytes;
      let pos = this.pos;
      bytes[pos++] = SHORT_LATIN1 + length;
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 255) break;
        bytes[pos++] = unit;
      }
      if (i === length) {
        this.pos = pos;
        return;
      }
    }
    this.longString(text);
  }

  longString(text) {
    const length = text.length;
    // Reserving 3 bytes a unit is cheap while small; beyond that, count first.
    const room = 5 + (length < 16384 ? length * 3 : Buffer.byteLength(text));
    if (this.pos + room > this.capacity) this.grow(room);
    const start = this.pos;
    const written = utf8Write.call(this.bytes, text, start + 5, room - 5);
    if (written === length) {
      this.tagged(LATIN1, length);
      this.pos = start + 5 + written;
    } else if (isWellFormed(text)) {
      this.tagged(UTF8, written);
      this.pos = start + 5 + written;
    } else {
      // A lone surrogate: only the units themselves keep it.
      this.tagged(UTF16, length);
      if (this.pos + length * 2 > this.capacity) this.grow(length * 2);
      this.pos += ucs2Write.call(this.bytes, text, this.pos, length * 2);
    }
  }

  bigint(value) {
    const negative = value < 0n;
    let hex = (negative ? -value : value).toString(16);
    const words = value === 0n ? 0 : Math.ceil(hex.length / 16);
    hex = hex.padStart(words * 16, '0');
    this.byte(BIGINT);
    this.byte(negative ? 1 : 0);
    this.u32(words);
    if (this.pos + words * 8 > this.capacity) this.grow(words * 8);
    for (let at = words * 16; at > 0; at -= 2) {
      this.bytes[this.pos++] = Number.parseInt(hex.slice(at - 2, at), 16);
    }
  }

  nothing(value) {
    this.byte(value === undefined ? UNDEFINED : value === null ? NULL : value ? TRUE : FALSE);
  }
}

module.exports = { Slab, isWellFormed };
