'use strict';

/**
 * Calls of a task's own pool that must be refused, or run out of time, by the code of the error: `[name, input, options]`. The script
 * has a function `same`.
 */
const REFUSED_CALLS = {
  ERR_RW_UNKNOWN_TASK: ['nobody', 1],
  ERR_RW_INVALID_ARG_VALUE: ['same', 1, { prioritty: 1 }],
  ERR_RW_INVALID_INPUT: ['native:sort', 'no array'],
  ERR_RW_TASK_TIMEOUT: ['native:sleep', 60_000, { timeout: 20 }],
  ERR_RW_DEADLINE: ['native:sleep', 60_000, { deadline: 20 }],
};

module.exports = { REFUSED_CALLS };
