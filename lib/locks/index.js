'use strict';

/** Locks in shared memory. src/shared/locks/README.md is their protocol, for both languages. */

require('./transfer');
const { Barrier } = require('./barrier');
const { Condvar } = require('./condvar');
const { Mutex } = require('./mutex');
const { RwLock } = require('./rw-lock');
const { Semaphore } = require('./semaphore');

module.exports = { Barrier, Condvar, Mutex, RwLock, Semaphore };
