'use strict';

/** The times of a pool's tasks, as `stats({ tasks: true })` shows them: histograms that the native side has recorded. */

const { validateBoolean, validateOptions } = require('../validators');

const OPTIONS = new Set(['reset', 'tasks']);

/** In the order in which the native side tells them (`pool_times` in src/api/pool.rs). */
const FIELDS = ['count', 'min', 'max', 'mean', 'p50', 'p75', 'p90', 'p95', 'p99', 'p999'];

/** The name of all tasks that share a record, since there are so many. */
const OTHERS = '(others)';

/**
 * The options of `stats`.
 *
 * @param {unknown} given
 * @returns {{ tasks: boolean, reset: boolean }}
 */
function statsOptions(given) {
  const { tasks = false, reset = false } = validateOptions(given, 'options', OPTIONS);
  validateBoolean(tasks, 'options.tasks');
  validateBoolean(reset, 'options.reset');
  return { tasks, reset };
}

/** One histogram: FIELDS by name. */
function histogramOf(numbers) {
  return Object.fromEntries(FIELDS.map((field, i) => [field, numbers[i]]));
}

/**
 * @param {object[]} times as the native side tells them: of all tasks together, and then of each
 * @param {boolean} hasScript whether it is a pool with a script: there a native task has the name `native:…`
 */
function showTimes([all, ...each], hasScript) {
  // Names are the user's.
  const tasks = Object.create(null);
  for (const { name, script, ...times } of each) {
    tasks[nameOf(name, script, hasScript)] = { kind: script ? 'script' : 'native', ...shown(times) };
  }
  return { ...shown(all), tasks };
}

function shown({ wait, run, roundTrip, cpuTime }) {
  return { wait: histogramOf(wait), run: histogramOf(run), roundTrip: histogramOf(roundTrip), cpuTime };
}

function nameOf(name, script, hasScript) {
  if (typeof name !== 'string') return OTHERS;
  if (script) return name === '' ? 'default' : name;
  return hasScript ? `native:${name}` : name;
}

module.exports = { showTimes, statsOptions };
