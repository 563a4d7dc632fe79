'use strict';

/**
 * Whose task a name is, and the way there.
 *
 * `native:<name>` is the native task, in every pool. In a pool with a script a bare name is first the script's, so that a
 * new native task never takes a function's place; a name that no native task has is the script's without a question.
 *
 * The names of native tasks are those of the pool, which may get more of them (`pool.use`), so they are asked for at each submission.
 */

const { UnknownTaskError } = require('../errors');
const { HeldTask } = require('../script-pool/held-task');
const { isNativeOnly } = require('../task/native-task-facts');

/** Owners of a name. */
const NATIVE = 0;
const SCRIPT = 1;
/** A native task has the name, and whether the script has it too is not known yet. */
const UNDECIDED = 2;
const NOBODY = 3;

/** Submits the tasks of a pool with a script: to the native threads, or to the script. */
class TaskRouter {
  #pool;
  #native;
  #script;
  #admission;

  /**
   * @param {import('../script-pool/native-script-pool').NativeScriptPool} pool
   * @param {import('./native-submitter').NativeSubmitter} native
   * @param {import('../script-pool/script-submitter').ScriptSubmitter} script
   * @param {import('./admission').Admission} admission
   */
  constructor(pool, native, script, admission) {
    this.#pool = pool;
    this.#native = native;
    this.#script = script;
    this.#admission = admission;
  }

  /** @param {object} [options] of the task: with `filename` it is that module's */
  ownerOf(name, options) {
    if (typeof name !== 'string') return NOBODY;
    const isNative = this.#pool.tasks.get(name) !== undefined;
    if (!isNative && !isNativeOnly(name)) return SCRIPT;
    if (options !== undefined && namesFile(options)) return SCRIPT;
    if (isNativeOnly(name)) return isNative ? NATIVE : NOBODY;
    const { exports } = this.#pool.workers;
    if (exports === undefined) return UNDECIDED;
    return exports.has(name) ? SCRIPT : NATIVE;
  }

  run(name, input, options, resolve, reject) {
    switch (this.ownerOf(name, options)) {
      case SCRIPT:
        return this.#script.run(name, input, options, resolve, reject);
      case NATIVE:
        return this.#native.run(name, input, options, resolve, reject);
      case UNDECIDED:
        return this.#hold(name, input, options, resolve, reject);
      default:
        reject(unknownTask(this.#pool, name, true));
    }
  }

  #hold(name, input, options, resolve, reject) {
    const submit = (...given) => new Promise((done, failed) => this.run(name, ...given, done, failed));
    new HeldTask(resolve, reject, this.#pool, name, this.#admission, submit).hold(input, options);
  }
}

/** Whether a task names a module of its own. The option is read for that where a native task has the task's name. */
function namesFile(options) {
  try {
    return typeof options === 'object' && options !== null && options.filename !== undefined;
  } catch {
    // A getter of the options: whoever reads them next rejects the task with what it throws.
    return false;
  }
}

/** In a pool without a script. */
const nativeOwnerOf = (pool, name) => (pool.tasks.get(name) === undefined ? NOBODY : NATIVE);

/**
 * @param {import('../task/native-pool').NativePool} pool
 * @param {unknown} name
 * @param {boolean} [hasScript]
 */
function unknownTask(pool, name, hasScript = false) {
  const { names } = pool.tasks;
  if (typeof name !== 'string') return new UnknownTaskError(notAName(names, name, hasScript));
  const { meant } = require('../unknown-option');
  const near = meant(name, names);
  const own = hasScript ? '' : '. For a function of your own, give the pool its script: new WorkerPool(script, options)';
  return new UnknownTaskError(
    `There is no task '${name}'${near === '' ? '.' : near} The native tasks are: ${names.join(', ')}${own}`,
  );
}

function notAName(names, task, hasScript) {
  const { describe } = require('../validators');
  const start = `The "task" argument must be the name of a task, a string. Received ${describe(task)}`;
  if (typeof task === 'function') {
    return `${start}. Export the function from a script, and run it by its name: new WorkerPool(script), run(name, input)`;
  }
  if (hasScript) return `${start}. For the default export of the script: runTask(input); for another: run(name, input)`;
  return `${start}. The native tasks are: ${names.join(', ')}`;
}

module.exports = { NATIVE, NOBODY, SCRIPT, TaskRouter, UNDECIDED, nativeOwnerOf, unknownTask };
