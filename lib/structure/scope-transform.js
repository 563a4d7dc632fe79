'use strict';

/**
 * A Transform of Node's that belongs to a scope. It is destroyed when the scope is cancelled, by an AbortError with the scope's reason as
 * its cause, whether or not anything was written; and when the scope ends before it. Who reads it is told of its errors. Where nobody
 * listens an error does not end the process, as that of a stream would: the scope has it.
 */

const { errorBy, onAbort } = require('../abort');
const { abortError } = require('../errors');

/** The scope's own listener of errors. */
const OWN = 1;

class ScopeTransform {
  #transform;
  #closed;

  /**
   * @param {import('node:stream').Transform} transform
   * @param {AbortSignal} signal the scope's
   * @param {(error: unknown) => void} untold gets an error to which nobody listens
   * @param {(it: ScopeTransform) => void} over called once it is closed
   */
  constructor(transform, signal, untold, over) {
    this.#transform = transform;
    transform.on('error', (error) => {
      if (transform.listenerCount('error') <= OWN) untold(error);
    });
    const unwatch = onAbort(signal, () => transform.destroy(errorBy(signal, abortError)));
    this.#closed = new Promise((resolve) => {
      transform.once('close', () => {
        unwatch();
        over(this);
        resolve();
      });
    });
  }

  /** Ends it, as an iterator's `return()`. */
  return() {
    this.#transform.destroy();
    return this.#closed;
  }
}

module.exports = { ScopeTransform };
