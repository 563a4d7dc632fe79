'use strict';

/**
 * Native tasks call functions: what JavaScript does about it, on the thread that has submitted the task.
 *
 * Who is called is looked up by the task under way. First in what its caller has given (`CALLEES` in the options of `run`, internal: named
 * functions of this thread); then it is a function of the pool's script, which runs as a task nested in the native one: it has its
 * priority and deadline, is stopped with it, and is accepted while the pool closes.
 *
 * A call is answered once: with what the function returns or throws, or by a refusal, an error of ours that says why it was not
 * called. While this thread is blocked (runSync), functions of the script are run all the same, since no promise stands between; functions
 * of this thread wait until it goes on, or are refused where it is blocked for the very task that calls.
 */

const { AsyncResource } = require('node:async_hooks');

const { settleBy } = require('../answer-errors');
const { EVENTS } = require('../constants');
const { DeadlockError, PoolClosedError, UnknownTaskError, errorFromCode } = require('../errors');
const { binding } = require('../native');
const { SafeMap } = require('../runtime/intrinsics');
const nodeGlobals = require('../runtime/globals');
const { callUser } = require('../user-code');
const { encodeInput } = require('../task/encode-input');
const { readValue } = require('../task/read-value');
const { CONTEXT } = require('../task/task-context');
const { sooner } = require('../task/time-limits');

const { NATIVE_CALL } = EVENTS;

const RETURNED = false;
const THREW = true;

/** Errors of ours that say that a function was not called. */
const REFUSALS = new Set(['ERR_RW_UNKNOWN_TASK', 'ERR_RW_QUEUE_FULL', 'ERR_RW_POOL_CLOSED', 'ERR_RW_DEADLOCK']);

class NativeCalls {
  #delivery;
  /** What ends each call that is open, by its number: an AbortController. */
  #open = new SafeMap();
  /** Calls of this thread's functions that are due. */
  #due = [];

  constructor(delivery) {
    this.#delivery = delivery;
  }

  /** A task calls. */
  deliver(call, number, form) {
    let asked;
    try {
      asked = readValue(form - NATIVE_CALL, number, this.#delivery);
    } catch (error) {
      return refuse(call, error);
    }
    const [task, name, input] = asked;
    const entry = this.#delivery.entryOf(task);
    if (entry === undefined) return refuse(call, new PoolClosedError(`the task that called '${name}' has ended`));
    const { pool, settler } = entry;
    const gives = typeof settler === 'function' ? undefined : settler.gives;
    const callees = gives?.callees;
    if (callees !== undefined && callees.has(name)) return this.#callHere(call, task, name, callees, input);
    if (pool.runCalled === undefined) return refuse(call, notFound(name, entry.task, callees));
    this.#callScript(call, task, pool, name, input, gives);
  }

  /** The task waits no more. */
  over(call) {
    const stop = this.#open.get(call);
    this.#open.delete(call);
    stop?.abort();
  }

  #callScript(call, waiter, pool, name, input, gives) {
    const stop = new nodeGlobals.AbortController();
    this.#open.set(call, stop);
    const options = { signal: stop.signal, [CONTEXT]: contextOf(waiter, gives) };
    const failed = (error) => this.#failed(call, error);
    const succeeded = (result) => this.#returned(call, result);
    try {
      pool.runCalled(name, input, options, (outcome) => settleBy(outcome, succeeded, failed), failed);
    } catch (error) {
      failed(error);
    }
  }

