'use strict';

/**
 * The ceiling of every pool that gives a promise for each task: `new Promise` with its resolve function in a table, by slot,
 * all settled in a loop in a later turn of the event loop. No thread has any part in it.
 */
function bareNoops() {
  const table = [];
  let slot = 0;
  let used = 0;
  let waiting = false;
  const executor = (resolve) => {
    table[slot] = resolve;
  };
  const settleAll = () => {
    waiting = false;
    const count = used;
    used = 0;
    for (let at = 0; at < count; at++) {
      const resolve = table[at];
      table[at] = undefined;
      resolve(undefined);
    }
  };
  const run = () => {
    slot = used++;
    if (!waiting) {
      waiting = true;
      setImmediate(settleAll);
    }
    return new Promise(executor);
  };
  return { run, close: () => undefined };
}

module.exports = { bareNoops };
