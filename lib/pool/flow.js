'use strict';

/** The calls that take many inputs and are loaded when they are first used (lib/flow/), on the parts of one pool. */

const { locateScript } = require('../script-pool/script-location');
const { validateIterable } = require('../validators');
const { isRefusal } = require('./admission');
const { NATIVE, NOBODY, unknownTask } = require('./task-router');

/** Tasks under way for each thread: one that it runs, and others, so that it finds the next in the queue. */
const TASKS_PER_THREAD = 4;

/**
 * @typedef {object} Parts
 * @property {import('./worker-pool').WorkerPool} pool
 * @property {object} tasks the submitter
 * @property {import('./admission').Admission} admission
 * @property {import('../script-pool/script-submitter').ScriptSubmitter | undefined} scriptTasks
 * @property {(owner: number) => number} threadsFor how many of an owner's tasks may run at once
 * @property {object} settings
 * @property {Set<object>} maps those that are under way
 */

/** Whose task it is. */
function ownerOf({ tasks, scriptTasks }, task, options) {
  const owner = tasks.ownerOf(task, options);
  if (owner === NOBODY) throw unknownTask(task, scriptTasks !== undefined);
  return owner;
}

/** How many tasks keep the threads busy. */
function usualConcurrency({ threadsFor, settings: { maxQueue } }, owner) {
  const threads = threadsFor(owner);
  return threads + Math.min(maxQueue, threads * (TASKS_PER_THREAD - 1));
}

/** What a stream needs of its pool. */
function hostOf({ pool, tasks, admission, scriptTasks, maps }, task, owner, run) {
  // A relative path is looked for from the file of the caller, who is not on the stack later.
  if (run.filename !== undefined) run.filename = locateScript(run.filename, 'options.filename');
  return {
    isNative: owner === NATIVE,
    sharesWorkers: owner !== NATIVE && scriptTasks.separates,
    admission,
    ownerOf: () => tasks.ownerOf(task, run),
    isRefusal,
    submit: (input, options) => pool.run(task, input, options),
    opened: (stream) => maps.add(stream),
    over: (stream) => maps.delete(stream),
  };
}

/** `pool.stream(task, source, options)` */
function stream(parts, task, source, options = {}) {
  const { streamOptions } = require('../flow/options');
  const { TaskStream } = require('../flow/stream');
  const owner = ownerOf(parts, task, options);
  const checked = streamOptions(options, owner === NATIVE, usualConcurrency(parts, owner));
  return new TaskStream(task, validateIterable(source, 'source'), checked, hostOf(parts, task, owner, checked.run));
}

/** `pool.transform(task, options)` */
function transform(parts, task, options = {}) {
  const { transformOptions } = require('../flow/options');
  const { TaskTransform } = require('../flow/transform');
  const owner = ownerOf(parts, task, options);
  const [checked, sides] = transformOptions(options, owner === NATIVE, usualConcurrency(parts, owner));
  return new TaskTransform(task, checked, sides, hostOf(parts, task, owner, checked.run));
}

module.exports = { stream, transform };
