'use strict';

/** The native side of one lock. It is opened when it is first needed: for an uncontended lock, never. */

const { forgotten } = require('../forgotten');
const { binding } = require('../native');
const { regionView } = require('../region-view');
const { checked, sleepFor, waitFor } = require('./waiting');

const closing = forgotten('lockClose');

const UNOPENED = -1;

class NativeLock {
  #cells;
  #what;
  #handle = UNOPENED;
  #isStuck;

  /**
   * @param {import('./lock-cells').LockCells} cells
   * @param {string} what such as `mutex`: for error messages
   * @param {() => boolean} [isStuck] whether a sleeping thread waits for itself
   */
  constructor(cells, what, isStuck) {
    this.#cells = cells;
    this.#what = what;
    this.#isStuck = isStuck;
  }

  get handle() {
    if (this.#handle === UNOPENED) {
      const { buffer, byteOffset } = this.#cells;
      this.#handle = checked(binding.lockOpen(regionView(buffer), byteOffset));
      closing.register(this, this.#handle);
    }
    return this.#handle;
  }

  get what() {
    return this.#what;
  }

  /** The number that was granted, or `NOT_YET`. src/shared/locks/any.rs describes what `argument` means to each lock. */
  tryNow(argument) {
    return checked(binding.lockTry(this.handle, argument));
  }

  sleepFor(argument, timeout) {
    const { handle } = this;
    return sleepFor((id) => binding.lockBegin(handle, argument, id), timeout, this.#what, this.#isStuck);
  }

  waitFor(argument, limits) {
    const { handle } = this;
    return waitFor((id) => binding.lockBegin(handle, argument, id), limits, this.#what);
  }

  unlock(argument) {
    checked(binding.lockUnlock(this.handle, argument, 0));
  }

  /** After a release by the cells, when there are waiters. */
  grantNext() {
    checked(binding.lockGrantNext(this.handle));
  }

  recover() {
    return checked(binding.lockRecover(this.handle));
  }

  isPoisoned() {
    return checked(binding.lockIsPoisoned(this.handle));
  }
}

module.exports = { NativeLock };
