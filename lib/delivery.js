'use strict';

/**
 * Where everything that comes back from Rust arrives: one table of pending entries, one function that the native
 * side calls with a batch.
 *
 * There is one delivery for each JavaScript environment and binding, kept on the binding itself: under Jest this file
 * is loaded again for every test file while the binding stays (runtime/host-realm.js). So the delivery knows nothing of
 * the values: answers are read with the code, and the classes, of the copy that made the task's pool.
 *
 * A batch is read to its end before anything of the user's runs: progress, ports and what else listens come after, each
 * called by itself. So nothing that such code does, throws or waits for can cost another entry its answer. Promises are
 * settled while it is read (what awaits them runs after), but for tasks that report: each of these gets its reports and
 * its answer in their order, so that a report's listener can still abort the task.
 *
 * A thread that blocks until a task is answered (pool/run-sync.js) reads batches *quietly*: what runs user code waits for a turn of
 * the event loop.
 */

const { isMainThread } = require('node:worker_threads');

const { isError, rejectBy } = require('./answer-errors');
const { setImmediate } = require('./runtime/clock');
const { InternalError } = require('./errors');
const { CALL_BUFFER, EVENTS, FORMS } = require('./constants');
const { keptOn } = require('./runtime/host-realm');
const { smallInteger } = require('./runtime/small-integer');
const { canSettle, settle, throwUncaught } = require('./runtime/turn');
const { callUser } = require('./user-code');

const { isArray } = Array;

/** Events in one batch at the most, and arguments of one call. */
const { BATCH, CALL } = CALL_BUFFER;
/**
 * Bytes of encoded values in one batch, limited by what their offset can express; a value that does not fit comes out of
 * band.
 */
const WIRE_BYTES = 2 ** CALL_BUFFER.WIRE_LENGTH_SHIFT;

const { VIA_FALLBACK, VIA_FALLBACK_LATE, NUMBER, UNDEFINED } = FORMS;
const { FENCE, NATIVE_CALL, PART, POOL_CLOSED, PROGRESS, SCRIPT_READY, SCRIPT_STOP, SCRIPT_WORK } = EVENTS;

/** Events whose handlers run user code at once. */
const RUN_USER_CODE = new Set([FENCE, SCRIPT_STOP, SCRIPT_WORK]);

/** Registered: each copy of this file must find the delivery that the first has made. */
const KEY = Symbol.for('rust-workers.delivery');

/** Ids are `turn * 2^32 + slot`, so an id is never that of an earlier task in the same slot. */
const TURN = 2 ** 32;
const LAST_TURN = 2 ** 20;

/** How many values come out of band, by form. */
const OUT_OF_BAND = {
  __proto__: null,
  [FORMS.BYTES]: 1,
  [FORMS.WIRE_OUT_OF_BAND]: 2,
  [FORMS.REJECTED_OUT_OF_BAND]: 2,
  [FORMS.ERROR]: 2,
  [FORMS.NUMBERS_OUT_OF_BAND]: 1,
};

class Delivery {
  #binding;
  // Pending tasks by slot, each column an array of its own: a task's object would be one more to be moved about by the
  // garbage collector for as long as the task is under way. Columns are as long as there are slots: an assignment beyond
  // an array's end would be seen by accessors on Array.prototype.
  /** A `Pending`, or no more than the promise's resolve function. */
  #settlers = [];
  #pools = [];
  #tasks = [];
  #ids = new Float64Array(0);
  /** Slots that were used and are free again, a stack. */
  #vacant = new Uint32Array(0);
  #vacantCount = 0;
  /** Slots that were ever used. */
  #used = 0;
  #turn = 0;
  /** Receivers of the events for a pool and not for one of its tasks, by handle. */
  #closing = new Map();
  /** Handlers for events that do not settle a task, by form: `{ deliver(id, number), act?() }`. */
  #handlers = new Map();
  /** Reasons for the event loop to stay alive. */
  #holds = 0;
  /** Pools with a look to take once a batch is through. */
  #watching = new Set();
  /**
   * Values out of band, while a batch is delivered. The elements are there from the start: assigning to one that is not
   * would be seen by accessors on Array.prototype.
   */
  #outOfBand = Array.from({ length: 2 * BATCH }, () => undefined);
  #nextOutOfBand = 0;
  /** Reports that were read and not yet passed to their tasks: the first and the last of a list. */
  #firstLater;
  #lastLater;
  /** Whether the batch is read while the thread is blocked; and the events of such batches that run user code. */
  #isQuiet = false;
  #noticedQuietly = [];
  /** Whether a turn of the loop was asked for, for what quiet batches have left. */
  #owesTurn = false;

