'use strict';

/** Messages from a pool's owner to a worker, by the port of Node's beside the queue: `[kind, …]`. */

module.exports = {
  /** Our modules: [COMPILED, modules]. The first of all. */
  COMPILED: 0,
  /** The input of a task: [INPUT, its number, whether it is a bundle of lib/transfer, value]. */
  INPUT: 1,
  /** Nobody wants the input of this number any more: [DROP, number]. */
  DROP: 2,
  /** The input of this number could not be sent, and its task was taken back: [VOID, number]. */
  VOID: 3,
  /** The input of a task that asked for it: [ASKED_INPUT, the task's id, value]. */
  ASKED_INPUT: 4,
};
