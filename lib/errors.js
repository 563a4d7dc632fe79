'use strict';

/**
 * Every error of rust-workers: one class a condition, each with a stable `code`.
 *
 * The native side keeps its list in `src/error.rs`; `__test__/errors.test.js` holds the two equal. Codes in
 * `JS_ONLY_CODES` are raised only by JavaScript.
 */

const { inspect } = require('node:util');

const { defineProperty, hasOwn, keys } = Object;

const put = (object, key, value) =>
  defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });

/** code -> class, filled by `define`. */
const classes = new Map();

/**
 * Makes the class of one error condition.
 *
 * @param {string} name name of the class, and of its instances unless `options.errorName` says otherwise
 * @param {string} code the stable code, `ERR_RW_…`
 * @param {Function} Base the class of the language that fits: Error, TypeError or RangeError
 * @param {{ errorName?: string }} [options] `errorName`: the `name` that the web platform gives to this
 *   condition
 */
function define(name, code, Base, { errorName = name } = {}) {
  const Class = {
    /**
     * @param {string} message a sentence that says what to do
     * @param {{ cause?: unknown, [key: string]: unknown }} [extra] `cause`, and own properties of the
     *   condition
     */
    [name]: class extends Base {
      constructor(message, extra = {}) {
        // `extra` may inherit a `cause`, and a setter on `Object.prototype` would get ours: only own properties count.
        super(message, hasOwn(extra, 'cause') ? { __proto__: null, cause: extra.cause } : undefined);
        put(this, 'code', code);
        for (const key of keys(extra)) if (key !== 'cause') put(this, key, extra[key]);
      }
    },
  }[name];
  Object.defineProperty(Class.prototype, 'name', { value: errorName, writable: true, configurable: true });
  Object.defineProperty(Class, 'code', { value: code, enumerable: true });
  classes.set(code, Class);
  return Class;
}

// Mistakes of the caller.
const InvalidArgTypeError = define('InvalidArgTypeError', 'ERR_RW_INVALID_ARG_TYPE', TypeError);
const InvalidArgValueError = define('InvalidArgValueError', 'ERR_RW_INVALID_ARG_VALUE', TypeError);
const OutOfRangeError = define('OutOfRangeError', 'ERR_RW_OUT_OF_RANGE', RangeError);
const UnknownTaskError = define('UnknownTaskError', 'ERR_RW_UNKNOWN_TASK', Error);
const InvalidInputError = define('InvalidInputError', 'ERR_RW_INVALID_INPUT', TypeError);

// Values that cannot cross to a Rust thread, and bytes that are no value.
const UnsupportedValueError = define('UnsupportedValueError', 'ERR_RW_UNSUPPORTED_VALUE', TypeError);
const CyclicValueError = define('CyclicValueError', 'ERR_RW_CYCLIC_VALUE', TypeError);
const ValueTooDeepError = define('ValueTooDeepError', 'ERR_RW_VALUE_TOO_DEEP', RangeError);
const ValueTooLargeError = define('ValueTooLargeError', 'ERR_RW_VALUE_TOO_LARGE', RangeError);
const MalformedValueError = define('MalformedValueError', 'ERR_RW_MALFORMED_VALUE', Error);

// The pool. A QueueFullError has `input`: what was refused, untouched.
const QueueFullError = define('QueueFullError', 'ERR_RW_QUEUE_FULL', Error);
const PoolClosedError = define('PoolClosedError', 'ERR_RW_POOL_CLOSED', Error);
const ThreadSpawnError = define('ThreadSpawnError', 'ERR_RW_THREAD_SPAWN', Error);

// The end of a task. The first three have the names of the web platform, so that `error.name === 'AbortError'` works here too.
const TaskCancelledError = define('TaskCancelledError', 'ERR_RW_TASK_CANCELLED', Error, {
  errorName: 'AbortError',
});
const TaskTimeoutError = define('TaskTimeoutError', 'ERR_RW_TASK_TIMEOUT', Error, {
  errorName: 'TimeoutError',
});
// A DeadlineError has `started`: whether the task had started.
const DeadlineError = define('DeadlineError', 'ERR_RW_DEADLINE', Error, { errorName: 'TimeoutError' });
// Tasks would wait for each other for ever: the one that closes the circle is refused.
const DeadlockError = define('DeadlockError', 'ERR_RW_DEADLOCK', Error);
const TaskPanickedError = define('TaskPanickedError', 'ERR_RW_TASK_PANICKED', Error);
const TaskFailedError = define('TaskFailedError', 'ERR_RW_TASK_FAILED', Error);
// One of many inputs failed. It has the `index` of the input, and the task's error as its `cause`.
const InputFailedError = define('InputFailedError', 'ERR_RW_INPUT_FAILED', Error);

