'use strict';

/** How late timers of this thread are: what an event loop that is busy with something else costs everybody. */

const { clearTimeout, now, setTimeout } = require('../runtime/clock');

/** Milliseconds between two looks. */
const EVERY = 10;

class LoopDelay {
  #timer;
  #due;
  #each;

  /** @param {(at: number, delay: number) => void} each called after each look: the time, and how late it was, in milliseconds */
  constructor(each) {
    this.#each = each;
    this.#arm();
  }

  #arm() {
    this.#due = now() + EVERY;
    this.#timer = setTimeout(() => {
      const at = now();
      // Timers count whole milliseconds.
      this.#each(at, Math.max(0, at - this.#due));
      if (this.#timer !== undefined) this.#arm();
    }, EVERY);
    this.#timer.unref?.();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

module.exports = { LoopDelay };
