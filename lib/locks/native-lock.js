'use strict';

/** The native side of one lock, opened when it is first needed: an uncontended lock never is. */

const { forgotten } = require('../forgotten');
const { binding } = require('../native');
const { wholeView } = require('../shared-buffer/whole-view');
const { checked, sleepFor, waitFor } = require('./waiting');

const closing = forgotten('lockClose');

const UNOPENED = -1;

class NativeLock {
  #place;
  #what;
  #handle = UNOPENED;
  #isStuck;

  /**
   * @param {import('./place').Place} place
   * @param {string} what for messages, such as `The mutex`
   * @param {() => boolean} [isStuck] whether a sleeping thread waits for itself
   */
  constructor(place, what, isStuck) {
    this.#place = place;
    this.#what = what;
    this.#isStuck = isStuck;
  }

  get handle() {
    if (this.#handle === UNOPENED) {
      const { buffer, byteOffset } = this.#place;
      this.#handle = checked(binding.lockOpen(wholeView(buffer), byteOffset));
      closing.register(this, this.#handle);
    }
    return this.#handle;
  }

  get what() {
    return this.#what;
  }

  /** What was granted, or `NOT_YET`. What `argument` means to each lock is told in src/shared/locks/any.rs. */
  tryNow(argument) {
    return checked(binding.lockTry(this.handle, argument));
  }

  sleepFor(argument, timeout) {
    const { handle } = this;
    return sleepFor((id) => binding.lockBegin(handle, argument, id), timeout, this.#what, this.#isStuck);
  }

  waitFor(argument, terms) {
    const { handle } = this;
    return waitFor((id) => binding.lockBegin(handle, argument, id), terms, this.#what);
  }

  unlock(argument) {
    checked(binding.lockUnlock(this.handle, argument, 0));
  }

  /** After a release by the cells, when someone waits. */
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
