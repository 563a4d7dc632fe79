/**
 * The ESM face: the names of index.js, one by one, so that `import { WorkerPool } from 'rust-workers'` works.
 */

import rustWorkers from '../index.js';

export const {
  WorkerPool, SharedBuffer, rustAtomics, Mutex, RwLock, Semaphore, Condvar, Barrier, errors,
} = rustWorkers;

export default rustWorkers;
