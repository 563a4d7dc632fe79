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
  /** End once the tasks that run are done: [RETIRE, why]. This kind and the next are for the worker as a whole. */
  RETIRE: 5,
  /** End without waiting for tasks: [SHUT_DOWN, why]. */
  SHUT_DOWN: 6,
  /**
   * Of tasks that a task has submitted to its own pool (own-pool.js), from here on. The answer: [NESTED_ANSWER, number, whether it has
   * failed, whether it is a bundle, value].
   */
  NESTED_ANSWER: 7,
  /** A report: [NESTED_REPORT, number, whether it is a bundle, value]. */
  NESTED_REPORT: 8,
  /** Nothing of the task is left in any thread: [NESTED_OVER, number]. */
  NESTED_OVER: 9,
};
