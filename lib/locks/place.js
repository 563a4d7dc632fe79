'use strict';

/** Where a lock stands: some cells of a SharedArrayBuffer. src/shared/locks/README.md tells what is in them. */

const { types } = require('node:util');

const { bufferOf, isView, offsetOf, sizeOf } = require('../codec/bytes');
const { InternalError, InvalidArgTypeError, InvalidArgValueError, OutOfRangeError } = require('../errors');
const { wake } = require('../transfer/registry');
const { validateInteger } = require('../validators');

/** Cell 0 of every lock: "RW", the letter of its kind, the version of the protocol. */
const magic = (letter) => 0x52570001 | (letter.charCodeAt(0) << 8);

const ALIGNMENT = 8;
/** Every lock has at least as many. */
const LEAST_CELLS = 4;

class Place {
  buffer;
  byteOffset;
  cells;

  /**
   * @param {SharedArrayBuffer} buffer
   * @param {number} byteOffset a multiple of 8
   * @param {Int32Array} cells from `byteOffset` on
   */
  constructor(buffer, byteOffset, cells) {
    if (globalThis.Atomics === undefined) {
      throw new InternalError('Locks need `Atomics`: run Node without the option that takes it away');
    }
    this.buffer = buffer;
    this.byteOffset = byteOffset;
    this.cells = cells;
  }

  /** A place in a buffer of its own. */
  static allocate(bytes) {
    const buffer = new SharedArrayBuffer(bytes);
    return new Place(buffer, 0, new Int32Array(buffer));
  }

  /**
   * The place `byteOffset` bytes into `source`.
   *
   * @param {unknown} source a SharedArrayBuffer, or what has one as its `buffer`: a view, a SharedBuffer, a lock, or
   *   what structured clone made of a lock
   * @param {number} byteOffset
   * @param {number} bytes that must lie in the buffer there
   */
  static at(source, byteOffset, bytes) {
    validateInteger(byteOffset, 'byteOffset', 0);
    const buffer = types.isSharedArrayBuffer(source) ? source : isView(source) ? bufferOf(source) : source?.buffer;
    if (!types.isSharedArrayBuffer(buffer)) {
      throw new InvalidArgTypeError(
        'The "source" argument must be a SharedArrayBuffer, or an object with one as its "buffer": a lock needs ' +
          'memory that all threads share',
      );
    }
    const offset = buffer === source ? 0 : isView(source) ? offsetOf(source) : source.byteOffset;
    const base = validateInteger(offset ?? 0, 'source.byteOffset', 0);
    const start = base + byteOffset;
    if (start % ALIGNMENT !== 0) {
      throw new OutOfRangeError(`A lock must begin at a multiple of ${ALIGNMENT} bytes; ${start} is none`);
    }
    const size = sizeOf(buffer);
    if (start + bytes > size) {
      throw new OutOfRangeError(
        `A lock of ${bytes} bytes at offset ${start} does not fit in the ${size} bytes of the buffer`,
      );
    }
    return new Place(buffer, start, new Int32Array(buffer, start, bytes / 4));
  }

  /** The place of the lock of this kind that someone created there. */
  static find(source, byteOffset, letter, name) {
    const place = Place.at(source, byteOffset, LEAST_CELLS * 4);
    if (Atomics.load(place.cells, 0) !== magic(letter)) throw place.#isNone(name);
    return place;
  }

  #isNone(name) {
    return new InvalidArgValueError(
      `There is no ${name} at offset ${this.byteOffset} of the buffer; make one with ${name}.create() first`,
    );
  }

  /** The same place with more cells, which the lock's own cells say that it has. */
  extended(cells, name) {
    const bytes = cells * 4;
    if (this.byteOffset + bytes > sizeOf(this.buffer)) throw this.#isNone(name);
    return new Place(this.buffer, this.byteOffset, new Int32Array(this.buffer, this.byteOffset, cells));
  }

  /** Writes the cells of a new lock, the magic last: who finds it finds a whole lock. */
  write(letter, first = 0, second = 0, third = 0) {
    const { cells } = this;
    Atomics.store(cells, 0, 0);
    Atomics.store(cells, 1, first);
    Atomics.store(cells, 2, second);
    Atomics.store(cells, 3, third);
    for (let i = LEAST_CELLS; i < cells.length; i++) Atomics.store(cells, i, 0);
    Atomics.store(cells, 0, magic(letter));
    return this;
  }

  /** Shows the place on a lock, so that the lock's structured clone is a source for `from`. */
  show(lock) {
    wake();
    Object.defineProperties(lock, {
      buffer: { value: this.buffer, enumerable: true },
      byteOffset: { value: this.byteOffset, enumerable: true },
    });
    return this.cells;
  }
}

module.exports = { Place };
