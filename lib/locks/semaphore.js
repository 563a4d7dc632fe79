'use strict';

const { SEMAPHORE } = require('../constants');
const { OutOfRangeError } = require('../errors');
const { showState } = require('../inspection');
const { validateInteger, validateOptions } = require('../validators');
const { Guard, RELEASE } = require('./guard');
const { LockCells, LockLayout } = require('./lock-cells');
const { NativeLock } = require('./native-lock');
const { timeoutOf, waitOptions } = require('./options');

const LAYOUT = new LockLayout('Semaphore', SEMAPHORE);
/** Cells: free permits, the number of waiters (or more), most permits. */
const { COUNT, WAITERS, MAX } = SEMAPHORE;

const { MAX_PERMITS } = SEMAPHORE;

const OPTIONS = new Set(['max']);

class Semaphore {
  #cells;
  #max;
  #native;

  constructor(permits, options = {}) {
    const cells = permits instanceof LockCells ? permits : Semaphore.#written(() => LAYOUT.allocate(), permits, options);
    this.#cells = cells.describeOn(this);
    this.#max = Atomics.load(this.#cells, MAX);
    this.#native = new NativeLock(cells, 'permit');
  }

  /** `make` is called after the checks of the arguments. */
  static #written(make, permits, options) {
    const { max = MAX_PERMITS } = validateOptions(options, 'options', OPTIONS);
    validateInteger(max, 'options.max', 1, MAX_PERMITS);
    validateInteger(permits, 'permits', 0, max);
    return make().write(permits, 0, max);
  }

  static from(source, byteOffset = 0) {
    return new Semaphore(LAYOUT.find(source, byteOffset));
  }

  static create(source, byteOffset, permits, options = {}) {
    return new Semaphore(Semaphore.#written(() => LAYOUT.at(source, byteOffset), permits, options));
  }

  static get byteLength() {
    return LAYOUT.bytes;
  }

  get max() {
    return this.#max;
  }

  get available() {
    return Atomics.load(this.#cells, COUNT);
  }

  #check(permits) {
    return validateInteger(permits, 'permits', 1, this.#max);
  }

  /**
   * A plain read of a cell costs a tenth of `Atomics.load`, which is a call. It says what to try, and the exchange whether that
   * was right. A refusal needs an atomic load, since a compiler may take a plain one out of a loop.
   */
  #take(permits) {
    const cells = this.#cells;
    if (cells[WAITERS] !== 0 && Atomics.load(cells, WAITERS) !== 0) return false;
    let now = cells[COUNT];
    if (now < permits) now = Atomics.load(cells, COUNT);
    while (now >= permits) {
      const found = Atomics.compareExchange(cells, COUNT, now, now - permits);
      if (found === now) return true;
      now = found;
    }
    return false;
  }

  tryAcquire(permits = 1) {
    const guard = new Guard(this, this.#check(permits));
    return this.#take(permits) ? guard : null;
  }

  acquireSync(permits = 1, options = undefined) {
    this.#check(permits);
    const timeout = options === undefined ? undefined : timeoutOf(options);
    const guard = new Guard(this, permits);
    if (!this.#take(permits)) this.#native.blockUntilGranted(permits, timeout);
    return guard;
  }

  async acquire(permits = 1, options = undefined) {
    this.#check(permits);
    const wait = waitOptions(options);
    const guard = new Guard(this, permits);
    if (wait.signal?.aborted || !this.#take(permits)) await this.#native.promiseOfGrant(permits, wait);
    return guard;
  }

  /** The permits there are, if there may be so many more. */
  #checked(permits) {
    const now = Atomics.load(this.#cells, COUNT);
    if (now + permits <= this.#max) return now;
    throw new OutOfRangeError(`The semaphore has ${now} permits and may have ${this.#max}: ${permits} more are too many`);
  }

  release(permits = 1) {
    this[RELEASE](this.#check(permits));
  }

  [RELEASE](permits) {
    const cells = this.#cells;
    let now = cells[COUNT];
    for (;;) {
      if (now + permits > this.#max) now = this.#checked(permits);
      const found = Atomics.compareExchange(cells, COUNT, now, now + permits);
      if (found === now) break;
      now = found;
    }
    // Not a plain read: it must not be older than the exchange.
    if (Atomics.load(cells, WAITERS) !== 0) this.#native.grantNext();
  }
}

showState(Semaphore, (lock) => require('./shown').semaphore(lock));

module.exports = { Semaphore };
