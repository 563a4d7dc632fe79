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

  // In the place of a seat: any worker may take the task, or it waits for one that its input can go to.
  ANY_WORKER: -1,
  NO_WORKER: -2,

  // How the input of a task reaches its worker.
  BY_QUEUE: 0,
  BY_MESSAGE: 1,
  ASKED: 2,

  /** The form of a value that goes by the port beside the queue. */
  BESIDE: -1,

  // Messages to a worker, by the port beside the queue.
  /** Our modules: [COMPILED, modules]. The first of all. */
  COMPILED: 0,
  /** The input of a task: [INPUT, its number, whether it is a bundle of lib/travel, value]. */
  INPUT: 1,
  /** The input of a task that asked for it: [ASKED_INPUT, the task's id, value]. */
  ASKED_INPUT: 4,
  /** Nobody wants the input of this number any more: [DROP, number]. */
  DROP: 2,
  /** The input of this number could not be sent, and its task was taken back: [VOID, number]. */
  VOID: 3,
};
