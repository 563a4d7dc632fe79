'use strict';

/** The tasks of one signal, as the native side knows them: all are stopped by one call. */

const { binding } = require('../native');
const { groupOf } = require('../abort');
const { CANCEL_BY } = require('../constants');

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

/** How a task with these options is cancelled; a map by itself, since an input that fails cancels the others. */
function cancelBy({ signal, timeout }, isMap = false) {
  if (signal === undefined) return timeout === undefined ? UNCANCELLABLE : ITSELF;
  const group = isMap ? undefined : groupOf(signal, open);
  return group === undefined ? ITSELF : FIRST_GROUP + group.handle;
}

module.exports = { UNCANCELLABLE, cancelBy };
