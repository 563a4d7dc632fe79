/**
 * rust-workers: CPU parallelism for Node.js. Native tasks run on Rust threads; promises settle on the event
 * loop, which stays free meanwhile.
 */

/// <reference types="node" />

import { EventEmitter } from 'node:events';

// ── Tasks ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes as a task takes them. They are copied in, unless `transfer` gives them away. */
export type Bytes = NodeJS.TypedArray | DataView | ArrayBuffer;

/** The arrays that `sort` takes. */
export type SortableArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** Input of the hash tasks. A string is hashed as its UTF-8 bytes. */
export type HashInput =
  | Bytes
  | string
  | {
      data: Bytes | string;
      /** The form of the digest. @default 'buffer' */
      encoding?: 'buffer' | 'hex';
    };

/** Input of `primes`. */
export type PrimesInput =
  | number
  | {
      /** Primes up to and including this: an integer from 0 to 10^10, with `list` to 2^32 - 1. */
      limit: number;
      /** Whether the primes themselves are wanted. @default false */
      list?: boolean;
    };

/** Input of `sumSqrt`. */
export type SumSqrtInput =
  | number
  | {
      /** The factor of every term: the sum is that of `Math.sqrt(i) * n`. */
      n: number;
      /** How many terms there are, from i = 0; an integer from 0 to 2^53 - 1. @default 1_000_000 */
      iterations?: number;
    };

/** What `wordCount` counts. */
export interface WordCounts {
  /** Newline characters. */
  lines: number;
  /**
   * The longest runs of bytes other than space, tab, newline, vertical tab, form feed and carriage return.
   */
  words: number;
  /** UTF-8 sequences: bytes that do not continue one. */
  characters: number;
  /** Bytes; of a string, its UTF-8 bytes. */
  bytes: number;
}

/**
 * The native tasks by name. Where the output depends on the input, `output` is all that it can be, and
 * {@link TaskOutput} tells which.
 */
export interface TaskMap {
  /** The n-th Fibonacci number, n from 0 to 78, by the naive recursion on purpose: work to measure with. */
  fibonacci: { input: number; output: number };
  /** How many primes there are up to a limit, or, with `list: true`, the primes in order. */
  primes: { input: PrimesInput; output: number | Uint32Array };
  /** The sum of many square roots, to the last bit that of the same loop in JavaScript. */
  sumSqrt: { input: SumSqrtInput; output: number };
  /** SHA-256: 32 bytes, or 64 hex digits with `encoding: 'hex'`. */
  sha256: { input: HashInput; output: Buffer | string };
  /** SHA-512: 64 bytes, or 128 hex digits with `encoding: 'hex'`. */
  sha512: { input: HashInput; output: Buffer | string };
  /** BLAKE3: 32 bytes, or 64 hex digits with `encoding: 'hex'`. */
  blake3: { input: HashInput; output: Buffer | string };
  /** CRC-32 as gzip and PNG have it: an unsigned 32-bit integer. */
  crc32: { input: Bytes | string; output: number };
  /** The elements in ascending order, as `TypedArray.prototype.sort` without a comparator has it. */
  sort: { input: SortableArray; output: SortableArray };
  /** Lines, words, characters and bytes, as `wc` counts them. */
  wordCount: { input: Bytes | string; output: WordCounts };
  /** Holds a thread for so many milliseconds, 0 to 2^31 - 1. For tests and demonstrations. */
  sleep: { input: number; output: undefined };
  /** Panics with that message, to be rejected with ERR_RW_TASK_PANICKED. For tests. */
  panic: { input: string; output: never };
  /** Gives back what it was given, after a way to a Rust thread and back. */
  echo: { input: unknown; output: unknown };
  /** Does nothing: what a task costs by itself. */
  noop: { input: unknown; output: undefined };
}

/** The name of a native task. */
export type TaskName = keyof TaskMap;

