'use strict';

/** Numbers that both sides of the native calls know: src/node/seat.rs and src/api/scripts.rs hold the same. */

module.exports = {
  // What a worker is to do next.
  STEP_WAIT: 0,
  STEP_RUN: 1,
  STEP_LEAVE: 2,

  // How a worker waits for it.
  TAKE: 0,
  LINGER: 1,
  BLOCK: 2,

  // How a task ended, added to the form of its value.
  END_FAILED: 1 << 16,
  END_BESIDE: 2 << 16,
  END_BESIDE_FAILED: 3 << 16,

  /** The form of a value that goes by the port beside the queue. */
  BESIDE: -1,

  // Messages to a worker, by the port beside the queue.
  /** Our modules: [COMPILED, modules]. The first of all. */
  COMPILED: 0,
  /** The input of a task: [INPUT, whether it is a bundle of lib/travel, value]. They are numbered as they come. */
  INPUT: 1,
  /** The input of this number will not be used: [DROP, number]. */
  DROP: 2,
};
