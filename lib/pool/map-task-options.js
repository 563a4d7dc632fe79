'use strict';

/** The options of a map, for the tasks of its inputs. */

const { now } = require('../runtime/clock');
const { CALLEES, CONTEXT } = require('../task/task-context');

/** Whether a map without a time limit asks nothing of its tasks but a priority and a key. */
function asksLittle({ filename, name, onOutput, onProgress, deadline, runTimeout, spread, worker, context, transfer }) {
  const others = [filename, name, onOutput, onProgress, deadline, runTimeout, worker, context, transfer];
  return !spread && others.every((option) => option === undefined);
}

/**
 * The options of one input's task. They are copied by name: an option that is not here does not reach the tasks of a map.
 *
 * @param {object} options of the map, as `submitOptions` returns them
 * @param {AbortSignal | undefined} signal that ends all of them
 * @param {number | undefined} timeUpAt when the time of the map is up
 * @param {object[] | 'auto' | undefined} transfer of this input
 */
function optionsOfTask(
  { priority, key, parallel, filename, name, onOutput, onProgress, progress, deadline, runTimeout, spread, worker, context, callees },
  signal, timeUpAt, transfer,
) {
  const options = { priority, parallel };
  if (context !== undefined) options[CONTEXT] = context.inner;
  if (callees !== undefined) options[CALLEES] = callees;
  if (signal !== undefined) options.signal = signal;
  if (key !== undefined) options.key = key;
  if (onOutput !== undefined) options.onOutput = onOutput;
  if (onProgress !== undefined) options.onProgress = onProgress;
  if (progress === 'latest') options.progress = progress;
  if (filename !== undefined) options.filename = filename;
  if (name !== undefined) options.name = name;
  if (worker !== undefined) options.worker = worker;
  if (spread) options.spread = true;
  // So that the threads stop also while this thread is blocked. 1 ms later than the map's own timer, whose error names the
  // limit that the caller passed.
  if (timeUpAt !== undefined) options.timeout = Math.max(0, Math.ceil(timeUpAt - now())) + 1;
  if (deadline !== undefined) options.deadline = Math.max(0, Math.ceil(deadline - now())) + 1;
  if (runTimeout !== undefined) options.runTimeout = runTimeout;
  if (transfer !== undefined) options.transfer = transfer;
  return options;
}

module.exports = { asksLittle, optionsOfTask };
