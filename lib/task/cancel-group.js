'use strict';

/** The tasks of one signal, or of one map, as the native side knows them: all are stopped by one call. */

const { binding } = require('../native');
const { groupOf } = require('../abort');
const { CANCEL_BY } = require('../constants');
const { now } = require('../runtime/clock');

/** How a task is cancelled, as the native side is told it: src/node/jobs.rs. */
const { UNCANCELLABLE, ITSELF, FIRST_GROUP } = CANCEL_BY;

class CancelGroup {
  handle = binding.openGroup();

  /** From now on none of them begins, and those that run should stop. */
  stop() {
    binding.stopGroup(this.handle);
  }

  close() {
    binding.closeGroup(this.handle);
  }
}

const open = () => new CancelGroup();

const hasLimit = ({ timeout, deadline, runTimeout }) =>
  timeout !== undefined || deadline !== undefined || runTimeout !== undefined;

/** How a task with these options is cancelled; a map by itself, since an input that fails cancels the others. */
function cancelBy(options, isMap = false) {
  const { signal, outerSignal, group: own } = options;
  if (own !== undefined) return FIRST_GROUP + own.handle;
  // The group is of one signal: the other must not end the rest of it.
  if (outerSignal !== undefined) return ITSELF;
  if (signal === undefined) return hasLimit(options) ? ITSELF : UNCANCELLABLE;
  const group = isMap ? undefined : groupOf(signal, open);
  return group === undefined ? ITSELF : FIRST_GROUP + group.handle;
}

/**
 * Of a time limit and a deadline, which is up sooner: as the native side takes it.
 *
 * @param {{ timeout?: number, deadline: number }} options
 * @returns {{ limit: number, isDeadline: 0 | 1 }} `limit`: milliseconds from now
 */
function soonerLimit({ timeout, deadline }) {
  const left = Math.max(0, deadline - now());
  return timeout !== undefined && timeout < left ? { limit: timeout, isDeadline: 0 } : { limit: left, isDeadline: 1 };
}

module.exports = { CancelGroup, ITSELF, UNCANCELLABLE, cancelBy, soonerLimit };
