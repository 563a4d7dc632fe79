/**
 * rust-workers: CPU parallelism for Node.js. Native tasks run on Rust threads; promises settle on the event
 * loop, which stays free meanwhile.
 */

/// <reference types="node" />

import { EventEmitter } from 'node:events';
import type { Transform, TransformOptions } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import {
  MessagePort as NodeMessagePort,
  ResourceLimits as NodeResourceLimits,
  SHARE_ENV as NodeShareEnv,
  Worker as NodeWorker,
  WorkerOptions as NodeWorkerOptions,
} from 'node:worker_threads';

// ── Tasks ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes as a task takes them. They are copied, unless `transfer` names them; shared memory is used in place. */
export type Bytes = NodeJS.TypedArray | DataView | ArrayBuffer | SharedMemory;

/**
 * Shared memory as a task takes it: nothing is copied, and the task works on the bytes themselves. Where elements matter,
 * a SharedBuffer or a SharedArrayBuffer stands for its Int32 elements, a view for its own.
 *
 * A task that changes a range waits for those that use it, and they for it. JavaScript that writes to it meanwhile finds,
 * or leaves, unspecified values. A task that was stopped while it changed a range leaves its content undefined.
 */
export type SharedMemory = SharedArrayBuffer | SharedBuffer | AtomicView | NodeJS.TypedArray;

/** The arrays that `sum`, `fill` and `histogram` take: any type but Float16Array. */
export type ElementArray =
  | SortableArray
  | SharedMemory;

/** An input that a task takes alone, or in an object. The run option `parallel` sets `parallel`. */
export type OrData<T> = T | { data: T; parallel?: boolean | undefined };

/** One element of shared memory, an integer. */
export interface CellInput {
  /** Int32 elements, unless a view says otherwise. */
  buffer: SharedMemory;
  /** Which element. @default 0 */
  index?: number | undefined;
}

/** Input of `atomicAdd`. */
export interface AtomicAddInput extends CellInput {
  /** The number to add, modulo the element's width. @default 1 */
  value?: number | bigint | undefined;
  /** How often, 0 to 2^53 - 1. @default 1 */
  count?: number | undefined;
  parallel?: boolean | undefined;
}

/** Input of `atomicWait`; the elements must be Int32 or BigInt64. */
export interface AtomicWaitInput extends CellInput {
  /** It waits only while the element holds this. */
  value: number | bigint;
  /** Milliseconds; NaN is no limit, below zero is 0. @default no limit */
  timeout?: number | undefined;
}

/** Input of `histogram`. */
export type HistogramInput =
  | OrData<ElementArray>
  | {
      data: ElementArray;
      /** How many bins of equal width there are between `min` and `max`: 1 to 65,536. */
      bins: number;
      min: number;
      max: number;
      parallel?: boolean | undefined;
    };

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
      encoding?: 'buffer' | 'hex' | undefined;
      parallel?: boolean | undefined;
    };

/** Input of `primes`. */
export type PrimesInput =
  | number
  | {
      /** Primes up to and including this: an integer from 0 to 10^10, with `list` to 2^32 - 1. */
      limit: number;
      /** Whether the primes themselves are wanted. @default false */
      list?: boolean | undefined;
      /**
       * Where to post every prime as it is found, until a message comes back or the channel closes. It must stand in
       * `transfer`. The result is then the count of primes posted; the channel's capacity sets the pace.
       */
      port?: MessagePort | undefined;
    };

/**
 * The order in which floats are added. It decides the last bits, and is the same on every CPU and with any number of threads.
 *
 * - `'interleaved'`: there are 16 running sums, which begin at 0, and element i is added to sum i mod 16. Then neighbouring sums
 *   are added in pairs until one is left. `sum` does so for each section of 262,144 elements, and adds the sections' sums one
 *   after the other.
 * - `'sequential'`: one after the other, as a loop does.
 */
export type SumOrder = 'interleaved' | 'sequential';

/** Input of `sum`. */
export type SumInput =
  | OrData<ElementArray>
  | {
      data: ElementArray;
      /** For floats; integers are added exactly. @default 'interleaved' */
      order?: SumOrder | undefined;
      /** Changes nothing for floats in the order `'sequential'`. */
      parallel?: boolean | undefined;
    };

/** Input of `sumSqrt`. */
export type SumSqrtInput =
  | number
  | {
      /** The factor of every term: the sum is that of `Math.sqrt(i) * n`. */
      n: number;
      /** How many terms there are, from i = 0; an integer from 0 to 2^53 - 1. @default 1_000_000 */
      iterations?: number | undefined;
      /** `'sequential'` gives the bits of the loop in JavaScript. @default 'interleaved' */
      order?: SumOrder | undefined;
    };

/** Input of `lockedAdd`. */
export interface LockedAddInput {
  /** Shared memory; it is not copied. */
  memory: SharedArrayBuffer | ArrayBufferView;
  /** The offset of a Mutex in it: a multiple of 8 bytes. */
  lock: number;
  /** The offset of a float64 in it: a multiple of 8 bytes. */
  counter: number;
  /** How often to add 1; the lock is taken again each time. */
  count: number;
}

/** The counts of `wordCount`. */
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
 * The native tasks by name; declare those of packs ({@link WorkerPool.use}) in it. Where the output depends on the input, `output` is all that it can be, and
 * {@link TaskOutput} says which.
 */
export interface TaskMap {
  /** The n-th Fibonacci number, n from 0 to 78, by the naive recursion on purpose: work to measure with. */
  fibonacci: { input: number; output: number };
  /** How many primes there are up to a limit, or, with `list: true`, the primes in order. */
  primes: { input: PrimesInput; output: number | Uint32Array };
  /** The sum of many square roots, in the order that {@link SumOrder} says. */
  sumSqrt: { input: SumSqrtInput; output: number };
  /** SHA-256: 32 bytes, or 64 hex digits with `encoding: 'hex'`. */
  sha256: { input: HashInput; output: Buffer | string };
  /** SHA-512: 64 bytes, or 128 hex digits with `encoding: 'hex'`. */
  sha512: { input: HashInput; output: Buffer | string };
  /** BLAKE3: 32 bytes, or 64 hex digits with `encoding: 'hex'`. */
  blake3: { input: HashInput; output: Buffer | string };
  /** CRC-32 as gzip and PNG have it: an unsigned 32-bit integer. */
  crc32: { input: OrData<Bytes | string>; output: number };
  /** The elements in ascending order, as `TypedArray.prototype.sort` without a comparator has it. */
  sort: { input: OrData<SortableArray | SharedMemory>; output: SortableArray | SharedMemory };
  /**
   * The sum of all elements: a BigInt for BigInt elements, else a number. Integers are added exactly, floats in the order
   * that {@link SumOrder} says.
   */
  sum: { input: SumInput; output: number | bigint };
  /** `value` for every element, as `TypedArray.prototype.fill` has it. Shared memory is filled where it is. */
  fill: {
    input: { data: ElementArray; value: number | bigint; parallel?: boolean | undefined };
    output: ElementArray;
  };
  /**
   * How often each of the 256 byte values occurs, or, with `bins`, how many elements lie in each bin; the last one
   * includes `max`. Numbers outside, and NaN, are not counted.
   */
  histogram: { input: HistogramInput; output: Float64Array };
  /** `Atomics.add` on one element, `count` times. Returns the value of the element afterwards. */
  atomicAdd: { input: AtomicAddInput; output: number | bigint };
  /** `Atomics.wait` on a pool thread, which it holds meanwhile. */
  atomicWait: { input: AtomicWaitInput; output: 'ok' | 'not-equal' | 'timed-out' };
  /**
   * Wakes the threads and promises that wait on an element, Int32 or BigInt64: in `SharedBuffer`'s waits, in native tasks,
   * and, with the rest of `count`, in plain `Atomics.wait`. Returns how many. The first use starts a small Worker that makes
   * the last of these.
   */
  atomicNotify: { input: CellInput & { /** @default Infinity */ count?: number | undefined }; output: number };
  /**
   * Waits until an Int32 element is odd, adds 1 and notifies, `rounds` times: to measure how fast threads are woken.
   */
  atomicPingPong: { input: CellInput & { rounds: number }; output: undefined };
  /** Lines, words, characters and bytes, as `wc` counts them. */
  wordCount: { input: Bytes | string; output: WordCounts };
  /** Adds 1 to a float64 in shared memory, `count` times, under a {@link Mutex} there. Its last value. */
  lockedAdd: { input: LockedAddInput; output: number };
  /** Holds a thread for so many milliseconds, 0 to 2^31 - 1. For tests and demonstrations. */
  sleep: { input: number; output: undefined };
  /** Panics with that message, to be rejected with ERR_RW_TASK_PANICKED. For tests. */
  panic: { input: string; output: never };
  /**
   * Returns its input, after a way to a Rust thread and back. An object with a `port` (in `transfer` too) is
   * served instead: every message goes back where it came from until the channel closes, and the result is the count.
   */
  echo: { input: unknown; output: unknown };
  /** Does nothing: what a task costs by itself. */
  noop: { input: unknown; output: undefined };
}

/** The name of a native task. */
export type TaskName = keyof TaskMap;

/** The result of task `K` for an input of type `I`. */
export type TaskOutput<K extends TaskName, I = TaskMap[K]['input']> = K extends 'sort' | 'fill'
  ? I extends { data: infer D }
    ? D
    : I
  : K extends 'echo'
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

/** A pack, as a package exports it. */
export interface NativePack {
  /** For messages. */
  name: string;
  /** The library; or one for each platform, such as `linux-x64-gnu`, `linux-x64-musl`, `darwin-arm64`, `win32-x64-msvc`. */
  path: string | URL | Readonly<Record<string, string | URL>>;
}

// ── WorkerPool ─────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Options of a pool. A wrong type is an ERR_RW_INVALID_ARG_TYPE, a number out of range an
 * ERR_RW_OUT_OF_RANGE, and a name that does not exist, here and wherever else options are taken, an
 * ERR_RW_INVALID_ARG_VALUE.
 */
export interface WorkerPoolOptions {
  /** Threads kept even when idle, 0 to `maxThreads`. @default 0 */
  minThreads?: number | undefined;
  /**
   * Threads started at the most, 1 to 1024. @default what the environment variable RUST_WORKERS_THREADS says, or else the number
   * of CPUs this process may use, its container's quota included
   */
  maxThreads?: number | undefined;
  /** How long a thread above `minThreads` waits for work before it ends, in milliseconds. @default 10_000 */
  idleTimeout?: number | undefined;
  /**
   * In how many milliseconds of waiting a task gains one level of priority, so that no task waits for ever: see
   * docs/scheduling.md. Infinity for strict priorities; with 0 only the time of submission counts. @default 10_000
   */
  aging?: number | undefined;
  /** Which task of a priority is first: the oldest, or the newest. @default 'fifo' */
  queueOrder?: 'fifo' | 'lifo' | undefined;
  /** How many tasks of one key, or of one name, run at a time; others pass those that wait for that. */
  limits?: TaskLimits | undefined;
  /**
   * How many outputs the pool keeps for tasks with the option `cache`, the least recently used goes first, and for how many
   * milliseconds. @default { max: 1000, ttl: Infinity }
   */
  cache?: { max?: number | undefined; ttl?: number | undefined } | undefined;
  /**
   * Whether the errors of tasks say where the task was submitted, whatever ended it: see docs/seeing.md. @default whether the
   * environment variable RUST_WORKERS_CALL_SITES is 1
   */
  callSites?: boolean | undefined;
  /** How many tasks may wait for a thread; one more is an ERR_RW_QUEUE_FULL. @default Infinity */
  maxQueue?: number | undefined;
  /** The stack of each thread, in bytes, from 262_144 (room for the deepest value). @default 2_097_152 */
  stackSize?: number | undefined;
  /**
   * Threads are named `<name>-<number>`, those of script workers `<name>-js<number>`, as debuggers and `top -H` show.
   * @default 'rust-workers'
   */
  name?: string | undefined;
  /**
   * For tests: a seed, from 0 on, by which the pool's decisions can be repeated. One task runs at a time, chosen from among the first
   * `maxThreads` that wait (of a script: as many as its workers run at a time), so that any order may come that a pool of that size
   * could have, and the same seed gives the same one again. Priorities are strict: `aging` goes by the clock. @default none
   */
  deterministic?: number | undefined;
  /**
   * By how much its threads are nicer than the thread that makes the pool, 0 to 19: where CPUs are short, the system prefers
   * threads that are less nice. On Linux; elsewhere it has no effect. @default 0
   */
  niceIncrement?: number | undefined;
  /** Packs whose tasks the pool has from the beginning, as {@link WorkerPool.use} takes them; `limits` may name these tasks. @default none */
  packs?: readonly (string | URL | NativePack)[] | undefined;
}

/** The option `limits` of a pool. */
export interface TaskLimits {
  /** How many tasks of one `key` run at a time. @default 1 */
  key?: number | undefined;
  /** How many run at a time of some tasks, by the name of the native task or of the script's function. */
  tasks?: Readonly<Record<string, number>> | undefined;
}

