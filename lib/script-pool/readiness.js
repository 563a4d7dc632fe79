'use strict';

/** `pool.ready`: whether the workers that a pool keeps, or one where it keeps none, have loaded the script and set it up. */

class Readiness {
  promise;
  /** Whether it has come to something, and to what. */
  isSettled = false;
  hasFailed = false;

  #resolve;
  #reject;

  #delivery;

  /** @param {import('../delivery').Delivery} delivery keeps the event loop alive for who waits */
  constructor(delivery) {
    this.#delivery = delivery;
    delivery.hold(1);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // To ask for it is not yet to wait for it: as for `closed` of a web stream, nobody has to.
    this.promise.catch(() => {});
  }

  /**
   * @param {number} ready how many workers are
   * @param {number} keep how many the pool keeps
   */
  look(ready, keep) {
    if (this.isSettled || ready < Math.max(1, keep)) return;
    this.#settled();
    this.#resolve();
  }

  /** @param {unknown} error */
  fail(error) {
    if (this.isSettled) return;
    this.hasFailed = true;
    this.#settled();
    this.#reject(error);
  }

  #settled() {
    this.isSettled = true;
    this.#delivery.hold(-1);
  }
}

module.exports = { Readiness };
