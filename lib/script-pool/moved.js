'use strict';

/** A result to be moved instead of copied: what `move` returns (see transfer.js). */
class Moved {
  /**
   * @param {unknown} value
   * @param {readonly object[]} list
   */
  constructor(value, list) {
    this.value = value;
    this.list = list;
  }
}

module.exports = { Moved };
