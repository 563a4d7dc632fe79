'use strict';

/** What delivery and pending tasks know of a pool with a script; and the values that come beside the queue. */

const { PoolRecord } = require('../pool-record');
const FORMS = require('../forms');
const { readAnswer } = require('../answers');

class ScriptRecord extends PoolRecord {
  /** Set by the pool. */
  crew;

  #binding;
  /** Results that have come by a port, or for which somebody waits: task id -> { value } or { settle }. */
  #beside = new Map();

  constructor(binding, handle) {
    super(binding, handle);
    this.#binding = binding;
    this.readAnswer = (form, number, delivery, task) => {
      if (form === FORMS.BESIDE || form === FORMS.BESIDE_REJECTED) return this.#await(number);
      return readAnswer(form, number, delivery, task);
    };
  }

  /** A running task that does not let go costs its worker, after a time. */
  cancel(id, timedOut) {
    const seat = this.#binding.cancel(id, timedOut);
    if (seat >= 0) this.crew.expectEnd(seat, id);
  }

  /** A worker says that a task has ended; its value comes, or has come, by that worker's port. */
  #await(id) {
    const arrived = this.#beside.get(id);
    if (arrived !== undefined) {
      this.#beside.delete(id);
      return arrived.value;
    }
    return new Promise((resolve) => this.#beside.set(id, { settle: resolve }));
  }

  /** A value has come by a worker's port. */
  arrived(id, value) {
    const waiting = this.#beside.get(id);
    if (waiting === undefined) {
      this.#beside.set(id, { value });
      return;
    }
    this.#beside.delete(id);
    waiting.settle(value);
  }

  /** The task of this id was given up: what came for it is let go. */
  forget(id) {
    this.#beside.delete(id);
  }
}

module.exports = { ScriptRecord };
