'use strict';

/** Bytes of an input that come to a worker without a Node-API call. */
const INBOX_BYTES = 64 * 1024;

/** Where the native side shows the inputs of a worker's tasks. */
class Inbox {
  wire = Buffer.from(new ArrayBuffer(INBOX_BYTES));
  #outOfBand;
  #next = 0;

  /** Takes the out-of-band values of the input that is read next. */
  show(outOfBand) {
    this.#outOfBand = outOfBand;
    this.#next = 0;
    return this;
  }

  takeOutOfBand() {
    return this.#outOfBand[this.#next++];
  }
}

module.exports = { Inbox };