/** Options of a pool with a script. Those of Node's `Worker` mean what they mean there. */
export interface ScriptPoolOptions extends WorkerPoolOptions {
  /**
   * Script workers and native threads are started at the most as many, each; script workers start as tasks need
   * them. @default as for every pool
   */
  maxThreads?: number | undefined;
  /** Script workers started at once, and kept when idle. @default 0 */
  minThreads?: number | undefined;
  /** Tasks that one worker may run at a time: more than 1 for scripts that wait for I/O. @default 1 */
  concurrentTasksPerWorker?: number | undefined;
  /**
   * How long a task that was aborted, or whose time is up, may go on before its worker is terminated and replaced, in
   * milliseconds; Infinity for ever. Its promise is rejected at once in any case. @default 1_000
   */
  killTimeout?: number | undefined;
  /**
   * How a worker waits for its next task. 'event': in its event loop. 'block': it blocks its thread, for 50 ms at a time with a
   * turn of the event loop between: quicker, for scripts that only compute. @default 'event'
   */
  wait?: 'event' | 'block' | undefined;
  /** With `wait: 'event'`: milliseconds, 0 to 50, that a worker blocks its thread before it goes to its event loop. @default 0 */
  linger?: number | undefined;
  /** When a worker is replaced by a fresh one, between two tasks. */
  recycle?: RecycleOptions | undefined;
  /**
   * Milliseconds from a worker's start until it has loaded the script, and its hook `setup` is done; else it is terminated, and the
   * script counts as one that does not load (ERR_RW_SCRIPT_LOAD). @default Infinity
   */
  setupTimeout?: number | undefined;
  /**
   * Milliseconds in which a worker that is to end may do so by itself: in which its hook `teardown` runs, and in which a task that
   * `destroy()` stops may come to its end. Then it is terminated. @default 1_000
   */
  shutdownTimeout?: number | undefined;
  /** The script's own `workerData`. */
  workerData?: unknown;
  /** What the script finds in `process.argv` behind its own path, each as a string. @default none */
  argv?: unknown[] | undefined;
  /** The script's `process.env`; `SHARE_ENV`: this thread's own, not a copy. @default a copy of this thread's */
  env?: NodeJS.Dict<string> | typeof NodeShareEnv | undefined;
  /** Options of Node's for each worker, such as `--import`. @default those of this thread */
  execArgv?: string[] | undefined;
  /** Limits on the heap and the stack of each worker, in MiB. @default Node's */
  resourceLimits?: NodeResourceLimits | undefined;
  /** Whether the script can read `process.stdin` from the `stdin` of its Worker ('workerCreate' gives it). @default false */
  stdin?: boolean | undefined;
  /** Whether the Worker's `stdout` keeps what the script prints, instead of this process printing it. @default false */
  stdout?: boolean | undefined;
  /** The same for `process.stderr`. @default false */
  stderr?: boolean | undefined;
  /** Whether files that the script opened with `fs.open()` and left open are closed when its worker ends. @default true */
  trackUnmanagedFds?: boolean | undefined;
}

/** When a worker of a script is replaced by a fresh one. */
export interface RecycleOptions {
  /** Tasks it has done. */
  afterTasks?: number | undefined;
  /** Its heap and what it holds outside, in MiB. */
  maxMemoryMb?: number | undefined;
  /** Its age, in milliseconds. */
  afterMs?: number | undefined;
}

/** What the hooks of a script get: `setup` and `teardown` of a worker get the same object. */
export interface WorkerHookContext {
  /** The worker's number in its pool, from 0, as `task.workerId`. */
  readonly workerId: number;
  readonly threadId: number;
  readonly workerData: any;
  /** Aborts when the worker is to end while `setup` still runs. */
  readonly signal: AbortSignal;
  /**
   * In `teardown`: why the worker ends. 'idle': after `idleTimeout`; 'recycle', 'resize', 'close' and 'destroy': the pool wants it
   * so; 'self': the script has closed its `parentPort`.
   */
  readonly reason: 'idle' | 'recycle' | 'resize' | 'close' | 'destroy' | 'self' | undefined;
}

/**
 * The hooks of a script: its export `worker`, a plain object with at least one of these functions. Where a script exports a
 * function of this name, that is a task as any other.
 */
export interface WorkerHooks {
  /** Runs before the worker's first task. When it fails, the script counts as one that does not load. See `setupTimeout`. */
  setup?(context: WorkerHookContext): unknown;
  /** Runs after the worker's last task, however the pool ends it, but for what terminates it. See `shutdownTimeout`. */
  teardown?(context: WorkerHookContext): unknown;
  /**
   * Hears of an error that nothing has caught. Only where it returns true does the worker go on; else the worker ends, as it does
   * without the hook, and the tasks that it runs are rejected with the error.
   */
  onError?(error: unknown): unknown;
}

/** The options of a pool as they stand. */
export type PoolSettings = { readonly [Name in keyof WorkerPoolOptions]-?: Exclude<WorkerPoolOptions[Name], undefined> };

/** Options of a script pool that have a default. */
type DefaultedScriptOptions = 'concurrentTasksPerWorker' | 'killTimeout' | 'wait' | 'linger' | 'setupTimeout' | 'shutdownTimeout';

/** The options of a pool with a script as they stand; those without a default only if they were given. */
export type ScriptPoolSettings = PoolSettings & {
  readonly [Name in DefaultedScriptOptions]: Exclude<ScriptPoolOptions[Name], undefined>;
} & Readonly<Omit<ScriptPoolOptions, keyof WorkerPoolOptions | DefaultedScriptOptions>>;

/** Options of one task. */
export interface RunOptions {
  /**
   * Higher runs first, as far as `aging` says; equal ones in order of submission, or as `queueOrder` says (but when workers are recycled, for inputs that only Node carries,
   * which are bound to a worker). An integer of 32 bits. @default 0
   */
  priority?: number | undefined;
  /**
   * Tasks of one key do not run at the same time, and begin in order of submission, whatever their priorities; `limits.key` of
   * the pool may allow more at a time. A script's task goes to the worker that ran the key last, if that is free.
   */
  key?: string | undefined;
  /** Aborting it rejects with an AbortError (ERR_RW_TASK_CANCELLED) and stops the task, queued or running. */
  signal?: AbortSignal | undefined;
  /** Milliseconds from submission until the task is stopped, with ERR_RW_TASK_TIMEOUT; 0 is no time at all. @default no limit */
  timeout?: number | undefined;
  /**
   * When the task must have ended: a `Date`, or milliseconds from now (a number above 1e11 is refused: pass `new Date(x)`). A task
   * that cannot start before is refused, or dropped while it waits; one that runs past it is stopped. ERR_RW_DEADLINE, whose
   * `started` says which. Tasks that it submits inherit it. @default none
   */
  deadline?: number | Date | undefined;
  /**
   * Milliseconds that the task may run, from when its thread or worker has taken it, with ERR_RW_TASK_TIMEOUT. Of a `map`, each
   * input. @default no limit
   */
  runTimeout?: number | undefined;
  /**
   * Buffers and ports to transfer. Buffers are detached here: their length becomes 0. A port that a refused task
   * (ERR_RW_QUEUE_FULL) was given closes.
   */
  transfer?: readonly (ArrayBuffer | MessagePort)[] | undefined;
  /**
   * Whether free threads of the pool help, with shared memory as the input: `sort`, `fill`, `sum`, `histogram`,
   * `atomicAdd`, `blake3`, `crc32`. Elsewhere it changes nothing; a task that cannot take it at all refuses it with
   * ERR_RW_INVALID_ARG_VALUE. @default false
   */
  parallel?: boolean | undefined;
  /**
   * Gets what the task reports (`primes` does; of a script what it passes to `task.progress`), in order, in the async context of this
   * call, and nothing more once the task was aborted. An error that it throws becomes an uncaught exception.
   */
  onProgress?: ((value: any) => void) | undefined;
  /**
   * Which reports `onProgress` gets: all, or of those that wait to be delivered only the latest, so that a task that reports very
   * often does not keep the event loop busy. The last one comes before the answer either way. A native task whose reports are all
   * wanted waits while 1,024 of them, or 16 MiB, were not delivered. @default 'all'
   */
  progress?: 'all' | 'latest' | undefined;
  /**
   * Callers of a task under way with the same key share its run: its output, or its error, is the same object for all. A caller that
   * aborts, or whose time is up, leaves alone; the run is cancelled when the last has left. The input of a caller that joins is not
   * read.
   */
  dedupe?: string | undefined;
  /**
   * The key under which {@link WorkerPool.cache} keeps the output: the next caller gets it, the same object, without a run. Errors are
   * not kept. Callers of a key under way share the run, as with `dedupe`.
   */
  cache?: string | undefined;
}

/** Options of one task of a script. */
export interface ScriptRunOptions extends Omit<RunOptions, 'transfer'> {
  /** The function the script exports; else its default export, or its `parentPort`. */
  name?: string | undefined;
  /**
   * The objects that are transferred instead of copied; 'auto': every ArrayBuffer and MessagePort in the input, at any
   * depth, of which Node copies what it cannot move (memory of WebAssembly, its Buffer pool, what was marked as
   * untransferable).
   */
  transfer?: readonly NodeTransferable[] | 'auto' | undefined;
  /**
   * Whether the input is an array of the function's arguments: `run('add', [1, 2], { spread: true })` calls `add(1, 2)`. A
   * method of {@link WorkerPool.proxy} that is called with several arguments does so by itself. @default false
   */
  spread?: boolean | undefined;
  /**
   * Gets what the task prints while it runs, a chunk at a time, in place of the worker's own `process.stdout` and `process.stderr`: text as
   * text, bytes as bytes. Whose output it is tells the async context in which it is written. As with `onProgress`, nothing comes once the
   * task was aborted.
   */
  onOutput?: ((chunk: string | Uint8Array, stream: 'stdout' | 'stderr') => void) | undefined;
  /**
   * Another module, whose function the task is: each worker loads it for the first task that names it. A path is looked for as that of the
   * pool's script is. The module's hooks are not called.
   */
  filename?: string | URL | undefined;
  /**
   * The id of the one worker that may run the task: see {@link WorkerPool.workers}. If it ends before, the task is rejected
   * (ERR_RW_WORKER_EXITED).
   */
  worker?: number | undefined;
  /**
   * How often the task is begun again when it lost its worker (WorkerExitedError, WorkerOutOfMemoryError, WorkerTerminatedError); never
   * for what the script threw. The input is kept as it was at the call, so it cannot stand beside `transfer`. @default 0
   */
  retries?: number | undefined;
}

/** What Node's Worker can be given in a transfer list: the name of this type differs between versions of `@types/node`. */
type NodeTransferable = NonNullable<Parameters<NodeWorker['postMessage']>[1]>[number];

/** Options of `broadcast`. */
export interface BroadcastOptions extends Omit<ScriptRunOptions, 'transfer' | 'worker' | OfOneTask> {
  /**
   * Whether workers that start later run it too, before their first task. 'latest': this one in place of those before it of the same
   * function. What is kept for them is kept as long as the pool. @default true
   */
  later?: boolean | 'latest' | undefined;
}

/** A worker of a pool with a script at one moment. */
export interface PoolWorkerInfo {
  /** Its number in the pool, as `task.workerId`. One that is replaced leaves it to the next. */
  id: number;
  /** As in `worker_threads`; -1 once its thread has ended. */
  threadId: number;
  /** 'starting': it loads the script, or sets it up; 'ending': it takes no more tasks. */
  state: 'starting' | 'idle' | 'busy' | 'ending';
  /** How many tasks it has done. */
  tasks: number;
  /** How many tasks it runs. */
  running: number;
  /** Milliseconds since it was started. */
  age: number;
  /** Which part of its time its event loop did not wait, from 0 to 1: Node's `eventLoopUtilization()` of its thread. */
  utilization: number;
  /** The last uncaught error that its hook `onError` has dealt with; else the error by which the worker of this id before it has ended. */
  lastError?: unknown;
}

/** The counters of a pool at one moment. */
export interface PoolStats {
  /** Threads that live. */
  threads: number;
  /** Threads among them that wait for work. */
  idleThreads: number;
  /** Script workers that live or are starting. */
  workers: number;
  /** Script workers among them that wait for work. */
  idleWorkers: number;
  /** Tasks that wait for a thread. A `map` that goes in one crossing counts as one. */
  queueSize: number;
  /**
   * Tasks that run. One that was aborted or timed out counts until its thread has let go of it. Of a `map`, as many as there are
   * threads at it.
   */
  running: number;
  /** Tasks that were accepted, ever: each input of a `map` is one. Once the pool has closed, the sum of the next three. */
  submitted: number;
  /** Tasks that returned a value, ever. */
  completed: number;
  /** Tasks that ended with an error of their own or a panic, ever. */
  failed: number;
  /**
   * Tasks that were cancelled, timed out, or dropped by a forced close, ever; also inputs of a `map` that were dropped
   * because another one failed. A task that ran counts when its thread has let go of it.
   */
  cancelled: number;
  /** Milliseconds spent waiting in the queue, all started tasks together (a batch once for each thread in it). */
  waitTime: number;
  /** Milliseconds spent running, all threads together; tasks under way of native threads included. */
  runTime: number;
  /**
   * The part of its threads' time, from 0 to 1, that the pool has worked since it was made: `runTime` of the time that
   * `maxThreads` of each kind had, as many as these were at each moment. Workers of a script count `concurrentTasksPerWorker` times; native threads of a pool
   * with a script once it has had some.
   */
  utilization: number;
  /** The same of native threads and of script workers, each of the time of its own kind. */
  utilizationByKind: { native: number; script: number };
  /** Threads kept even when idle; of a pool that was made with a number of workers, these are kept besides. */
  minThreads: number;
  /** The most threads there may be. */
  maxThreads: number;
  /** Who said so: the pool's options (or `resize`), the environment variable RUST_WORKERS_THREADS, or nobody, so that it goes by the CPUs. */
  maxThreadsFrom: 'option' | 'environment' | 'cpus';
  /** Callers that joined a run under way (`dedupe`, `cache`), and how often a task was begun again (`retries`). */
  deduped: number;
  retried: number;
  /** Tasks with `cache` whose output was kept, and those that ran, or joined a run. */
  cacheHits: number;
  cacheMisses: number;
}

