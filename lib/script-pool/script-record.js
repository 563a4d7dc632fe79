'use strict';

/** What delivery and pending tasks know of a pool with a script. */

const { PoolRecord } = require('../pool/pool-record');
const { TaskTimeoutError } = require('../errors');
const FORMS = require('../forms');
const { readAnswer } = require('../answers');
const { thrownBeside } = require('./thrown');

class ScriptRecord extends PoolRecord {
  /** Set by the pool. */
  manager;

  #binding;

  constructor(binding, handle, ways) {
    super(binding, handle);
    this.#binding = binding;
    this.readAnswer = (form, number, delivery, task) => {
      if (form === FORMS.BESIDE) return ways.take(number);
      if (form === FORMS.BESIDE_REJECTED) throw thrownBeside(ways.take(number));
      if (form === FORMS.BESIDE_LATE) {
        ways.skip(number);
        throw new TaskTimeoutError("the task's time was up", { task });
      }
      return readAnswer(form, number, delivery, task);
    };
  }

  /** A running task that does not let go costs its worker, after a time. */
  cancel(id, timedOut) {
    const seat = this.#binding.cancel(id, timedOut);
    this.manager.letGo(id);
    if (seat >= 0) this.manager.expectEnd(seat, id);
  }
}

module.exports = { ScriptRecord };
