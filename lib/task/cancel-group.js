'use strict';

/** The tasks of one signal, as the native side knows them: all are stopped by one call. */

const { binding } = require('../native');
const { groupOf } = require('../abort');

/** How a task is cancelled, as the native side is told it: `CancelBy` in src/node/jobs.rs. */
const UNCANCELLABLE = 0;
const ITSELF = 1;
const FIRST_GROUP = 2;

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

/** How a task with these options is cancelled. */
function cancelBy({ signal, timeout }) {
  if (signal === undefined) return timeout === undefined ? UNCANCELLABLE : ITSELF;
  const group = groupOf(signal, open);
  return group === undefined ? ITSELF : FIRST_GROUP + group.handle;
}

module.exports = { UNCANCELLABLE, cancelBy };