/** The outputs that a pool keeps for tasks with the option `cache`: see {@link WorkerPool.cache}. */
export interface PoolCache {
  /** How many are kept; those whose time is up do not count. */
  readonly size: number;
  readonly max: number;
  readonly ttl: number;
  /** Whether an output is kept under a key, of any task or of one. */
  has(key: string, task?: string): boolean;
  /**
   * Forgets what is kept under a key, of all tasks or of one. What is under way for it is not kept either, and the next caller has a run
   * of its own. True when something was kept.
   */
  delete(key: string, task?: string): boolean;
  /** Forgets all. */
  clear(): void;
}

/** What {@link WorkerPool.stats} shows on request. */
export interface StatsOptions {
  /** Whether it shows the times of tasks, by their names and in all. @default false */
  tasks?: boolean | undefined;
  /** Whether the times begin anew after this reading. The counters go on. @default false */
  reset?: boolean | undefined;
}

/** How long something took, in milliseconds, to two digits. All zeros where nothing was recorded. */
export interface TimeHistogram {
  /** How many times were recorded. */
  count: number;
  min: number;
  max: number;
  mean: number;
  /** So long took half of them at the most; and so on. */
  p50: number;
  p75: number;
  p90: number;
  p95: number;
  p99: number;
  p999: number;
}

/** The times of tasks. */
export interface TaskTimes {
  /** From submission until the task began. */
  wait: TimeHistogram;
  /** From there until it had ended. Tasks that were stopped before they began are not counted. */
  run: TimeHistogram;
  /**
   * From submission until this thread got the answer, of tasks that were not stopped. A `map` that goes in one crossing counts
   * once.
   */
  roundTrip: TimeHistogram;
  /** CPU time of all of them together, in milliseconds, the threads that helped a parallel task included. */
  cpuTime: number;
}

/** The times of a pool's tasks, of all together and by their names. */
export interface PoolTimes extends TaskTimes {
  /**
   * By name. In a pool with a script its functions have theirs, the default one `default`, and native tasks have the prefix
   * `native:`. More than 256 names of a kind share `(others)`.
   */
  tasks: Record<string, TaskTimes & { kind: 'native' | 'script' }>;
}

/** How {@link WorkerPool.trace} records. */
export interface TraceOptions {
  /** How many records of each thread are kept, the last ones. @default 65536 */
  limit?: number | undefined;
}

/** Where {@link WorkerPool.monitor} listens, and for whom. */
export interface MonitorOptions {
  /** 0 for any that is free. @default 0 */
  port?: number | undefined;
  /** An address or a name of this machine. @default '127.0.0.1' */
  host?: string | undefined;
  /**
   * Names in the address of the page that are allowed beside addresses, `localhost` and `host`. Others are refused, since a site that a
   * browser has open could point a name of its own at the page and read it.
   */
  allowedHosts?: readonly string[] | undefined;
}

