/**
 * The ESM face: the names of index.js, one by one, so that `import { WorkerPool } from 'rust-workers'` works.
 */

import rustWorkers from '../index.js';

export const { WorkerPool, errors, move, task } = rustWorkers;

export default rustWorkers;
