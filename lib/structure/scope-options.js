'use strict';

/** The options of a scope. */

const { LONGEST_TIMER } = require('../runtime/clock');
const { InvalidArgValueError } = require('../errors');
const { momentOf } = require('../task/time-limits');
const { describe, validateAbortSignal, validateLimit, validateOptions, validatePriority } = require('../validators');

const OPTIONS = new Set(['deadline', 'join', 'priority', 'runTimeout', 'signal']);
const JOINS = new Set(['all', 'any', 'settled']);

/** @returns {{ deadline?: number, join: string, priority?: number, runTimeout?: number, signal?: AbortSignal }} */
function checkedOptions(options = {}) {
  const { deadline, join = 'all', priority, runTimeout, signal } = validateOptions(options, 'options', OPTIONS);
  if (!JOINS.has(join)) {
    throw new InvalidArgValueError(`The "options.join" argument must be 'all', 'any' or 'settled'. Received ${describe(join)}`);
  }
  if (priority !== undefined) validatePriority(priority, 'options.priority');
  const runLimit = validateLimit(runTimeout, 'options.runTimeout', 0, LONGEST_TIMER);
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  const moment = deadline === undefined ? undefined : momentOf(deadline, 'options.deadline');
  return { deadline: moment, join, priority, runTimeout: runLimit, signal };
}

module.exports = { checkedOptions };
