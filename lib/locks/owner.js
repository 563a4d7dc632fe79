'use strict';

/** An environment's identity as a lock owner. */

const { binding } = require('../native');
const { threadId } = require('../runtime/worker-threads');
const { orThrow } = require('./waiting');

let token = 0;

/** The token in the cells of the locks that this environment holds; a small integer, never 0. */
function ownerToken() {
  if (token === 0) token = orThrow(binding.lockOwner(threadId));
  return token;
}

module.exports = { ownerToken };
