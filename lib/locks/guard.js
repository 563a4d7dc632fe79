'use strict';

/** What an acquisition gives: the right to release it, once. */

const { LockNotHeldError } = require('../errors');

/** Called on the lock, with what was granted, by its guard. */
const RELEASE = Symbol('release');
/** On a guard: its lock. */
const LOCK = Symbol('lock');
/** On a guard: throws when it holds nothing. */
const CHECK = Symbol('check');
/** On a guard: takes the right away for a while, and gives it back. */
const SUSPEND = Symbol('suspend');
const RESUME = Symbol('resume');

/** Early versions of Node 20 have no `Symbol.dispose`; compilers of `using` then look for this one. */
const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');

class Guard {
  #lock;
  #granted;
  #held = true;

  constructor(lock, granted) {
    this.#lock = lock;
    this.#granted = granted;
  }

  get held() {
    return this.#held;
  }

  release() {
    this[CHECK]();
    this.#held = false;
    this.#lock[RELEASE](this.#granted);
  }

  [DISPOSE]() {
    if (this.#held) this.release();
  }

  get [LOCK]() {
    return this.#lock;
  }

  [CHECK]() {
    if (!this.#held) throw new LockNotHeldError('This guard holds nothing any more: it was released before');
  }

  [SUSPEND]() {
    this[CHECK]();
    this.#held = false;
  }

  [RESUME]() {
    this.#held = true;
  }
}

// A promise asks what it is resolved with for a `then`; one on Object.prototype would take the guard away from whoever waits.
Object.defineProperty(Guard.prototype, 'then', { value: undefined });

module.exports = { CHECK, Guard, LOCK, RELEASE, RESUME, SUSPEND };
