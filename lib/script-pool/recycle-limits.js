'use strict';

/** When a worker has to be replaced: after so many tasks, at so much memory, or at an age. */

const { getHeapStatistics } = require('node:v8');

const { now } = require('../runtime/clock');

/** Milliseconds between two looks at the memory: asking costs some microseconds. */
const LOOK_EVERY = 10;
const MIB = 1024 * 1024;

class Recycling {
  afterTasks;
  maxMemory;
  afterMs;
  #tasks = 0;
  #startedAt = now();
  #lookedAt = 0;

  /** @param {{ afterTasks?: number, maxMemoryMb?: number, afterMs?: number }} limits */
  constructor({ afterTasks = Infinity, maxMemoryMb = Infinity, afterMs = Infinity }) {
    this.afterTasks = afterTasks;
    this.maxMemory = maxMemoryMb * MIB;
    this.afterMs = afterMs;
  }

  /** Asked after each task. */
  isDue() {
    if (++this.#tasks >= this.afterTasks) return true;
    if (this.afterMs === Infinity && this.maxMemory === Infinity) return false;
    const time = now();
    if (time - this.#startedAt >= this.afterMs) return true;
    if (this.maxMemory === Infinity || time - this.#lookedAt < LOOK_EVERY) return false;
    this.#lookedAt = time;
    const { used_heap_size: heap, external_memory: external, malloced_memory: malloced } = getHeapStatistics();
    return heap + external + malloced > this.maxMemory;
  }
}

module.exports = { Recycling };
