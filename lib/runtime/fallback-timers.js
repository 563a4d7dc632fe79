'use strict';

/**
 * Timers that need none of Node's, for where somebody has replaced those before we were loaded: V8 itself ends an
 * `Atomics.waitAsync` when its time is up.
 */

const { binding } = require('../native');
const { callUser } = require('../user-code');

const { notify, waitAsync } = Atomics;

/** Loaded late: it needs our timers. */
const hold = (count) => require('../delivery').deliveryOf(binding).hold(count);

class Timer {
  #cell = new Int32Array(new SharedArrayBuffer(4));
  #isOver = false;
  #holds = false;

  constructor(run, args, milliseconds) {
    this.ref();
    const { value } = waitAsync(this.#cell, 0, 0, milliseconds);
    value.then(() => {
      if (this.#isOver) return;
      this.close();
      callUser(run, this, ...args);
    });
  }

  /** Lets it be over in the next turn of the event loop. */
  hurry() {
    notify(this.#cell, 0);
    return this;
  }

  /** V8's wait does not hold the event loop. */
  #hold(holds) {
    if (holds === this.#holds) return;
    this.#holds = holds;
    hold(holds ? 1 : -1);
  }

  ref() {
    this.#hold(!this.#isOver);
    return this;
  }

  unref() {
    this.#hold(false);
    return this;
  }

  hasRef() {
    return this.#holds;
  }

  close() {
    this.#isOver = true;
    this.#hold(false);
    return this.hurry();
  }
}

/** Node waits a millisecond at the least. */
const setTimeout = (run, milliseconds, ...args) => new Timer(run, args, Math.max(1, milliseconds));
const setImmediate = (run, ...args) => new Timer(run, args, Infinity).hurry();
const clear = (timer) => timer?.close();

module.exports = { clearImmediate: clear, clearTimeout: clear, setImmediate, setTimeout };
