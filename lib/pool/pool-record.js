'use strict';

const { readAnswer } = require('../answers');

/** Nothing to look for. */
const isSeen = () => true;

/** What the delivery and the pending tasks know of a pool. It does not refer to the pool itself, which may thus be
 * collected while it is forgotten. */
class PoolRecord {
  handle;
  /** Tasks submitted and not answered. */
  inFlight = 0;
  /** Whether its tasks keep the event loop alive. */
  holds = true;
  /** Called after a batch, while the delivery watches this record; true ends the watch. */
  look = isSeen;

  #binding;

  /** How answers to its tasks are read: with the classes of this copy of the package. */
  readAnswer = readAnswer;

  constructor(binding, handle) {
    this.#binding = binding;
    this.handle = handle;
  }

  /** Delivers what the native side has to tell by now. */
  catchUp() {
    this.#binding.drain();
  }

  cancel(id, timedOut) {
    this.#binding.cancel(id, timedOut);
  }
}

module.exports = { PoolRecord, isSeen };
