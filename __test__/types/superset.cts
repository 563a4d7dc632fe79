/** Everything that worker_threads exports can be taken from here instead. Nothing here runs. */

import workerThreads = require('node:worker_threads');

import rustWorkers = require('rust-workers');
import type { Equal } from './equal.js';
import { expect } from './equal.js';

type Node = typeof workerThreads;
type Ours = typeof rustWorkers;

/** The names of Node's that are missing here, or that do not fit where Node's do. */
type Unfit = { [Name in keyof Node]: Name extends keyof Ours ? (Ours[Name] extends Node[Name] ? never : Name) : Name }[keyof Node];

// No program can make a port, with Node neither: the constructors throw.
expect<Equal<Exclude<Unfit, 'MessagePort'>, never>>();

const nodeWorker: workerThreads.Worker = {} as rustWorkers.Worker;
const nodePort: workerThreads.MessagePort = {} as rustWorkers.MessagePort;
const nodeChannel: workerThreads.MessageChannel = new rustWorkers.MessageChannel();

export { nodeChannel, nodePort, nodeWorker };
