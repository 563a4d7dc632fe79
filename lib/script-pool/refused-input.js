'use strict';

const { TaskFailedError } = require('../errors');
const { notTooDeep } = require('./too-deep');

/** The error of a task whose input could not be read in the worker. */
function unreadable(error) {
  const deep = notTooDeep(error, 'the input');
  if (deep !== error) return deep;
  return new TaskFailedError(`the input could not be read in the worker: ${error?.message ?? error}`, { cause: error });
}

module.exports = { unreadable };
