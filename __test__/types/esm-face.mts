/** The ESM face has the same names, and all of them on the default export. Nothing here runs. */

import rustWorkers, { errors, WorkerPool, type RunOptions, type TaskMap } from 'rust-workers';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

expect<Equal<typeof rustWorkers.WorkerPool, typeof WorkerPool>>();
expect<Equal<typeof rustWorkers.errors, typeof errors>>();
expect<Equal<TaskMap['crc32']['output'], number>>();

const options: RunOptions = { priority: 2 };
export const answer: Promise<number> = new WorkerPool().run('fibonacci', 10, options);
