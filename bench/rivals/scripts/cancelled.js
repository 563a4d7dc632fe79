'use strict';

/** Tasks that take for ever, and how each of them can be stopped. */

const { task } = require('../../..');

module.exports = {
  nothing() {},
  looks() {
    while (!task.cancelled);
  },
  throws() {
    for (;;) task.throwIfCancelled();
  },
  awaits: () => new Promise((resolve) => task.signal.addEventListener('abort', resolve)),
  spins() {
    for (;;);
  },
};
