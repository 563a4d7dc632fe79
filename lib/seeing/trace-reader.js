'use strict';

/** Reads what the native side records of a pool while it is traced: src/pool/trace.rs says what that is. */

const { TRACE } = require('../constants');
const { append } = require('../runtime/intrinsics');

const { LANE, WIDTH } = TRACE;

/** For a task of which nobody knows the name any more. */
const UNKNOWN = '(unknown)';

class TraceReader {
  #binding;
  #native;
  #capacity;
  #cursors = [];
  #names = new Map();
  #isOpen = true;

  /**
   * @param {object} binding
   * @param {{ handle: number }} native the native side of the pool
   * @param {number} capacity how many records of each thread are kept between two readings
   */
  constructor(binding, native, capacity) {
    this.#binding = binding;
    this.#native = native;
    this.#capacity = capacity;
    binding.openTrace(native.handle, capacity);
    // What others have recorded before is not this reader's.
    this.read();
  }

  /**
   * What has happened since the last reading.
   *
   * @returns {{ now: number, lanes: { kind: number, number: number, missed: number, records: Float64Array }[] }} `now` in
   *   nanoseconds since the pool was made, as all times; of each lane all records, WIDTH numbers each
   */
  read() {
    const bytes = this.#isOpen ? this.#binding.readTrace(this.#native.handle, this.#cursors) : undefined;
    if (bytes === undefined) return { now: 0, lanes: [] };
    const numbers = new Float64Array(bytes);
    const lanes = [];
    const cursors = [];
    for (let at = 1; at < numbers.length; ) {
      const [kind, number, next, missed, count] = numbers.subarray(at, at + LANE);
      const end = at + LANE + count * WIDTH;
      append(lanes, { kind, number, missed, records: numbers.subarray(at + LANE, end) });
      cursors.push(kind, number, next);
      at = end;
    }
    this.#cursors = cursors;
    return { now: numbers[0], lanes };
  }

  /** The name of the task that a record has as a number; and learns it, since the pool may have closed the next time. */
  nameOf(task) {
    let name = this.#names.get(task);
    if (name === undefined) {
      name = this.#isOpen ? this.#binding.tracedName(this.#native.handle, task) ?? UNKNOWN : UNKNOWN;
      if (name === '') name = 'default';
      if (name !== UNKNOWN) this.#names.set(task, name);
    }
    return name;
  }

  close() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#binding.closeTrace(this.#native.handle, this.#capacity);
  }
}

module.exports = { TraceReader };
