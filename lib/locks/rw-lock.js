'use strict';

const { LOCKS, RW_LOCK } = require('../constants');
const { InvalidArgValueError, LockNotHeldError } = require('../errors');
const { showState } = require('../inspection');
const { validateInteger, validateOptions } = require('../validators');
const { Guard, RELEASE } = require('./guard');
const { LockCells, LockLayout } = require('./lock-cells');
const { NativeLock } = require('./native-lock');
const { timeoutOf, waitOptions } = require('./options');
const { ownerToken } = require('./owner');
const { NOT_YET } = require('./waiting');

/** Its bytes depend on the number of its slots. */
const LAYOUT = new LockLayout('RwLock', RW_LOCK);
/** The cell of the word, its bits that name the owner, and the bit that says that the owner still waits for readers. */
const { WORD, OWNER, DRAINING } = RW_LOCK;
/** The cells with the number of slots, and with how many were ever taken; the first slot. */
const { COUNT, USED, SLOTS, MAX_SLOTS } = RW_LOCK;
/** With so many the lock is 128 bytes long. */
const DEFAULT_SLOTS = 28;

/** Arguments of the native side. */
const { READ, WRITE } = LOCKS;

const OPTIONS = new Set(['maxReaders']);

/** The entry of a writer's guard, which has no slot. */
const WRITER = Object.freeze({ slot: -1 });
const NO_SLOT = -1;

const sizeOf = (slots) => (SLOTS + slots) * 4;

function slotsOf(options) {
  const { maxReaders = DEFAULT_SLOTS } = validateOptions(options, 'options', OPTIONS);
  return validateInteger(maxReaders, 'options.maxReaders', 1, MAX_SLOTS);
}

class RwLock {
  #cells;
  #slots;
  #me = ownerToken();
  #native;
  /** The slot to try first: the one that this object left last is probably free. */
  #hint = 0;
  /** How many slots were ever taken, as far as this object knows; the number in the cell only grows. */
  #used = 0;

  constructor(options = {}) {
    const cells = options instanceof LockCells ? options : RwLock.#written((bytes) => LAYOUT.allocate(bytes), options);
    this.#cells = cells.describeOn(this);
    this.#slots = this.#cells.length - SLOTS;
    this.#native = new NativeLock(cells, 'lock', () => this.#waitsForItself());
  }