  #drain = () => this.#binding.drain();

  ids = new Float64Array(BATCH);
  numbers = new Float64Array(BATCH);
  forms = new Uint8Array(BATCH);
  wire = Buffer.from(new ArrayBuffer(WIRE_BYTES));
  /** Arguments of the most frequent calls. */
  call = new Float64Array(CALL);

  constructor(binding) {
    this.#binding = binding;
    binding.open(
      (count, outOfBand, more, quiet = false) => this.#deliver(count, outOfBand, more, quiet),
      new Uint8Array(this.ids.buffer),
      new Uint8Array(this.numbers.buffer),
      this.forms,
      new Uint8Array(this.wire.buffer),
      new Uint8Array(this.call.buffer),
      // A worker may wait in place for a moment (src/node/adaptive_wait.rs); the main thread never does.
      canSettle && !isMainThread ? settle : undefined,
      this.#outOfBand,
    );
  }

  /**
   * Adds a task under way.
   *
   * @param {Function | import('./task/pending').Pending} settler the promise's resolve function, or a `Pending`
   * @param {import('./task/native-pool').NativePool} pool
   * @param {string} task its name
   * @returns {number} its id
   */
  add(settler, pool, task) {
    const slot = this.#vacantCount > 0 ? this.#vacant[--this.#vacantCount] : this.#newSlot();
    this.#turn = this.#turn === LAST_TURN ? 1 : this.#turn + 1;
    const id = this.#turn * TURN + slot;
    // The steps that may fail (the stack may be used up) come first.
    if (pool.holds) this.hold(1);
    if (pool.inFlight === 0) pool.keeper?.keep();
    this.#settlers[slot] = settler;
    this.#ids[slot] = id;
    this.#pools[slot] = pool;
    this.#tasks[slot] = task;
    pool.inFlight++;
    return id;
  }

  #newSlot() {
    const slot = this.#used++;
    if (slot === this.#ids.length) this.#grow(Math.max(64, slot * 2));
    return slot;
  }