/** Tasks that take nothing that matters: their input may be left out. */
type NeedsNoInput = { [K in TaskName]: undefined extends TaskMap[K]['input'] ? K : never }[TaskName];

/** What task `K` gives for an input of type `I`. */
export type TaskOutput<K extends TaskName, I = TaskMap[K]['input']> = K extends 'echo' | 'sort'
  ? I
  : K extends 'primes'
    ? I extends { list: true }
      ? Uint32Array
      : I extends { list: boolean }
        ? number | Uint32Array
        : number
    : K extends 'sha256' | 'sha512' | 'blake3'
      ? I extends { encoding: 'hex' }
        ? string
        : Buffer
      : TaskMap[K]['output'];

// ── WorkerPool ─────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Options of a pool. A wrong type is an ERR_RW_INVALID_ARG_TYPE, a number out of range an
 * ERR_RW_OUT_OF_RANGE.
 */
export interface WorkerPoolOptions {
  /** Threads kept even when idle, 0 to `maxThreads`. @default 0 */
  minThreads?: number;
  /** Threads started at the most, 1 to 1024. @default the number of CPUs this process may use */
  maxThreads?: number;
  /** How long a thread above `minThreads` waits for work before it ends, in milliseconds. @default 10_000 */
  idleTimeout?: number;
  /** How many tasks may wait for a thread; one more is an ERR_RW_QUEUE_FULL. @default Infinity */
  maxQueue?: number;
  /** The stack of each thread, in bytes. @default 2_097_152 */
  stackSize?: number;
  /** Threads are named `<name>-<number>`, as debuggers and `top -H` show. @default 'rust-workers' */
  name?: string;
}

/** Options of a pool with a script. Those of Node's `Worker` mean what they mean there. */
export interface ScriptPoolOptions extends WorkerPoolOptions {
  /**
   * Script workers and native threads are started at the most as many, each; script workers start as tasks need
   * them. @default the number of CPUs this process may use
   */
  maxThreads?: number;
  /** Script workers started at once, and kept when idle. @default 0 */
  minThreads?: number;
  /** Tasks that one worker may have at hand: more than 1 for scripts that wait for I/O. @default 1 */
  concurrentTasksPerWorker?: number;
  /**
   * How long a task that was aborted, or whose time is up, may go on before its worker is terminated and replaced, in
   * milliseconds; Infinity for ever. Its promise is rejected at once in any case. @default 1_000
   */
  killTimeout?: number;
  /**
   * How a worker waits for its next task. 'event': in its event loop. 'block': in place, in slices of 50 ms with a turn
   * of the event loop between them: quicker, for scripts that only compute. @default 'event'
   */
  wait?: 'event' | 'block';
  /** With `wait: 'event'`: milliseconds, 0 to 50, that a worker waits in place before it goes to its event loop. @default 0 */
  linger?: number;
  /** When a worker is replaced by a fresh one, between two tasks. */
  recycle?: {
    /** Tasks it has done. */
    afterTasks?: number;
    /** Its heap and what it holds outside, in MiB. */
    maxMemoryMb?: number;
    /** Its age, in milliseconds. */
    afterMs?: number;
  };
  /** The script's own `workerData`. */
  workerData?: unknown;
  argv?: unknown[];
  env?: NodeJS.Dict<string> | typeof import('node:worker_threads').SHARE_ENV;
  execArgv?: string[];
  resourceLimits?: import('node:worker_threads').ResourceLimits;
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  trackUnmanagedFds?: boolean;
}

/** Options of one task. */
export interface RunOptions {
  /** Higher runs first; equal ones in order of submission. An integer of 32 bits. @default 0 */
  priority?: number;
  /** Aborting it rejects with an AbortError (ERR_RW_TASK_CANCELLED) and stops the task, queued or running. */
  signal?: AbortSignal | undefined;
  /** Milliseconds from submission until the task is stopped, with ERR_RW_TASK_TIMEOUT. @default none */
  timeout?: number | undefined;
  /** Buffers to give away instead of copying. They are detached here: their length becomes 0. */
  transfer?: readonly ArrayBuffer[];
}

