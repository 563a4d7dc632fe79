'use strict';

const { binding } = require('../native');
const { validateInteger } = require('../validators');
const { NativeLock } = require('./native-lock');
const { Place } = require('./place');
const { termsOf, timeoutOf } = require('./terms');
const { checked } = require('./waiting');

const LETTER = 'B';
const BYTES = 16;
/** Cells: how many are to come, and 1 when broken. */
const PARTIES = 2;
const BROKEN = 3;

/** What the native side grants to the party that came last. */
const LEADER = 0;
const NOTHING = 0;

class Barrier {
  #cells;
  #native;

  constructor(parties) {
    const place = parties instanceof Place ? parties : Barrier.#make(() => Place.allocate(BYTES), parties);
    this.#cells = place.show(this);
    this.#native = new NativeLock(place, 'The barrier');
  }

  static #make(placeOf, parties) {
    validateInteger(parties, 'parties', 1, 2 ** 31 - 1);
    return placeOf().write(LETTER, 0, parties);
  }

  static from(source, byteOffset = 0) {
    return new Barrier(Place.find(source, byteOffset, LETTER, 'Barrier'));
  }

  static create(source, byteOffset, parties) {
    return new Barrier(Barrier.#make(() => Place.at(source, byteOffset, BYTES), parties));
  }

  static get byteLength() {
    return BYTES;
  }

  get parties() {
    return Atomics.load(this.#cells, PARTIES);
  }

  get broken() {
    return Atomics.load(this.#cells, BROKEN) !== 0;
  }

  waitSync(options) {
    return { leader: this.#native.sleepFor(NOTHING, timeoutOf(options)) === LEADER };
  }

  async wait(options) {
    return { leader: (await this.#native.waitFor(NOTHING, termsOf(options))) === LEADER };
  }

  abort() {
    checked(binding.barrierAbort(this.#native.handle));
  }

  reset() {
    checked(binding.barrierReset(this.#native.handle));
  }
}

module.exports = { Barrier };
