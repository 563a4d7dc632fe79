'use strict';

/**
 * The guard of an acquisition: the right to release the lock, once. A lock makes the guard before it takes anything. So
 * where the program has used up its stack, that fails first, and no lock is left without a guard that could release it.
 */

const { LockNotHeldError } = require('../errors');
const { keptOn } = require('../runtime/host-realm');
const { binding } = require('../native');

/** The methods that guards and locks call on each other, of all copies of this package on one addon. */
const makeNames = () => ({
  /** On a lock, for its guard: releases the grant. */
  RELEASE: Symbol('release'),
  /** On a guard: its lock. */
  LOCK: Symbol('lock'),
  /** On a guard: throws when it holds nothing. */
  CHECK: Symbol('check'),
  /** On a guard: suspends the right for a while, and restores it. */
  SUSPEND: Symbol('suspend'),
  RESUME: Symbol('resume'),
  /** On a mutex, for condition variables: its native lock, and its guard lent to a wait and taken back. */
  NATIVE: Symbol('native'),
  LEND: Symbol('lend'),
  RETAKE: Symbol('retake'),
  RETAKE_SYNC: Symbol('retakeSync'),
});

// For a host's copy that is still loading.
module.exports = { makeNames };

const NAMES = keptOn(binding, Symbol.for('rust-workers.lock-names'), module, (host) => host.makeNames());
const { CHECK, LOCK, RELEASE, RESUME, SUSPEND } = NAMES;

/** Early versions of Node 20 have no `Symbol.dispose`; compilers of `using` then look for this symbol. */
const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');

const notHeld = () => new LockNotHeldError('This guard holds nothing any more: it was released before');

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
    if (!this.#held) throw notHeld();
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
    if (!this.#held) throw notHeld();
  }

  [SUSPEND]() {
    this[CHECK]();
    this.#held = false;
  }

  [RESUME]() {
    this.#held = true;
  }
}

// A promise asks the value that it is resolved with for a `then`; one on Object.prototype would take the guard away from
// the caller.
Object.defineProperty(Guard.prototype, 'then', { value: undefined });

Object.assign(module.exports, NAMES, { Guard });
