'use strict';

/** The calls that take many inputs and are loaded when they are first used (lib/flow/), on the parts of one pool. */

const { InvalidArgValueError, takesNoMoreTasks } = require('../errors');
const { ensureStack } = require('../runtime/stack-overflow');
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
 * @property {(method: string, task: unknown) => (error: unknown) => unknown} placer for a call that stands on the stack: makes its errors say
 *   where, if that is wanted
 * @property {Set<object>} maps those that are under way
 * @property {(map: object) => void} mapSettled takes one that has ended out of `maps`; a closing pool may have waited for it
 * @property {(task: string, input: unknown, options?: object) => Promise<unknown>} run also while the pool closes
 * @property {import('../task/native-pool').NativePool} native
 * @property {import('./native-submitter').NativeSubmitter} nativeTasks
 */

/** Whose task it is. */
function ownerOf({ native, tasks, scriptTasks }, task, options) {
  const owner = tasks.ownerOf(task, options);
  if (owner === NOBODY) throw unknownTask(native, task, scriptTasks !== undefined);
  return owner;
}

/** How many tasks keep the threads busy. */
function usualConcurrency({ threadsFor, settings: { maxQueue } }, owner) {
  const threads = threadsFor(owner);
  return threads + Math.min(maxQueue, threads * (TASKS_PER_THREAD - 1));
}

/** What a stream needs of its pool. */
function hostOf({ pool, placer, tasks, admission, scriptTasks, maps, mapSettled }, method, task, owner, run) {
  // A relative path is looked for from the file of the caller, who is not on the stack later.
  if (run.filename !== undefined) run.filename = locateScript(run.filename, 'options.filename');
  return {
    placed: placer(method, task),
    isNative: owner === NATIVE,
    sharesWorkers: owner !== NATIVE && scriptTasks.separates,
    admission,
    ownerOf: () => tasks.ownerOf(task, run),
    isRefusal,
    submit: (input, options) => pool.run(task, input, options),
    opened: (stream) => maps.add(stream),
    over: mapSettled,
  };
}

/** `pool.stream(task, source, options)` */
function stream(parts, task, source, options = {}) {
  const { streamOptions } = require('../flow/options');
  const { TaskStream } = require('../flow/stream');
  const owner = ownerOf(parts, task, options);
  const checked = streamOptions(options, owner === NATIVE, usualConcurrency(parts, owner));
  return new TaskStream(task, validateIterable(source, 'source'), checked, hostOf(parts, 'stream', task, owner, checked.run));
}

/** `pool.transform(task, options)` */
function transform(parts, task, options = {}) {
  const { transformOptions } = require('../flow/options');
  const { TaskTransform } = require('../flow/transform');
  const owner = ownerOf(parts, task, options);
  const [checked, sides] = transformOptions(options, owner === NATIVE, usualConcurrency(parts, owner));
  return new TaskTransform(task, checked, sides, hostOf(parts, 'transform', task, owner, checked.run));
}

/** What `forEach` and `reduce` need of their pool. */
function hostOfMany(parts, task, owner, options, inputs, submit) {
  const { native, tasks, admission, mapSettled } = parts;
  return {
    isNative: owner === NATIVE,
    finishesOnClose: typeof inputs[Symbol.asyncIterator] !== 'function',
    threads: parts.threadsFor(owner),
    holds: native.holds,
    admission,
    ownerOf: () => tasks.ownerOf(task, options),
    isRefusal,
    submit,
    catchUp: () => native.catchUp(),
    onSettled: mapSettled,
  };
}

/** Submits a chunk to a function of the script, which is called in this form for each of its inputs. */
const submitChunk = ({ native, scriptTasks }, task, callForm) => (chunk, options) =>
  new Promise((resolve, reject) => {
    const { ScriptPending } = require('../script-pool/script-submitter');
    scriptTasks.begin(new ScriptPending(resolve, reject, native, task), task, chunk, { ...options, callForm });
  });

function begin(parts, run, inputs) {
  ensureStack();
  parts.maps.add(run);
  run.run(inputs);
}

/** What a script's task has more: the file is looked for from that of the caller, and the worker has to be there. */
function checkOfScript({ native }, options) {
  const { filename, worker } = options;
  if (filename !== undefined) options.filename = locateScript(filename, 'options.filename');
  if (worker !== undefined) require('../script-pool/worker-list').workerOf(native.workers, worker);
}

/** `pool.forEach(task, inputs, options)` */
function forEach(parts, task, inputs, options = {}) {
  return new Promise((resolve, reject) => {
    const { EACH } = require('../script-pool/call-form');
    const { forEachOptions, refuseOfScript } = require('../flow/options');
    const { ForEach } = require('../flow/for-each');
    const owner = ownerOf(parts, task, options);
    const checked = forEachOptions(options, owner === NATIVE);
    checkOfScript(parts, checked);
    validateIterable(inputs, 'inputs');
    if (parts.admission.isClosed) throw takesNoMoreTasks(task);
    const ofScript = submitChunk(parts, task, EACH);
    const submit = (chunk, given) => {
      if (parts.tasks.ownerOf(task, checked) !== NATIVE) return ofScript(chunk, given);
      return new Promise((done, failed) => {
        refuseOfScript(checked);
        parts.nativeTasks.forEach(task, chunk[1], given, done, failed);
      });
    };
    begin(parts, new ForEach(resolve, reject, task, checked, hostOfMany(parts, task, owner, checked, inputs, submit)), inputs);
  });
}

/** `pool.reduce(task, inputs, initial, options)` */
function reduce(parts, task, inputs, initial, options = {}) {
  return new Promise((resolve, reject) => {
    const { REDUCE } = require('../script-pool/call-form');
    const { reduceOptions } = require('../flow/options');
    const { Reduction } = require('../flow/reduction');
    const owner = ownerOf(parts, task, options);
    const [checked, associative] = reduceOptions(options);
    validateIterable(inputs, 'inputs');
    if (owner === NATIVE) throw takesOneInput(task);
    checkOfScript(parts, checked);
    if (parts.admission.isClosed) throw takesNoMoreTasks(task);
    const ofScript = submitChunk(parts, task, REDUCE);
    const submit = (chunk, given) =>
      parts.tasks.ownerOf(task, checked) === NATIVE ? Promise.reject(takesOneInput(task)) : ofScript(chunk, given);
    const host = hostOfMany(parts, task, owner, checked, inputs, submit);
    begin(parts, new Reduction(resolve, reject, task, checked, host, initial, associative ? host.threads : 1), inputs);
  });
}

function takesOneInput(task) {
  return new InvalidArgValueError(
    `Task '${task}' is native and takes one input, so it cannot combine two. Run map, and reduce its outputs here; ` +
      "for numbers in a typed array there is the task 'sum'; or give the pool a script with a function (accumulator, value)",
  );
}

module.exports = { forEach, reduce, stream, transform };
