'use strict';

/**
 * Whose task a name is, and the way there.
 *
 * `native:<name>` is the native task, in every pool. In a pool with a script a bare name is first the script's, so that a
 * new native task never takes a function's place; a name that no native task has is the script's without a question.
 *
 * The names of native tasks are asked for at each submission (`taskIndex`), so tasks that are registered at run time need
 * no change here.
 */

const { UnknownTaskError } = require('../errors');
const { HeldTask } = require('../script-pool/held-task');
const { isNativeOnly, taskIndex, taskNames } = require('../task/native-task-facts');

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

  ownerOf(name) {
    if (typeof name !== 'string') return NOBODY;
    const isNative = taskIndex(name) !== undefined;
    if (isNativeOnly(name)) return isNative ? NATIVE : NOBODY;
    if (!isNative) return SCRIPT;
    const { exports } = this.#pool.workers;
    if (exports === undefined) return UNDECIDED;
    return exports.has(name) ? SCRIPT : NATIVE;
  }

  run(name, input, options, resolve, reject) {
    switch (this.ownerOf(name)) {
      case SCRIPT:
        return this.#script.run(name, input, options, resolve, reject);
      case NATIVE:
        return this.#native.run(name, input, options, resolve, reject);
      case UNDECIDED:
        return this.#hold(name, input, options, resolve, reject);
      default:
        reject(unknownTask(name));
    }
  }

  #hold(name, input, options, resolve, reject) {
    const submit = (...given) => new Promise((done, failed) => this.run(name, ...given, done, failed));
    new HeldTask(resolve, reject, this.#pool, name, this.#admission, submit).hold(input, options);
  }
}

/** In a pool without a script. */
const nativeOwnerOf = (name) => (taskIndex(name) === undefined ? NOBODY : NATIVE);

function unknownTask(name) {
  return new UnknownTaskError(
    `There is no task ${typeof name === 'string' ? `'${name}'` : `named by ${typeof name}`}. ` +
      `The tasks of this pool are: ${taskNames().join(', ')}`,
  );
}

module.exports = { NATIVE, NOBODY, SCRIPT, TaskRouter, UNDECIDED, nativeOwnerOf, unknownTask };
