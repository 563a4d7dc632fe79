'use strict';

/**
 * The way from a worker's task into the script: calls its function in an async context of its own, or emits the task as a message
 * (message-tasks.js), and takes up what a promise comes to.
 */

const { types } = require('node:util');

const { setTimeout } = require('../runtime/clock');
const { coverListeners } = require('../runtime/listener-failures');
const { freshContext } = require('../runtime/turn');
const { MESSAGE } = require('./script-functions');
const { WATCHED } = require('./task');

/** Milliseconds after which tasks that take long are looked after. */
const LOOK_EVERY = 1_000;

const { then } = Promise.prototype;

class TaskCalls {
  /** The async context identifies each of several tasks at a time; undefined where there is one at a time. */
  contexts;

  #runner;
  #setup;
  #port;
  #answers;
  /** Runs something in an async context in which no task was; where a Worker gives each message such a one. */
  #fresh = freshContext();
  /** Tasks that are messages. Made for the first one. */
  #messages;
  /** Looks after tasks that take long. Made for the first one. */
  #unsettled;
  /** Whether it will look after them. */
  #looks = false;

  /**
   * @param {import('./runner').Runner} runner
   * @param {object} setup the runner's
   * @param {MessagePort} port the script's `parentPort`
   * @param {import('./answering').Answering} answers
   */
  constructor(runner, setup, port, answers) {
    this.#runner = runner;
    this.#setup = setup;
    this.#port = port;
    this.#answers = answers;
    if (setup.concurrency > 1) this.separate(undefined);
    this.#hearPosts();
    coverListeners(port, () => this.#messages?.listenerCalled());
  }

  /** Several tasks may be under way from now on. */
  separate(running) {
    const { AsyncLocalStorage } = require('node:async_hooks');
    this.contexts = new AsyncLocalStorage();
    if (running !== undefined) this.contexts.enterWith(running);
  }

  /** What the script posts may be the answer to a task. */
  #hearPosts() {
    const port = this.#port;
    const { postMessage } = port;
    // On the object itself: the script's `parentPort`, whichever module it took it from, is this very one.
    Object.defineProperty(port, 'postMessage', {
      value: (...given) => {
        // Node says what is missing.
        if (given.length === 0) return postMessage.call(port);
        if (this.#messages?.posted(given[0], given[1])) return undefined;
        return postMessage.call(port, given[0], given[1]);
      },
      writable: true,
      configurable: true,
    });
  }

  /** Whether what the script posts now is the answer to a task. */
  get isAsked() {
    return this.#messages !== undefined && this.#messages.isAsked;
  }

  /** Runs a task. True when it has ended already, and its answer stands in the runner's `#out`. */
  run(job, run, input) {
    return this.#fresh === undefined ? this.#runHere(job, run, input) : this.#fresh(this.#runHere, job, run, input);
  }

  #runHere = (job, run, input) => {
    if (this.contexts !== undefined) return this.contexts.run(job, () => this.#invoke(job, run, input));
    return this.#invoke(job, run, input);
  };

  #invoke(job, run, input) {
    if (run === MESSAGE) return this.#messageTasks().begin(job, input);
    const answers = this.#answers;
    let promise;
    let result;
    try {
      result = run(input);
      promise = promiseOf(result);
    } catch (error) {
      answers.failed(error);
      return true;
    }
    if (promise !== undefined) {
      this.#runner.open.set(job.id, job);
      job.promise = promise;
      if (!this.#looks) this.lookLater();
      then.call(
        promise,
        (value) => this.#ended(job, answers.succeeded, value),
        (error) => this.#ended(job, answers.failed, error),
      );
      return false;
    }
    answers.succeeded(result);
    return true;
  }

  #messageTasks() {
    if (this.#messages === undefined) {
      const { MessageTasks } = require('./message-tasks');
      this.#messages = new MessageTasks(this.#runner, this.#answers, this.#port, this.#setup.script, this.contexts);
    }
    return this.#messages;
  }

  /** A task ends in a later turn than it began. */
  #ended(job, how, value) {
    const runner = this.#runner;
    runner.open.delete(job.id);
    job.promise = undefined;
    if (job.stage >= WATCHED) this.#unsettled.ended();
    // Its owner says then that the pool was destroyed, whatever the task makes of it.
    if (runner.life.shutDown && how === this.#answers.failed) return runner.life.endIfDone();
    how.call(this.#answers, value);
    runner.through(job);
  }

  /** A task should stop: its listeners run in its own context. */
  stop(job, reason) {
    if (job === undefined) return;
    if (this.contexts === undefined) job.abort(reason);
    else this.contexts.run(job, () => job.abort(reason));
  }

  /** Looks after tasks that take long, after a time. */
  lookLater() {
    if (this.#looks) return;
    this.#looks = true;
    const look = () => {
      this.#looks = false;
      if (this.#runner.open.size === 0) return;
      const { UnsettledTasks } = require('./unsettled');
      this.#unsettled ??= new UnsettledTasks(this.#runner, this.#setup.script);
      this.#unsettled.look();
    };
    setTimeout(look, this.#unsettled?.wait ?? LOOK_EVERY).unref();
  }
}

/** A promise for what a function has returned; undefined when that is the result itself. */
function promiseOf(result) {
  if (typeof result !== 'object' || result === null) return undefined;
  if (types.isPromise(result)) return result;
  const { then: thenOf } = result;
  if (typeof thenOf !== 'function') return undefined;
  return new Promise((resolve, reject) => Reflect.apply(thenOf, result, [resolve, reject]));
}

module.exports = { TaskCalls };
