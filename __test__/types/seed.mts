/**
 * Programs as they are written for worker_threads. They are compiled twice: with this import, and with `node:worker_threads` in
 * its place (.ci/types/check.js), so that a program of Node's types needs no change but that. Nothing here runs.
 */

import {
  BroadcastChannel,
  MessageChannel,
  MessagePort,
  Worker,
  isMainThread,
  parentPort,
  receiveMessageOnPort,
  threadId,
  workerData,
} from 'rust-workers';
import type { ResourceLimits, WorkerOptions } from 'rust-workers';
import { once } from 'node:events';
import os from 'node:os';

interface Task {
  data: unknown;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** A worker, and the answer of its thread. */
export function basic() {
  const worker = new Worker('./worker.js');
  worker.on('message', (msg) => console.log('Received from worker:', msg.text));
  worker.on('error', (err) => console.error('Worker error:', err));
  worker.on('exit', (code) => console.log(`Worker exited with code ${code.toFixed()}`));
  worker.postMessage('Hello Worker!');
  parentPort!.on('message', (msg) => {
    console.log('Received from parent:', msg);
    parentPort!.postMessage('Hello Parent!');
  });
}

export function fibonacci(n: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./fib-worker.js', import.meta.url), { workerData: { n } });
    worker.on('message', resolve);
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code !== 0) reject(new Error(`Worker stopped with exit code ${code}`));
    });
  });
}

export function inside() {
  if (isMainThread) return new Worker(import.meta.filename ?? '');
  const { n }: { n: number } = workerData;
  parentPort?.postMessage(n * threadId);
  return undefined;
}

/** A pool of one's own, of subclassed workers. */
export class WorkerPool {
  private readonly queue: Task[] = [];
  private readonly freeWorkers: PooledWorker[] = [];
  constructor(
    readonly workerScript: string,
    readonly poolSize: number = os.cpus().length,
  ) {
    for (let i = 0; i < poolSize; i++) this.addWorker();
  }
  addWorker() {
    const worker = new PooledWorker(this.workerScript, { argv: [], execArgv: [], env: process.env });
    worker.on('message', (result) => {
      worker.currentTask?.resolve(result);
      worker.currentTask = null;
      this.freeWorkers.push(worker);
      this.runNext();
    });
    worker.once('error', (err) => worker.currentTask?.reject(err));
    this.freeWorkers.push(worker);
  }
  runTask(data: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.queue.push({ data, resolve, reject });
      this.runNext();
    });
  }
  runNext() {
    const worker = this.queue.length > 0 ? this.freeWorkers.pop() : undefined;
    if (worker === undefined) return;
    worker.currentTask = this.queue.shift()!;
    worker.postMessage(worker.currentTask.data);
  }
  async close() {
    const codes: number[] = await Promise.all(this.freeWorkers.map((worker) => worker.terminate()));
    return codes;
  }
}

class PooledWorker extends Worker {
  currentTask: Task | null = null;
}

export function sharedMemory() {
  const sharedBuffer = new SharedArrayBuffer(1024);
  const sharedArray = new Int32Array(sharedBuffer);
  new Worker('./shared-worker.js', { workerData: { sharedBuffer } });
  sharedArray[0] = 42;
  return new Int32Array(workerData.sharedBuffer);
}

export async function channel() {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker('./channel-worker.js');
  worker.postMessage({ port: port2 }, [port2]);
  port1.on('message', (msg) => console.log('Received via channel:', msg.text));
  port1.once('close', () => console.log('closed'));
  port1.postMessage('Hello via channel!');
  parentPort!.on('message', ({ port }: { port: MessagePort }) => {
    port.on('message', (msg) => port.postMessage(msg));
    port.unref();
  });
  const [first] = await once(port1, 'message');
  const next: { message: any } | undefined = receiveMessageOnPort(port1);
  port1.close();
  return [first, next?.message];
}

export function limited(): [Worker, ResourceLimits | undefined] {
  const resourceLimits: ResourceLimits = { maxOldGenerationSizeMb: 100, maxYoungGenerationSizeMb: 10, stackSizeMb: 4 };
  const options: WorkerOptions = { resourceLimits, stdout: true };
  const worker = new Worker('./limited-worker.js', options);
  worker.stdout.pipe(process.stdout);
  return [worker, worker.resourceLimits];
}

export function transferred() {
  const buffer = new ArrayBuffer(1024);
  const worker = new Worker('./transfer-worker.js', { transferList: [buffer], workerData: buffer });
  worker.postMessage({ buffer }, [buffer]);
  parentPort?.on('message', ({ buffer }: { buffer: ArrayBuffer }) => parentPort?.postMessage({ buffer }, [buffer]));
}

export function broadcast() {
  const channel = new BroadcastChannel('news');
  channel.onmessage = (event: any) => event.data;
  channel.postMessage({ any: 'thing' });
  channel.close();
}
