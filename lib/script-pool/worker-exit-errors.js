'use strict';

/** The errors with which the tasks of a worker that has ended are rejected. */

const { fileURLToPath } = require('node:url');
const { inspect } = require('node:util');

const { markExitError } = require('./exit-error');
const { loadAdvice } = require('./load-advice');
const {
  PoolClosedError,
  ScriptLoadError,
  WorkerExitedError,
  WorkerOutOfMemoryError,
  WorkerTerminatedError,
  withoutStack,
} = require('../errors');

/** Node's exit code of a program whose top-level await was never settled. */
const UNSETTLED = 13;

/**
 * @param {import('./pool-worker').PoolWorker} worker that has ended
 * @param {number | undefined} code its exit code; undefined where this thread is blocked, and Node has not told it
 * @param {string} script its URL
 * @param {boolean} isDestroyed whether the pool was destroyed; a pool that closes only ends workers for which no task waits
 * @returns {() => unknown} makes the error, a new one for each task where the error is ours
 */
function exitErrorOf(worker, code, script, isDestroyed) {
  const { killed, error, ready } = worker;
  if (ready && !killed && error !== undefined && error?.code !== 'ERR_WORKER_OUT_OF_MEMORY') return () => error;
  const make = makerOf(worker, code, script, isDestroyed);
  // No other worker would do better with a script that does not load.
  return ready && !isDestroyed ? () => markExitError(withoutStack(make)) : () => withoutStack(make);
}

/**
 * The error of a task that was for one worker alone, which has ended before the task began.
 *
 * @param {() => unknown} exitError as `exitErrorOf` returns it
 */
function neverBegan({ number }, code, exitError) {
  const cause = exitError();
  if (cause instanceof PoolClosedError || cause instanceof ScriptLoadError) return cause;
  const message = `Worker ${number} ended before the task that was for it alone had begun: run the task again, on another worker`;
  return markNotBegun(withoutStack(() => new WorkerExitedError(message, { cause, exitCode: code })));
}

/** The error of a task for one worker that takes no more. */
function isEnding(number) {
  const message = `Worker ${number} is ending and takes no more tasks: choose another one of pool.workers`;
  return markNotBegun(new WorkerExitedError(message, { exitCode: undefined }));
}

/** Errors of tasks that their worker has not begun. */
const notBegun = new WeakSet();

function markNotBegun(error) {
  notBegun.add(error);
  return error;
}

/** Whether it is the error of a task that had not begun when its worker ended. */
const hasNotBegun = (error) => notBegun.has(error);

/** Makes one of our errors. */
function makerOf(worker, code, script, isDestroyed) {
  const { killed, shutDown, failed, error, ready, number, resourceLimits, isOfSetup } = worker;
  const which = `Worker ${number}`;
  if (killed || shutDown) {
    if (isDestroyed) return () => new PoolClosedError('the pool was destroyed while the task ran');
    return () => new WorkerTerminatedError(`${which} was terminated: another of its tasks did not stop`, { number });
  }
  if (error?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const message = `${which} ran out of memory; raise resourceLimits.maxOldGenerationSizeMb, or give it less at a time`;
    return () => new WorkerOutOfMemoryError(message, { cause: error, resourceLimits });
  }
  if (!ready) {
    const why = error === undefined && !failed ? exitWhileLoaded(code) : messageOf(error, script);
    const message = isOfSetup
      ? `The script ${script} could not be set up: its hook \`setup\` failed: ${why}`
      : `The script ${script} could not be loaded: ${why}${loadAdvice(error, script)}`;
    return () => new ScriptLoadError(message, { cause: error });
  }
  if (code === undefined) {
    const why = 'Why, this thread cannot hear while it is blocked: run the task by run() to see';
    return () => new WorkerExitedError(`${which} ended while the task ran. ${why}`);
  }
  const message = `${which} exited with code ${code} while the task ran. Where the script calls process.exit(), throw an error or return instead`;
  return () => new WorkerExitedError(message, { exitCode: code });
}

function exitWhileLoaded(code) {
  if (code === undefined) return 'it ended';
  const exited = `it exited with code ${code}`;
  if (code === UNSETTLED) return `${exited}. A top-level await, or a promise that it exports, was never settled`;
  return `${exited}. Leave process.exit() out while it is loaded`;
}

/** The message of whatever was thrown; for what does not parse, also where. */
function messageOf(error, script) {
  const message = error?.message ?? `it threw ${inspect(error)}`;
  if (error?.name !== 'SyntaxError' || typeof error.stack !== 'string') return message;
  const place = error.stack.slice(0, error.stack.indexOf('\n')).trim();
  if (/:\d+$/.test(place)) return message.includes(place) ? message : `${message} (${place})`;
  // Node keeps to itself where a module does not parse, but prints it.
  return script.startsWith('file:') ? `${message}. To see where: node --check ${fileURLToPath(script)}` : message;
}

module.exports = { exitErrorOf, hasNotBegun, isEnding, neverBegan };
