'use strict';

/** The errors with which the tasks of a worker that has ended are rejected. */

const { inspect } = require('node:util');

const { loadAdvice } = require('./load-advice');
const {
  PoolClosedError,
  ScriptLoadError,
  WorkerExitedError,
  WorkerOutOfMemoryError,
  WorkerTerminatedError,
} = require('../errors');

/**
 * @param {import('./pool-worker').PoolWorker} worker that has ended
 * @param {number} code its exit code
 * @param {string} script its URL
 * @param {boolean} isDestroyed whether the pool was destroyed; a pool that closes only ends workers for which no task waits
 * @returns {() => unknown} makes the error, a new one for each task where the error is ours
 */
function exitErrorOf({ killed, failed, error, ready, number, resourceLimits }, code, script, isDestroyed) {
  const which = `worker ${number}`;
  if (killed) {
    if (isDestroyed) return () => new PoolClosedError('the pool was destroyed while the task ran');
    return () => new WorkerTerminatedError(`${which} was terminated: another of its tasks did not stop`, { number });
  }
  if (error?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const message = `${which} ran out of memory; raise resourceLimits.maxOldGenerationSizeMb, or give it less at a time`;
    return () => new WorkerOutOfMemoryError(message, { cause: error, resourceLimits });
  }
  if (!ready) {
    const why = error === undefined && !failed ? `it exited with code ${code}` : messageOf(error);
    const message = `the script ${script} could not be loaded: ${why}${loadAdvice(error)}`;
    return () => new ScriptLoadError(message, { cause: error });
  }
  if (error !== undefined) return () => error;
  return () => new WorkerExitedError(`${which} exited with code ${code} while the task ran`, { exitCode: code });
}

/** The message of whatever was thrown; for what does not parse, also where. */
function messageOf(error) {
  const message = error?.message ?? `it threw ${inspect(error)}`;
  if (error?.name !== 'SyntaxError' || typeof error.stack !== 'string') return message;
  const place = error.stack.slice(0, error.stack.indexOf('\n')).trim();
  return /:\d+$/.test(place) && !message.includes(place) ? `${message} (${place})` : message;
}

module.exports = { exitErrorOf };
