'use strict';

/** Locks in messages: what arrives is the same lock. Guards cannot be sent; they belong to their thread. */

const { registerType } = require('../transfer/registry');
const { Barrier } = require('./barrier');
const { Condvar } = require('./condvar');
const { Mutex } = require('./mutex');
const { RwLock } = require('./rw-lock');
const { Semaphore } = require('./semaphore');

for (const Lock of [Barrier, Condvar, Mutex, RwLock, Semaphore]) {
  registerType(Lock, {
    typeTag: Lock.name,
    // An object that only inherits from a lock is none.
    is: (object) => Object.hasOwn(object, 'buffer'),
    serialize: ({ buffer, byteOffset }) => ({ buffer, byteOffset }),
    deserialize: (place) => Lock.from(place),
  });
}
