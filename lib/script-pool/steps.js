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

  /** The form of an input that waits with the owner. */
  INPUT_BESIDE: -1,

  // Messages on the port between a worker and the owner of its pool: [kind, id, value].
  READY: 0,
  FETCH: 1,
  FETCHED: 2,
  RESULT: 3,
  REPORT: 4,
  COMPILED: 5,
};
