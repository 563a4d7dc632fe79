'use strict';

/** The cells of a lock in a SharedArrayBuffer. src/shared/locks/README.md tells what is in them. */

const { types } = require('node:util');

const { bufferOf, isView, offsetOf, sizeOf } = require('../codec/bytes');
const { InternalError, InvalidArgTypeError, InvalidArgValueError, OutOfRangeError } = require('../errors');
const { startSearching } = require('../transfer/registry');
const { validateInteger } = require('../validators');

const ALIGNMENT = 8;
/** Every lock has at least as many. */
const LEAST_CELLS = 4;
const BYTES_PER_CELL = 4;

/** A kind of lock: how its cells are known, and how many there are. */
class LockLayout {
  #magic;
  name;
  bytes;

  /**
   * @param {string} name of the class
   * @param {string} letter of the kind in the magic
   * @param {number} [bytes] where each lock of the kind has as many
   */
  constructor(name, letter, bytes = LEAST_CELLS * BYTES_PER_CELL) {
    // Cell 0 of every lock: "RW", the letter of its kind, the version of the protocol.
    this.#magic = 0x52570001 | (letter.charCodeAt(0) << 8);
    this.name = name;
    this.bytes = bytes;
  }

  get magic() {
    return this.#magic;
  }

  /** Cells in a buffer of their own, to be written. */
  allocate(bytes = this.bytes) {
    const buffer = new SharedArrayBuffer(bytes);
    return new LockCells(this, buffer, 0, new Int32Array(buffer));
  }

  /**
   * The cells `byteOffset` bytes into `source`, to be written.
   *
   * @param {unknown} source a SharedArrayBuffer, or what has one as its `buffer`: a view, a SharedBuffer, a lock, or
   *   what structured clone made of a lock
   * @param {number} byteOffset
   * @param {number} [bytes] that must lie in the buffer there
   */
  at(source, byteOffset, bytes = this.bytes) {
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
    return new LockCells(this, buffer, start, new Int32Array(buffer, start, bytes / BYTES_PER_CELL));
  }

  /** The cells of a lock of this kind that was created there. */
  find(source, byteOffset) {
    const found = this.at(source, byteOffset, LEAST_CELLS * BYTES_PER_CELL);
    if (Atomics.load(found.cells, 0) !== this.#magic) throw this.#isMissing(found);
    return found;
  }

  #isMissing({ byteOffset }) {
    return new InvalidArgValueError(
      `There is no ${this.name} at offset ${byteOffset} of the buffer; make one with ${this.name}.create() first`,
    );
  }

  /** The same lock with more cells, which its own cells say that it has. */
  extended(found, cells) {
    const { buffer, byteOffset } = found;
    if (byteOffset + cells * BYTES_PER_CELL > sizeOf(buffer)) throw this.#isMissing(found);
    return new LockCells(this, buffer, byteOffset, new Int32Array(buffer, byteOffset, cells));
  }

  /** For constructors that take no argument of the caller's. */
  checkCells(cells) {
    if (cells instanceof LockCells) return;
    const { name } = this;
    throw new InvalidArgTypeError(`new ${name}() takes no argument; use ${name}.from() or ${name}.create()`);
  }
}

class LockCells {
  #layout;
  buffer;
  byteOffset;
  cells;

  /**
   * @param {LockLayout} layout
   * @param {SharedArrayBuffer} buffer
   * @param {number} byteOffset a multiple of 8
   * @param {Int32Array} cells from `byteOffset` on
   */
  constructor(layout, buffer, byteOffset, cells) {
    if (globalThis.Atomics === undefined) {
      throw new InternalError('Locks need `Atomics`: run Node without the option that takes it away');
    }
    this.#layout = layout;
    this.buffer = buffer;
    this.byteOffset = byteOffset;
    this.cells = cells;
  }

  /** Writes the cells of a new lock, the magic last: a thread that finds it finds a whole lock. */
  write(first = 0, second = 0, third = 0) {
    const { cells } = this;
    Atomics.store(cells, 0, 0);
    Atomics.store(cells, 1, first);
    Atomics.store(cells, 2, second);
    Atomics.store(cells, 3, third);
    for (let i = LEAST_CELLS; i < cells.length; i++) Atomics.store(cells, i, 0);
    Atomics.store(cells, 0, this.#layout.magic);
    return this;
  }

  /** Shows where the cells are on a lock, so that the lock's structured clone is a source for `from`. */
  show(lock) {
    startSearching();
    Object.defineProperties(lock, {
      buffer: { value: this.buffer, enumerable: true },
      byteOffset: { value: this.byteOffset, enumerable: true },
    });
    return this.cells;
  }
}

module.exports = { LockCells, LockLayout };
