'use strict';

const { then: thenOf } = Promise.prototype;
const passOver = () => {};

/** A promise of a scope: knows whether somebody has asked for its outcome, by `await`, `then` or a function of Promise. */
class ScopePromise extends Promise {
  static get [Symbol.species]() {
    return Promise;
  }

  /** What the scope knows of it. */
  #entry;

  /** @param {object} entry */
  static of(executor, entry) {
    const promise = new ScopePromise(executor);
    promise.#entry = entry;
    // Nobody may ever ask: then the scope tells of a failure, and Node need not.
    thenOf.call(promise, undefined, passOver);
    return promise;
  }

  then(...handlers) {
    // `Promise.all` and `await` ask so too.
    if (this.#entry !== undefined) this.#entry.isAsked = true;
    return thenOf.apply(this, handlers);
  }
}

module.exports = { ScopePromise };
