'use strict';

/** The numbers in the calls of script pools, which Rust declares, and those of messages between their threads. */

const { SCRIPTS } = require('../constants');

module.exports = {
  ...SCRIPTS,

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
