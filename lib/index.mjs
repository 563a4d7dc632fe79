/**
 * The ESM face: the names of index.js, one by one, so that `import { WorkerPool } from 'rust-workers'` works.
 *
 * `export *` gives every name of the running Node's worker_threads, none that it does not have (importing one is then
 * the same SyntaxError as from Node's module), and the names of Nodes to come. A name that is exported by itself, as
 * all of ours are, goes before the star.
 */

import rustWorkers from '../index.js';

export * from 'node:worker_threads';

export const {
  // In the place of Node's.
  MessageChannel,
  MessagePort,
  Worker,
  getEnvironmentData,
  parentPort,
  moveMessagePortToContext,
  receiveMessageOnPort,
  setEnvironmentData,
  workerData,
  // Beyond Node's.
  Barrier,
  Condvar,
  Mutex,
  RwLock,
  Semaphore,
  SharedBuffer,
  SharedValue,
  WorkerPool,
  carry,
  errors,
  move,
  rustAtomics,
  share,
  task,
} = rustWorkers;

export default rustWorkers;
