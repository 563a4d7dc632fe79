'use strict';

/** The cells of a lock in a SharedArrayBuffer. src/shared/locks/README.md describes them. */

const { types } = require('node:util');

const { LOCKS } = require('../constants');
const { bufferOf, isView, offsetOf, sizeOf } = require('../codec/bytes');
const { InternalError, InvalidArgTypeError, InvalidArgValueError, OutOfRangeError } = require('../errors');
const { startSearching } = require('../transfer/registry');
const { validateInteger } = require('../validators');

const { ALIGNMENT, LEAST_CELLS } = LOCKS;
const BYTES_PER_CELL = Int32Array.BYTES_PER_ELEMENT;

/** The layout of one kind of lock: the magic by which its cells are recognised, and their number of bytes. */
class LockLayout {
  #magic;
  name;
  bytes;

  /**
   * @param {string} name of the class
   * @param {{ MAGIC: number, BYTES?: number }} numbers cell 0 of every lock of the kind; and its bytes, where each lock
   *   of the kind has as many
   */
  constructor(name, { MAGIC, BYTES }) {
    this.#magic = MAGIC;
    this.name = name;
    this.bytes = BYTES;
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

  /** The same lock with all of its cells, once the first cells have said how many there are. */
  extended(found, cells) {
    const { buffer, byteOffset } = found;
    if (byteOffset + cells * BYTES_PER_CELL > sizeOf(buffer)) throw this.#isMissing(found);
    return new LockCells(this, buffer, byteOffset, new Int32Array(buffer, byteOffset, cells));
  }

  /** For constructors that a program calls without an argument. */
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

  /** Gives a lock properties that say where its cells are, so that the lock's structured clone is a source for `from`. */
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
