'use strict';

/**
 * Whose task a name is.
 *
 * `native:<name>` is the native task, in every pool. In a pool with a script a bare name is first the script's, so that a
 * new native task never takes a function's place; a name that no native task has is the script's without a question.
 *
 * The names of native tasks are asked for at each submission (`taskIndex`), so tasks that are registered at run time need
 * no change here.
 */

const { UnknownTaskError } = require('../errors');
const { isNativeOnly, taskIndex, taskNames } = require('../task/native-tasks');

const NATIVE = 0;
const SCRIPT = 1;
/** A native task's, or the script's: its exports are not known yet. */
const UNDECIDED = 2;
const NOBODY = 3;

/** In a pool without a script. */
const nativeOwnerOf = (name) => (taskIndex(name) === undefined ? NOBODY : NATIVE);

/**
 * In a pool with a script.
 *
 * @param {unknown} name
 * @param {Set<string> | undefined} exports the names of the script's functions, once a worker has told them
 */
function ownerOf(name, exports) {
  if (typeof name !== 'string') return NOBODY;
  const isNative = taskIndex(name) !== undefined;
  if (isNativeOnly(name)) return isNative ? NATIVE : NOBODY;
  if (!isNative) return SCRIPT;
  if (exports === undefined) return UNDECIDED;
  return exports.has(name) ? SCRIPT : NATIVE;
}

function unknownTask(name) {
  return new UnknownTaskError(
    `There is no task ${typeof name === 'string' ? `'${name}'` : `named by ${typeof name}`}. ` +
      `The tasks of this pool are: ${taskNames().join(', ')}`,
  );
}

module.exports = { NATIVE, NOBODY, SCRIPT, UNDECIDED, nativeOwnerOf, ownerOf, unknownTask };
