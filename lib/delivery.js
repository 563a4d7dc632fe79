'use strict';

/**
 * Where everything that comes back from Rust arrives: one table of pending entries, one function that the native
 * side calls with a batch.
 *
 * There is one delivery for each JavaScript environment and binding, kept on the binding itself: under Jest this file
 * is loaded again for every test file while the binding stays. So the delivery knows nothing of the values; an entry
 * that needs more than `resolve` reads them with the code, and the classes, of the copy that made it.
 */

const FORMS = require('./forms');

/** Letters in one batch at the most; `BATCH` in src/node/board.rs. */
const BATCH = 1024;
/** Bytes of encoded values in one batch; what does not fit comes beside it. */
const WIRE_BYTES = 64 * 1024;

const KEY = Symbol('rust-workers.delivery');

/** Ids are `turn * 2^32 + slot`, so an id is never that of an earlier entry in the same slot. */
const TURN = 2 ** 32;
const LAST_TURN = 2 ** 20;

class Delivery {
  #binding;
  /** Pending entries by slot. */
  #entries = [];
  #vacant = [];
  #turn = 0;
  /** What comes for a pool and not for one of its tasks, by handle. */
  #pools = new Map();
  /** Reasons for the event loop to stay alive. */
  #holds = 0;
  /** Pools with a look to take once a batch is through. */
  #watching = new Set();
  /** Values that stand beside the board, while a batch is delivered. */
  #extras;
  #nextExtra = 0;

  constructor(binding) {
    this.#binding = binding;
    this.ids = new Float64Array(BATCH);
    this.numbers = new Float64Array(BATCH);
    this.forms = new Uint8Array(BATCH);
    this.wire = Buffer.from(new ArrayBuffer(WIRE_BYTES));
    /** Arguments of the most frequent calls. */
    this.call = new Float64Array(8);
    binding.open(
      (count, extras) => this.#deliver(count, extras),
      new Uint8Array(this.ids.buffer),
      new Uint8Array(this.numbers.buffer),
      this.forms,
      new Uint8Array(this.wire.buffer),
      new Uint8Array(this.call.buffer),
    );
  }

  /**
   * Adds an entry and gives it its `id`.
   *
   * An entry has `pool` (a `PoolRecord`), `resolve(value)`, and `settle(form, number, delivery)` for answers that are
   * more than undefined or a number.
   */
  add(entry) {
    const slot = this.#vacant.length > 0 ? this.#vacant.pop() : this.#entries.length;
    this.#turn = this.#turn === LAST_TURN ? 0 : this.#turn + 1;
    entry.id = this.#turn * TURN + slot;
    this.#entries[slot] = entry;
    const pool = entry.pool;
    pool.inFlight++;
    if (pool.holds) this.hold(1);
  }

  /** Takes back an entry that the native side refused. */
  remove(entry) {
    const slot = entry.id >>> 0;
    if (this.#entries[slot] === entry) this.#release(slot, entry.pool);
  }

  #release(slot, pool) {
    this.#entries[slot] = undefined;
    this.#vacant.push(slot);
    pool.inFlight--;
    if (pool.holds) this.hold(-1);
  }

  /** Adds (or takes away) reasons for the event loop to stay alive. */
  hold(count) {
    const before = this.#holds;
    this.#holds += count;
    if (before === 0 && this.#holds > 0) this.#binding.holdLoop();
    else if (before > 0 && this.#holds === 0) this.#binding.releaseLoop();
  }

  /** Whom to tell that the pool of this handle has closed. */
  addPool(handle, closed) {
    this.#pools.set(handle, closed);
  }

  /** Calls `pool.look()` after every batch that settled some of its tasks, until it returns true. */
  watch(pool) {
    this.#watching.add(pool);
  }

  #deliver(count, extras) {
    const { ids, numbers, forms } = this;
    this.#extras = extras;
    this.#nextExtra = 0;
    for (let i = 0; i < count; i++) {
      const form = forms[i];
      const id = ids[i];
      if (form === FORMS.POOL_CLOSED) {
        this.#poolClosed(id);
        continue;
      }
      const slot = id >>> 0;
      const entry = this.#entries[slot];
      if (entry === undefined || entry.id !== id) continue;
      this.#release(slot, entry.pool);
      if (form === FORMS.NUMBER) entry.resolve(numbers[i]);
      else if (form === FORMS.UNDEFINED) entry.resolve(undefined);
      else entry.settle(form, numbers[i], this);
    }
    this.#extras = undefined;
    if (this.#watching.size > 0) this.#lookAround();
  }

  /** The next of the values that stand beside the board; for `settle`, which takes all that belong to its form. */
  takeExtra() {
    return this.#extras[this.#nextExtra++];
  }

  #poolClosed(handle) {
    const closed = this.#pools.get(handle);
    this.#pools.delete(handle);
    const counters = this.#binding.poolCounters(handle);
    this.#binding.dropPool(handle);
    closed?.(counters);
  }

  #lookAround() {
    for (const pool of this.#watching) if (pool.look()) this.#watching.delete(pool);
  }
}

/** The delivery of this environment. */
function deliveryOf(binding) {
  if (binding[KEY] === undefined) Object.defineProperty(binding, KEY, { value: new Delivery(binding) });
  return binding[KEY];
}

module.exports = { deliveryOf };
