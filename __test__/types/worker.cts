/** The names of worker_threads, with Node's types, and the Worker of this package. Nothing here runs. */

import workerThreads = require('node:worker_threads');

import rustWorkers = require('rust-workers');
import type { Equal } from './equal.js';
import { expect } from './equal.js';

const { Worker } = rustWorkers;

// What is passed through has the types of Node.
expect<Equal<typeof rustWorkers.isMainThread, boolean>>();
expect<Equal<typeof rustWorkers.threadId, number>>();
expect<Equal<typeof rustWorkers.SHARE_ENV, typeof workerThreads.SHARE_ENV>>();
expect<Equal<typeof rustWorkers.BroadcastChannel, typeof workerThreads.BroadcastChannel>>();
expect<Equal<typeof rustWorkers.parentPort, typeof workerThreads.parentPort>>();
expect<Equal<typeof rustWorkers.resourceLimits, typeof workerThreads.resourceLimits>>();

const worker = new Worker('./worker.js', {
  argv: ['a'],
  env: rustWorkers.SHARE_ENV,
  execArgv: [],
  name: 'mine',
  resourceLimits: { maxOldGenerationSizeMb: 10 },
  stdin: true,
  trackUnmanagedFds: true,
  transferList: [new ArrayBuffer(1)],
  workerData: { any: 'thing' },
});
new Worker(new URL('file:///worker.mjs'));

// Fits wherever Node's fits, with its options too.
export const node: workerThreads.Worker = worker;
export const options: rustWorkers.WorkerOptions = {} as workerThreads.WorkerOptions;

worker.on('message', (value: unknown) => value);
worker.on('exit', (code) => expect<Equal<typeof code, number>>());
worker.on('error', (error) => error);
expect<Equal<ReturnType<typeof worker.terminate>, Promise<number>>>();
expect<Equal<typeof worker.threadId, number>>();

worker.postMessage(1);
worker.postMessage(1, [new ArrayBuffer(1)]);
worker.postMessage(1, { transfer: new Set([new ArrayBuffer(1)]) });

// @ts-expect-error a number is no list
worker.postMessage(1, 7);
// @ts-expect-error a file name is a string or a URL
new Worker(7);
// @ts-expect-error no such option
new Worker('./worker.js', { argz: [] });
