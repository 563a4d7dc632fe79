/**
 * `rust-workers/bullmq`: jobs of BullMQ, run on a pool of this process. BullMQ 5.64 or later must be installed beside it.
 */

import type { Job, JobsOptions, Processor, WorkerOptions } from 'bullmq';
import { Worker } from 'bullmq';

import type { MessagePort, WorkerPool } from '../../index.js';

/** What a script is given of its job with `input: 'job'`. */
export interface JobView<Data = any, Name extends string = string> {
  id: string | undefined;
  name: Name;
  queueName: string;
  data: Data;
  opts: JobsOptions;
  /** When the job was added, in milliseconds since 1970. */
  timestamp: number;
  /** Attempts that have failed. */
  attemptsMade: number;
  /** How often the job was begun, this time included: 2 and more may find traces of a run that was cut off. */
  attemptsStarted: number;
  /** How often it was found without a worker that held its lock. */
  stalledCounter: number;
}

/** Options of one task; its signal, its time limit and its progress are those of the job. */
export interface JobTaskOptions {
  /** As for `pool.run`: higher runs first. Jobs that wait in Redis are not concerned. @default 0 */
  priority?: number;
  /** Objects in the input that are moved instead of copied. */
  transfer?: readonly (ArrayBuffer | MessagePort)[] | 'auto';
  /** As for `pool.run`. */
  parallel?: boolean;
}

/**
 * What a job is for the pool: a task's name, or its name, input and options. Without an input, or with `undefined`, it is the
 * job's data, or with `input: 'job'` a {@link JobView}.
 */
export type JobTask = string | readonly [name: string, input?: unknown, options?: JobTaskOptions];

/** Options of a processor. */
export interface PoolProcessorOptions<Data = any, Result = any, Name extends string = string> {
  /**
   * The task that a job is. In a pool with a script: a function that the script exports, 'default' for its default export (or
   * `module.exports`, or its 'message' listener), `native:<name>` for a native task. In other pools: a native task.
   * @default the name of the job
   */
  task?: string | ((job: Job<Data, Result, Name>) => JobTask | Promise<JobTask>) | undefined;
  /** What the task is given, unless `task` says: the job's data, or a {@link JobView}. @default 'data' */
  input?: 'data' | 'job' | undefined;
  /**
   * Milliseconds from the submission to the pool until the task is stopped. The job fails with ERR_RW_TASK_TIMEOUT, and is tried
   * again as its `attempts` say. @default none
   */
  timeout?: number | ((job: Job<Data, Result, Name>) => number | undefined) | undefined;
  /**
   * When the task is stopped, or not begun: a Date, or milliseconds since 1970. The job fails for good, since it would be too late
   * for another attempt. @default none
   */
  deadline?: Date | number | ((job: Job<Data, Result, Name>) => Date | number | undefined) | undefined;
  /**
   * Makes the job's result of the task's output; BullMQ stores it as JSON, which has no Buffer, typed array or BigInt.
   * @default the output
   */
  result?: ((output: any, job: Job<Data, Result, Name>) => Result | Promise<Result>) | undefined;
  /** Whether a job that `worker.cancelJob()` stopped is tried again as its `attempts` say. @default false */
  retryCancelled?: boolean | undefined;
  /**
   * Milliseconds, on average, until a job that found the pool's queue full (`maxQueue`) is taken again, by any worker. The
   * attempt does not count. @default 500
   */
  busyDelay?: number | undefined;
}

/** Options of a {@link PoolWorker}: BullMQ's and ours. */
export interface PoolWorkerOptions<Data = any, Result = any, Name extends string = string>
  extends Omit<WorkerOptions, 'useWorkerThreads' | 'workerForkOptions' | 'workerThreadsOptions'>,
    PoolProcessorOptions<Data, Result, Name> {
  /**
   * Jobs taken at a time. Without it as many as the pool runs tasks (`maxThreads` times `concurrentTasksPerWorker`), also when
   * the pool's size changes.
   */
  concurrency?: number;
  /** Whether `close()` also closes the pool. @default false */
  closePool?: boolean | undefined;
}

/** How a {@link PoolWorker} closes. */
export interface PoolWorkerCloseOptions {
  /** BullMQ's `close(true)`: tasks are stopped, and no job is waited for. @default false */
  force?: boolean;
  /** Milliseconds; then tasks that still run are stopped, and their jobs wait again, for any worker. @default none */
  timeout?: number | undefined;
}

/**
 * A Worker of BullMQ whose jobs run on a pool: off this thread, several at a time, stoppable in the middle of a loop.
 *
 * @example
 * const pool = new WorkerPool('./images.js');
 * const worker = new PoolWorker('images', pool, { connection: { host: 'localhost' } });
 */
export class PoolWorker<Data = any, Result = any, Name extends string = string> extends Worker<Data, Result, Name> {
  /**
   * @param queue the name of the queue
   * @throws {errors.InvalidArgTypeError | errors.InvalidArgValueError | errors.OutOfRangeError} for an option of ours
   */
  constructor(queue: string, pool: WorkerPool, options: PoolWorkerOptions<Data, Result, Name>);

  /** The pool that runs the jobs. */
  readonly pool: WorkerPool;

  /**
   * Takes no more jobs, and resolves when those under way are done and the connections are closed. May be called again, to set a
   * limit to a close that had none.
   */
  close(options?: boolean | PoolWorkerCloseOptions): Promise<void>;
}

/**
 * A processor for a Worker of BullMQ: `new Worker('images', poolProcessor(pool), { connection, concurrency })`. Let the program
 * cancel jobs whose locks are lost: `worker.on('lockRenewalFailed', (ids) => ids.forEach((id) => worker.cancelJob(id)))`.
 */
export function poolProcessor<Data = any, Result = any, Name extends string = string>(
  pool: WorkerPool,
  options?: PoolProcessorOptions<Data, Result, Name>,
): Processor<Data, Result, Name>;
