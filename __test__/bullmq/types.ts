/** Types of rust-workers/bullmq, checked by .ci/bullmq against the BullMQ that is installed. */

import { Job, Processor, Worker } from 'bullmq';
import { WorkerPool } from 'rust-workers';
import { JobTask, JobView, PoolWorker, PoolWorkerOptions, poolProcessor } from 'rust-workers/bullmq';

interface Picture {
  path: string;
  width: number;
  before?: number;
}

interface Thumbnail {
  bytes: number;
}

type Names = 'small' | 'large';

const connection = { host: 'localhost', port: 6379 };
const pool = new WorkerPool('./images.js', { maxThreads: 2 });

// A Worker like any, whose jobs have types.
const worker = new PoolWorker<Picture, Thumbnail, Names>('images', pool, {
  connection,
  limiter: { max: 10, duration: 1000 },
  task: (job) => {
    const { path, width } = job.data;
    const bytes = new Uint8Array(width);
    const name: Names = job.name;
    return [`resize:${name}`, { path, bytes }, { transfer: [bytes.buffer], priority: 1 }];
  },
  timeout: (job) => job.data.width * 10,
  deadline: (job) => (job.data.before === undefined ? undefined : new Date(job.data.before)),
  result: async (output, job) => ({ bytes: Number(output) + job.data.width }),
  closePool: true,
});
const asWorker: Worker<Picture, Thumbnail, Names> = worker;
worker.on('completed', (job, result) => {
  const width: number = job.data.width;
  const bytes: number = result.bytes;
  void [width, bytes];
});
worker.on('failed', (job: Job<Picture, Thumbnail, Names> | undefined, error: Error) => void [job, error]);
const closed: Promise<void> = worker.close({ timeout: 5000 });
const forced: Promise<void> = worker.close(true);
const itsPool: WorkerPool = worker.pool;
void [asWorker, closed, forced, itsPool];

// A processor for a Worker of one's own.
const processor: Processor<Picture, Thumbnail, Names> = poolProcessor(pool, { task: 'resize', input: 'job' });
void new Worker<Picture, Thumbnail, Names>('images', processor, { connection, concurrency: 4 });
void new Worker('images', poolProcessor(pool), { connection });

// What a script is given with `input: 'job'`.
const resize = ({ data, attemptsStarted, id }: JobView<Picture, Names>): Thumbnail => ({
  bytes: data.width * attemptsStarted + (id ?? '').length,
});
void resize;

const tasks: JobTask[] = ['small', ['small'], ['small', 1], ['small', undefined, { transfer: 'auto' }]];
const options: PoolWorkerOptions = { connection, busyDelay: 100, retryCancelled: true, concurrency: 3 };
void [tasks, options];

// @ts-expect-error a Worker needs a connection
void new PoolWorker('images', pool, {});
// @ts-expect-error a pool, and not a script
void new PoolWorker('images', './images.js', { connection });
// @ts-expect-error the jobs run on the pool, and not in threads of BullMQ's
void new PoolWorker('images', pool, { connection, useWorkerThreads: true });
// @ts-expect-error the result is a Thumbnail
void new PoolWorker<Picture, Thumbnail>('images', pool, { connection, result: (output) => ({ size: output }) });
// @ts-expect-error the signal is the job's
void new PoolWorker('images', pool, { connection, task: () => ['small', 1, { signal: AbortSignal.timeout(1) }] });
// @ts-expect-error no such option
poolProcessor(pool, { tasks: 'small' });
// @ts-expect-error a number of milliseconds
void worker.close({ timeout: 'soon' });

// For that the pool's options say whether it has a script, and how many tasks run on a worker of it.
const perWorker: number | undefined = pool.options.concurrentTasksPerWorker;
void perWorker;
