'use strict';

/**
 * The guard of an acquisition: the right to release the lock, once.
 *
 * A lock makes the guard after it has taken what it guards, and one that nobody gets before it. Where the program has used up
 * its stack, the first fails, and no lock is left without a guard that could release it. V8 makes no object of the first in
 * compiled code. The only one that it makes comes late because each `Atomics` operation waits until the memory before it
 * is written: a guard made before the operation cost 5 ns more, of 30.
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
  /** On a mutex, for its guards: whether it holds the grant. */
  HOLDS: Symbol('holds'),
  /** On the guard of a mutex: the number of its acquisition. */
  TICKET: Symbol('ticket'),
  /** On a mutex, for condition variables: its native lock, and its guard lent to a wait and taken back. */
  NATIVE: Symbol('native'),
  LEND: Symbol('lend'),
  RETAKE: Symbol('retake'),
  RETAKE_SYNC: Symbol('retakeSync'),
});

// For a host's copy that is still loading.
module.exports = { makeNames };

const NAMES = keptOn(binding, Symbol.for('rust-workers.lock-names'), module, (host) => host.makeNames());
const { CHECK, HOLDS, LOCK, RELEASE, TICKET } = NAMES;

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
}

/**
 * The guard of a mutex, which numbers its acquisitions and knows which of them holds it. So it keeps no reference to the guard: a
 * write barrier less for each lock (30 ns for `lockSync()` and `release()` became 27), and V8 makes no guard at all where
 * the program unlocks by `unlock()` (28 ns became 20; the same lock by hand 19).
 */
class MutexGuard {
  #mutex;
  #ticket;

  constructor(mutex, ticket) {
    this.#mutex = mutex;
    this.#ticket = ticket;
  }

  get held() {
    return this.#mutex[HOLDS](this.#ticket);
  }

  release() {
    this.#mutex[RELEASE](this.#ticket);
  }

  [DISPOSE]() {
    if (this.held) this.release();
  }

  get [LOCK]() {
    return this.#mutex;
  }

  get [TICKET]() {
    return this.#ticket;
  }

  [CHECK]() {
    if (!this.held) throw notHeld();
  }
}

// A promise asks the value that it is resolved with for a `then`; one on Object.prototype would take the guard away from
// the caller.
for (const { prototype } of [Guard, MutexGuard]) Object.defineProperty(prototype, 'then', { value: undefined });

Object.assign(module.exports, NAMES, { Guard, MutexGuard, notHeld });
