'use strict';

const { InvalidArgTypeError, LockNotHeldError } = require('../errors');
const { Guard, LEND, NATIVE, RELEASE, RESUME, RETAKE, RETAKE_SYNC, SUSPEND } = require('./guard');
const { NativeLock } = require('./native-lock');
const { owner } = require('./owner');
const { Place } = require('./place');
const { termsOf, timeoutOf } = require('./terms');
const { NOT_YET } = require('./waiting');

const LETTER = 'M';
const BYTES = 16;
/** The cell of the word, and its bits that name the owner. */
const WORD = 1;
const OWNER = 2 ** 27 - 1;

/** How often a blocking lock looks at a busy word before it queues: a critical section is often as short. */
const SPINS = 40;

const NOTHING = 0;

class Mutex {
  #cells;
  #me = owner();
  #native;
  /** Of the acquisition that this object made and that still stands. */
  #guard;

  constructor(place = Place.allocate(BYTES).write(LETTER)) {
    if (!(place instanceof Place)) {
      throw new InvalidArgTypeError('new Mutex() takes no argument; use Mutex.from() or Mutex.create()');
    }
    this.#cells = place.show(this);
    this.#native = new NativeLock(place, 'The mutex', () => (Atomics.load(this.#cells, WORD) & OWNER) === this.#me);
  }

  static from(source, byteOffset = 0) {
    return new Mutex(Place.find(source, byteOffset, LETTER, 'Mutex'));
  }

  static create(source, byteOffset = 0) {
    return new Mutex(Place.at(source, byteOffset, BYTES).write(LETTER));
  }

  static get byteLength() {
    return BYTES;
  }

  #take() {
    return Atomics.compareExchange(this.#cells, WORD, 0, this.#me) === 0;
  }

  tryLock() {
    const guard = new Guard(this, NOTHING);
    return this.#take() || this.#native.tryNow(NOTHING) !== NOT_YET ? (this.#guard = guard) : null;
  }

  lockSync(options) {
    const timeout = timeoutOf(options);
    const guard = new Guard(this, NOTHING);
    if (!this.#take()) this.#sleep(timeout);
    return (this.#guard = guard);
  }

  #sleep(timeout) {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(this.#cells, WORD) === 0 && this.#take()) return;
    this.#native.sleepFor(NOTHING, timeout);
  }

  async lock(options) {
    const terms = termsOf(options);
    const guard = new Guard(this, NOTHING);
    if (terms.signal?.aborted || !this.#take()) await this.#native.waitFor(NOTHING, terms);
    return (this.#guard = guard);
  }

  unlock() {
    const guard = this.#guard;
    if (guard === undefined) {
      throw new LockNotHeldError('The mutex is not locked by this object; only who locked it may unlock it');
    }
    guard.release();
  }

  recover() {
    const guard = new Guard(this, NOTHING);
    return this.#native.recover() ? (this.#guard = guard) : null;
  }

  get poisoned() {
    return this.#native.isPoisoned();
  }

  [RELEASE]() {
    this.#guard = undefined;
    const me = this.#me;
    if (Atomics.compareExchange(this.#cells, WORD, me, 0) !== me) this.#native.unlock(NOTHING);
  }

  get [NATIVE]() {
    return this.#native;
  }

  [LEND](guard) {
    guard[SUSPEND]();
    this.#guard = undefined;
  }

  /** After a lend that came to nothing: the mutex is still locked. */
  [RETAKE](guard) {
    guard[RESUME]();
    this.#guard = guard;
  }

  [RETAKE_SYNC](guard) {
    if (!this.#take()) this.#sleep(undefined);
    this[RETAKE](guard);
  }
}

module.exports = { Mutex };