/** Options of one task of a script. */
export interface ScriptRunOptions extends Omit<RunOptions, 'transfer'> {
  /** The function the script exports; else its default export, or its `parentPort`. */
  name?: string;
  /** What is given away instead of copied; 'auto': every ArrayBuffer and MessagePort in the input, at any depth. */
  transfer?: readonly import('node:worker_threads').TransferListItem[] | 'auto';
  /** Gets what the task gives to `task.progress`, in order, in the async context of this call. */
  onProgress?: (value: any) => void;
}

/** A moment of a pool. */
export interface PoolStats {
  /** Threads that live. */
  threads: number;
  /** Threads among them that wait for work. */
  idleThreads: number;
  /** Script workers that live or are starting. */
  workers: number;
  /** Script workers among them that wait for work. */
  idleWorkers: number;
  /** Tasks that wait for a thread. */
  queueSize: number;
  /** Tasks that run. */
  running: number;
  /** Tasks that were accepted, ever. */
  submitted: number;
  /** Tasks that returned a value, ever. */
  completed: number;
  /** Tasks that ended with an error of their own or a panic, ever. */
  failed: number;
  /** Tasks that were cancelled, timed out, or dropped by a forced close, ever. */
  cancelled: number;
  /** Milliseconds spent waiting in the queue, all started tasks together (a batch once for each thread in it). */
  waitTime: number;
  /** Milliseconds spent running, all threads together. */
  runTime: number;
  /** The part of its threads' time, from 0 to 1, that the pool has worked since it was made. */
  utilization: number;
}

/** The events of a pool, and what their listeners are given. */
export interface WorkerPoolEvents {
  /** After 'needsDrain': the queue is at most half full again. */
  drain: [];
  /** The queue is as full as `maxQueue` allows: better to wait for 'drain'. */
  needsDrain: [];
  /** The pool is closed and its threads have ended. */
  close: [];
  /** A script posted something on its `parentPort` that answers no task. */
  message: [value: any, worker: import('node:worker_threads').Worker];
  messageerror: [error: Error, worker: import('node:worker_threads').Worker];
  /** A script worker was started. */
  workerCreate: [worker: import('node:worker_threads').Worker];
  /** A script worker has ended. */
  workerDestroy: [worker: import('node:worker_threads').Worker];
}

/**
 * A pool of Rust threads that run native tasks.
 *
 * An idle pool does not keep the process alive; a task under way does, unless `unref()` was called.
 *
 * @example
 * const pool = new WorkerPool({ maxThreads: 4 });
 * const digest = await pool.run('sha256', await readFile('big.bin'));
 * await pool.close();
 */
export class WorkerPool extends EventEmitter {
  /**
   * @throws {errors.InvalidArgTypeError | errors.OutOfRangeError} for an option that cannot be
   * @throws {errors.BindingNotFoundError} when the native part is missing
   */
  constructor(options?: WorkerPoolOptions);

  /**
   * A pool of JavaScript workers, each running `script`, beside the native threads; one queue for both.
   *
   * A path is looked for from the working directory, then from the calling file. With a number, so many workers are
   * started at once and kept.
   *
   * @example
   * const pool = new WorkerPool('./task-worker.js', 4);
   * const result = await pool.runTask({ number: 1 });
   */
  constructor(script: string | URL, size?: number | ScriptPoolOptions);

  /**
   * Runs one task.
   *
   * Rejects with an error of {@link errors}: UnknownTaskError, InvalidInputError or OutOfRangeError (the
   * input does not fit), UnsupportedValueError, CyclicValueError, ValueTooDeepError or ValueTooLargeError (it
   * cannot cross), QueueFullError, PoolClosedError, ThreadSpawnError, TaskCancelledError, TaskTimeoutError,
   * TaskPanickedError or TaskFailedError.
   */
  run<K extends NeedsNoInput>(task: K): Promise<TaskOutput<K, undefined>>;
  run<T>(task: 'echo', input: T, options?: RunOptions): Promise<T>;
  // `const`: literals such as `list: true` decide the type of the output.
  run<K extends TaskName, const I extends TaskMap[K]['input']>(
    task: K,
    input: I,
    options?: RunOptions,
  ): Promise<TaskOutput<K, I>>;

