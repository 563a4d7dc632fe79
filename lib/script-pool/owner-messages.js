'use strict';

/** The messages from the owner of a pool to one of its workers, by the worker's fallback port: their first elements. */

module.exports = {
  /** Our modules: [COMPILED, modules]. The first of all. */
  COMPILED: 0,
  /** The input of a task: [INPUT, its number, whether it is a bundle of lib/transfer, value]. */
  INPUT: 1,
  /** The input of this number is not needed any more: [DROP, number]. */
  DROP: 2,
  /** The input of this number could not be sent, and its task was taken back: [VOID, number]. */
  VOID: 3,
  /** The input of a task that asked for it: [ASKED_INPUT, the task's id, value]. */
  ASKED_INPUT: 4,
  /** End once the tasks that run are done: [RETIRE, why]. This kind and those above it are for the worker as a whole. */
  RETIRE: 5,
  /** End without waiting for tasks: [SHUT_DOWN, why]. */
  SHUT_DOWN: 6,
};
