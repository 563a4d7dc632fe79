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
  const how = readCallForm(form);
  job.reportsLatest = how.latest;
  const call = callOf(runner, job, run, how);
  return how.output && typeof call === 'function' ? require('./task-output').withOutput(runner, job, call) : call;
}

function callOf(runner, job, run, { spread, each, reduce, ahead, source }) {
  if (each || reduce) return require('./many-inputs').overMany(runner, job, run, each);
  const called = source === 0 ? run : require('./exec-functions').functionOfSource(source);
  const call = spread && typeof called === 'function' ? (args) => Reflect.apply(called, undefined, args) : called;
  return ahead === 0 ? call : require('./part-task').inParts(runner, job, call, ahead);
}

module.exports = { calledAs };
