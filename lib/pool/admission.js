'use strict';

/**
 * Admission to a pool: which tasks are taken now, which wait, and which are refused.
 *
 * A task can be submitted when it is known whose task its name is, and the queue has room for one of its kind. The native
 * side decides the second (`poolRefusal`). This side asks it first where the input cannot be read again, since memory that
 * was moved cannot be moved back.
 *
 * Two things may be waited for:
 * - what the script exports, by tasks and maps under a bare name that a native task has too;
 * - room in the queue, by the inputs of maps. A task that is run by itself does not wait for room: it is refused
 *   (ERR_RW_QUEUE_FULL), and its caller listens for 'drain'.
 *
 * Each task or map that waits has an entry `{ go(), fail(error) }`. `go` may find that it must wait again. A task or map
 * that ends early takes its entry away by `leave`, and is not called any more.
 */

const { rejectBy } = require('../answer-errors');
const { deliveryOf } = require('../delivery');
const { append } = require('../runtime/intrinsics');
const { errorFromCode } = require('../errors');
const { binding } = require('../native');
const { nextTick } = require('../runtime/globals');
const { callUser } = require('../user-code');
const { isSeen } = require('../task/native-pool');
const { SCRIPT, UNDECIDED } = require('./task-router');

const delivery = deliveryOf(binding);

const QUEUE_FULL = 'ERR_RW_QUEUE_FULL';

/** The errors of submissions that found the queue full. */
const refusals = new WeakSet();

/** Whether an error is that of a submission that found the queue full. */
const isRefusal = (error) => refusals.has(error);

class Admission {
  /** Whether the pool takes no more tasks. The native side is still open for accepted tasks. */
  isClosed = false;
  /** Whether the queue was full, and has not been half empty since. */
  needsDrain = false;

  #pool;
  #native;
  #whenLoaded;
  /** Whether 'drain' waits for a free thread: nothing may wait in the queue. */
  #needsThread;
  #forExports = new Set();
  #forRoom = new Set();
  /** Called once nothing waits any more for what the script exports. */
  #whenDispatched = [];
  /** Whether it keeps the event loop alive until there is room. */
  #holdsForRoom = false;

  /**
   * @param {import('node:events').EventEmitter} pool emits 'needsDrain' and 'drain'
   * @param {import('../task/native-pool').NativePool} native
   * @param {number} maxQueue
   * @param {((then: (failure?: Error) => void) => void) | undefined} whenLoaded calls `then` once it is known what the
   *   script exports, or with the error with which it does not load; undefined in a pool without a script
   */
  constructor(pool, native, maxQueue, whenLoaded) {
    this.#pool = pool;
    this.#native = native;
    this.#whenLoaded = whenLoaded;
    this.#needsThread = maxQueue === 0 && whenLoaded === undefined;
  }

  /** Why the queue takes no task of this kind now; null when it does. */
  refusal(isScript) {
    return binding.poolRefusal(this.#native.handle, isScript);
  }

  /** Whether a task of this owner can be submitted now. */
  admits(owner) {
    return owner !== UNDECIDED && this.refusal(owner === SCRIPT) === null;
  }

  /** An entry waits until a task of this owner may be submitted. */
  wait(entry, owner) {
    if (owner === UNDECIDED) {
      this.enter(entry);
      this.awaitExports(entry);
    } else {
      this.#forRoom.add(entry);
      this.#watch();
    }
  }

  /** An entry waits for what the script exports; until then it keeps the event loop alive, and the pool open. */
  enter(entry) {
    this.#forExports.add(entry);
    delivery.hold(1);
  }

  /** Asks for the script's exports. Getters of the workers' options may end the entry, or let it fail, at once. */
  awaitExports(entry) {
    this.#whenLoaded((failure) => {
      if (!this.#forExports.has(entry)) return;
      try {
        if (failure === undefined) entry.go();
        else entry.fail(failure);
      } finally {
        this.#leaveExports(entry);
      }
    });
  }

  /** Whether an entry waits for what the script exports. */
  has(entry) {
    return this.#forExports.has(entry);
  }

