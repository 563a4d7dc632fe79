'use strict';

/**
 * How many inputs of a map are under way at a time. At first a few for each thread. While these are quick, ever more: or threads would
 * find nothing between two turns of the owner's loop, and to wake them would cost several times as much as the tasks. What waits is
 * never more than some milliseconds of work, so others who submit do not wait for long.
 */

const { now } = require('../runtime/clock');

/** Inputs under way for each thread: one that it runs, and others, so that it finds the next in the queue. */
const LEAST_PER_THREAD = 4;
const MOST = 4096;

/** As many as are under way at a time took less: then there may be more by this factor; or they took more: then half. In milliseconds. */
const FASTER = 4;
const QUICK = 2;
const SLOW = 10;

class MapWindow {
  /** How many may be under way. */
  size;

  /** Whether it is being filled. */
  #fills = true;
  #least;
  #most;
  /** How many are to be answered until the clock is looked at, and when that was. */
  #left;
  #since;

  /** @param {boolean} grows whether it may grow: not for a source that is read as it is worked off */
  constructor(threads, maxQueue, grows) {
    this.resize(threads, maxQueue, grows);
  }

  resize(threads, maxQueue, grows) {
    this.#least = threads + Math.min(maxQueue, threads * (LEAST_PER_THREAD - 1));
    this.#most = grows ? Math.max(this.#least, Math.min(MOST, threads + maxQueue)) : this.#least;
    this.size = Math.min(this.#most, Math.max(this.#least, this.size ?? 0));
    this.#restart();
  }

  #restart() {
    this.#left = this.size;
    this.#since = now();
  }

  /**
   * Whether more may be submitted. Many go at once, half of what may be under way: or the threads would be through with a few, and
   * wait, before the next come.
   */
  hasRoom(underWay) {
    if (underWay >= this.size) this.#fills = false;
    else if (underWay <= this.size >> 1 || this.size === this.#least) this.#fills = true;
    return this.#fills;
  }

  /** One of them is answered. */
  answered() {
    if (--this.#left > 0) return;
    const took = now() - this.#since;
    if (took < QUICK) this.size = Math.min(this.#most, this.size * FASTER);
    else if (took > SLOW) this.size = Math.max(this.#least, this.size >> 1);
    this.#restart();
  }
}

module.exports = { MapWindow };