  #grow(length) {
    const longer = (column) => Array.from({ length }, (_, slot) => (slot < column.length ? column[slot] : undefined));
    this.#settlers = longer(this.#settlers);
    this.#pools = longer(this.#pools);
    this.#tasks = longer(this.#tasks);
    const ids = this.#ids;
    this.#ids = new Float64Array(length);
    this.#ids.set(ids);
    const vacant = this.#vacant;
    this.#vacant = new Uint32Array(length);
    this.#vacant.set(vacant);
  }

  /** Takes back a task that the native side refused. */
  remove(id) {
    const slot = id >>> 0;
    if (this.#ids[slot] === id) this.#release(slot, this.#pools[slot]);
  }

  #release(slot, pool) {
    this.#settlers[slot] = undefined;
    // A pool belongs to the realm that made it, which must not live as long as the slot is vacant.
    this.#pools[slot] = undefined;
    // Turns begin at 1, so this is nobody's id.
    this.#ids[slot] = 0;
    this.#vacant[this.#vacantCount++] = slot;
    pool.inFlight--;
    if (pool.holds) this.hold(-1);
    if (pool.inFlight === 0) pool.keeper?.look();
  }

  /**
   * Rejects an entry here, whose task will not be answered by the native side any more.
   *
   * @param {number} id
   * @param {(task: string) => unknown} errorOf the reason, given the task's name
   */
  reject(id, errorOf) {
    const slot = id >>> 0;
    if (this.#ids[slot] !== id) return;
    const settler = this.#settlers[slot];
    const error = errorOf(this.#tasks[slot]);
    this.#release(slot, this.#pools[slot]);
    rejectEntry(settler, error);
  }

  /**
   * Each task that was accepted has one owner, which answers it before its pool has closed. Should one have been forgotten
   * by a fault of ours, its promise does not stay open.
   *
   * @param {import('./task/native-pool').NativePool} pool that has closed
   */
  checkAnswered(pool) {
    if (pool.inFlight === 0) return;
    const forgotten = this.#ids.filter((id, slot) => id !== 0 && this.#pools[slot] === pool);
    if (forgotten.length === 0) return;
    const errorOf = (task) => new InternalError(`task '${task}' was lost; please report this`, { task });
    forgotten.forEach((id) => this.reject(id, errorOf));
    throwUncaught(new InternalError(`a pool closed with ${forgotten.length} tasks unanswered; please report this`));
  }

  /** Adds (or takes away) reasons for the event loop to stay alive. */
  hold(count) {
    const before = this.#holds;
    const now = before + count;
    if (before === 0 && now > 0) this.#binding.holdLoop();
    else if (before > 0 && now === 0) this.#binding.releaseLoop();
    this.#holds = now;
  }

  /** Calls `closed` with the pool's last counters when the pool of this handle has closed. */
  addPool(handle, closed) {
    this.#closing.set(handle, closed);
  }

  /** A task under way: its name, its pool, and what settles it. */
  entryOf(id) {
    const slot = id >>> 0;
    if (this.#ids[slot] !== id) return undefined;
    return { task: this.#tasks[slot], pool: this.#pools[slot], settler: this.#settlers[slot] };
  }

  /** Whether this thread is blocked until the task of this id is answered. */
  isAwaitedInPlace(id) {
    const slot = id >>> 0;
    return this.#ids[slot] === id && this.#settlers[slot].rejectWith?.inPlace !== undefined;
  }

  /** For `process.getActiveResourcesInfo()`: a name for each entry that keeps the event loop alive. */
  activeResources() {
    const names = [];
    for (let slot = 0; slot < this.#used; slot++) {
      if (this.#ids[slot] !== 0 && this.#pools[slot].holds) names.push(this.#pools[slot].resource);
    }
    return names;
  }

  /** Whether a batch is read now while this thread is blocked: nothing of the user's may run. */
  get isQuiet() {
    return this.#isQuiet;
  }

  /** Calls `pool.look()` after every batch, until it returns true; and `pool.before()`, where there is one, before every batch. */
  watch(pool) {
    this.#watching.add(pool);
  }

  /**
   * The handler for events of a form that do not settle a task; made once for each environment.
   *
   * `deliver` is called for each event (of calls with the form too), and `act`, where there is one, after every batch: for what runs user code.
   *
   * @template {{ deliver(id: number, number: number): void, act?(): void }} T
   * @param {number} form one of EVENTS, other than POOL_CLOSED
   * @param {(delivery: Delivery) => T} make
   * @returns {T}
   */
  handler(form, make) {
    let handler = this.#handlers.get(form);
    if (handler === undefined) this.#handlers.set(form, (handler = make(this)));
    return handler;
  }

  #deliver(count, outOfBand, more, quiet) {
    // Not at once: timers and I/O must have their turn between two batches.
    if (more && !quiet) setImmediate(this.#drain);
    this.#isQuiet = quiet;
    if (this.#watching.size > 0) for (const pool of this.#watching) pool.before?.();
    this.#nextOutOfBand = 0;
    for (let next = 0; next < count; ) next = this.#readFrom(next, count);
    if (outOfBand > 0) this.#outOfBand.fill(undefined, 0, outOfBand);
    if (this.#watching.size > 0) this.#lookAround();
    if (quiet) return this.#oweTurn();
    this.#finish();
  }

  /** After a batch: whatever runs user code. */
  #finish() {
    if (this.#firstLater !== undefined) this.#giveLater();
    for (const handler of this.#handlers.values()) if (handler.act !== undefined) callUser(handler.act, handler);
  }

  /** What a quiet batch has left has the next turn of the loop, once for all such batches. */
  #oweTurn() {
    this.#isQuiet = false;
    if (this.#owesTurn) return;
    this.#owesTurn = true;
    setImmediate(() => {
      this.#owesTurn = false;
      for (const [form, id, number] of this.#noticedQuietly.splice(0)) callUser(this.#notice, this, form, id, number);
      this.#finish();
      this.#drain();
    });
  }

  /** Continues to read the batch from an entry; returns the entry to continue with. */
  #readFrom(first, count) {
    const { ids, numbers, forms } = this;
    let i = first;
    let settler;
    try {
      for (; i < count; i++) {
        const form = forms[i];
        const id = ids[i];
        if (form >= POOL_CLOSED) {
          this.#notice(form, id, numbers[i]);
          continue;
        }
        const slot = id >>> 0;
        if (this.#ids[slot] !== id) {
          this.skip(form, numbers[i]);
          continue;
        }
        settler = this.#settlers[slot];
        const pool = this.#pools[slot];
        this.#release(slot, pool);
        if (typeof settler !== 'function') settler.settle(form, numbers[i], this);
        else if (form === NUMBER) settler(smallInteger(numbers[i]));
        else if (form === UNDEFINED) settler(undefined);
        else this.#settle(settler, pool, form, numbers[i], this.#tasks[slot]);
      }
    } catch (error) {
      // Settling throws nothing: this is a fault of ours. It is told, costs the others nothing, and leaves no promise
      // behind.
      throwUncaught(error);
      if (settler !== undefined) callUser(rejectEntry, undefined, settler, error);
      this.#skipTo(i + 1);
    }
    return i + 1;
  }

  /** An event that is no answer. */
  #notice(form, id, number) {
    if (form === POOL_CLOSED) return this.#poolClosed(id);
    if (this.#isQuiet && RUN_USER_CODE.has(form)) {
      this.#noticedQuietly = [...this.#noticedQuietly, [form, id, number]];
      return;
    }
    if (form < PROGRESS) return this.#handlers.get(form)?.deliver(id, number);
    if (form >= NATIVE_CALL) return this.#handlers.get(NATIVE_CALL).deliver(id, number, form);
    const slot = id >>> 0;
    const settler = this.#ids[slot] === id ? this.#settlers[slot] : undefined;
    if (form >= PART) {
      if (settler?.part !== undefined) settler.part(form - PART, number, this);
      else this.skip(form - PART, number);
    } else if (settler?.report !== undefined) settler.report(form - PROGRESS, number, this);
    else this.skip(form - PROGRESS, number);
  }

  /**
   * Calls a method of a task once the batch is read: it runs, or follows, a listener of the user's.
   *
   * @param {import('./task/pending').Pending} pending
   * @param {'tell' | 'resolve' | 'reject'} method
   * @param {unknown} value
   */
  later(pending, method, value) {
    // A property that began as a number would make a double of every number.
    const call = { pending, method, value: undefined, next: undefined };
    call.value = value;
    if (this.#firstLater === undefined) this.#firstLater = call;
    else this.#lastLater.next = call;
    this.#lastLater = call;
  }

  #giveLater() {
    while (this.#firstLater !== undefined) {
      const { pending, method, value, next } = this.#firstLater;
      // Taken off before: should a listener run an event loop of its own, that goes on with the next.
      this.#firstLater = next;
      if (next === undefined) this.#lastLater = undefined;
      pending[method](value);
    }
  }

  /** Passes over the values of an event that nobody reads: those out of band, or by the native fallback. */
  skip(form, number) {
    if (form >= VIA_FALLBACK && form <= VIA_FALLBACK_LATE) {
      this.#handlers.get(SCRIPT_READY)?.skip(number);
      return;
    }
    for (let left = outOfBandOf(form); left > 0; left--) {
      const value = this.takeOutOfBand();
      // Among the parts of a value a text is the key of a port, which nobody will claim.
      if (isArray(value)) value.forEach((part) => typeof part === 'string' && this.#binding.dropPort(part));
    }
  }

  /** Makes the first value of an entry the next one out of band, whatever the entries before it have taken. */
  #skipTo(entry) {
    this.#nextOutOfBand = 0;
    for (let i = 0; i < entry; i++) this.#nextOutOfBand += outOfBandOf(this.forms[i]);
  }

  /** Settles a promise of which only the resolve function was kept. */
  #settle(resolve, pool, form, number, task) {
    let value;
    try {
      if (isError(form)) return rejectBy(resolve, pool.readError(form, number, this, task));
      value = pool.readAnswer(form, number, this, task);
    } catch (error) {
      return rejectBy(resolve, error);
    }
    resolve(value);
  }

  /** A value out of band that an entry before has taken too. */
  outOfBandAt(index) {
    return this.#outOfBand[index];
  }

  /** The next value out of band; for `settle`, which takes all that belong to its form. */
  takeOutOfBand() {
    return this.#outOfBand[this.#nextOutOfBand++];
  }

  #poolClosed(handle) {
    const closed = this.#closing.get(handle);
    this.#closing.delete(handle);
    const counters = this.#binding.poolCounters(handle);
    if (closed !== undefined) counters.times = this.#binding.poolTimes(handle, false);
    try {
      closed?.(counters);
    } finally {
      // After that: what still traces it reads it for the last time.
      this.#binding.dropPool(handle);
    }
  }

  #lookAround() {
    for (const pool of this.#watching) if (pool.look()) this.#watching.delete(pool);
  }
}

/** Rejects an entry, if it has not been settled. */
function rejectEntry(settler, error) {
  if (typeof settler === 'function') rejectBy(settler, error);
  else settler.reject?.(error);
}

/** How many values come out of band for an entry of this form. */
function outOfBandOf(form) {
  return OUT_OF_BAND[form % PROGRESS] ?? 0;
}

/** The delivery of this environment. */
const deliveryOf = (binding) => keptOn(binding, KEY, module, (host) => new host.Delivery(binding));

module.exports = { Delivery, deliveryOf };
