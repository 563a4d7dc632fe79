'use strict';

const { MUTEX } = require('../constants');
const { LockNotHeldError } = require('../errors');
const { Guard, LEND, NATIVE, RELEASE, RESUME, RETAKE, RETAKE_SYNC, SUSPEND } = require('./guard');
const { LockLayout } = require('./lock-cells');
const { NativeLock } = require('./native-lock');
const { timeoutOf, waitOptions } = require('./options');
const { ownerToken } = require('./owner');
const { NOT_YET } = require('./waiting');

const LAYOUT = new LockLayout('Mutex', MUTEX);
/** The cell of the word, and its bits that name the owner. */
const { WORD, OWNER } = MUTEX;

/** How often a blocking lock looks at a busy word before it queues: many critical sections are that short. */
const SPINS = 40;

const NOTHING = 0;

class Mutex {
  #cells;
  #me = ownerToken();
  #native;
  /** The guard of this object's acquisition, while it holds the mutex. */
  #guard;

  constructor(cells = LAYOUT.allocate().write()) {
    LAYOUT.checkCells(cells);
    this.#cells = cells.describeOn(this);
    this.#native = new NativeLock(cells, 'mutex', () => (Atomics.load(this.#cells, WORD) & OWNER) === this.#me);
  }

  static from(source, byteOffset = 0) {
    return new Mutex(LAYOUT.find(source, byteOffset));
  }

  static create(source, byteOffset = 0) {
    return new Mutex(LAYOUT.at(source, byteOffset).write());
  }

  static get byteLength() {
    return LAYOUT.bytes;
  }

  #take() {
    return Atomics.compareExchange(this.#cells, WORD, 0, this.#me) === 0;
  }

  tryLock() {
    const guard = new Guard(this, NOTHING);
    return this.#take() || this.#native.tryNow(NOTHING) !== NOT_YET ? (this.#guard = guard) : null;
  }

  lockSync(options) {
    const timeout = options === undefined ? undefined : timeoutOf(options);
    const guard = new Guard(this, NOTHING);
    if (!this.#take()) this.#sleep(timeout);
    return (this.#guard = guard);
  }

  #sleep(timeout) {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(this.#cells, WORD) === 0 && this.#take()) return;
    this.#native.blockUntilGranted(NOTHING, timeout);
  }

  async lock(options) {
    const wait = waitOptions(options);
    const guard = new Guard(this, NOTHING);
    if (wait.signal?.aborted || !this.#take()) await this.#native.promiseOfGrant(NOTHING, wait);
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

  /** The guard is the caller's again; the mutex is locked. */
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
