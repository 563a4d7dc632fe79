'use strict';

/** The end of a pool: once all that it has accepted is done, or by force. */

const { binding } = require('../native');
const { LONGEST_TIMER, clearTimeout, setImmediate, setTimeout } = require('../runtime/clock');
const { deliveryOf } = require('../delivery');
const { PoolClosedError } = require('../errors');
const { ANNOUNCED, BY_FORCE, GRACEFULLY, UNANNOUNCED } = require('../task/native-pool');
const { cancelQueued } = require('./cancel-queued');

const delivery = deliveryOf(binding);

/** No pool has this handle: a submission with it is refused as by a closed pool. */
const NO_HANDLE = 2 ** 32 - 1;

class Closing {
  /** Settles once all threads have ended. */
  promise;

  #parts;
  #resolve;
  /** Whether the native side was told to close once all is done. */
  #nativeCloses = false;

  /**
   * @param {object} parts those of flow.js, and
   * @param {() => import('../task/native-pool').NativePool[]} parts.natives
   * @param {() => import('../script-pool/worker-manager').WorkerManager | undefined} parts.workers
   * @param {Set<object>} parts.watchers
   * @param {(counters: object) => void} parts.ended takes the last counters
   */
  constructor(parts) {
    this.#parts = parts;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  begin(force, cancelsQueued) {
    const { native, natives, admission, maps, workers, watchers, ended, pool } = this.#parts;
    // Until the threads have ended, also when nothing runs: so that `await pool.close()` always returns.
    delivery.hold(1);
    delivery.addPool(native.handle, (counters) => {
      ended(counters);
      for (const watcher of watchers) watcher.poolCloses();
      for (const side of natives()) {
        delivery.checkAnswered(side);
        // The native side may give the handle to the next pool.
        side.handle = NO_HANDLE;
      }
      // Not at once: rejections that came with this take some microtasks to reach the code that awaits them.
      setImmediate(() => {
        delivery.hold(-1);
        this.#resolve();
        pool.emit('close');
      });
    });
    admission.isClosed = true;
    // First, so that they know that it is no close: what follows wakes them.
    if (force) workers()?.destroy();
    for (const map of [...maps]) map.poolCloses();
    if (cancelsQueued) this.cancelQueued();
    this.#closeWhenMapped();
  }

  /** A map that was under way has ended. */
  mapSettled({ finishesOnClose }) {
    if (finishesOnClose) this.#closeWhenMapped();
  }

  /** Closes the native side, once the inputs of every map that was accepted have been submitted and are done. */
  #closeWhenMapped() {
    const { native, admission, maps, workers } = this.#parts;
    for (const map of maps) if (map.finishesOnClose) return;
    admission.whenDispatched(() => {
      if (this.#nativeCloses) return;
      this.#nativeCloses = true;
      const close = () => binding.closePool(native.handle, GRACEFULLY, ANNOUNCED);
      if (native.isShared) native.whenDone(close);
      else close();
      workers()?.close();
    });
  }

  cancelQueued() {
    return cancelQueued(this.#parts, true);
  }

  force() {
    const { native, admission, maps, workers } = this.#parts;
    for (const map of [...maps]) map.end(new PoolClosedError('the pool was destroyed before every input was done'));
    admission.clear(() => new PoolClosedError('the pool was closed before the task began'));
    workers()?.destroy();
    binding.closePool(native.handle, BY_FORCE, UNANNOUNCED);
  }

  forceAfter(timeout) {
    const timer = setTimeout(() => this.force(), Math.min(timeout, LONGEST_TIMER));
    this.promise.then(() => clearTimeout(timer));
  }
}

module.exports = { Closing };
