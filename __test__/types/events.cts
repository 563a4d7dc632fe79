/** Events and their listeners, of pools, ports and workers, told to tsc. Nothing here runs. */

import { errorMonitor, once } from 'node:events';
import type { EventEmitter } from 'node:events';

import { MessageChannel, Worker, WorkerPool, parentPort } from 'rust-workers';
import type { WorkerPoolEvents, WorkerPoolListener } from 'rust-workers';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

const pool = new WorkerPool('./script.js');

pool.on('error', (error) => error.message.length);
pool.on('error', (error: Error) => error);
pool.on('error', (error: unknown) => error);
pool.once('drain', () => {}).on('needsDrain', () => {}).once('close', () => {});
pool.on('message', (value, worker) => worker.postMessage(value));
pool.on('messageerror', (error, worker) => [error.message, worker.threadId]);
pool.on('workerCreate', (worker) => worker.stdout).on('workerDestroy', ({ threadId }) => threadId);
pool.on('newListener', (name) => name).on('removeListener', (name, listener) => listener(name));
pool.on(errorMonitor, (error) => error.stack);

const listener: WorkerPoolListener<'error'> = (error) => expect<Equal<typeof error, Error>>();
pool.addListener('error', listener).prependListener('error', listener).prependOnceListener('error', listener);
pool.off('error', listener).removeListener('error', listener).removeAllListeners('error');
pool.emit('error', new Error('x'));
expect<Equal<keyof WorkerPoolEvents & 'error', 'error'>>();

// @ts-expect-error: no such event
pool.on('drained', () => {});
// @ts-expect-error: an Error, and no number
pool.on('error', (error: number) => error);
// @ts-expect-error: comes with an error
pool.emit('error');

const emitter: EventEmitter = pool;
emitter.on('anything', () => {});

async function waiting() {
  const [value] = await once(pool, 'message');
  await once(pool, 'drain', { signal: AbortSignal.timeout(5) });
  return value;
}

const { port1 } = new MessageChannel();
port1.on('message', (value) => value.any).once('close', () => {}).on('messageerror', (error) => error.message);
port1.off('message', () => {}).addListener('message', () => {});
parentPort?.on('message', (value) => parentPort?.postMessage(value, [port1]));

const worker = new Worker('./worker.js');
worker.on('message', (value) => value.any).on('messageerror', (error) => error.message);
worker.on('online', () => {}).once('exit', (code) => code.toFixed()).on('error', (error) => String(error));
worker.off('exit', () => {}).emit('message', 1);

export { waiting };