  /** `make` is called after the checks of the options. */
  static #written(make, options) {
    const slots = slotsOf(options);
    return make(sizeOf(slots)).write(0, slots);
  }

  static from(source, byteOffset = 0) {
    const found = LAYOUT.find(source, byteOffset);
    const slots = Atomics.load(found.cells, COUNT);
    if (slots < 1 || slots > MAX_SLOTS) throw new InvalidArgValueError(`A RwLock with ${slots} readers is damaged`);
    return new RwLock(LAYOUT.extended(found, SLOTS + slots));
  }

  static create(source, byteOffset = 0, options = {}) {
    return new RwLock(RwLock.#written((bytes) => LAYOUT.at(source, byteOffset, bytes), options));
  }

  static byteLength(maxReaders = DEFAULT_SLOTS) {
    return sizeOf(validateInteger(maxReaders, 'maxReaders', 1, MAX_SLOTS));
  }

  get maxReaders() {
    return this.#slots;
  }

  /** Takes a slot without the native side, if there is no writer and no waiter. */
  #enter() {
    const cells = this.#cells;
    // It says whether to try; the native side looks again.
    if (cells[WORD] !== 0) return NO_SLOT;
    const slot = this.#takeSlot(cells);
    // A writer that came in between may have seen the slot: the reader leaves it again, and must then ask the native side.
    if (slot === NO_SLOT || Atomics.load(cells, WORD) === 0) return slot;
    Atomics.store(cells, SLOTS + slot, 0);
    return NO_SLOT;
  }

  #takeSlot(cells) {
    const slots = this.#slots;
    let slot = this.#hint;
    for (let i = 0; i < slots; i++) {
      const cell = SLOTS + slot;
      // The read says what to try: a call costs ten times as much.
      if (cells[cell] === 0) {
        if (slot >= this.#used) this.#use(slot);
        if (Atomics.compareExchange(cells, cell, 0, this.#me) === 0) return slot;
      }
      if (++slot === slots) slot = 0;
    }
    return NO_SLOT;
  }

  /** Says that a slot is going to be taken, before it is: writers look at no others. */
  #use(slot) {
    const cells = this.#cells;
    let used = Atomics.load(cells, USED);
    while (used <= slot) {
      const found = Atomics.compareExchange(cells, USED, used, slot + 1);
      used = found === used ? slot + 1 : found;
    }
    this.#used = used;
  }

  /** Becomes the writer without the native side, if there is no reader, writer or waiter. */
  #seize() {
    const cells = this.#cells;
    const me = this.#me;
    // The read says whether to try. Where the stack is used up the exchange fails, as a rule: the loads after it have fewer
    // arguments, and would fail with the lock taken.
    if (cells[WORD] !== 0 || Atomics.compareExchange(cells, WORD, 0, me) !== 0) return false;
    const end = Math.min(SLOTS + Atomics.load(cells, USED), cells.length);
    let isFree = true;
    for (let i = SLOTS; i < end && isFree; i++) isFree = Atomics.load(cells, i) === 0;
    if (isFree) return true;
    if (Atomics.compareExchange(cells, WORD, me, 0) !== me) this.#native.unlock(WRITE);
    return false;
  }

  /** Asked while the thread sleeps: grants to its own promises will not be released meanwhile. */
  #waitsForItself() {
    const cells = this.#cells;
    const word = Atomics.load(cells, WORD);
    if ((word & OWNER) === 0) return false;
    if ((word & (OWNER | DRAINING)) === this.#me) return true;
    for (let i = SLOTS; i < cells.length; i++) if (Atomics.load(cells, i) === this.#me) return true;
    return false;
  }

  tryRead() {
    const entry = { slot: NO_SLOT };
    const guard = new Guard(this, entry);
    entry.slot = this.#enter();
    if (entry.slot === NO_SLOT) entry.slot = this.#native.tryNow(READ);
    return entry.slot === NOT_YET ? null : guard;
  }

  readSync(options) {
    const timeout = options === undefined ? undefined : timeoutOf(options);
    const entry = { slot: NO_SLOT };
    const guard = new Guard(this, entry);
    entry.slot = this.#enter();
    if (entry.slot === NO_SLOT) entry.slot = this.#native.blockUntilGranted(READ, timeout);
    return guard;
  }

  async read(options) {
    const wait = waitOptions(options);
    const entry = { slot: NO_SLOT };
    const guard = new Guard(this, entry);
    if (!wait.signal?.aborted) entry.slot = this.#enter();
    if (entry.slot === NO_SLOT) entry.slot = await this.#native.promiseOfGrant(READ, wait);
    return guard;
  }

  tryWrite() {
    const guard = new Guard(this, WRITER);
    return this.#seize() || this.#native.tryNow(WRITE) !== NOT_YET ? guard : null;
  }

  writeSync(options) {
    const timeout = options === undefined ? undefined : timeoutOf(options);
    const guard = new Guard(this, WRITER);
    if (!this.#seize()) this.#native.blockUntilGranted(WRITE, timeout);
    return guard;
  }

  async write(options) {
    const wait = waitOptions(options);
    const guard = new Guard(this, WRITER);
    if (wait.signal?.aborted || !this.#seize()) await this.#native.promiseOfGrant(WRITE, wait);
    return guard;
  }

  recover() {
    const guard = new Guard(this, WRITER);
    return this.#native.recover() ? guard : null;
  }

  get poisoned() {
    return this.#native.isPoisoned();
  }

  [RELEASE](entry) {
    const { slot } = entry;
    const cells = this.#cells;
    const me = this.#me;
    if (entry === WRITER) {
      if (Atomics.compareExchange(cells, WORD, me, 0) !== me) this.#native.unlock(WRITE);
      return;
    }
    if (Atomics.compareExchange(cells, SLOTS + slot, me, 0) !== me) {
      throw new LockNotHeldError('The reader is not in the lock any more: its cells were written over');
    }
    this.#hint = slot;
    if (Atomics.load(cells, WORD) !== 0) this.#native.grantNext();
  }
}

showState(RwLock, (lock) => require('./shown').rwLock(lock));

module.exports = { RwLock };