// A scope (lib/structure/) that has ended.
const ScopeClosedError = define('ScopeClosedError', 'ERR_RW_SCOPE_CLOSED', Error);

// Script workers. They say which way a worker has ended while it ran the task; an error that the script itself threw is
// given as it is. A WorkerExitedError has `exitCode`.
const ScriptLoadError = define('ScriptLoadError', 'ERR_RW_SCRIPT_LOAD', Error);
// A BroadcastError has `failures`, `{ worker, error }` each, and `outputs`, `{ worker, output }` each.
const BroadcastError = define('BroadcastError', 'ERR_RW_BROADCAST', Error);
const WorkerExitedError = define('WorkerExitedError', 'ERR_RW_WORKER_EXITED', Error);
const WorkerOutOfMemoryError = define('WorkerOutOfMemoryError', 'ERR_RW_WORKER_OUT_OF_MEMORY', Error);
const WorkerTerminatedError = define('WorkerTerminatedError', 'ERR_RW_WORKER_TERMINATED', Error);

// Packs of native tasks. A TaskExistsError has `task`: the name that two have.
const PackLoadError = define('PackLoadError', 'ERR_RW_PACK_LOAD', Error);
const PackVersionError = define('PackVersionError', 'ERR_RW_PACK_VERSION', Error);
const TaskExistsError = define('TaskExistsError', 'ERR_RW_TASK_EXISTS', Error);

// Light code (packs/light).
const LightSourceError = define('LightSourceError', 'ERR_RW_LIGHT_SOURCE', Error);
const LightMemoryError = define('LightMemoryError', 'ERR_RW_LIGHT_MEMORY', Error);
const LightStackError = define('LightStackError', 'ERR_RW_LIGHT_STACK', Error);
const LightUnsettledError = define('LightUnsettledError', 'ERR_RW_LIGHT_UNSETTLED', Error);
const LightClosedError = define('LightClosedError', 'ERR_RW_LIGHT_CLOSED', Error);

// Shared memory, and locks in it.
const MemoryClosedError = define('MemoryClosedError', 'ERR_RW_MEMORY_CLOSED', Error);
const RangeBusyError = define('RangeBusyError', 'ERR_RW_RANGE_BUSY', Error);
const LockPoisonedError = define('LockPoisonedError', 'ERR_RW_LOCK_POISONED', Error);
const LockNotHeldError = define('LockNotHeldError', 'ERR_RW_LOCK_NOT_HELD', Error);
const LockDeadlockError = define('LockDeadlockError', 'ERR_RW_LOCK_DEADLOCK', Error);
const BarrierBrokenError = define('BarrierBrokenError', 'ERR_RW_BARRIER_BROKEN', Error);
const NoMoreOwnersError = define('NoMoreOwnersError', 'ERR_RW_NO_MORE_OWNERS', Error);
const LockTimeoutError = define('LockTimeoutError', 'ERR_RW_LOCK_TIMEOUT', Error, { errorName: 'TimeoutError' });
const LockAbortedError = define('LockAbortedError', 'ERR_RW_LOCK_ABORTED', Error, { errorName: 'AbortError' });

// Channels.
const PortClosedError = define('PortClosedError', 'ERR_RW_PORT_CLOSED', Error);
const ReceiveTimeoutError = define('ReceiveTimeoutError', 'ERR_RW_RECEIVE_TIMEOUT', Error, {
  errorName: 'TimeoutError',
});

// rust-workers itself: an object of a copy of another version, something that this runtime (Bun, Deno) lacks, a fault of
// ours, an addon that does not load, a package that a part of ours works with and that is not installed. A
// BindingNotFoundError has `attempts`: the files that the loader tried.
const OtherCopyError = define('OtherCopyError', 'ERR_RW_OTHER_COPY', Error);
const UnsupportedRuntimeError = define('UnsupportedRuntimeError', 'ERR_RW_UNSUPPORTED_RUNTIME', Error);
const InternalError = define('InternalError', 'ERR_RW_INTERNAL', Error);
const BindingNotFoundError = define('BindingNotFoundError', 'ERR_RW_BINDING_NOT_FOUND', Error);
const PeerNotFoundError = define('PeerNotFoundError', 'ERR_RW_PEER_NOT_FOUND', Error);