  /**
   * Runs a function that the script exports: `pool.run<Output>('name', input)`. The type must be named, so that a slip in
   * a native task's name stays an error. The names of native tasks come first: see `runTask` with `name`.
   */
  run<Output = never>(
    name: [Output] extends [never] ? never : string,
    input?: unknown,
    options?: ScriptRunOptions,
  ): Promise<Output>;

  /**
   * Runs one task of the script: its default export (or `module.exports`) when that is a function, else a 'message' on
   * its `parentPort`, which it answers by one `postMessage`; with `name`, the function it exports by that name.
   *
   * The input and the output are cloned as `structuredClone` does. Rejects with what the script throws, whole; a
   * DataCloneError; or an error of {@link errors}: ScriptLoadError, WorkerExitedError, WorkerOutOfMemoryError,
   * WorkerTerminatedError, UnknownTaskError, QueueFullError, PoolClosedError, TaskCancelledError, TaskTimeoutError.
   */
  runTask<Output = any>(input?: unknown, options?: ScriptRunOptions): Promise<Output>;

  /**
   * Runs one task over many inputs, in few crossings. The results come in the order of the inputs; the first
   * error rejects the whole and cancels what is left.
   */
  map<K extends TaskName, const I extends TaskMap[K]['input']>(
    task: K,
    inputs: Iterable<I> | AsyncIterable<I>,
    options?: RunOptions,
  ): Promise<TaskOutput<K, I>[]>;

  /**
   * Takes no more tasks, and resolves when all that were accepted are done and the threads have ended.
   *
   * With `force`, what has not started is rejected with ERR_RW_POOL_CLOSED and what runs is stopped. With `timeout`
   * that happens after so many milliseconds. May be called again, to force a close that was graceful.
   */
  close(options?: {
    /** @default false */ force?: boolean;
    /** Milliseconds. @default none */ timeout?: number | undefined;
  }): Promise<void>;

  /** The same as `close({ force: true })`. */
  destroy(): Promise<void>;

  /** `await using pool = new WorkerPool()` closes the pool at the end of the block, as `close()` does. */
  [Symbol.asyncDispose](): Promise<void>;

  /** Lets tasks under way keep the process alive again, after `unref()`. */
  ref(): this;

  /** Lets the process end even while tasks are under way. */
  unref(): this;

  /** A snapshot of all counters. */
  stats(): PoolStats;

  /** Threads that live. */
  readonly threads: number;
  /** Tasks that wait for a thread. */
  readonly queueSize: number;
  /** Tasks that returned a value, ever. */
  readonly completed: number;
  /** The part of its threads' time, from 0 to 1, that the pool has worked since it was made. */
  readonly utilization: number;
  /** Whether the queue is full, or has been and is not yet half empty again. */
  readonly needsDrain: boolean;
  /** Whether `close()` or `destroy()` has been called. */
  readonly closed: boolean;
  /** The options as they stand, defaults filled in. */
  readonly options: Required<WorkerPoolOptions>;

  on<E extends keyof WorkerPoolEvents>(event: E, listener: (...args: WorkerPoolEvents[E]) => void): this;
  once<E extends keyof WorkerPoolEvents>(event: E, listener: (...args: WorkerPoolEvents[E]) => void): this;
  off<E extends keyof WorkerPoolEvents>(event: E, listener: (...args: WorkerPoolEvents[E]) => void): this;
  addListener<E extends keyof WorkerPoolEvents>(
    event: E,
    listener: (...args: WorkerPoolEvents[E]) => void,
  ): this;
  removeListener<E extends keyof WorkerPoolEvents>(
    event: E,
    listener: (...args: WorkerPoolEvents[E]) => void,
  ): this;
  prependListener<E extends keyof WorkerPoolEvents>(
    event: E,
    listener: (...args: WorkerPoolEvents[E]) => void,
  ): this;
  emit<E extends keyof WorkerPoolEvents>(event: E, ...args: WorkerPoolEvents[E]): boolean;
}

