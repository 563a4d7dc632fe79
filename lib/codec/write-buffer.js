'use strict';

// The memory a writer writes to, and the primitives of the wire: everything that cannot run user code.

const {
  NULL, UNDEFINED, FALSE, TRUE, INT32, FLOAT64, BIGINT, LATIN1, UTF16, SHORT_LATIN1, SHORT_LIMIT,
  TEXT_PART,
} = require('../constants').TAGS;
const { bufferOf, setBytes } = require('./bytes');
const { isWide } = require('./is-wide');
const { bufferText } = require('../runtime/intrinsics');

const FIRST_SIZE = 16 * 1024;
/** Memory that grew beyond this for one value is let go before the next. */
const KEPT_SIZE = 1024 * 1024;

const { latin1Write, ucs2Write } = bufferText;
const { allocUnsafeSlow: allocate } = Buffer;
const { toString: bigintText } = BigInt.prototype;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const wellFormed = String.prototype.isWellFormed;
const isWellFormed = (text) => wellFormed.call(text);

/** A hexadecimal digit's number. */
function digit(hex, at) {
  const unit = hex.charCodeAt(at);
  return unit < 58 ? unit - 48 : unit - 87;
}

/** A growing byte buffer with a cursor. */
class WriteBuffer {
  bytes = allocate(FIRST_SIZE);
  capacity = FIRST_SIZE;
  pos = 0;
  /** A text of so many units is out of band. */
  longText = Infinity;
  maxBytes;

  /** @param {number} maxBytes most bytes one value may take on the wire */
  constructor(maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Back to the start, for the next value. */
  rewind() {
    this.pos = 0;
    if (this.capacity > KEPT_SIZE) {
      this.bytes = allocate(FIRST_SIZE);
      this.capacity = FIRST_SIZE;
    }
  }

  /** Grows the memory so that `count` more bytes fit. */
  grow(count) {
    const needed = this.pos + count;
    if (needed > this.maxBytes) this.tooLarge();
    const twice = this.capacity * 2;
    const capacity = Math.max(needed, this.capacity < this.maxBytes ? Math.min(twice, this.maxBytes) : twice);
    let bytes;
    try {
      bytes = allocate(capacity);
    } catch {
      this.noMemory(needed);
    }
    setBytes.call(bytes, new Uint8Array(bufferOf(this.bytes), 0, this.pos));
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
      this.wideString(text);
      return;
    }
    if (length >= this.longText) this.tagged(TEXT_PART, this.part(text));
    else if (isWide(text)) this.wideString(text);
    else this.latin1String(text);
  }

  // Texts are written as V8 keeps them: UTF-8 costs this thread ten times as much where not all is ASCII, and Rust decodes on a
  // thread of its own.
  latin1String(text) {
    const { length } = text;
    if (this.pos + 5 + length > this.capacity) this.grow(5 + length);
    this.tagged(LATIN1, length);
    this.pos += latin1Write.call(this.bytes, text, this.pos, length);
  }

  wideString(text) {
    const size = text.length * 2;
    if (this.pos + 5 + size > this.capacity) this.grow(5 + size);
    this.tagged(UTF16, text.length);
    this.pos += ucs2Write.call(this.bytes, text, this.pos, size);
  }

  bigint(value) {
    const negative = value < 0n;
    const hex = bigintText.call(negative ? -value : value, 16);
    const words = value === 0n ? 0 : Math.ceil(hex.length / 16);
    this.byte(BIGINT);
    this.byte(negative ? 1 : 0);
    this.u32(words);
    if (this.pos + words * 8 > this.capacity) this.grow(words * 8);
    for (let byte = 0, at = hex.length; byte < words * 8; byte++, at -= 2) {
      const low = at > 0 ? digit(hex, at - 1) : 0;
      this.bytes[this.pos++] = at > 1 ? low | (digit(hex, at - 2) << 4) : low;
    }
  }

  nothing(value) {
    this.byte(value === undefined ? UNDEFINED : value === null ? NULL : value ? TRUE : FALSE);
  }
}

module.exports = { WriteBuffer, isWellFormed };
