'use strict';

const { CONDVAR } = require('../constants');
const { binding } = require('../native');
const { showState } = require('../inspection');
const { InvalidArgTypeError, LockTimeoutError } = require('../errors');
const { CHECK, LEND, LOCK, NATIVE, RETAKE, RETAKE_SYNC } = require('./guard');
const { LockLayout } = require('./lock-cells');
const { NativeLock } = require('./native-lock');
const { timeoutOf, waitOptions } = require('./options');
const { blockUntilGranted, orThrow, promiseOfGrant, throwIfAborted } = require('./waiting');

const LAYOUT = new LockLayout('Condvar', CONDVAR);
/** The cell of the number of waiters, or more. */
const { WAITERS } = CONDVAR;

/** More waiters than there can be. */
const ALL = 2 ** 32 - 1;
const NO_LIMIT = Object.freeze({});
const WHAT = 'notification';

function mutexOf(guard) {
  // No other code knows the names, so an object that has them is a guard, and its lock a mutex.
  const mutex = typeof guard === 'object' && guard !== null && LOCK in guard ? guard[LOCK] : undefined;
  if (mutex === undefined || !(NATIVE in mutex)) {
    throw new InvalidArgTypeError(
      'The "guard" argument must be the guard of a Mutex, as lock() and lockSync() give it',
    );
  }
  return mutex;
}

class Condvar {
  #cells;
  #native;

  constructor(cells = LAYOUT.allocate().write()) {
    LAYOUT.checkCells(cells);
    this.#cells = cells.describeOn(this);
    this.#native = new NativeLock(cells, WHAT);
  }

  static from(source, byteOffset = 0) {
    return new Condvar(LAYOUT.find(source, byteOffset));
  }

  static create(source, byteOffset = 0) {
    return new Condvar(LAYOUT.at(source, byteOffset).write());
  }

  static get byteLength() {
    return LAYOUT.bytes;
  }

  /** Its `begin` lends the guard, joins the queue and unlocks the mutex, in this order. */
  #loan(mutex, guard) {
    guard[CHECK]();
    const { handle } = this.#native;
    const mutexHandle = mutex[NATIVE].handle;
    const loan = {
      /** Whether the guard must be restored. */
      isOut: false,
      begin(id) {
        mutex[LEND](guard);
        const answer = binding.condvarBegin(handle, mutexHandle, id);
        // Refused: the mutex is as it was.
        if (typeof answer === 'object') mutex[RETAKE](guard);
        else loan.isOut = true;
        return answer;
      },
    };
    return loan;
  }

  waitSync(guard, options) {
    const mutex = mutexOf(guard);
    const timeout = timeoutOf(options);
    const loan = this.#loan(mutex, guard);
    let failure;
    try {
      blockUntilGranted(loan.begin, timeout, WHAT);
    } catch (error) {
      failure = error;
    }
    if (loan.isOut) mutex[RETAKE_SYNC](guard);
    return notified(failure);
  }

  async wait(guard, options) {
    const mutex = mutexOf(guard);
    const limits = waitOptions(options);
    throwIfAborted(limits.signal, WHAT);
    const loan = this.#loan(mutex, guard);
    let failure;
    try {
      await promiseOfGrant(loan.begin, limits, WHAT);
    } catch (error) {
      failure = error;
    }
    // However the wait ended, the caller has the mutex after it.
    if (loan.isOut) {
      await mutex[NATIVE].promiseOfGrant(0, NO_LIMIT);
      mutex[RETAKE](guard);
    }
    return notified(failure);
  }

  notifyOne() {
    return this.#notify(1);
  }

  notifyAll() {
    return this.#notify(ALL);
  }

  #notify(count) {
    if (Atomics.load(this.#cells, WAITERS) === 0) return 0;
    return orThrow(binding.condvarNotify(this.#native.handle, count));
  }
}

/** The outcome of a wait: true; false when the time was up; or its error is thrown. */
function notified(failure) {
  if (failure === undefined) return true;
  if (failure instanceof LockTimeoutError) return false;
  throw failure;
}

showState(Condvar, (lock) => require('./shown').condvar(lock));

module.exports = { Condvar };
