'use strict';

/** A Worker that adds to a total in shared memory under a lock, and says so on its port. */

const { Mutex, workerData } = require('rust-workers');

const { total, port, rounds } = workerData;
const mutex = Mutex.from(workerData.mutex);
for (let round = 0; round < rounds; round++) {
  const guard = mutex.lockSync();
  total.store(0, total.load(0) + 1);
  guard.release();
}
port.send('done').then(() => port.close());
