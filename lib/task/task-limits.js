'use strict';

/** The option `limits` of a pool: how many tasks of one key, or of one name, run at a time (src/pool/task_limits.rs). */

const { InvalidArgTypeError, InvalidArgValueError } = require('../errors');
const { describe, validateInteger, validateOptions } = require('../validators');
const { BUILT_IN, isNativeOnly } = require('./native-task-facts');

/** The native tasks that a pool with these settings knows from its beginning. */
const tasksOf = ({ packs }) => (packs === undefined ? BUILT_IN : require('./packs').tasksWith(packs));

const MOST = 2 ** 32 - 1;
const LIMITS = new Set(['key', 'tasks']);

/**
 * @param {unknown} given
 * @returns {{ key: number, tasks: Record<string, number> }}
 */
function limitsOption(given = {}) {
  const { key = 1, tasks = {} } = validateOptions(given, 'options.limits', LIMITS);
  validateInteger(key, 'options.limits.key', 1, MOST);
  if (typeof tasks !== 'object' || tasks === null || Array.isArray(tasks)) {
    throw new InvalidArgTypeError(
      'The "options.limits.tasks" argument must be an object of numbers, by the names of tasks: { resize: 2 }. ' +
        `Received ${describe(tasks)}`,
    );
  }
  const entries = Object.entries(tasks).filter(([, most]) => most !== undefined);
  for (const [name, most] of entries) validateInteger(most, `options.limits.tasks.${name}`, 1, MOST);
  return { key, tasks: Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1))) };
}

/**
 * The limits of tasks as `createPool` takes them. A name is that of a native task, of a function of the script, or of both.
 *
 * @param {{ limits: { tasks: Record<string, number> }, packs?: string[] }} settings
 * @param {boolean} hasScript
 */
function namedLimits(settings, hasScript) {
  const { limits } = settings;
  const known = tasksOf(settings);
  return Object.entries(limits.tasks).map(([name, most]) => {
    const native = known.get(name)?.number;
    const isNative = !hasScript || isNativeOnly(name);
    if (isNative && native === undefined) {
      throw new InvalidArgValueError(
        `"options.limits.tasks" has '${name}', and there is no native task of that name; the native tasks are ` +
          `${known.names.join(', ')}; give those of packs by the option "packs"`,
      );
    }
    return { native, function: isNative ? undefined : name, most };
  });
}

module.exports = { limitsOption, namedLimits, tasksOf };
