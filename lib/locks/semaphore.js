'use strict';

const { OutOfRangeError } = require('../errors');
const { validateInteger, validateOptions } = require('../validators');
const { Guard, RELEASE } = require('./guard');
const { NativeLock } = require('./native-lock');
const { Place } = require('./place');
const { termsOf, timeoutOf } = require('./terms');

const LETTER = 'S';
const BYTES = 16;
/** Cells: permits to be had, how many wait (or more), most permits. */
const COUNT = 1;
const WAITERS = 2;
const MAX = 3;

const MAX_PERMITS = 2 ** 31 - 1;

const OPTIONS = new Set(['max']);

class Semaphore {
  #cells;
  #max;
  #native;

  constructor(permits, options = {}) {
    const place = permits instanceof Place ? permits : Semaphore.#make(() => Place.allocate(BYTES), permits, options);
    this.#cells = place.show(this);
    this.#max = Atomics.load(this.#cells, MAX);
    this.#native = new NativeLock(place, 'The permit');
  }

  static #make(placeOf, permits, options) {
    const { max = MAX_PERMITS } = validateOptions(options, 'options', OPTIONS);
    validateInteger(max, 'options.max', 1, MAX_PERMITS);
    validateInteger(permits, 'permits', 0, max);
    return placeOf().write(LETTER, permits, 0, max);
  }

  static from(source, byteOffset = 0) {
    return new Semaphore(Place.find(source, byteOffset, LETTER, 'Semaphore'));
  }

  static create(source, byteOffset, permits, options = {}) {
    return new Semaphore(Semaphore.#make(() => Place.at(source, byteOffset, BYTES), permits, options));
  }

  static get byteLength() {
    return BYTES;
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

  #take(permits) {
    const cells = this.#cells;
    if (Atomics.load(cells, WAITERS) !== 0) return false;
    for (;;) {
      const now = Atomics.load(cells, COUNT);
      if (now < permits) return false;
      if (Atomics.compareExchange(cells, COUNT, now, now - permits) === now) return true;
    }
  }

  tryAcquire(permits = 1) {
    const guard = new Guard(this, this.#check(permits));
    return this.#take(permits) ? guard : null;
  }

  acquireSync(permits = 1, options = undefined) {
    this.#check(permits);
    const timeout = timeoutOf(options);
    const guard = new Guard(this, permits);
    if (!this.#take(permits)) this.#native.sleepFor(permits, timeout);
    return guard;
  }

  async acquire(permits = 1, options = undefined) {
    this.#check(permits);
    const terms = termsOf(options);
    const guard = new Guard(this, permits);
    if (terms.signal?.aborted || !this.#take(permits)) await this.#native.waitFor(permits, terms);
    return guard;
  }

  release(permits = 1) {
    this[RELEASE](this.#check(permits));
  }

  [RELEASE](permits) {
    const cells = this.#cells;
    for (;;) {
      const now = Atomics.load(cells, COUNT);
      if (now + permits > this.#max) {
        throw new OutOfRangeError(
          `The semaphore has ${now} permits and may have ${this.#max}: ${permits} more are too many`,
        );
      }
      if (Atomics.compareExchange(cells, COUNT, now, now + permits) === now) break;
    }
    if (Atomics.load(cells, WAITERS) !== 0) this.#native.grantNext();
  }
}

module.exports = { Semaphore };
