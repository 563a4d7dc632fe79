'use strict';

const { BARRIER, LOCKS } = require('../constants');
const { binding } = require('../native');
const { showState } = require('../inspection');
const { validateInteger } = require('../validators');
const { LockCells, LockLayout } = require('./lock-cells');
const { NativeLock } = require('./native-lock');
const { timeoutOf, waitOptions } = require('./options');
const { orThrow } = require('./waiting');

const LAYOUT = new LockLayout('Barrier', BARRIER);
/** Cells: how many parties there are, and 1 when broken. */
const { PARTIES, BROKEN } = BARRIER;

/** The number that the native side grants to the party that arrived last. */
const { LEADER } = LOCKS;
const NOTHING = 0;

class Barrier {
  #cells;
  #native;

  constructor(parties) {
    const cells = parties instanceof LockCells ? parties : Barrier.#written(() => LAYOUT.allocate(), parties);
    this.#cells = cells.describeOn(this);
    this.#native = new NativeLock(cells, 'barrier');
  }

  /** `make` is called after the check of the argument. */
  static #written(make, parties) {
    validateInteger(parties, 'parties', 1, 2 ** 31 - 1);
    return make().write(0, parties);
  }

  static from(source, byteOffset = 0) {
    return new Barrier(LAYOUT.find(source, byteOffset));
  }

  static create(source, byteOffset, parties) {
    return new Barrier(Barrier.#written(() => LAYOUT.at(source, byteOffset), parties));
  }

  static get byteLength() {
    return LAYOUT.bytes;
  }

  get parties() {
    return Atomics.load(this.#cells, PARTIES);
  }

  get broken() {
    return Atomics.load(this.#cells, BROKEN) !== 0;
  }

  waitSync(options) {
    return { leader: this.#native.blockUntilGranted(NOTHING, timeoutOf(options)) === LEADER };
  }

  async wait(options) {
    return { leader: (await this.#native.promiseOfGrant(NOTHING, waitOptions(options))) === LEADER };
  }

  abort() {
    orThrow(binding.barrierAbort(this.#native.handle));
  }

  reset() {
    orThrow(binding.barrierReset(this.#native.handle));
  }
}

showState(Barrier, (lock) => require('./shown').barrier(lock));

module.exports = { Barrier };