/** A page that shows a pool. */
export interface PoolMonitor {
  /** Where it is. */
  readonly url: string;
  /** Ends it. */
  close(): Promise<void>;
  /** As `close()`, at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A trace of a pool, in the format of Chrome's traces, which Perfetto (ui.perfetto.dev) and chrome://tracing show. */
export interface PoolTrace {
  /** Whether it still records. */
  readonly recording: boolean;
  /** How many records were dropped, since there were more than `limit` of one kind; known once it was stopped. */
  readonly dropped: number;
  /** Ends the recording. */
  stop(): this;
  /** Ends the recording, and writes the trace to a file. */
  save(path: string | URL | Buffer): Promise<void>;
  /** As `stop()`, at the end of a block with `using`. */
  [Symbol.dispose](): void;
  /** Ends the recording; the trace as an object. */
  toJSON(): { displayTimeUnit: 'ms'; otherData: Record<string, unknown>; traceEvents: Record<string, unknown>[] };
}

/** The events of a pool, and the arguments of their listeners. */
export interface WorkerPoolEvents {
  /**
   * After 'needsDrain': the queue is at most half full again. Without `maxQueue`: no task waits any more, after more were under way than
   * the pool can run at once.
   */
  drain: [];
  /** The queue is as full as `maxQueue` allows: wait for 'drain' before you submit more. */
  needsDrain: [];
  /** The pool is closed and its threads have ended. */
  close: [];
  /**
   * A script worker failed with no running task. The error is what the script threw, if not an Error then that value. Without
   * a listener a warning is printed.
   */
  error: [error: Error];
  /** A script posted something on its `parentPort` that answers no task. */
  message: [value: any, worker: NodeWorker];
  /** A script posted something that cannot be read here. */
  messageerror: [error: Error, worker: NodeWorker];
  /** A script worker was started. */
  workerCreate: [worker: NodeWorker];
  /** A script worker has ended. */
  workerDestroy: [worker: NodeWorker];
  /** Of every EventEmitter. */
  newListener: [eventName: string | symbol, listener: (...args: any[]) => void];
  /** Of every EventEmitter. */
  removeListener: [eventName: string | symbol, listener: (...args: any[]) => void];
  /** What 'error' gets, before it does. */
  [EventEmitter.errorMonitor]: [error: Error];
}

/** A listener of a pool's event. */
export type WorkerPoolListener<Event extends keyof WorkerPoolEvents> = (...args: WorkerPoolEvents[Event]) => void;

// ── What `run` and `map` take and give ─────────────────────────────────────────────────────────────────────

/** The functions of a pool without a script: there are none, so only native tasks have names. */
export interface NoFunctions {}

/** The functions that a pool is known to have; none where they are not known. */
type KnownFunctions<Functions> = unknown extends Functions ? NoFunctions : Functions;

/** The names of functions among what a script exports. */
type FunctionName<Functions> = {
  [Name in keyof Functions]: Functions[Name] extends (...args: any[]) => unknown ? Name & string : never;
}[keyof Functions];

/** The names of native tasks, in every pool. */
export type NativeTaskName = TaskName | `native:${TaskName}`;

/** The names that a pool can run: any, where the functions of its script are not known. */
export type TaskNameIn<Functions> = unknown extends Functions
  ? NativeTaskName | (string & {})
  : // As `FunctionName`, which the compiler would name in place of the names.
    | NativeTaskName
    | {
        [Name in keyof Functions]: Functions[Name] extends (...args: any[]) => unknown ? Name & string : never;
      }[keyof Functions];

/** The input of the task `Name`: of the script's function, else of the native task. */
export type TaskInput<Name, Functions = NoFunctions> = Name extends FunctionName<KnownFunctions<Functions>>
  ? KnownFunctions<Functions>[Name] extends (...args: infer Args) => unknown
    ? Args[0]
    : unknown
  : Name extends TaskName
    ? TaskMap[Name]['input']
    : Name extends `native:${infer Native extends TaskName}`
      ? TaskMap[Native]['input']
      : unknown;

/** By whose task `Name` is. */
type OptionsFor<Name, Functions, OfScript, OfNative> = Name extends FunctionName<KnownFunctions<Functions>>
  ? OfScript
  : Name extends NativeTaskName
    ? OfNative
    : OfScript;

/** The options of the task `Name`. */
export type TaskOptions<Name, Functions = NoFunctions> = OptionsFor<Name, Functions, ScriptRunOptions, RunOptions>;

/** Options that share the run of a single task, or begin it again. */
type OfOneTask = 'dedupe' | 'cache' | 'retries';

/** The options of each task of a `map`. */
export type MapOptions<Name, Functions = NoFunctions> = OptionsFor<
  Name,
  Functions,
  Omit<ScriptRunOptions, OfOneTask>,
  Omit<RunOptions, OfOneTask>
>;

/** The options of a task for which a thread blocks: nothing can end it or be told meanwhile. */
export type BlockingOptions<Options> = Omit<Options, 'signal' | 'onOutput' | 'onProgress' | 'progress' | OfOneTask>;

/** Stands for the output that follows from the name and the input. */
interface Inferred {
  readonly __inferred: unique symbol;
}

/** `Type`, which TypeScript does not infer from what the result is assigned to. */
type Given<Type> = [Type][Type extends any ? 0 : never];

/** The output of the task `Name` for an input: `Output`, if the caller has named it. */
export type TaskResult<Output, Name, Input, Functions = NoFunctions> = [Output, Inferred] extends [Inferred, Output]
  ? 0 extends 1 & Output
    ? any
    : Name extends FunctionName<KnownFunctions<Functions>>
      ? KnownFunctions<Functions>[Name] extends (...args: any[]) => infer Returned
        ? Awaited<Returned>
        : unknown
      : Name extends TaskName
        ? TaskOutput<Name, Input>
        : Name extends `native:${infer Native extends TaskName}`
          ? TaskOutput<Native, Input>
          : any
  : Given<Output>;

/** What became of one of many inputs; `index` is its number, from 0. */
export type TaskOutcome<Output> =
  | { status: 'fulfilled'; value: Output; index: number }
  | { status: 'rejected'; reason: any; index: number };

/** A ReadableStream, of any realm and of any library of types. */
interface WebStream {
  getReader(): unknown;
  cancel(reason?: any): Promise<void>;
}

/** What `stream` reads. */
export type TaskSource<Input> = readonly Input[] | Iterable<Input> | AsyncIterable<Input> | WebStream;

/** How far `stream` goes ahead, and in what order its outputs come. */
export interface FlowOptions {
  /** Tasks under way at the most. @default what keeps the pool's threads busy */
  concurrency?: number | undefined;
  /** Inputs that may be read beyond those, while nobody takes their outputs. @default concurrency */
  highWaterMark?: number | undefined;
  /** Whether the outputs come in the order of the inputs; else as they finish. @default true */
  ordered?: boolean | undefined;
}

/** The options of `stream`, with those of each of its tasks. */
export type TaskStreamOptions<Name, Input = unknown, Functions = NoFunctions> = FlowOptions &
  OptionsFor<Name, Functions, Omit<ScriptRunOptions, OfOneTask | 'transfer'>, Omit<RunOptions, OfOneTask | 'transfer'>> & {
    /** The objects that are transferred: those of a list that an input holds, all (scripts only), or what a function says. */
    transfer?: TaskOptions<Name, Functions>['transfer'] | ((input: Input) => readonly object[] | undefined);
  };

/** The options of `transform`: `highWaterMark` is that of both of its sides. */
export type TaskTransformOptions<Name, Functions = NoFunctions> = TaskStreamOptions<Name, any, Functions> &
  Pick<
    TransformOptions,
    'objectMode' | 'readableHighWaterMark' | 'readableObjectMode' | 'writableHighWaterMark' | 'writableObjectMode'
  > & {
    /** Whether an outcome is given for each input, and one that fails ends nothing. @default false */
    settle?: boolean | undefined;
  };

/** The options of `forEach` and `reduce`: `timeout` is that of the whole call. */
export type ManyInputsOptions<Name = string, Functions = NoFunctions> = Pick<RunOptions, 'deadline' | 'priority' | 'signal' | 'timeout'> &
  OptionsFor<Name, Functions, Pick<ScriptRunOptions, 'filename' | 'onOutput' | 'worker'>, {}>;

/**
 * A profile of several threads, in the format of `.cpuprofile`: each thread is a node below the root, and their samples stand one
 * thread after the other.
 */
export interface PoolProfile extends CpuProfile {
  /** Each thread by itself. */
  readonly threads: readonly { name: string; workerId?: number; profile: CpuProfile }[];
  /** Writes it to a file, whose name should end in `.cpuprofile`. */
  save(path: string | URL): Promise<void>;
}

/** A CPU profile as the inspector's domain Profiler has it; times in microseconds. */
export interface CpuProfile {
  nodes: {
    id: number;
    callFrame: { functionName: string; scriptId: string; url: string; lineNumber: number; columnNumber: number };
    hitCount?: number;
    children?: number[];
  }[];
  startTime: number;
  endTime: number;
  samples: number[];
  timeDeltas: number[];
}

/** The outputs of a stream. */
export interface TaskStream<Output> extends AsyncIterableIterator<Output> {
  [Symbol.asyncIterator](): TaskStream<Output>;
  next(): Promise<IteratorResult<Output, undefined>>;
  /** Ends it: the tasks under way are cancelled, and the source is closed. */
  return(value?: any): Promise<IteratorResult<Output, any>>;
  throw(error?: any): Promise<IteratorResult<Output, any>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The options of a scope. */
export interface ScopeOptions {
  /** What cancels the other tasks: the first failure, the first success, or nothing. @default 'all' */
  join?: 'all' | 'any' | 'settled' | undefined;
  /** As that of a task, for all of them: the earlier counts. @default none */
  deadline?: number | Date | undefined;
  /** Aborting it cancels the scope. */
  signal?: AbortSignal | undefined;
  /** Of tasks that have none of their own. @default 0, or that of the scope outside */
  priority?: number | undefined;
  /** Of tasks that have none of their own. @default no limit */
  runTimeout?: number | undefined;
}

/**
 * Tasks that begin and end together: see {@link WorkerPool.scope}. The methods are those of the pool; failures that nobody asks for
 * are thrown by `close()`, and are no unhandled rejections.
 */
export interface Scope<Functions = any>
  extends Pick<
    WorkerPool<Functions>,
    'run' | 'runTask' | 'runSync' | 'map' | 'stream' | 'transform' | 'iterate' | 'forEach' | 'reduce' | 'exec' | 'proxy'
  > {
  /** A scope within this one: cancelled with it, and closed with it. */
  scope(options?: ScopeOptions): Scope<Functions>;
  scope<Result>(options: ScopeOptions | undefined, block: (scope: Scope<Functions>) => Result): Promise<Awaited<Result>>;
  scope<Result>(block: (scope: Scope<Functions>) => Result): Promise<Awaited<Result>>;
  /** Aborts when the scope is cancelled; the reason says why. */
  readonly signal: AbortSignal;
  /** Whether everything in it has ended, and it takes no more. */
  readonly closed: boolean;
  /** Cancels everything in it. That is no failure of the scope. */
  cancel(reason?: any): void;
  /**
   * Waits until everything in it has ended, also what begins meanwhile. Rejects with the failure that nobody has asked for, or with an
   * AggregateError of several; with an AbortError or a DeadlineError where the signal or the deadline has ended a task.
   */
  close(): Promise<void>;
  /** `await using scope = pool.scope()`: as `close()`; where that was called, its failures are not told again. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The task's name, where its input may be left out; else a text for the compiler's message. */
export type TaskWithoutInput<Name, Functions = NoFunctions> = undefined extends TaskInput<Name, Functions>
  ? Name
  : 'This task needs an input: run(task, input)';

// ── Functions in the place of a script ─────────────────────────────────────────────────────────────────────

/** The options of `exec`. */
export interface ExecOptions extends Omit<ScriptRunOptions, 'filename' | 'name' | 'spread' | OfOneTask> {
  /** The values of variables that the function uses from outside, by their names. They are cloned at each call. */
  capture?: { readonly [name: string]: unknown } | undefined;
}

// ── Results in parts ──────────────────────────────────────────────────────────────────────────────────────

/** The options of `iterate`. */
export interface IterateOptions extends Omit<ScriptRunOptions, OfOneTask> {
  /** How many parts the worker may give before they are taken, 1 to 65,535. @default 16 */
  highWaterMark?: number | undefined;
}

/** The parts of a result, as they are asked for. */
export interface TaskParts<Part, Returned = any> extends AsyncIterableIterator<Part> {
  [Symbol.asyncIterator](): TaskParts<Part, Returned>;
  next(): Promise<IteratorResult<Part, Returned>>;
  /** Stops the task. Settles when it has ended, with what its `finally` throws. */
  return(value?: any): Promise<IteratorResult<Part, any>>;
  throw(error?: any): Promise<IteratorResult<Part, any>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The parts that a function gives which returns `Result`. */
export type PartOf<Result> = 0 extends 1 & Result
  ? any
  : Awaited<Result> extends AsyncIterable<infer Part>
    ? Part
    : Awaited<Result> extends Iterable<infer Part>
      ? Awaited<Part>
      : Awaited<Result> extends ReadableStream<infer Part>
        ? Part
        : never;

/** What it returns after the last part. */
export type ReturnedAfter<Result> = 0 extends 1 & Result
  ? any
  : Awaited<Result> extends Generator<any, infer Returned, any> | AsyncGenerator<any, infer Returned, any>
    ? Awaited<Returned>
    : undefined;

/** The parts of the task `Name`: those of the script's function, where the pool knows it. */
export type TaskPartsOf<Part, Name, Functions = NoFunctions> = [Part, Inferred] extends [Inferred, Part]
  ? Name extends FunctionName<KnownFunctions<Functions>>
    ? KnownFunctions<Functions>[Name] extends (...args: any[]) => infer Result
      ? TaskParts<PartOf<Result>, ReturnedAfter<Result>>
      : TaskParts<any>
    : TaskParts<any>
  : TaskParts<Given<Part>>;

// ── Proxies ────────────────────────────────────────────────────────────────────────────────────────────────

/** Functions of a light object: sources, or functions. */
export type LightFunctions = Record<string, string | ((...args: any[]) => any)>;

/** Options of `pool.light`. */
export interface LightOptions {
  /** Bytes that a call may have, those of the interpreter itself (some 150 KiB) among them: 512 KiB to 1 GiB. @default 8 MiB */
  memory?: number;
  /** Bytes of stack that a call may use: 16 KiB to 64 MiB, and never more than the thread has (`stackSize` of the pool). @default 256 KiB */
  stack?: number;
  /** Milliseconds that a call may run, from when a thread takes it; then it fails with a TaskTimeoutError. @default none */
  timeout?: number;
  /** Values that are globals of the code. @default none */
  globals?: Record<string, unknown>;
  /**
   * Functions of this thread that the code may call and await. Arguments and results are copied. `this.signal` aborts when the call
   * waits no more. @default none
   */
  host?: Record<string, (this: { readonly signal: AbortSignal }, ...args: any[]) => unknown>;
  /** Whether `Date.now()` and `new Date()` are there. @default false */
  clock?: boolean;
  /** Whether `Math.random()` is there. @default false */
  random?: boolean;
  /** Whether what a call changes is there for the next call on the same thread; it may be lost at any time. @default false */
  state?: boolean;
}

/** A method of a light object. */
export type LightMethod<T> = T extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : (...args: any[]) => Promise<any>;

/** What `pool.light` gives: a method for each function. */
export type Light<F extends LightFunctions = LightFunctions> = { readonly [K in keyof F]: LightMethod<F[K]> } & {
  /** Settles once the functions are compiled. @throws LightSourceError, LightMemoryError, LightStackError */
  readonly ready: Promise<void>;
  /** Calls a function with one argument, or none. */
  run(name: keyof F & string, input?: unknown, options?: RunOptions): Promise<any>;
  /** Calls a function for each input, with that as its argument; the results are in the order of the inputs. With `settle: true`, what became of each. */
  map(
    name: keyof F & string,
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    options: Omit<RunOptions, 'cache' | 'dedupe' | 'retries'> & { settle: true },
  ): Promise<TaskOutcome<any>[]>;
  map(
    name: keyof F & string,
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    options?: Omit<RunOptions, 'cache' | 'dedupe' | 'retries'> & { settle?: false | undefined },
  ): Promise<any[]>;
  /** The same functions with these options for their calls. */
  with(options: RunOptions): Light<F>;
  /** Waits for the calls that run, and lets the functions go. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** The methods of every function of a proxy. */
export interface ProxyMethodExtras<Self, Parameters extends readonly unknown[] = any[], Result = any> {
  /** The same method with these options for its tasks: `api.render.with({ signal })(page)`. */
  with(options: ScriptRunOptions & Pick<IterateOptions, 'highWaterMark'>): Self;
  /** The parts of the result, as {@link WorkerPool.iterate} gives them: `api.rows.iterate(query)`. */
  iterate(...input: Parameters): TaskParts<PartOf<Result>, ReturnedAfter<Result>>;
}

/** A method of a proxy: it has the parameters of the script's function, and a promise of its result. */
export interface ProxyMethod<Parameters extends readonly unknown[] = any[], Result = any>
  extends ProxyMethodExtras<ProxyMethod<Parameters, Result>, Parameters, Result> {
  (...input: Parameters): Promise<Awaited<Result>>;
}

/** A method of a proxy whose result comes in parts only. */
export interface IteratedProxyMethod<Parameters extends readonly unknown[], Result>
  extends ProxyMethodExtras<IteratedProxyMethod<Parameters, Result>, Parameters, Result> {}

/** Results that cannot be given as one. */
type InParts = Generator<any, any, any> | AsyncGenerator<any, any, any> | ReadableStream<any>;

/** What becomes of a function in a proxy. One that returns a promise keeps its own signatures, type parameters too. */
export type ProxiedFunction<Function> = 0 extends 1 & Function
  ? ProxyMethod
  : Function extends (...input: infer Parameters) => infer Result
    ? 0 extends 1 & Result
      ? ProxyMethod<Parameters, Result>
      : Awaited<Result> extends InParts
        ? IteratedProxyMethod<Parameters, Result>
        : Result extends Promise<any>
          ? Function & ProxyMethodExtras<Function & ProxyMethodExtras<Function, Parameters, Result>, Parameters, Result>
          : ProxyMethod<Parameters, Result>
    : never;

/** A native task as a method of a proxy. */
export interface NativeProxyMethod<Name extends TaskName> {
  <const Input extends TaskMap[Name]['input']>(
    ...input: undefined extends TaskMap[Name]['input'] ? [input?: Input] : [input: Input]
  ): Promise<TaskOutput<Name, Input>>;
  /** The same method with these options for its tasks. */
  with(options: RunOptions): NativeProxyMethod<Name>;
}

/** The native tasks as methods. */
export type NativeProxy = { readonly [Name in TaskName]: NativeProxyMethod<Name> };

/** The functions of a script as methods; its default export also as the proxy itself. */
type ScriptProxy<Functions> = {
  readonly [Name in FunctionName<Functions>]: ProxiedFunction<Functions[Name]>;
} & (Functions extends { default: infer Default extends (...input: any[]) => unknown }
  ? ProxiedCall<Default>
  : Functions extends (...input: any[]) => unknown
    ? ProxiedCall<Functions>
    : unknown);

/** The call of a proxied function, without its properties. */
type ProxiedCall<Function extends (...input: any[]) => unknown> = (
  ...input: Parameters<Function>
) => Promise<Awaited<ReturnType<Function>>>;

/** What every proxy has. */
interface ProxyExtras<Functions> {
  /** The same proxy with these options for its tasks, besides those it has: `api.with({ signal }).render(page)`. */
  with(options: ScriptRunOptions): PoolProxy<Functions>;
}

/** What `proxy()` of a pool with these functions returns. */
export type PoolProxy<Functions = any> = ProxyExtras<Functions> &
  (unknown extends Functions
    ? { readonly [name: string]: ProxyMethod } & ((...input: any[]) => Promise<any>)
    : ScriptProxy<Functions> & Omit<NativeProxy, keyof Functions>);

/**
 * A pool of Rust threads that run native tasks, and of workers that run a script, if it was given one.
 *
 * An idle pool does not keep the process alive; a task under way does, unless `unref()` was called.
 *
 * @typeParam Functions what the script exports: `typeof import('./task-worker.js')`. By default it is not known: `run` takes
 *   any name. Of `new WorkerPool()` it is {@link NoFunctions}: a name must be that of a native task.
 *
 * @example
 * const pool = new WorkerPool({ maxThreads: 4 });
 * const digest = await pool.run('sha256', await readFile('big.bin'));
 * await pool.close();
 *
 * @group Classes
 */
export interface WorkerPool<Functions = any> extends EventEmitter {
  /**
   * Runs a task: a function that the script exports, or a native task. The type of the output is that of the native task,
   * or of the function where the pool knows what its script exports; else `any`, or `Output` in `run<Output>(name, input)`.
   *
   * Where a script exports the name of a native task, this is the script's: `native:<name>` is the native task in every pool.
   * Where the types do not know of it, `run<Output>` takes any input.
   *
   * Rejects with an error of {@link errors}: UnknownTaskError, InvalidInputError or OutOfRangeError (the
   * input does not fit), UnsupportedValueError, CyclicValueError, ValueTooDeepError or ValueTooLargeError (it
   * cannot cross), QueueFullError, PoolClosedError, ThreadSpawnError, TaskCancelledError, TaskTimeoutError, DeadlineError,
   * TaskPanickedError or TaskFailedError; of a script's function as {@link runTask}.
   */
  // `const`: literals such as `list: true` decide the type of the output.
  run<
    Output = Inferred,
    const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>,
    const Input extends TaskInput<Name, Functions> = TaskInput<Name, Functions>,
  >(
    task: Name,
    input: Input,
    options?: TaskOptions<Name, Functions>,
  ): Promise<TaskResult<Output, Name, Input, Functions>>;

  /** Runs a task that needs no input. */
  run<Output = Inferred, const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>>(
    task: TaskWithoutInput<Name, Functions>,
  ): Promise<TaskResult<Output, Name, undefined, Functions>>;

  /** The outputs that were kept for tasks with the option `cache`. */
  readonly cache: PoolCache;

  /**
   * Blocks this thread until the task is answered, and returns its output. Throws what {@link run} would reject with. Nothing of
   * the program's runs meanwhile; `timeout` and `deadline` hold all the same. A WorkerExitedError has no `exitCode` here.
   */
  runSync<
    Output = Inferred,
    const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>,
    const Input extends TaskInput<Name, Functions> = TaskInput<Name, Functions>,
  >(
    task: Name,
    input: Input,
    options?: BlockingOptions<TaskOptions<Name, Functions>>,
  ): TaskResult<Output, Name, Input, Functions>;

  /** Blocks this thread until a task that needs no input is answered. */
  runSync<Output = Inferred, const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>>(
    task: TaskWithoutInput<Name, Functions>,
  ): TaskResult<Output, Name, undefined, Functions>;

  /**
   * Runs one task of the script: its default export (or `module.exports`) when that is a function, else a 'message' on
   * its `parentPort`, which it answers by one `postMessage`; with `name`, the function it exports by that name.
   *
   * The input and the output are cloned as `structuredClone` does. Rejects with what the script throws, whole; a
   * DataCloneError; or an error of {@link errors}: ScriptLoadError, WorkerExitedError, WorkerOutOfMemoryError,
   * WorkerTerminatedError, UnknownTaskError, QueueFullError, PoolClosedError, TaskCancelledError, TaskTimeoutError,
   * DeadlineError.
   */
  runTask<Output = any>(input?: unknown, options?: ScriptRunOptions): Promise<Output>;

  /**
   * Runs one task over many inputs, in few crossings. The results come in the order of the inputs; the first
   * error rejects the whole and cancels the rest. An array counts as it is at the call. A pool that closes finishes a map
   * over an array.
   *
   * An async iterable is read only as fast as the pool finishes its inputs: a full queue refuses none of them, each input
   * transfers the objects of `transfer` that it holds, and `timeout` is that of the whole call. Whatever ends it early (an
   * error, the signal, the time limit, `destroy()`) does so at once, however quiet the source is, and calls the source's
   * `return()`; a pool that closes finishes what has come so far first, and rejects with PoolClosedError unless the source
   * has ended.
   *
   * The type of the outputs is as for {@link run}. With `settle: true` there is an outcome for each input, and one that fails
   * ends nothing.
   */
  map<
    Output = Inferred,
    const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>,
    const Input extends TaskInput<Name, Functions> = TaskInput<Name, Functions>,
  >(
    task: Name,
    inputs: readonly Input[] | Iterable<Input> | AsyncIterable<Input>,
    options: MapOptions<Name, Functions> & { settle: true },
  ): Promise<TaskOutcome<TaskResult<Output, Name, Input, Functions>>[]>;
  map<
    Output = Inferred,
    const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>,
    const Input extends TaskInput<Name, Functions> = TaskInput<Name, Functions>,
  >(
    task: Name,
    // An array is an Iterable; named too, an element that does not fit takes the compiler one line to explain.
    inputs: readonly Input[] | Iterable<Input> | AsyncIterable<Input>,
    options?: MapOptions<Name, Functions> & { settle?: false | undefined },
  ): Promise<TaskResult<Output, Name, Input, Functions>[]>;

  /**
   * Runs a function of this file in a worker: its source is sent there, once. A pool without a script starts workers for it.
   *
   * It has no variables from outside but globals, and those that `capture` names: others are refused by their names, before anything
   * runs. `import()` and `require` are relative to its file, and the stacks of its errors name its lines.
   *
   * With a name in the place of a function, `exec(name, args)` is `run(name, args, { spread: true })`.
   *
   * Rejects as {@link run} does; with InvalidArgValueError for a function that cannot run there (its `variables` are the names).
   *
   * @example
   * const sum = await pool.exec((a, b) => a + b, [1, 2]);
   */
  exec<Result>(fn: () => Result, args?: readonly [], options?: ExecOptions): Promise<Awaited<Result>>;
  exec<const Arguments extends readonly unknown[], Result>(
    fn: (...args: Arguments) => Result,
    args: Arguments,
    options?: ExecOptions,
  ): Promise<Awaited<Result>>;
  exec<Arguments extends unknown[] | [], Result>(
    fn: (...args: Arguments) => Result,
    args: Arguments,
    options?: ExecOptions,
  ): Promise<Awaited<Result>>;
  exec<Output = any>(name: TaskNameIn<Functions>, args?: readonly unknown[], options?: ScriptRunOptions): Promise<Output>;

  /**
   * The parts of a result that a function of the script gives one after the other: what a generator, an async generator, a
   * ReadableStream, or anything that can be iterated yields; then `next()` has what the generator returns.
   *
   * Nothing begins before the first part is asked for. The worker gives at most `highWaterMark` parts ahead of those. Leaving the
   * loop early stops the task as an abort does: the generator's `finally` runs, and the loop is over when it has ended.
   *
   * Rejects as {@link run} does: with an error of the function after the parts before it. Native tasks give their result as one: a name
   * that only they have is refused, with an InvalidArgValueError.
   *
   * @throws InvalidArgTypeError, InvalidArgValueError, OutOfRangeError, UnknownTaskError
   *
   * @example
   * for await (const row of pool.iterate('rows', query)) console.log(row);
   */
  iterate<
    Part = Inferred,
    const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>,
    const Input extends TaskInput<Name, Functions> = TaskInput<Name, Functions>,
  >(task: Name, input?: Input, options?: IterateOptions): TaskPartsOf<Part, Name, Functions>;

  /** The same of a function in the place of a script's: see {@link exec}. */
  iterate<Arguments extends unknown[] | [], Result>(
    fn: (...args: Arguments) => Result,
    args: Arguments,
    options?: ExecOptions & { highWaterMark?: number | undefined },
  ): TaskParts<PartOf<Result>, ReturnedAfter<Result>>;

  /**
   * Loads a pack, a library with native tasks of one's own, and gives this pool the names of its tasks: `run`, `map` and all other calls
   * take them as they take the built-in ones. A library is loaded once in a process, and stays; using it again changes nothing. Names
   * are those of this object alone, also of a pool that others have open. Loading it runs its code in this process: trust it as you
   * trust an addon.
   *
   * For types, declare its tasks: `declare module 'rust-workers' { interface TaskMap { double: { input: number; output: number } } }`.
   *
   * @param pack the path of the library, from the working directory; its file: URL; or an object of a package that has one
   * @returns the pool
   * @throws PackLoadError, PackVersionError, TaskExistsError, PoolClosedError, InvalidArgTypeError, InvalidArgValueError
   */
  use(pack: string | URL | NativePack): this;

  /**
   * Functions that run in an interpreter on the pool's threads, with limits on memory, stack and time: for rules, templates, formulas
   * and code of users. Each call begins in a world of its own, whatever the call before has changed. docs/light.md.
   *
   * @param functions by name, the source of each, or a function of which the source is taken; they see each other
   * @param options limits, and what the code may use
   * @throws InvalidArgTypeError, InvalidArgValueError, OutOfRangeError, BindingNotFoundError, PoolClosedError. What is wrong with a source
   *   rejects `ready`, and each call, with a LightSourceError
   */
  light<F extends LightFunctions>(functions: F, options?: LightOptions): Light<F>;

  /**
   * The pool for other native addons in the process: an External, which they take by `rw_engine_from` of
   * `include/rust_workers_napi.h`. They submit native tasks, or C functions of their own, to the same threads and the same queue:
   * these count in `stats()`, `close()` waits for them, and `destroy()` ends them. They do not keep the event loop alive. The
   * engine does not keep the pool open: one that is closed or forgotten takes nothing more. It is the same object each time.
   * See docs/shared-engine.md.
   *
   * @throws PoolClosedError; InvalidArgValueError for a pool with `deterministic`
   */
  readonly engine: object;

  /**
   * An object with a method for each function that the pool can run: `await api.render(page)` is `await run('render', page)`.
   * With several arguments the script's function gets them all. A call of the proxy itself runs the default export.
   *
   * `pool.proxy<typeof import('./worker.js')>()` has the parameters and results of the script's functions; without it, those
   * that the pool knows. It is no promise, so it can be returned from an async function; a function named `then` is not in it.
   *
   * @param options of each task
   */
  proxy<Script = Functions>(options?: ScriptRunOptions): PoolProxy<Script>;

  /**
   * The outputs of one task over a source, as `for await` asks for them. The source, an iterable, an async iterable, a Readable or a
   * ReadableStream, is read as far ahead as `concurrency` and `highWaterMark` allow, and no further.
   *
   * Where an input fails, the stream ends after the outputs before it with an InputFailedError: it has the `index`, and the task's
   * error as its `cause`. Leaving the loop early cancels what is under way and closes the source. `timeout` counts for each task.
   *
   * @throws InvalidArgTypeError, InvalidArgValueError, OutOfRangeError, UnknownTaskError
   */
  stream<
    Output = Inferred,
    const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>,
    const Input extends TaskInput<Name, Functions> = TaskInput<Name, Functions>,
  >(
    task: Name,
    source: TaskSource<Input>,
    options: TaskStreamOptions<Name, Input, Functions> & { settle: true },
  ): TaskStream<TaskOutcome<TaskResult<Output, Name, Input, Functions>>>;
  stream<
    Output = Inferred,
    const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>,
    const Input extends TaskInput<Name, Functions> = TaskInput<Name, Functions>,
  >(
    task: Name,
    source: TaskSource<Input>,
    options?: TaskStreamOptions<Name, Input, Functions> & { settle?: false | undefined },
  ): TaskStream<TaskResult<Output, Name, Input, Functions>>;

  /**
   * Tasks that begin and end together: none outlives the scope, and the first failure (or the first success, by `join`) cancels the
   * others, also inside synchronous loops. With a block, a promise of what the block returns, once everything has ended; what the block
   * throws cancels all.
   *
   * @example
   * const [page, image] = await pool.scope({ deadline: 500 }, (scope) =>
   *   Promise.all([scope.run('render', text), scope.run('resize', picture)]));
   */
  scope(options?: ScopeOptions): Scope<Functions>;
  scope<Result>(options: ScopeOptions | undefined, block: (scope: Scope<Functions>) => Result): Promise<Awaited<Result>>;
  scope<Result>(block: (scope: Scope<Functions>) => Result): Promise<Awaited<Result>>;

  /**
   * Runs one task over many inputs of which only the number comes back: results are dropped where the task ran. Inputs of a script's
   * function cross in chunks, so that a tiny one costs no crossing of its own; an input that fails rejects with an
   * InputFailedError, and cancels the rest. The source is as for {@link map}.
   */
  forEach<
    const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>,
    const Input extends TaskInput<Name, Functions> = TaskInput<Name, Functions>,
  >(
    task: Name,
    inputs: readonly Input[] | Iterable<Input> | AsyncIterable<Input>,
    options?: ManyInputsOptions<Name, Functions>,
  ): Promise<number>;

  /**
   * Reduces many values by a function `(accumulator, value, index)` of the script, in one worker and one crossing. Without an initial
   * value the first value is the accumulator to begin with. With `associative`, several workers reduce parts of the values, and one of
   * them combines the results in their order.
   *
   * Rejects with an InputFailedError where a value fails, with ERR_RW_INVALID_ARG_VALUE for a native task, which takes one input,
   * or where there is neither a value nor an initial one.
   */
  reduce<
    Accumulator = Inferred,
    const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>,
    Value = unknown,
  >(
    task: Name,
    inputs: readonly Value[] | Iterable<Value> | AsyncIterable<Value>,
    initial?: unknown,
    options?: ManyInputsOptions<Name, Functions> & {
      /** Whether parts may be combined: `f(f(a, b), c)` equals `f(a, f(b, c))`. @default false */
      associative?: boolean | undefined;
    },
  ): Promise<TaskResult<Accumulator, Name, Value, Functions>>;

  /**
   * The same as a Transform of Node's: chunks in, outputs out, in object mode unless it is told otherwise. It fails with an
   * InputFailedError, or where a task returns null, which ends a stream of Node's. `Transform.toWeb` makes web streams of it.
   *
   * @example
   * await pipeline(createReadStream('big.bin'), pool.transform('blake3'), digests);
   *
   * @throws InvalidArgTypeError, InvalidArgValueError, OutOfRangeError, UnknownTaskError
   */
  transform<const Name extends TaskNameIn<Functions> = TaskNameIn<Functions>>(
    task: Name,
    options?: TaskTransformOptions<Name, Functions>,
  ): Transform;

  /**
   * Takes no more tasks, and resolves when all that were accepted are done and the threads have ended.
   *
   * With `force`, tasks that have not started are rejected with ERR_RW_POOL_CLOSED, and running tasks are stopped. With
   * `timeout` that happens after so many milliseconds. With `cancelQueued`, only the tasks that have not started are rejected, and those
   * that run are finished. May be called again, to force a close that was graceful.
   */
  close(options?: {
    /** @default false */ force?: boolean | undefined;
    /** @default false */ cancelQueued?: boolean | undefined;
    /** Milliseconds. @default none */ timeout?: number | undefined;
  }): Promise<void>;

  /**
   * Runs a function of the script once on every worker that is there, before the tasks that wait. Resolves with their outputs in order of
   * the workers' ids; rejects with a BroadcastError (ERR_RW_BROADCAST) that names the workers on which it failed. Each worker that starts
   * later runs it too, before its first task: see `later`.
   */
  broadcast<Output = any>(task: string, input?: unknown, options?: BroadcastOptions): Promise<Output[]>;

  /** Sends a copy of the value to all workers of the script: 'message' on the `parentPort` of each. Returns how many they are. */
  postMessage(value: unknown): number;

  /**
   * Rejects all tasks that have not started with an AbortError (ERR_RW_TASK_CANCELLED); those that run go on. A `map` of which inputs
   * wait is rejected as a whole. Returns how many tasks that were, a map being one.
   */
  cancelQueued(): number;

  /**
   * Replaces the worker of this id (see {@link workers}), or all of them, once the tasks that they run are done. Resolves when they have
   * ended; new ones start as the pool needs them.
   */
  recycle(id?: number): Promise<void>;

  /**
   * Another number of threads from now on, of native ones and of script workers; what is not given stays as it is. Where there are
   * more, waiting tasks get them. Where there are fewer, idle threads end at once and the others after the tasks that they run; no
   * task is lost. `options` and `stats()` tell the new numbers.
   *
   * Throws an ERR_RW_OUT_OF_RANGE when `minThreads` would be above `maxThreads`, and an ERR_RW_POOL_CLOSED after `close()`.
   */
  resize(options: {
    /** Threads kept even when idle, 0 to `maxThreads`. */ minThreads?: number | undefined;
    /** The most there may be, 1 to 1024. */ maxThreads?: number | undefined;
  }): void;

  /** The same as `close({ force: true })`. */
  destroy(): Promise<void>;

  /** `await using pool = new WorkerPool()` closes the pool at the end of the block, as `close()` does. */
  [Symbol.asyncDispose](): Promise<void>;

  /** Lets tasks under way keep the process alive again, after `unref()`. */
  ref(): this;

  /** Lets the process end even while tasks are under way. */
  unref(): this;

  /**
   * A snapshot of all counters; with `tasks` also the times of tasks.
   *
   * @throws {errors.InvalidArgTypeError | errors.InvalidArgValueError} for options that cannot be
   */
  stats(): PoolStats;
  stats(options: StatsOptions & { tasks: true }): PoolStats & PoolTimes;
  stats(options: StatsOptions): PoolStats & Partial<PoolTimes>;

  /**
   * Records from now on what each thread runs, until the trace is stopped or saved, or the pool closes.
   *
   * @throws {errors.PoolClosedError} when the pool is closed
   * @throws {errors.InvalidArgTypeError | errors.InvalidArgValueError | errors.OutOfRangeError} for options that cannot be
   */
  trace(options?: TraceOptions): PoolTrace;

  /**
   * Opens a page that shows this pool while it works: on this machine alone, unless it is told otherwise. Closes with the pool, and
   * does not keep the process alive. Rejects with Node's error where it cannot listen.
   *
   * @throws {errors.PoolClosedError} when the pool is closed
   * @throws {errors.InvalidArgTypeError | errors.InvalidArgValueError | errors.OutOfRangeError} for options that cannot be
   */
  monitor(options?: MonitorOptions): Promise<PoolMonitor>;

  /**
   * Profiles the CPU of all workers of the pool, and of this thread, for so many milliseconds. Workers that end meanwhile are left out.
   *
   * Rejects with an UnsupportedRuntimeError where Node has no `worker.startCpuProfile` and this is not the main thread.
   *
   * @example
   * await (await pool.profile(1000)).save('pool.cpuprofile');
   */
  profile(
    milliseconds: number,
    options?: {
      /** Whether this thread is profiled too. @default true */
      thisThread?: boolean | undefined;
      /** Ends it early, with an AbortError. */
      signal?: AbortSignal | undefined;
    },
  ): Promise<PoolProfile>;

  /** Threads that live. */
  readonly threads: number;
  /**
   * Resolves once the workers that the pool keeps (`minThreads`; one, which is started, where it keeps none) have loaded the script
   * and set it up; rejects with ERR_RW_SCRIPT_LOAD where one cannot, and with ERR_RW_POOL_CLOSED where the pool closes before. Resolved in
   * a pool without a script.
   */
  readonly ready: Promise<void>;
  /** Tasks that wait for a thread; a `map` that goes in one crossing counts as one. */
  readonly queueSize: number;
  /** Tasks that returned a value, ever. */
  readonly completed: number;
  /** The part of its threads' time, from 0 to 1, that the pool has worked since it was made: see {@link PoolStats}. */
  readonly utilization: number;
  /** The script's workers as they are now, in order of their ids. Empty in a pool without a script. */
  readonly workers: PoolWorkerInfo[];
  /** Whether the queue is full, or has been and is not yet half empty again. Without `maxQueue`: whether any task waits. */
  readonly needsDrain: boolean;
  /** Whether `close()` or `destroy()` has been called. */
  readonly closed: boolean;
  /** The options as they stand, defaults filled in. */
  readonly options: 0 extends 1 & Functions
    ? PoolSettings & Partial<ScriptPoolSettings>
    : [NoFunctions, Functions] extends [Functions, NoFunctions]
      ? PoolSettings
      : ScriptPoolSettings;

  on<Event extends keyof WorkerPoolEvents>(event: Event, listener: WorkerPoolListener<Event>): this;
  once<Event extends keyof WorkerPoolEvents>(event: Event, listener: WorkerPoolListener<Event>): this;
  off<Event extends keyof WorkerPoolEvents>(event: Event, listener: WorkerPoolListener<Event>): this;
  addListener<Event extends keyof WorkerPoolEvents>(event: Event, listener: WorkerPoolListener<Event>): this;
  removeListener<Event extends keyof WorkerPoolEvents>(event: Event, listener: WorkerPoolListener<Event>): this;
  prependListener<Event extends keyof WorkerPoolEvents>(event: Event, listener: WorkerPoolListener<Event>): this;
  prependOnceListener<Event extends keyof WorkerPoolEvents>(event: Event, listener: WorkerPoolListener<Event>): this;
  emit<Event extends keyof WorkerPoolEvents>(event: Event, ...args: WorkerPoolEvents[Event]): boolean;
}

/**
 * Makes pools, and is the class of them.
 *
 * @group Classes
 */
export const WorkerPool: {
  /**
   * A pool of native threads.
   *
   * @throws {errors.InvalidArgTypeError | errors.OutOfRangeError} for an option that cannot be
   * @throws {errors.BindingNotFoundError} when no addon could be loaded
   */
  new (options?: WorkerPoolOptions): WorkerPool<NoFunctions>;

  /**
   * A pool of JavaScript workers, each running `script`, beside the native threads; one queue for both.
   *
   * A path is looked for from the working directory, then from the calling file. With a number, so many workers are
   * started at once and kept. A file that is the script and makes the pool too asks `isMainThread` first.
   *
   * With `new WorkerPool<typeof import('./task-worker.js')>('./task-worker.js')`, `run` knows the names, inputs and outputs of
   * the script's functions.
   *
   * @example
   * const pool = new WorkerPool('./task-worker.js', 4);
   * const result = await pool.runTask({ number: 1 });
   */
  new <Functions>(script: string | URL, size?: number | ScriptPoolOptions): WorkerPool<Functions>;

  /**
   * Opens the pool of native threads of this name, for this thread: one queue and one set of threads for all JavaScript threads of the
   * process that open the name. The first one's options make the pool; those of the others must agree with them or be absent, else it
   * is an ERR_RW_INVALID_ARG_VALUE that names the difference. `name` is the threads' name too, unless the options say another.
   *
   * Each call gives an object of its own, whose tasks, events and `close()` are its own: `close()` waits for its own tasks,
   * `destroy()` ends them, and the pool closes when the last object closes, is forgotten, or its thread ends. `stats()`, `options` and
   * `resize()` are those of the pool.
   */
  open(name: string, options?: WorkerPoolOptions): WorkerPool;

  readonly prototype: WorkerPool;
};

// ── SharedBuffer ───────────────────────────────────────────────────────────────────────────────────────────

/** The element types of {@link SharedBuffer.as}, and the typed array of each. */
export interface ElementTypes {
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  bigInt64: BigInt64Array;
  bigUint64: BigUint64Array;
  float32: Float32Array;
  float64: Float64Array;
}

/** The name of an element type. */
export type ElementType = keyof ElementTypes;

/** The type of an element in JavaScript. */
export type ElementOf<T extends ElementType> = T extends 'bigInt64' | 'bigUint64' ? bigint : number;

/**
 * Operations on elements of shared memory, with the meanings, coercions and errors of `Atomics`: a TypeError for
 * elements that an operation does not exist for, a RangeError for an index outside. At the speed of `Atomics` itself.
 */
interface AtomicOperations<V> {
  load(index: number): V;
  /** Gives `value` as it was coerced. */
  store(index: number, value: V): V;
  /** Adds, wrapping; returns the value before, as do the five that follow. */
  add(index: number, value: V): V;
  sub(index: number, value: V): V;
  and(index: number, value: V): V;
  or(index: number, value: V): V;
  xor(index: number, value: V): V;
  exchange(index: number, value: V): V;
  /** Stores `replacement` if the element is `expected`; returns the value before in either case. */
  compareExchange(index: number, expected: V, replacement: V): V;
  /** Whether operations on elements of so many bytes take no lock. @default the size of these elements */
  isLockFree(size?: number): boolean;
  /**
   * Blocks this thread, the main one too, while the element holds `value`, until it is notified. Meets native tasks and
   * all waiters of this method, `waitAsync` or `rustAtomics`; plain `Atomics.wait` has a list of its own, which `notify`
   * reaches too. Woken in the order of arrival. A blocked thread can be terminated within 100 ms. Int32 and BigInt64
   * elements only.
   *
   * @param timeout milliseconds; NaN is no limit, below zero is 0. Default: no limit
   */
  wait(index: number, value: V, timeout?: number): 'ok' | 'not-equal' | 'timed-out';
  /** The same without blocking. Unlike `Atomics.waitAsync`, it keeps the event loop alive until it is settled. */
  waitAsync(index: number, value: V, timeout?: number): Promise<'ok' | 'not-equal' | 'timed-out'>;
  /**
   * Wakes up to `count`: first, in their order, threads, promises and native tasks that wait by this package, then those
   * in plain `Atomics.wait`. Gives how many. @default Infinity
   */
  notify(index: number, count?: number): number;
}

/** Elements of one type on shared memory. Made by {@link SharedBuffer.as}. Floats have `load` and `store` only. */
export interface AtomicView<T extends ElementType = any> extends AtomicOperations<ElementOf<T>> {
  readonly type: T;
  readonly array: ElementTypes[T];
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly length: number;
}

/**
 * Memory for JavaScript threads and native tasks alike: a real SharedArrayBuffer with the methods of `Atomics` for its
 * Int32 elements. It can be sent in messages of this package's `Worker`, `parentPort` and ports, and in plain ones by its
 * `buffer`. Made again in another thread from the same SharedArrayBuffer it is the same memory, and waiters meet.
 */
export class SharedBuffer implements AtomicOperations<number> {
  /**
   * @param byteLength bytes, all zero
   * @param options.maxByteLength how far it may `grow`, in bytes
   * @throws ERR_RW_INVALID_ARG_TYPE, ERR_RW_OUT_OF_RANGE
   */
  constructor(byteLength: number, options?: { maxByteLength?: number | undefined });
  /** The whole buffer under a view, or a SharedArrayBuffer itself. @throws ERR_RW_INVALID_ARG_TYPE */
  static from(source: SharedArrayBuffer | NodeJS.ArrayBufferView | SharedBuffer | AtomicView): SharedBuffer;
  readonly buffer: SharedArrayBuffer;
  readonly byteLength: number;
  readonly maxByteLength: number;
  readonly growable: boolean;
  /** @param byteLength the new length, not below the present one. @throws ERR_RW_OUT_OF_RANGE, ERR_RW_INVALID_ARG_VALUE */
  grow(byteLength: number): this;
  /**
   * A view of elements of another type.
   *
   * @param byteOffset a multiple of the element's size. Default 0
   * @param length in elements. Default: to the end, growing with a growable buffer
   * @throws ERR_RW_INVALID_ARG_VALUE for an unknown type, ERR_RW_OUT_OF_RANGE
   */
  as<T extends ElementType>(type: T, byteOffset?: number, length?: number): AtomicView<T>;
  load(index: number): number;
  store(index: number, value: number): number;
  add(index: number, value: number): number;
  sub(index: number, value: number): number;
  and(index: number, value: number): number;
  or(index: number, value: number): number;
  xor(index: number, value: number): number;
  exchange(index: number, value: number): number;
  compareExchange(index: number, expected: number, replacement: number): number;
  isLockFree(size?: number): boolean;
  wait(index: number, value: number, timeout?: number): 'ok' | 'not-equal' | 'timed-out';
  waitAsync(index: number, value: number, timeout?: number): Promise<'ok' | 'not-equal' | 'timed-out'>;
  notify(index: number, count?: number): number;
}

// ── Shared values ──────────────────────────────────────────────────────────────────────────────────────────

/**
 * A part of a {@link SharedValue} as a thread sees it: objects and arrays that read each property where it stands, and to
 * which nothing can be written (TypeError in strict code); typed arrays over shared memory; an ArrayBuffer as a Uint8Array
 * over it. A Date is made anew each time.
 */
export type Shared<T> =
  T extends string | number | boolean | bigint | null | undefined | Date ? T
  : T extends ArrayBuffer ? Uint8Array
  : T extends NodeJS.ArrayBufferView ? T
  : { readonly [K in keyof T]: Shared<T[K]> };

/**
 * The handle of a value that stands once in memory, however many threads have a handle of it. Made by {@link share}.
 *
 * It can be sent wherever objects of this package can: in the inputs, results and reports of script tasks, in messages of
 * this package's ports, `Worker` and `parentPort`, in `workerData`, in environment data, and in plain messages by
 * {@link carry}. What arrives is another handle of the same memory. The memory is released when the last handle, message,
 * and part of the value is gone; a thread that ends lets go of all of its own.
 */
export class SharedValue<T = unknown> {
  private constructor();
  /**
   * The value, read part by part as it is asked for. Each object and array in it is one object in this thread, however
   * often and on whichever way it is reached. A text of 8,192 units and more is a string over the memory itself.
   */
  readonly value: Shared<T>;
  /** The bytes of memory that all handles have together. */
  readonly byteLength: number;
  /** A plain copy that is this thread's own: what `structuredClone` made of the original. */
  copy(): T;
  /** For `JSON.stringify`: the value. */
  toJSON(): Shared<T>;
  /** A plain copy of an object or array in a value. @throws ERR_RW_INVALID_ARG_TYPE for any other object */
  static copyOf<V extends object>(view: V): Unshared<V>;
}

/** What {@link SharedValue.copyOf} makes of a part of a value. */
export type Unshared<V> =
  V extends string | number | boolean | bigint | null | undefined | Date | NodeJS.ArrayBufferView ? V
  : V extends object ? { -readonly [K in keyof V]: Unshared<V[K]> } : V;

/**
 * Writes a value once to memory that every thread can read: strings, numbers, booleans, bigints, null, undefined, plain
 * objects, arrays, Dates, ArrayBuffers and typed arrays, nested, with cycles. It is read as `structuredClone` reads it, each
 * getter once and in its turn, and does not change afterwards. Only bytes could be written to, since JavaScript has no
 * read-only typed arrays: do not.
 *
 * @throws ERR_RW_UNSUPPORTED_VALUE for anything else, with the path to it: functions, symbols, Proxies, instances of classes
 *   (Map, Set and Error too), arrays with named properties
 * @throws ERR_RW_VALUE_TOO_DEEP, ERR_RW_VALUE_TOO_LARGE
 */
export function share<T>(value: T): SharedValue<T>;

/**
 * `Atomics` implemented in Rust, every function with its signature, coercions, results and errors, on shared and plain
 * typed arrays. Its `wait`, `waitAsync` and `notify` are those of {@link SharedBuffer}. For plain operations `Atomics`
 * itself is some ten times as fast.
 */
export const rustAtomics: Omit<typeof Atomics, 'waitAsync' | 'pause'> & {
  waitAsync(
    typedArray: Int32Array | BigInt64Array,
    index: number,
    value: number | bigint,
    timeout?: number,
  ):
    | { async: false; value: 'not-equal' | 'timed-out' }
    | { async: true; value: Promise<'ok' | 'timed-out'> };
  pause(iterationNumber?: number): void;
};

// ── Inside a task of a script ──────────────────────────────────────────────────────────────────────────────

/** The options of such a task: those that the owner of the pool would have to serve for another thread are not among them. */
export type TaskPoolOptions = Omit<ScriptRunOptions, 'cache' | 'dedupe' | 'onOutput' | 'retries'>;

/** The pool of a running task: see {@link task}. Its owner submits the tasks and sends back what becomes of them. */
export interface TaskPool {
  /** Runs a function of the script, or a native task. */
  run<Output = any>(task: string, input?: unknown, options?: TaskPoolOptions): Promise<Output>;
  /**
   * Blocks the worker's thread until the task is answered. Native tasks run on other threads; a function of the script runs on another
   * worker. @throws {errors.DeadlockError} at once, where it never could
   */
  runSync<Output = any>(task: string, input?: unknown, options?: BlockingOptions<TaskPoolOptions>): Output;
  /** Runs the script's default export. */
  runTask<Output = any>(input?: unknown, options?: TaskPoolOptions): Promise<Output>;
  /** Runs a task over inputs; the first error rejects the whole and cancels the rest. */
  map<Output = any>(task: string, inputs: Iterable<unknown>, options?: TaskPoolOptions): Promise<Output[]>;
  /** As {@link WorkerPool.scope}, with these methods. */
  scope(options?: ScopeOptions): TaskScope;
  scope<Result>(options: ScopeOptions | undefined, block: (scope: TaskScope) => Result): Promise<Awaited<Result>>;
  scope<Result>(block: (scope: TaskScope) => Result): Promise<Awaited<Result>>;
}

/** A scope of {@link TaskPool}. */
export interface TaskScope extends TaskPool, Pick<Scope, 'signal' | 'closed' | 'cancel' | 'close' | typeof Symbol.asyncDispose> {}

/** A task of a script pool, for its own code. Outside of a task, it is never cancelled and reports to nobody. */
export const task: {
  /** Aborts when the task should stop; `reason` is the error that says why. Undefined outside a task. */
  readonly signal: AbortSignal | undefined;
  /** Whether the task should stop. Becomes true at once, also inside a synchronous loop. */
  readonly cancelled: boolean;
  /** @throws {errors.TaskCancelledError | errors.TaskTimeoutError | errors.DeadlineError | errors.PoolClosedError} if it should stop */
  throwIfCancelled(): void;
  /**
   * The pool of the task, for tasks of its own: awaiting them takes none of its worker's capacity, so a pool of any size goes on. They
   * are stopped with it. Undefined outside a script pool, and while the script is loaded.
   */
  readonly pool: TaskPool | undefined;
  /**
   * When the task must have ended; undefined where it has no deadline. Tasks that it submits have it too, and its priority, unless
   * they have an earlier one, or a priority of their own.
   */
  readonly deadline: Date | undefined;
  /** Gives a copy of `value` to the caller's `onProgress`. */
  progress(value: unknown): void;
  /** The worker's number in its pool, from 0. Undefined outside a script pool. */
  readonly workerId: number | undefined;
};

/**
 * Wraps the result of a task, so that it is moved to the caller instead of copied.
 *
 * @param list the objects to transfer. @default 'auto': every ArrayBuffer and MessagePort in the value, at any depth, but
 *   for what Node cannot move, which is copied
 */
export function move<T>(value: T, list?: readonly NodeTransferable[] | 'auto'): T;

// ── Locks in shared memory ─────────────────────────────────────────────────────────────────────────────────

/**
 * Where a lock stands: a SharedArrayBuffer, or what has one as its `buffer` (a view, a SharedBuffer, a lock, or what
 * arrived when a lock was posted to another thread).
 */
export type LockSource =
  | SharedArrayBuffer
  | { readonly buffer: SharedArrayBuffer | ArrayBufferLike; readonly byteOffset?: number | undefined };

/** How long a blocking form may wait. */
export interface LockSyncOptions {
  /** Milliseconds, 0 to 2^31 - 1, or Infinity. @default Infinity */
  timeout?: number | undefined;
}

/** How long an asynchronous form may wait. A lock that is granted in the same moment wins. */
export interface LockOptions extends LockSyncOptions {
  /** Ends the wait: the promise rejects with LockAbortedError, whose `cause` is the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * The right to release an acquired lock, once. `using guard = await mutex.lock()` releases it at the end
 * of the block. A guard that is forgotten releases nothing.
 */
export interface LockGuard {
  /** Whether it has not been released. */
  readonly held: boolean;
  /** @throws {errors.LockNotHeldError} when it was released before */
  release(): void;
  /** Releases it, unless that has been done. */
  [Symbol.dispose](): void;
}

/** The guard of a {@link Mutex}. */
export interface MutexGuard extends LockGuard {}

/**
 * Mutual exclusion over JavaScript threads and Rust tasks, in 16 bytes of shared memory.
 *
 * Post it to another thread as it is, and open it there: `Mutex.from(message)`. The thread is the owner: promises of
 * one thread wait for each other, but a blocking form behind a promise of the same thread is a LockDeadlockError.
 * When a thread ends that holds it, the mutex is *poisoned*: all forms of locking throw LockPoisonedError, for waiting
 * and for new callers, until somebody calls `recover()`.
 *
 * Fairness: the first caller that asks for a free mutex gets it. The longest waiter loses to such callers at most twice, and
 * never if it is a promise. Nobody starves. Blocking forms work in every thread, also the main one; `terminate()` and the
 * end of the process get through to a blocked thread within 100 ms.
 *
 * @example
 * const mutex = new Mutex();
 * worker.postMessage(mutex);
 * { using guard = await mutex.lock(); total[0] += 1; }
 */
export class Mutex {
  /** A new mutex in a buffer of its own. */
  constructor();
  /**
   * The mutex at that place.
   * @param byteOffset from the place of `source` on; the sum is a multiple of 8. @default 0
   * @throws {errors.InvalidArgValueError} when there is none
   */
  static from(source: LockSource, byteOffset?: number): Mutex;
  /** Writes a new mutex into memory that nobody uses as a lock. */
  static create(source: LockSource, byteOffset?: number): Mutex;
  /** Bytes that it takes. */
  static readonly byteLength: 16;
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;

  /**
   * Waits for it without blocking the thread, and keeps the event loop alive meanwhile. Rejects with LockPoisonedError,
   * LockTimeoutError or LockAbortedError.
   */
  lock(options?: LockOptions): Promise<MutexGuard>;
  /**
   * Blocks the thread until it is locked.
   * @throws {errors.LockPoisonedError | errors.LockTimeoutError | errors.LockDeadlockError}
   */
  lockSync(options?: LockSyncOptions): MutexGuard;
  /** Locks it if it is free; `null` if not. @throws {errors.LockPoisonedError} */
  tryLock(): MutexGuard | null;
  /** Releases the guard that this object returned last. @throws {errors.LockNotHeldError} when there is none */
  unlock(): void;
  /** Locks a poisoned mutex and ends the poison; `null` when it is not poisoned. Check the data under its guard. */
  recover(): MutexGuard | null;
  /** Whether an owner died and nobody has recovered it. */
  readonly poisoned: boolean;
}

/**
 * Many readers or one writer. Made, opened, passed on and poisoned (by a writer that died) as a {@link Mutex} is; a
 * reader that died does no harm.
 *
 * Fairness: strictly first come, first served once anyone waits; readers that follow each other go in together.
 */
export class RwLock {
  /** @param options `maxReaders`: so many readers at once, 1 to 1024; the next ones wait. @default 28 */
  constructor(options?: { maxReaders?: number | undefined });
  static from(source: LockSource, byteOffset?: number): RwLock;
  static create(source: LockSource, byteOffset?: number, options?: { maxReaders?: number | undefined }): RwLock;
  /** Bytes that it takes for so many readers: 16 and 4 for each. @default 28 */
  static byteLength(maxReaders?: number): number;
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly maxReaders: number;

  /** Waits to read, without blocking the thread. Rejects as {@link Mutex.lock} does. */
  read(options?: LockOptions): Promise<LockGuard>;
  /** Blocks the thread until it may read. Throws as {@link Mutex.lockSync} does. */
  readSync(options?: LockSyncOptions): LockGuard;
  /** Reads if that is possible at once, else `null`. */
  tryRead(): LockGuard | null;
  /** Waits to write, without blocking the thread. Rejects as {@link Mutex.lock} does. */
  write(options?: LockOptions): Promise<LockGuard>;
  /** Blocks the thread until it may write. Throws as {@link Mutex.lockSync} does. */
  writeSync(options?: LockSyncOptions): LockGuard;
  /** Writes if that is possible at once, else `null`. */
  tryWrite(): LockGuard | null;
  /**
   * Becomes the writer of a poisoned lock and ends the poison; `null` when it is not poisoned.
   * @throws {errors.RangeBusyError} while readers that came before the writer are in: wait for them
   */
  recover(): LockGuard | null;
  readonly poisoned: boolean;
}

/**
 * A number of permits, in 16 bytes. First come, first served once anyone waits, also for several at once.
 *
 * Permits have no owner: those of a thread that ended are missing until any thread releases them.
 */
export class Semaphore {
  /**
   * @param permits how many there are at first
   * @param options `max`: never more than so many. @default 2^31 - 1
   */
  constructor(permits: number, options?: { max?: number | undefined });
  static from(source: LockSource, byteOffset?: number): Semaphore;
  static create(source: LockSource, byteOffset: number, permits: number, options?: { max?: number | undefined }): Semaphore;
  static readonly byteLength: 16;
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly max: number;
  /** Permits that are free at this moment. */
  readonly available: number;

  /** Waits for permits without blocking the thread. The guard releases them. @param permits @default 1 */
  acquire(permits?: number, options?: LockOptions): Promise<LockGuard>;
  /** Blocks the thread until it has the permits. */
  acquireSync(permits?: number, options?: LockSyncOptions): LockGuard;
  /** Takes permits if enough are free and nobody waits; else returns `null`. */
  tryAcquire(permits?: number): LockGuard | null;
  /** Gives permits back, or adds them. @throws {errors.OutOfRangeError} beyond the maximum */
  release(permits?: number): void;
}

/**
 * A condition variable beside a {@link Mutex}, in 16 bytes. There are no wake-ups without a notify, but a woken waiter
 * takes the mutex like any other caller: check the condition in a loop.
 *
 * @example
 * const guard = mutex.lockSync();
 * while (queue[0] === 0) condvar.waitSync(guard);
 */
export class Condvar {
  constructor();
  static from(source: LockSource, byteOffset?: number): Condvar;
  static create(source: LockSource, byteOffset?: number): Condvar;
  static readonly byteLength: 16;
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;

  /**
   * Unlocks the guard's mutex, waits for a notify, and locks the mutex again. Resolves to true, or to false when the
   * time was up. The guard holds the mutex after it in every case, an abort too, unless the mutex was poisoned
   * meanwhile (LockPoisonedError).
   */
  wait(guard: MutexGuard, options?: LockOptions): Promise<boolean>;
  /** The same, blocking the thread. */
  waitSync(guard: MutexGuard, options?: LockSyncOptions): boolean;
  /** Wakes the longest waiter. Returns how many it woke: 0 or 1. */
  notifyOne(): number;
  /** Wakes all waiters. Returns how many it woke. */
  notifyAll(): number;
}

/**
 * Nobody passes until all parties have come; in 16 bytes, for round after round.
 *
 * A party that gives up (time, signal) or dies while it waits *breaks* the barrier: the others, and new callers, get
 * BarrierBrokenError until `reset()`. A party that dies before it comes is not known: wait with a time limit.
 */
export class Barrier {
  /** @param parties how many must come, from 1 */
  constructor(parties: number);
  static from(source: LockSource, byteOffset?: number): Barrier;
  static create(source: LockSource, byteOffset: number, parties: number): Barrier;
  static readonly byteLength: 16;
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly parties: number;
  /** Whether it was broken and not reset since. */
  readonly broken: boolean;

  /** Arrives, and waits for the others. Exactly one party of a round, the last to arrive, is its leader. */
  wait(options?: LockOptions): Promise<{ leader: boolean }>;
  /** The same, blocking the thread. */
  waitSync(options?: LockSyncOptions): { leader: boolean };
  /** Breaks it. */
  abort(): void;
  /** Makes the barrier usable again. Parties that still wait get BarrierBrokenError. */
  reset(): void;
}

// ── worker_threads ─────────────────────────────────────────────────────────────────────────────────────────

/**
 * Everything that the running Node has in `worker_threads`, as your `@types/node` describes it. Names that are declared
 * here go before those.
 */
export * from 'node:worker_threads';

/** The options of Node's Worker. */
export interface WorkerOptions extends Omit<NodeWorkerOptions, 'transferList'> {
  /**
   * Objects in `workerData` that are transferred instead of copied: all that Node can transfer, and ports of this package.
   *
   * @default []
   */
  transferList?: readonly object[] | undefined;
}

/**
 * Node's own Worker: JavaScript on a thread with an isolate of its own. All options, events, methods and properties are
 * those of the running Node. Objects of this package (ports, SharedBuffer, locks) can be sent too, in `workerData` and in
 * messages, at any depth; the thread receives them by the `parentPort` and `workerData` of this package.
 *
 * `instanceof` holds for this class and for Node's, whichever of the two made the Worker.
 */
export class Worker extends NodeWorker {
  /**
   * @param filename An absolute path, one that begins with `./` or `../` and is relative to the working directory of
   *   the process, a `file:` or `data:` URL, or with `eval: true` the code itself.
   * @throws what Node's constructor throws: TypeError for arguments, DataCloneError for `workerData`.
   */
  constructor(filename: string | URL, options?: WorkerOptions);

  /**
   * Sends a message to the thread's `parentPort`.
   *
   * @param transfer the objects that are transferred instead of copied.
   * @throws DOMException `DataCloneError`: something in `value` can neither be copied nor shared, or has to be in
   *   `transfer`. The objects in `transfer` stay here then.
   */
  postMessage(value: any, transfer?: Iterable<object> | { transfer?: Iterable<object> | undefined }): void;
}

// ── Message channels ───────────────────────────────────────────────────────────────────────────────────────

/** Options of a channel. */
export interface MessageChannelOptions {
  /**
   * How many messages may wait at each end: an integer from 1. It applies to `trySend` and `send`; `postMessage` posts even
   * where there is no room. @default Infinity
   */
  capacity?: number | undefined;
  /**
   * Whether a Buffer arrives as a Buffer of its own bytes, unless Node has to carry the message. Otherwise it arrives
   * as Node's ports deliver it: as a Uint8Array, with all of the memory it is a view of. @default false
   */
  keepBuffers?: boolean | undefined;
}

/** Two ports, as those of `worker_threads`, over a queue in Rust. */
export class MessageChannel {
  /** @throws {errors.InvalidArgTypeError | errors.OutOfRangeError} */
  constructor(options?: MessageChannelOptions);
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}

/**
 * One end of a channel: a port of `worker_threads`, and more. A message goes to a waiting `receive`,
 * else to the listeners. All values that Node can clone or transfer can be posted, and ports of ours.
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
  receive(options?: number | { timeout?: number | undefined; signal?: AbortSignal | undefined }): Promise<any>;
  /**
   * The next message; blocks this thread. `worker.terminate()` ends it within 50 ms.
   * @param timeout in milliseconds @default Infinity
   * @throws {errors.ReceiveTimeoutError | errors.PortClosedError}
   */
  receiveSync(timeout?: number): any;
  /** The messages, until the channel closes. Leaving the loop leaves the port open. */
  [Symbol.asyncIterator](): AsyncGenerator<any, void, void>;
}

/** An object that a transfer list may have. */
export type MessageTransferable = object;

/** Node's function, for ports of both kinds. */
export function receiveMessageOnPort(port: NodeMessagePort): { message: any } | undefined;

/**
 * Node's function, for ports of both kinds. Returns a port of Node's, with the prototypes of that context.
 * @param context of `vm.createContext`
 * @throws {Error} what Node throws: the port is closed, or an argument is of the wrong type
 */
export function moveMessagePortToContext(port: NodeMessagePort, context: object): NodeMessagePort;

/**
 * The arguments of `postMessage` for a plain Worker or port of `worker_threads`, when there are ports of ours in the
 * message: `worker.postMessage(...carry({ port }, [port]))`. Post them at once, and once. `parentPort` of rust-workers
 * gives the message there.
 * @throws {DOMException} DataCloneError: a port of ours is not on the list, or not here any more
 */
export function carry(value: unknown, transferList?: Iterable<object>): [any, any[]];

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
  /** A task got an input it does not take. */
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
    /** The refused input, untouched, to be tried again. */
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
  /** The task's deadline has passed. `started`: whether the task had started; of a `map`, whether an input may have. */
  class DeadlineError extends Error {
    static readonly code: 'ERR_RW_DEADLINE';
    readonly name: 'TimeoutError';
    readonly code: 'ERR_RW_DEADLINE';
    readonly started: boolean;
  }
  /** Refused at its submission: it could never run, since tasks that have its key, or the pool's workers, wait for it. */
  class DeadlockError extends Error {
    static readonly code: 'ERR_RW_DEADLOCK';
    readonly code: 'ERR_RW_DEADLOCK';
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
  /** One of many inputs failed: those of `stream`, `transform`, `forEach` and `reduce`. `cause` is the task's error. */
  class InputFailedError extends Error {
    static readonly code: 'ERR_RW_INPUT_FAILED';
    readonly code: 'ERR_RW_INPUT_FAILED';
    /** The number of the input, from 0. */
    readonly index: number;
    readonly task: string;
    readonly cause: unknown;
  }
  /** Everything in the scope had ended: it takes no more tasks. */
  class ScopeClosedError extends Error {
    static readonly code: 'ERR_RW_SCOPE_CLOSED';
    readonly code: 'ERR_RW_SCOPE_CLOSED';
  }
  /** The script of a pool could not be loaded; `cause` is why. */
  class ScriptLoadError extends Error {
    static readonly code: 'ERR_RW_SCRIPT_LOAD';
    readonly code: 'ERR_RW_SCRIPT_LOAD';
  }
  /** A task of `broadcast` failed on at least one worker; `cause` is the first of the errors. */
  class BroadcastError extends Error {
    static readonly code: 'ERR_RW_BROADCAST';
    readonly code: 'ERR_RW_BROADCAST';
    readonly failures: { worker: number; error: unknown }[];
    readonly outputs: { worker: number; output: any }[];
  }
  /** The worker exited while it ran the task: the script called `process.exit()`, or had nothing left to do. */
  class WorkerExitedError extends Error {
    static readonly code: 'ERR_RW_WORKER_EXITED';
    readonly code: 'ERR_RW_WORKER_EXITED';
    /** Of a task that was for this worker alone, submitted while it was ending: undefined. */
    readonly exitCode: number | undefined;
  }
  /** The worker reached its `resourceLimits`; `cause` is Node's error. */
  class WorkerOutOfMemoryError extends Error {
    static readonly code: 'ERR_RW_WORKER_OUT_OF_MEMORY';
    readonly code: 'ERR_RW_WORKER_OUT_OF_MEMORY';
    readonly resourceLimits: NodeResourceLimits;
  }
  /** The worker was terminated because another of its tasks did not stop and this one did not end in time. */
  class WorkerTerminatedError extends Error {
    static readonly code: 'ERR_RW_WORKER_TERMINATED';
    readonly code: 'ERR_RW_WORKER_TERMINATED';
  }
  /** The last JavaScript thread that kept a shared memory alive has ended. */
  class MemoryClosedError extends Error {
    static readonly code: 'ERR_RW_MEMORY_CLOSED';
    readonly code: 'ERR_RW_MEMORY_CLOSED';
  }
  /** A file is no pack, or does not load. */
  class PackLoadError extends Error {
    static readonly code: 'ERR_RW_PACK_LOAD';
    readonly code: 'ERR_RW_PACK_LOAD';
  }
  /** A pack was built for another version of the interface. */
  class PackVersionError extends Error {
    static readonly code: 'ERR_RW_PACK_VERSION';
    readonly code: 'ERR_RW_PACK_VERSION';
  }
  /** A pack has a task whose name another task of the pool has. */
  class TaskExistsError extends Error {
    static readonly code: 'ERR_RW_TASK_EXISTS';
    readonly code: 'ERR_RW_TASK_EXISTS';
    /** The name. */
    readonly task: string;
  }
  /** The source of a light function does not compile, is no function, or throws where it is evaluated. */
  class LightSourceError extends Error {
    static readonly code: 'ERR_RW_LIGHT_SOURCE';
    readonly code: 'ERR_RW_LIGHT_SOURCE';
  }
  /** A light task needs more memory than it may have. */
  class LightMemoryError extends Error {
    static readonly code: 'ERR_RW_LIGHT_MEMORY';
    readonly code: 'ERR_RW_LIGHT_MEMORY';
  }
  /** A light task goes deeper than its stack. */
  class LightStackError extends Error {
    static readonly code: 'ERR_RW_LIGHT_STACK';
    readonly code: 'ERR_RW_LIGHT_STACK';
  }
  /** A light task waits for a promise that nothing will settle. */
  class LightUnsettledError extends Error {
    static readonly code: 'ERR_RW_LIGHT_UNSETTLED';
    readonly code: 'ERR_RW_LIGHT_UNSETTLED';
  }
  /** The light object is closed. */
  class LightClosedError extends Error {
    static readonly code: 'ERR_RW_LIGHT_CLOSED';
    readonly code: 'ERR_RW_LIGHT_CLOSED';
  }
  /** Another task works on part of a range of shared memory. */
  class RangeBusyError extends Error {
    static readonly code: 'ERR_RW_RANGE_BUSY';
    readonly code: 'ERR_RW_RANGE_BUSY';
  }
  /** The thread that held the lock ended without releasing it; check the data, then `recover()`. */
  class LockPoisonedError extends Error {
    static readonly code: 'ERR_RW_LOCK_POISONED';
    readonly code: 'ERR_RW_LOCK_POISONED';
  }
  /** The caller releases a lock that it does not hold. */
  class LockNotHeldError extends Error {
    static readonly code: 'ERR_RW_LOCK_NOT_HELD';
    readonly code: 'ERR_RW_LOCK_NOT_HELD';
  }
  /** The thread would wait for itself. */
  class LockDeadlockError extends Error {
    static readonly code: 'ERR_RW_LOCK_DEADLOCK';
    readonly code: 'ERR_RW_LOCK_DEADLOCK';
  }
  /** A party of the barrier stopped waiting or died; `reset()` makes the barrier usable again. */
  class BarrierBrokenError extends Error {
    static readonly code: 'ERR_RW_BARRIER_BROKEN';
    readonly code: 'ERR_RW_BARRIER_BROKEN';
  }
  /** 2^27 threads of this process have used locks: no more can. */
  class NoMoreOwnersError extends Error {
    static readonly code: 'ERR_RW_NO_MORE_OWNERS';
    readonly code: 'ERR_RW_NO_MORE_OWNERS';
  }
  /** The awaited event did not come in time. */
  class LockTimeoutError extends Error {
    static readonly code: 'ERR_RW_LOCK_TIMEOUT';
    readonly code: 'ERR_RW_LOCK_TIMEOUT';
    readonly name: 'TimeoutError';
  }
  /** An AbortSignal ended the wait; `cause` is its reason. */
  class LockAbortedError extends Error {
    static readonly code: 'ERR_RW_LOCK_ABORTED';
    readonly code: 'ERR_RW_LOCK_ABORTED';
    readonly name: 'AbortError';
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
  /** An object that another copy of rust-workers made, with an addon of its own: both have to use one. */
  class OtherCopyError extends Error {
    static readonly code: 'ERR_RW_OTHER_COPY';
    readonly code: 'ERR_RW_OTHER_COPY';
  }
  /** This runtime (Bun, Deno) lacks what the call needs; the message says what to do instead. */
  class UnsupportedRuntimeError extends Error {
    static readonly code: 'ERR_RW_UNSUPPORTED_RUNTIME';
    readonly code: 'ERR_RW_UNSUPPORTED_RUNTIME';
  }
  /** A fault in rust-workers itself; please report it. */
  class InternalError extends Error {
    static readonly code: 'ERR_RW_INTERNAL';
    readonly code: 'ERR_RW_INTERNAL';
  }
  /** The addon could not be loaded; the message says what was tried and what to do. */
  class BindingNotFoundError extends Error {
    static readonly code: 'ERR_RW_BINDING_NOT_FOUND';
    readonly code: 'ERR_RW_BINDING_NOT_FOUND';
    /** Every place that was tried, and why it failed. */
    readonly attempts: ReadonlyArray<{ what: string; error: unknown }>;
    /** In the error of an attempt whose package is of another version: that version, and the one that is needed. */
    readonly found?: string;
    readonly wanted?: string;
  }
  /** A package that a part of this one works with, such as bullmq, is not installed or too old. */
  class PeerNotFoundError extends Error {
    static readonly code: 'ERR_RW_PEER_NOT_FOUND';
    readonly code: 'ERR_RW_PEER_NOT_FOUND';
  }
}
