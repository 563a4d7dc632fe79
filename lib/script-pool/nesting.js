'use strict';

/** Which of a worker's tasks have submitted tasks to their own pool, and wait for them. Loaded with own-pool.js. */

const { setImmediate } = require('../runtime/clock');
const { binding } = require('../native');

class Nesting {
  /** How many tasks wait for tasks of their own, and how many have submitted some. */
  waiting = 0;
  count = 0;

  #runner;

  /** @param {import('./runner').Runner} runner */
  constructor(runner) {
    this.#runner = runner;
  }

  /**
   * A task waits for one more that it has submitted to its pool: others may run here meanwhile, unless it answers a message.
   *
   * @returns {() => void} to be called when it waits for one less
   */
  waits(job) {
    if (job === undefined || job.isOver) return () => {};
    if (job.listeners > 0) return this.#holds(job);
    this.#makesWay(job);
    return () => this.#goesOn(job);
  }

  /** A message's task keeps its place. */
  #holds(job) {
    if (job.holds++ === 0) binding.scriptHolds(job.id, true);
    return () => {
      if (--job.holds === 0) binding.scriptHolds(job.id, false);
    };
  }

  #makesWay(job) {
    if (!job.nests) {
      job.nests = true;
      this.count++;
    }
    if (job.waitsFor++ > 0) return;
    this.waiting++;
    binding.scriptWaits(job.id, true);
    setImmediate(this.#runner.pull);
  }

  #goesOn(job) {
    if (job.waitsFor === 0 || --job.waitsFor > 0) return;
    this.waiting--;
    binding.scriptWaits(job.id, false);
  }

  /** A task has ended, perhaps before those that it has submitted. */
  isOver(job) {
    if (job.isOver) return;
    job.isOver = true;
    if (job.waitsFor > 0) this.waiting--;
    job.waitsFor = 0;
    if (--this.count === 0) this.#runner.life.nestingIsOver();
  }
}

module.exports = { Nesting };
