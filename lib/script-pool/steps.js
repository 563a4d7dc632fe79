'use strict';

/** Numbers in the native calls about a script's tasks: src/node/script_worker.rs and src/api/scripts.rs hold the same. */

module.exports = {
  // What a worker is to do next.
  STEP_WAIT: 0,
  STEP_RUN: 1,
  STEP_LEAVE: 2,

  // How a worker waits for a task.
  TAKE: 0,
  LINGER: 1,
  BLOCK: 2,

  // How a task ended, added to the form of its value.
  END_FAILED: 1 << 16,
  END_BESIDE: 2 << 16,
  END_BESIDE_FAILED: 3 << 16,

  // In place of a worker's number: any worker may take the task, or it waits for one to be bound to.
  ANY_WORKER: -1,
  NO_WORKER: -2,

  // How the input of a task reaches its worker.
  BY_QUEUE: 0,
  BY_MESSAGE: 1,
  ASKED: 2,

  /** The form of a value that goes by the fallback port. */
  BESIDE: -1,
};
