/**
 * rust-workers: CPU parallelism for Node.js. Native tasks run on Rust threads; promises settle on the event
 * loop, which stays free meanwhile.
 */

/// <reference types="node" />

import { EventEmitter } from 'node:events';
import { MessagePort as NodeMessagePort } from 'node:worker_threads';

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
      /**
       * Where to post every prime as it is found, until a message comes back or the channel closes. It must stand in
       * `transfer`. The result is then the count of primes posted; the channel's capacity sets the pace.
       */
      port?: MessagePort;
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
  /**
   * Gives back what it was given, after a way to a Rust thread and back. An object with a `port` (in `transfer` too) is
   * served instead: every message goes back where it came from until the channel closes, and the result is the count.
   */
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

/** Options of one task. */
export interface RunOptions {
  /** Higher runs first; equal ones in order of submission. An integer of 32 bits. @default 0 */
  priority?: number;
  /** Aborting it rejects with an AbortError (ERR_RW_TASK_CANCELLED) and stops the task, queued or running. */
  signal?: AbortSignal | undefined;
  /** Milliseconds from submission until the task is stopped, with ERR_RW_TASK_TIMEOUT. @default none */
  timeout?: number | undefined;
  /**
   * Buffers and ports to give away. Buffers are detached here: their length becomes 0. A port that a refused task
   * (ERR_RW_QUEUE_FULL) was given closes.
   */
  transfer?: readonly (ArrayBuffer | MessagePort)[];
}

/** A moment of a pool. */
export interface PoolStats {
  /** Threads that live. */
  threads: number;
  /** Threads among them that wait for work. */
  idleThreads: number;
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

// ── Errors ─────────────────────────────────────────────────────────────────────────────────────────────────

// ── Message channels ───────────────────────────────────────────────────────────────────────────────────────

/** Options of a channel. */
export interface MessageChannelOptions {
  /**
   * How many messages may wait at each end: an integer from 1. `postMessage` goes beyond it all the same; `trySend` and
   * `send` heed it. @default Infinity
   */
  capacity?: number;
  /**
   * Whether a Buffer arrives as a Buffer of its own bytes, unless Node has to carry the message. Otherwise it arrives
   * as Node's ports deliver it: as a Uint8Array, with all of the memory it is a view of. @default false
   */
  keepBuffers?: boolean;
}

/** Two ports, as those of `worker_threads`, over a queue in Rust. */
export class MessageChannel {
  /** @throws {errors.InvalidArgTypeError | errors.OutOfRangeError} */
  constructor(options?: MessageChannelOptions);
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}

/**
 * One end of a channel: everything that a port of `worker_threads` is, and more. A message goes to a waiting `receive`,
 * else to the listeners. What Node can clone or transfer can be posted, ports of ours included.
 */
export class MessagePort extends NodeMessagePort {
  private constructor();
  /** Messages posted here that the other end has not taken. */
  readonly backlog: number;
  /**
   * Posts if there is room; false when there is none or the channel is closed, and then nothing has been detached.
   * @throws {DOMException} DataCloneError
   */
  trySend(value: unknown, transfer?: readonly MessageTransferable[]): boolean;
  /**
   * Posts as soon as there is room, in the order of calls. The value is read, and the list detached, when it is posted:
   * leave both alone until then. Holds the event loop meanwhile.
   * @returns rejects with {@link errors.PortClosedError} or a DataCloneError
   */
  send(value: unknown, transfer?: readonly MessageTransferable[]): Promise<void>;
  /**
   * The next message. Waiting holds the event loop.
   * @param options a time in milliseconds, or `{ timeout, signal }`
   * @returns rejects with {@link errors.ReceiveTimeoutError}, {@link errors.PortClosedError} or the signal's reason
   */
  receive(options?: number | { timeout?: number; signal?: AbortSignal }): Promise<any>;
  /**
   * The next message; blocks this thread. `worker.terminate()` ends it within 50 ms.
   * @param timeout in milliseconds @default Infinity
   * @throws {errors.ReceiveTimeoutError | errors.PortClosedError}
   */
  receiveSync(timeout?: number): any;
  /** The messages, until the channel closes. Leaving the loop leaves the port open. */
  [Symbol.asyncIterator](): AsyncGenerator<any, void, void>;
}

/** What can stand in a transfer list. */
export type MessageTransferable = object;

/** Node's function, for ports of both kinds. */
export function receiveMessageOnPort(port: NodeMessagePort): { message: any } | undefined;

/**
 * The arguments of `postMessage` for a plain Worker or port of `worker_threads`, when there are ports of ours in the
 * message: `worker.postMessage(...carry({ port }, [port]))`. Post them at once, and once. `parentPort` of rust-workers
 * gives the message there.
 * @throws {DOMException} DataCloneError: a port of ours is not on the list, or not here any more
 */
export function carry(value: unknown, transferList?: Iterable<object>): [any, any[]];

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
  /** The channel is closed, or the port was transferred: nothing can be sent or received here any more. */
  class PortClosedError extends Error {
    static readonly code: 'ERR_RW_PORT_CLOSED';
    readonly code: 'ERR_RW_PORT_CLOSED';
  }
  /** No message came in the time given. Its `name` is 'TimeoutError'. */
  class ReceiveTimeoutError extends Error {
    static readonly code: 'ERR_RW_RECEIVE_TIMEOUT';
    readonly code: 'ERR_RW_RECEIVE_TIMEOUT';
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
