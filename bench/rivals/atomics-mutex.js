'use strict';

/**
 * The mutex that people write on `Atomics`, of three states: free, locked, locked with waiters. It has no
 * owner, no time limit and no asynchronous form; when the owner dies, the others hang.
 */
class AtomicsMutex {
  #cell;

  /** @param {Int32Array} cell shared, of one element, 0 at first */
  constructor(cell) {
    this.#cell = cell;
  }

  lock() {
    const cell = this.#cell;
    if (Atomics.compareExchange(cell, 0, 0, 1) === 0) return;
    while (Atomics.exchange(cell, 0, 2) !== 0) Atomics.wait(cell, 0, 2);
  }

  unlock() {
    if (Atomics.exchange(this.#cell, 0, 0) === 2) Atomics.notify(this.#cell, 0, 1);
  }
}

module.exports = { AtomicsMutex };
