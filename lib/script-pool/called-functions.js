'use strict';

/** A worker's functions for calls of other forms than the usual one. Loaded for the first of them. */

const { readCallForm } = require('./call-form');

/**
 * @param {import('./runner').Runner} runner
 * @param {import('./task').Job} job
 * @param {Function | symbol} run what a task of the usual form would call with its input
 * @param {number} form of the call
 * @returns {Function | symbol} what to call with the input of this task
 */
function calledAs(runner, job, run, form) {
  const { spread, ahead } = readCallForm(form);
  const call = spread && typeof run === 'function' ? (args) => Reflect.apply(run, undefined, args) : run;
  return ahead === 0 ? call : require('./part-task').inParts(runner, job, call, ahead);
}

module.exports = { calledAs };
