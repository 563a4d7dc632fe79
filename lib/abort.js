'use strict';

/**
 * One listener for each AbortSignal, however many tasks share it: Node warns of a leak from the eleventh on, and a
 * service does share one signal among all the tasks of a request.
 *
 * A signal is an object of the user's, perhaps none of Node's. It may abort while it is looked at, dispatch at once,
 * twice or never, and throw from any of its members: an action runs once, and an error costs no other task.
 *
 * A signal that ends very many tasks does not stop the event loop: after some milliseconds the other actions follow in later
 * turns. Until then `hasFired` tells that a task which has not been ended yet is to be, and its group sees to it that it does not begin.
 */

const { addAbortListener } = require('node:events');

const { now, setImmediate } = require('./runtime/clock');
const { append } = require('./runtime/intrinsics');
const { isStackOverflow } = require('./runtime/stack-overflow');
const { throwUncaught } = require('./runtime/turn');
const { callUser } = require('./user-code');

/** For so many milliseconds actions run in one turn of the loop, and so often the clock is looked at. */
const SLICE = 2;
const LOOK = 64;

/** signal -> its watch, until it has aborted and all actions have run, or nobody watches it any more. */
const watched = new WeakMap();

/** What follows the actions that run now; undefined when none do. */
let after;

/** Node's own way is not stopped by the `stopImmediatePropagation()` of a listener before it. */
const listen = addAbortListener ?? ((signal, listener) => signal.addEventListener('abort', listener, { once: true }));

class Watch {
  /** What to call when the signal aborts. */
  actions = new Set();
  fired = false;
  /** What stops all tasks of the signal at once: `{ stop(), close() }`. */
  group;
  #signal;
  /** The action that runs, and those that follow it. */
  #running;
  #following;
  #error;
  #errorOf;

  constructor(signal) {
    this.#signal = signal;
  }

  listener = () => this.fire();

  fire() {
    if (this.fired) return;
    this.fired = true;
    this.group?.stop();
    this.#following = this.actions.values();
    this.#run();
  }

  /** Runs actions for a while, and the others in the next turn. */
  #run = () => {
    const following = this.#following;
    const until = now() + SLICE;
    let toLook = LOOK;
    const outer = after;
    const own = (after = []);
    let next;
    while (!(next = following.next()).done) {
      this.#running = next.value;
      callUser(next.value);
      if (--toLook > 0) continue;
      toLook = LOOK;
      if (now() > until) break;
    }
    this.#running = undefined;
    after = outer;
    for (const run of own) callUser(run);
    if (!next.done) return setImmediate(this.#run);
    this.actions.clear();
    this.forget();
  };

  /** Takes an action back. */
  remove(action) {
    // Of those that run none is looked up: that would take longer than all the rest where there are very many.
    if (action === this.#running) return;
    this.actions.delete(action);
    if (!this.fired && this.actions.size === 0 && this.forget()) stopListening(this.#signal, this.listener);
  }

  /** The error of everything that the signal ends: one for all, as with `fetch`. */
  error(errorOf) {
    if (this.#errorOf !== errorOf) {
      this.#error = errorOf(this.#signal);
      this.#errorOf = errorOf;
    }
    return this.#error;
  }

  /** Nobody watches it any more. True when that is new. */
  forget() {
    if (watched.get(this.#signal) !== this) return false;
    watched.delete(this.#signal);
    this.group?.close();
    this.group = undefined;
    return true;
  }
}

/**
 * Calls `action` once when `signal` aborts, or now if it has. Actions run in the order they were added.
 *
 * @param {AbortSignal} signal
 * @param {() => void} action
 * @returns {() => void} takes the action back; does not throw
 * @throws what the signal throws that cannot be listened to; then the action is not called
 */
function onAbort(signal, action) {
  const watch = watched.get(signal) ?? watchNew(signal);
  if (watch.fired) {
    callUser(action);
    return () => {};
  }
  // It may have aborted while it was listened to.
  const isLate = signal.aborted;
  watch.actions.add(action);
  if (isLate) watch.fire();
  return () => watch.remove(action);
}

function watchNew(signal) {
  const watch = new Watch(signal);
  // Node's function would call the listener of a signal that has aborted in a microtask.
  if (signal.aborted) watch.fired = true;
  else listen(signal, watch.listener);
  if (!watch.fired) watched.set(signal, watch);
  return watch;
}

/** Whether a signal has aborted, and actions of it have not run yet. */
const hasFired = (signal) => watched.get(signal)?.fired === true;

/** The error of what a signal ends, by `errorOf(signal)`; while the signal's actions run, the same for all with this function. */
function errorBy(signal, errorOf) {
  const watch = watched.get(signal);
  return watch?.fired ? watch.error(errorOf) : errorOf(signal);
}

/** Whether actions run now, and if so calls `run` after some, or all, of them. */
function followActions(run) {
  if (after === undefined) return false;
  append(after, run);
  return true;
}

/**
 * The group of a signal that several watch.
 *
 * @template {{ stop(): void, close(): void }} T
 * @param {AbortSignal} signal
 * @param {() => T} open makes it, when it is first wanted
 * @returns {T | undefined} undefined for a signal that only one watches, or that has aborted
 */
function groupOf(signal, open) {
  const watch = watched.get(signal);
  if (watch === undefined || watch.fired || watch.actions.size < 2) return undefined;
  return (watch.group ??= open());
}

function stopListening(signal, listener) {
  try {
    signal.removeEventListener('abort', listener);
  } catch (error) {
    // Where the stack is used up nothing of the user's has failed; the listener stays, and does nothing.
    if (!isStackOverflow(error)) throwUncaught(error);
  }
}

module.exports = { errorBy, followActions, groupOf, hasFired, onAbort };
