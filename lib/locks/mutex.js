'use strict';

const { MUTEX } = require('../constants');
const { LockNotHeldError } = require('../errors');
const { showState } = require('../inspection');
const { CHECK, HOLDS, LEND, MutexGuard, NATIVE, RELEASE, RETAKE, RETAKE_SYNC, TICKET, notHeld } = require('./guard');
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

/** In the place of a ticket: this object does not hold the mutex. */
const NOBODY = 0;

class Mutex {
  #cells;
  #me = ownerToken();
  #native;
  /** The ticket of the acquisition by which this object holds the mutex, or `NOBODY`. */
  #holder = NOBODY;
  /** The last ticket. Each acquisition has one of its own. */
  #tickets = 0;

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
    const ticket = ++this.#tickets;
    const guard = new MutexGuard(this, ticket);
    if (!this.#take() && this.#native.tryNow(NOTHING) === NOT_YET) return null;
    this.#holder = ticket;
    return guard;
  }

  lockSync(options) {
    const timeout = options === undefined ? undefined : timeoutOf(options);
    const ticket = ++this.#tickets;
    const guard = new MutexGuard(this, ticket);
    if (!this.#take()) this.#sleep(timeout);
    this.#holder = ticket;
    return guard;
  }

  #sleep(timeout) {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(this.#cells, WORD) === 0 && this.#take()) return;
    this.#native.blockUntilGranted(NOTHING, timeout);
  }

  async lock(options) {
    const wait = waitOptions(options);
    const ticket = ++this.#tickets;
    const guard = new MutexGuard(this, ticket);
    if (wait.signal?.aborted || !this.#take()) await this.#native.promiseOfGrant(NOTHING, wait);
    this.#holder = ticket;
    return guard;
  }

  unlock() {
    if (this.#holder === NOBODY) {
      throw new LockNotHeldError('The mutex is not locked by this object; only who locked it may unlock it');
    }
    this.#release();
  }

  recover() {
    const ticket = ++this.#tickets;
    const guard = new MutexGuard(this, ticket);
    if (!this.#native.recover()) return null;
    this.#holder = ticket;
    return guard;
  }

  get poisoned() {
    return this.#native.isPoisoned();
  }

  #release() {
    this.#holder = NOBODY;
    const me = this.#me;
    if (Atomics.compareExchange(this.#cells, WORD, me, 0) !== me) this.#native.unlock(NOTHING);
  }

  [HOLDS](ticket) {
    return this.#holder === ticket;
  }

  [RELEASE](ticket) {
    if (this.#holder !== ticket) throw notHeld();
    this.#release();
  }

  get [NATIVE]() {
    return this.#native;
  }

  [LEND](guard) {
    guard[CHECK]();
    this.#holder = NOBODY;
  }

  /** The guard is the caller's again; the mutex is locked. */
  [RETAKE](guard) {
    this.#holder = guard[TICKET];
  }

  [RETAKE_SYNC](guard) {
    if (!this.#take()) this.#sleep(undefined);
    this[RETAKE](guard);
  }
}

showState(Mutex, (lock) => require('./shown').mutex(lock));

module.exports = { Mutex };
