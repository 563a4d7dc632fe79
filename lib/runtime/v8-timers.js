'use strict';

/**
 * Timers that need none of Node's, for where somebody has replaced those before we were loaded: V8 itself ends an
 * `Atomics.waitAsync` when its time is up.
 *
 * Relies on: V8 notifying the event loop of such an end, though nothing holds the loop for it (in Node 20 to 26, since 16).
 * Without (no `Atomics`, under a flag of V8's): nothing is left; waits with a limit do not end by time.
 * Test: __test__/runtime/clock.test.js, __test__/clock.test.js.
 */

const { binding } = require('../native');
const { callUser } = require('../user-code');

const { notify, waitAsync } = Atomics;

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
    if (holds) binding.holdLoop();
    else binding.releaseLoop();
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