  #callHere(call, task, name, callees, input) {
    if (this.#delivery.isQuiet && this.#delivery.isAwaitedInPlace(task)) {
      return refuse(call, new DeadlockError(`'${name}' is a function of the thread that is blocked by runSync until this task ends. Await run() instead`));
    }
    const stop = new nodeGlobals.AbortController();
    this.#open.set(call, stop);
    this.#due = [...this.#due, { call, name, callees, input, stop }];
  }

  /** After each batch that is not read while this thread is blocked: runs what is due. */
  act() {
    const due = this.#due;
    if (due.length === 0) return;
    this.#due = [];
    for (const one of due) if (!one.stop.signal.aborted) callUser(this.#run, this, one);
  }

  #run({ call, name, callees, input, stop }) {
    let result;
    try {
      result = callees.call(name, input, stop.signal);
    } catch (error) {
      return this.#failed(call, error);
    }
    // A `then` of the program's is called by the promise, in a turn of its own.
    Promise.resolve(result).then(
      (value) => this.#returned(call, value),
      (error) => this.#failed(call, error),
    );
  }

  #returned(call, result) {
    if (!this.#open.delete(call)) return;
    try {
      answer(call, RETURNED, result);
    } catch (error) {
      refuse(call, error);
    }
  }

  #failed(call, error) {
    if (!this.#open.delete(call)) return;
    if (isRefusal(error)) return refuse(call, error);
    try {
      answer(call, THREW, error);
    } catch {
      // It has parts that no Rust thread can have.
      answer(call, THREW, described(error));
    }
  }
}

function answer(call, hasThrown, value) {
  const { form, value: encoded, length, parts } = encodeInput(value);
  binding.answerCall(call, hasThrown, form, encoded, length, parts);
}

function refuse(call, error) {
  const { code, message } = toRefusal(error);
  binding.refuseCall(call, code, message);
}

/** Of an error that is none of ours, such as a DataCloneError of a result with a port, no more than the message. */
function toRefusal(error) {
  try {
    const { code, message } = error;
    if (typeof code === 'string') return { code, message: String(message) };
  } catch {
    // A getter of the program's threw it, and it has getters of its own.
  }
  return { code: 'ERR_RW_UNSUPPORTED_VALUE', message: textOf(error) };
}

/** What is thrown may be the program's: a proxy, or a getter that throws. */
function isRefusal(error) {
  try {
    if (typeof error !== 'object' || error === null) return false;
    const { code } = error;
    return REFUSALS.has(code) && error instanceof errorFromCode(code, '').constructor;
  } catch {
    return false;
  }
}

function textOf(error) {
  try {
    return String(error?.message ?? error);
  } catch {
    return 'an error that cannot be shown';
  }
}

/** What can be told of a thrown value that cannot be sent. */
function described(thrown) {
  const error = new Error(textOf(thrown));
  try {
    const { name, code, stack } = thrown;
    if (typeof name === 'string') error.name = name;
    if (typeof code === 'string' || typeof code === 'number') error.code = code;
    if (typeof stack === 'string') error.stack = stack;
  } catch {
    // Its getters throw.
  }
  return error;
}

function notFound(name, task, callees) {
  const given = callees === undefined ? '' : ` Its caller has given it ${callees.names}.`;
  return new UnknownTaskError(
    `the native task '${task}' calls '${name}', and this pool has no script.${given} Run it in a pool with a script that exports ` +
      `'${name}': new WorkerPool(script, options)`,
  );
}

/** What the function's task gets from the native one. */
function contextOf(waiter, gives) {
  const context = {
    priority: gives?.priority ?? 0,
    isNested: true,
    waiter,
    blocks: false,
    join: (options) => {
      options.context = context;
      options.deadline = sooner(options.deadline, gives?.deadline);
    },
    enter: () => {},
    leave: () => {},
  };
  context.inner = context;
  return context;
}

/** Functions of this thread that a task may call by their names, in the async context in which they were given. */
class Callees {
  #functions = new SafeMap();
  #context = new AsyncResource('rust-workers.callees');

  /** @param {Record<string, (value: unknown, signal: AbortSignal) => unknown>} functions as they are now */
  constructor(functions) {
    for (const name of Object.keys(functions)) {
      const { [name]: callee } = functions;
      if (typeof callee === 'function') this.#functions.set(name, callee);
    }
  }

  has(name) {
    return this.#functions.has(name);
  }

  get names() {
    return [...this.#functions.keys()].join(', ');
  }

  /** @param {AbortSignal} signal aborts when the task waits no more */
  call(name, value, signal) {
    return this.#context.runInAsyncScope(this.#functions.get(name), undefined, value, signal);
  }
}

module.exports = { Callees, NativeCalls };
