'use strict';

const { readValue } = require('./read-value');

/** The look of a pool that watches nothing. */
const isSeen = () => true;

/**
 * The native side of a pool, as the delivery and the pending tasks know it. It does not refer to the `WorkerPool`, which
 * may thus be collected while tasks are under way, and is closed when it was forgotten.
 *
 * Each task of each kind is counted here twice: in `inFlight` when `Delivery.add` takes it, and when the delivery releases
 * it. An observer of tasks (histograms, a trace, diagnostics_channel) belongs to these two places, and nowhere else on the
 * JavaScript side: it would get the pool, the task's name and id, and at the end the form of the outcome.
 */
class NativePool {
  /** The number by which the native side knows the pool. */
  handle;
  /** Tasks submitted and not answered. */
  inFlight = 0;
  /** Whether its tasks keep the event loop alive. */
  holds = true;
  /** Called after each batch while the delivery watches this pool; true ends the watch. */
  look = isSeen;

  #binding;

  /** Reads the answer to one of its tasks, with the classes of this copy of the package. */
  readAnswer = readValue;

  constructor(binding, handle) {
    this.#binding = binding;
    this.handle = handle;
  }

  /** Delivers the events that the native side has queued by now. */
  catchUp() {
    this.#binding.drain();
  }

  cancel(id, timedOut) {
    this.#binding.cancel(id, timedOut);
  }
}

module.exports = { NativePool, isSeen };
