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
  const { spread, output, ahead, source } = readCallForm(form);
  const called = source === 0 ? run : require('./exec-functions').functionOfSource(source);
  const call = spread && typeof run === 'function' ? (args) => Reflect.apply(run, undefined, args) : called;
  const parts = ahead === 0 ? call : require('./part-task').inParts(runner, job, call, ahead);
  return output && typeof parts === 'function' ? require('./task-output').withOutput(runner, job, parts) : parts;
}

module.exports = { calledAs };
