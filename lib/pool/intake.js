'use strict';

/**
 * Where small native tasks go without a call: a ring in memory that the pool's threads know too. src/pool/intake.rs has
 * the protocol.
 *
 * A record that nobody has seen by the end of this turn is shown to the pool then: threads that are to look by themselves may be
 * late, and this is when the task counts as submitted.
 */

const { binding } = require('../native');
const { INTAKE } = require('../constants');

const { RECORDS, RECORD, KINDS, WITHOUT_INPUT, WITH_NUMBER, DEPOSIT, TAIL, HEAD, NEEDS_WAKE, FIRST } = INTAKE;
const { load, store } = Atomics;

class Intake {
  #handle;
  #state;
  #records;
  #tail = 0;
  /** As of when room was last looked for. */
  #head = 0;
  #showsLater = false;

  /**
   * @param {number} handle the pool's
   * @param {ArrayBuffer} memory
   */
  constructor(handle, memory) {
    this.#handle = handle;
    this.#state = new Int32Array(memory, 0, FIRST * 2);
    this.#records = new Float64Array(memory);
  }

  /**
   * Submits a task. It throws where the stack is used up; then the task may run, and its answer must be passed over.
   *
   * @param {number} id
   * @param {number} task its index times `KINDS`, and the kind of the record
   * @param {number} input
   */
  put(id, task, input) {
    const tail = this.#tail;
    if (((tail - this.#head) | 0) >= RECORDS) this.#makeRoom();
    const state = this.#state;
    // Mostly it is this or the call at the end: one task at a time needs no look later.
    if (!this.#showsLater && load(state, NEEDS_WAKE) === 0) this.#showLater();
    const at = FIRST + (tail & (RECORDS - 1)) * RECORD;
    const records = this.#records;
    records[at] = id;
    records[at + 1] = task;
    records[at + 2] = input;
    this.#tail = (tail + 1) | 0;
    store(state, TAIL, this.#tail);
    if (load(state, NEEDS_WAKE) !== 0) this.#wake();
    else if (!this.#showsLater) this.#showLater();
  }

  #makeRoom() {
    this.#head = load(this.#state, HEAD);
    if (((this.#tail - this.#head) | 0) < RECORDS) return;
    binding.lookAtIntake(this.#handle);
    this.#head = load(this.#state, HEAD);
  }

  /** At the end of an `await`: nobody replaces that, and it costs less than `queueMicrotask`. */
  async #showLater() {
    this.#showsLater = true;
    await undefined;
    this.#showsLater = false;
    if (load(this.#state, HEAD) !== this.#tail) binding.lookAtIntake(this.#handle);
  }

  #wake() {
    try {
      binding.lookAtIntake(this.#handle);
    } catch {
      // The stack is used up.
      this.#showLater();
    }
  }
}

/**
 * The intake of a pool.
 *
 * @param {number} handle the pool's
 * @returns {Intake | null} null where the runtime knows no memory of Rust's: then every task is a call
 */
function openIntake(handle) {
  const memory = binding.openIntake(handle);
  return memory === undefined ? null : new Intake(handle, memory);
}

module.exports = { DEPOSIT, KINDS, WITHOUT_INPUT, WITH_NUMBER, openIntake };
