'use strict';

/** What a scope throws of its own, and what it warns of. */

const { inspect } = require('node:util');

const { DeadlineError, ScopeClosedError, withoutStack } = require('../errors');

const closedError = () => new ScopeClosedError('the scope is closed and takes no more tasks: everything in it has ended');

function deadlineError(started) {
  return withoutStack(() => new DeadlineError('the deadline of the scope has passed', { started }));
}

/** The block has thrown an error of its own, which alone reaches the caller; nobody has asked for those of the tasks. */
function warnOf(error) {
  process.emitWarning(
    `The block of a scope has thrown, and beside that ${error?.stack ?? inspect(error)}\n` +
      'Await the tasks in the block, or catch their errors there',
    'RustWorkersWarning',
  );
}

module.exports = { closedError, deadlineError, warnOf };
