'use strict';

/** Locks in Node's own messages: what arrives is the same lock. Guards do not travel; they belong to their thread. */

const { register } = require('../transfer');
const { Barrier } = require('./barrier');
const { Condvar } = require('./condvar');
const { Mutex } = require('./mutex');
const { RwLock } = require('./rw-lock');
const { Semaphore } = require('./semaphore');

for (const Lock of [Barrier, Condvar, Mutex, RwLock, Semaphore]) {
  register(Lock, {
    brand: Lock.name,
    // What inherits from a lock is none.
    is: (object) => Object.hasOwn(object, 'buffer'),
    pack: ({ buffer, byteOffset }) => ({ buffer, byteOffset }),
    unpack: (place) => Lock.from(place),
  });
}