// ── Inside a task of a script ──────────────────────────────────────────────────────────────────────────────

/** What a task of a script pool sees of itself. Outside of one, it is never cancelled and reports to nobody. */
export const task: {
  /** Aborts when the task should stop; `reason` is the error that tells why. Undefined outside a task. */
  readonly signal: AbortSignal | undefined;
  /** Whether the task should stop. Becomes true at once, also inside a synchronous loop. */
  readonly cancelled: boolean;
  /** @throws {errors.TaskCancelledError | errors.TaskTimeoutError | errors.PoolClosedError} if it should stop */
  throwIfCancelled(): void;
  /** Gives a copy of `value` to the caller's `onProgress`. */
  progress(value: unknown): void;
  /** The worker's number in its pool, from 0. Undefined outside a script pool. */
  readonly workerId: number | undefined;
};

/**
 * What a task returns to have its result moved to the caller instead of copied.
 *
 * @param list what is given away. @default 'auto': every ArrayBuffer and MessagePort in the value, at any depth
 */
export function move<T>(value: T, list?: readonly import('node:worker_threads').TransferListItem[] | 'auto'): T;

// ── Errors ─────────────────────────────────────────────────────────────────────────────────────────────────

/** One class for each error condition. `code` is stable; messages may get better. */
export namespace errors {
  /** An argument has the wrong type. */
  class InvalidArgTypeError extends TypeError {
    static readonly code: 'ERR_RW_INVALID_ARG_TYPE';
    readonly code: 'ERR_RW_INVALID_ARG_TYPE';
  }
  /** An argument has the right type and an impossible value. */
  class InvalidArgValueError extends TypeError {
    static readonly code: 'ERR_RW_INVALID_ARG_VALUE';
    readonly code: 'ERR_RW_INVALID_ARG_VALUE';
  }
  /** A number lies outside the range that is allowed. */
  class OutOfRangeError extends RangeError {
    static readonly code: 'ERR_RW_OUT_OF_RANGE';
    readonly code: 'ERR_RW_OUT_OF_RANGE';
  }
  /** No task of that name is registered. */
  class UnknownTaskError extends Error {
    static readonly code: 'ERR_RW_UNKNOWN_TASK';
    readonly code: 'ERR_RW_UNKNOWN_TASK';
  }
  /** A task was given an input it does not take. */
  class InvalidInputError extends TypeError {
    static readonly code: 'ERR_RW_INVALID_INPUT';
    readonly code: 'ERR_RW_INVALID_INPUT';
  }
  /** A value holds something that cannot cross to a Rust thread, such as a function. */
  class UnsupportedValueError extends TypeError {
    static readonly code: 'ERR_RW_UNSUPPORTED_VALUE';
    readonly code: 'ERR_RW_UNSUPPORTED_VALUE';
  }
  /** A value refers to itself. */
  class CyclicValueError extends TypeError {
    static readonly code: 'ERR_RW_CYCLIC_VALUE';
    readonly code: 'ERR_RW_CYCLIC_VALUE';
  }
  /** A value is nested too deeply. */
  class ValueTooDeepError extends RangeError {
    static readonly code: 'ERR_RW_VALUE_TOO_DEEP';
    readonly code: 'ERR_RW_VALUE_TOO_DEEP';
  }
  /** A value is too large. */
  class ValueTooLargeError extends RangeError {
    static readonly code: 'ERR_RW_VALUE_TOO_LARGE';
    readonly code: 'ERR_RW_VALUE_TOO_LARGE';
  }
  /** Bytes that should be an encoded value are not. */
  class MalformedValueError extends Error {
    static readonly code: 'ERR_RW_MALFORMED_VALUE';
    readonly code: 'ERR_RW_MALFORMED_VALUE';
  }
  /** The queue holds as many tasks as `maxQueue` allows. */
  class QueueFullError extends Error {
    static readonly code: 'ERR_RW_QUEUE_FULL';
    readonly code: 'ERR_RW_QUEUE_FULL';
    /** What was refused, untouched, to be tried again. */
    readonly input: unknown;
  }
  /** The pool takes no more tasks, or was destroyed before this one ran. */
  class PoolClosedError extends Error {
    static readonly code: 'ERR_RW_POOL_CLOSED';
    readonly code: 'ERR_RW_POOL_CLOSED';
  }
  /** The operating system would not give the pool a thread. */
  class ThreadSpawnError extends Error {
    static readonly code: 'ERR_RW_THREAD_SPAWN';
    readonly code: 'ERR_RW_THREAD_SPAWN';
  }
  /** The task was cancelled. When an AbortSignal did it, `cause` is the signal's reason. */
  class TaskCancelledError extends Error {
    static readonly code: 'ERR_RW_TASK_CANCELLED';
    readonly name: 'AbortError';
    readonly code: 'ERR_RW_TASK_CANCELLED';
  }
  /** The task's time was up. */
  class TaskTimeoutError extends Error {
    static readonly code: 'ERR_RW_TASK_TIMEOUT';
    readonly name: 'TimeoutError';
    readonly code: 'ERR_RW_TASK_TIMEOUT';
  }
  /** The task panicked; its thread lives on. */
  class TaskPanickedError extends Error {
    static readonly code: 'ERR_RW_TASK_PANICKED';
    readonly code: 'ERR_RW_TASK_PANICKED';
  }
  /** The task itself reported an error. */
  class TaskFailedError extends Error {
    static readonly code: 'ERR_RW_TASK_FAILED';
    readonly code: 'ERR_RW_TASK_FAILED';
  }
  /** The script of a pool could not be loaded; `cause` is why. */
  class ScriptLoadError extends Error {
    static readonly code: 'ERR_RW_SCRIPT_LOAD';
    readonly code: 'ERR_RW_SCRIPT_LOAD';
  }
  /** The worker exited while it ran the task: the script called `process.exit()`, or had nothing left to do. */
  class WorkerExitedError extends Error {
    static readonly code: 'ERR_RW_WORKER_EXITED';
    readonly code: 'ERR_RW_WORKER_EXITED';
    readonly exitCode: number;
  }
  /** The worker reached its `resourceLimits`; `cause` is Node's error. */
  class WorkerOutOfMemoryError extends Error {
    static readonly code: 'ERR_RW_WORKER_OUT_OF_MEMORY';
    readonly code: 'ERR_RW_WORKER_OUT_OF_MEMORY';
    readonly resourceLimits: import('node:worker_threads').ResourceLimits;
  }
  /** The worker was terminated because another of its tasks did not stop and this one did not end in time. */
  class WorkerTerminatedError extends Error {
    static readonly code: 'ERR_RW_WORKER_TERMINATED';
    readonly code: 'ERR_RW_WORKER_TERMINATED';
  }
  /** A fault in rust-workers itself; please report it. */
  class InternalError extends Error {
    static readonly code: 'ERR_RW_INTERNAL';
    readonly code: 'ERR_RW_INTERNAL';
  }
  /** The native part could not be loaded; the message says what was tried and what to do. */
  class BindingNotFoundError extends Error {
    static readonly code: 'ERR_RW_BINDING_NOT_FOUND';
    readonly code: 'ERR_RW_BINDING_NOT_FOUND';
    /** Every place that was tried, and why it failed. */
    readonly attempts: ReadonlyArray<{ what: string; error: unknown }>;
  }
}