  /** An entry waits no more. */
  leave(entry) {
    this.#forRoom.delete(entry);
    this.#leaveExports(entry);
  }

  #leaveExports(entry) {
    if (!this.#forExports.delete(entry)) return;
    delivery.hold(-1);
    if (this.#forExports.size === 0) for (const then of this.#whenDispatched.splice(0)) then();
  }

  /** Calls `then` once nothing waits any more for what the script exports; at once, if nothing does. */
  whenDispatched(then) {
    if (this.#forExports.size === 0) then();
    else append(this.#whenDispatched, then);
  }

  /** Ends what waits for what the script exports: the pool is destroyed. */
  clear(errorOf) {
    for (const entry of [...this.#forExports]) if (this.#forExports.has(entry)) entry.fail(errorOf());
  }

  /** Ends all that waits, also for room; how much that was. */
  clearAll(errorOf) {
    let count = 0;
    for (const entry of [...this.#forExports, ...this.#forRoom]) {
      if (!this.#forExports.has(entry) && !this.#forRoom.delete(entry)) continue;
      count++;
      entry.fail(errorOf());
    }
    return count;
  }

  /**
   * Deals with what a submission returned: `true` when the queue is full now, or why it was refused.
   *
   * @param {true | [code: string, message: string]} answer
   * @param {number} id the task's
   * @param {(outcome: unknown) => void} resolve of its promise
   * @param {string} task its name
   * @param {unknown} input for the error's `input`
   */
  answered(answer, id, resolve, task, input) {
    if (answer === true) this.becameFull();
    else rejectBy(resolve, this.refused(answer, id, task, input));
  }

  /** Takes back a task that was refused; returns why it was. */
  refused([code, message], id, task, input) {
    delivery.remove(id);
    return code === QUEUE_FULL ? this.queueFull(message, task, input) : errorFromCode(code, message, { task });
  }

  /** The error of a task that finds the queue full. */
  queueFull(message, task, input) {
    const error = errorFromCode(QUEUE_FULL, message, { task, input });
    refusals.add(error);
    this.becameFull();
    return error;
  }

  becameFull() {
    if (this.needsDrain) return;
    this.needsDrain = true;
    this.#watch();
    nextTick(() => this.#pool.emit('needsDrain'));
  }

  /** Looks after each batch whether there is room in the queue. Only meanwhile does the native side refer to the pool. */
  #watch() {
    this.#native.look = this.#look;
    delivery.watch(this.#native);
    if (this.#othersSubmit) this.#askForRoom();
  }

  get #othersSubmit() {
    return this.#native.isShared || this.#native.engine !== undefined;
  }

  /** Others fill the queue too, so its own answers alone do not tell of room; and there may be none that keeps the loop alive. */
  #askForRoom() {
    if (!this.#holdsForRoom && this.#native.holds) {
      this.#holdsForRoom = true;
      delivery.hold(1);
    }
    binding.tellOfRoom(this.#native.handle);
  }

  /** There may be more room, though no answer has come. */
  lookAgain() {
    if (this.needsDrain || this.#forRoom.size > 0) this.#look();
  }

  /** True when there is nothing more to look for. */
  #look = () => {
    if (this.needsDrain && this.#isHalfEmpty()) {
      this.needsDrain = false;
      nextTick(() => this.#pool.emit('drain'));
    }
    for (const entry of this.#forRoom) {
      this.#forRoom.delete(entry);
      // Not in the middle of a delivery: it asks a source, and submits.
      nextTick(callUser, entry.go, entry);
    }
    if (this.needsDrain) {
      if (this.#othersSubmit) this.#askForRoom();
      return false;
    }
    if (this.#holdsForRoom) {
      this.#holdsForRoom = false;
      delivery.hold(-1);
    }
    this.#native.look = isSeen;
    return true;
  };

  /** Whether the queue is at most half full; where nothing may wait, whether a thread is free. */
  #isHalfEmpty() {
    const needsThread = this.#needsThread && !this.isClosed;
    return binding.poolIsHalfEmpty(this.#native.handle) && (!needsThread || this.refusal(false) === null);
  }
}

module.exports = { Admission, isRefusal };