/** Codes that the native side does not have. */
const JS_ONLY_CODES = [
  'ERR_RW_SCOPE_CLOSED',
  'ERR_RW_INPUT_FAILED',
  'ERR_RW_SCRIPT_LOAD',
  'ERR_RW_LIGHT_SOURCE',
  'ERR_RW_LIGHT_MEMORY',
  'ERR_RW_LIGHT_STACK',
  'ERR_RW_LIGHT_UNSETTLED',
  'ERR_RW_LIGHT_CLOSED',
  'ERR_RW_BROADCAST',
  'ERR_RW_WORKER_EXITED',
  'ERR_RW_WORKER_OUT_OF_MEMORY',
  'ERR_RW_WORKER_TERMINATED',
  'ERR_RW_TASK_EXISTS',
  'ERR_RW_LOCK_TIMEOUT',
  'ERR_RW_LOCK_ABORTED',
  'ERR_RW_PORT_CLOSED',
  'ERR_RW_RECEIVE_TIMEOUT',
  'ERR_RW_OTHER_COPY',
  'ERR_RW_UNSUPPORTED_RUNTIME',
  'ERR_RW_BINDING_NOT_FOUND',
  'ERR_RW_PEER_NOT_FOUND',
];

/** All codes, in declaration order. */
const CODES = [...classes.keys()];

/**
 * The error for a code that came from the native side.
 *
 * @param {string} code `ERR_RW_…`
 * @param {string} message the native side's sentence
 * @param {{ cause?: unknown, [key: string]: unknown }} [extra] `cause`, and own properties such as `input`
 * @returns {Error} of the class of that code; an InternalError that names the code when no class has it
 */
function errorFromCode(code, message, extra) {
  const Class = classes.get(code);
  if (Class !== undefined) return new Class(message, extra);
  return new InternalError(
    `${message} (unknown error code ${inspect(code)}; does the addon fit this version?)`,
    extra,
  );
}

/**
 * The error of a task that an AbortSignal stopped: `name` 'AbortError', `cause` the signal's reason.
 *
 * @param {AbortSignal} signal an aborted signal
 */
function abortError(signal) {
  return new TaskCancelledError('The task was aborted', { cause: reasonOf(signal) });
}

/** The error of a task that is submitted to a closed pool. */
function takesNoMoreTasks(task) {
  return new PoolClosedError('the pool is closed and takes no more tasks', { task });
}

/**
 * Makes an error of something that happened elsewhere, without a stack: the functions of ours that learnt of it are on it, and
 * Node would print a line of them for the place of the fault.
 *
 * @template T
 * @param {() => T} make
 * @returns {T}
 */
function withoutStack(make) {
  const { stackTraceLimit } = Error;
  // Where intrinsics are frozen it cannot be set.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/** Why a signal has aborted. A signal need not be Node's: should `reason` throw, what it throws. */
function reasonOf(signal) {
  try {
    return signal.reason;
  } catch (error) {
    return error;
  }
}

/** The classes as users see them: `require('rust-workers').errors`. */
const publicClasses = {
  InvalidArgTypeError,
  InvalidArgValueError,
  OutOfRangeError,
  UnknownTaskError,
  InvalidInputError,
  UnsupportedValueError,
  CyclicValueError,
  ValueTooDeepError,
  ValueTooLargeError,
  MalformedValueError,
  QueueFullError,
  PoolClosedError,
  ThreadSpawnError,
  TaskCancelledError,
  TaskTimeoutError,
  DeadlineError,
  DeadlockError,
  TaskPanickedError,
  TaskFailedError,
  InputFailedError,
  ScopeClosedError,
  ScriptLoadError,
  BroadcastError,
  WorkerExitedError,
  WorkerOutOfMemoryError,
  WorkerTerminatedError,
  PackLoadError,
  PackVersionError,
  TaskExistsError,
  LightSourceError,
  LightMemoryError,
  LightStackError,
  LightUnsettledError,
  LightClosedError,
  MemoryClosedError,
  RangeBusyError,
  LockPoisonedError,
  LockNotHeldError,
  LockDeadlockError,
  BarrierBrokenError,
  NoMoreOwnersError,
  LockTimeoutError,
  LockAbortedError,
  PortClosedError,
  ReceiveTimeoutError,
  OtherCopyError,
  UnsupportedRuntimeError,
  InternalError,
  BindingNotFoundError,
  PeerNotFoundError,
};

module.exports = { ...publicClasses, publicClasses, CODES, JS_ONLY_CODES, errorFromCode, abortError, reasonOf, takesNoMoreTasks, withoutStack };
