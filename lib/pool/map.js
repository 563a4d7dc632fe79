'use strict';

/** `pool.map` input by input, on the parts of one pool. */

const { untraced } = require('../seeing/task-channel');
const { InputByInputMap } = require('./map-input-by-input');
const { NATIVE } = require('./task-router');

/**
 * Those of an async source, or for the script.
 *
 * @param {import('./flow').Parts} parts of the pool
 */
function mapInputByInput(parts, task, owner, inputs, isAsync, options, resolve, reject) {
  const { pool, native, tasks, admission, scriptTasks, settings, maps, threadsFor, mapSettled, run } = parts;
  const isNative = owner === NATIVE;
  // A pool that closes finishes the accepted inputs: all of an array; of an async source those that have come so far.
  const finishesOnClose = !isAsync;
  const map = new InputByInputMap(resolve, reject, task, options, {
    threads: () => threadsFor(owner),
    maxQueue: settings.maxQueue,
    isNative,
    finishesOnClose,
    holds: native.holds,
    sharesWorkers: !isNative && scriptTasks.separates,
    native,
    scriptTasks,
    admission,
    ownerOf: () => tasks.ownerOf(task, options),
    submit: finishesOnClose
      ? (input, submitted) => run(task, input, submitted)
      : (input, submitted) => untraced(() => pool.run(task, input, submitted)),
    catchUp: () => native.catchUp(),
    onSettled: () => mapSettled(map),
  });
  maps.add(map);
  map.run(inputs);
}

module.exports = { mapInputByInput };
