import { workerData } from 'node:worker_threads';

import { task } from '../../../lib/index.mjs';

export default async (n) => [n, workerData, typeof task.cancelled];
export const half = (n) => n / 2;
