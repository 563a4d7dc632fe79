'use strict';

/**
 * Tasks that are a 'message' event on the script's `parentPort`: for scripts that listen there, as in a bare Worker, and
 * export no function. The script answers such a task by `parentPort.postMessage`: its oldest one, or that of the async
 * context in which it posts.
 */

const { added } = require('../runtime/intrinsics');
const { clearTimeout, now, setTimeout } = require('../runtime/clock');
const nodeGlobals = require('../runtime/globals');
const { throwUncaught } = require('../runtime/turn');
const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { MESSAGE } = require('./script-functions');

/** A script that listens and has not answered after so many milliseconds may have forgotten to: a warning says so, once. */
const LONG_UNANSWERED = 30_000;

/** Milliseconds between two looks whether the script listens by now. */
const LOOK_FOR_LISTENER = 10;

const NOTHING = Object.freeze([]);

class MessageTasks {
  #runner;
  #answers;
  #port;
  #script;
  #contexts;
  /** Tasks that were emitted and not answered, oldest first. */
  #unanswered = [];
  /** How many tasks wait for a listener. */
  #unheard = 0;
  /** The task whose message is being emitted. */
  #emitting;
  #warnTimer;

  /**
   * @param {import('./runner').Runner} runner
   * @param {import('./answering').Answering} answers
   * @param {MessagePort} port the script's `parentPort`
   * @param {string} script its URL
   * @param {import('node:async_hooks').AsyncLocalStorage | undefined} contexts identify each of several tasks at a time
   */
  constructor(runner, answers, port, script, contexts) {
    this.#runner = runner;
    this.#answers = answers;
    this.#port = port;
    this.#script = script;
    this.#contexts = contexts;
  }

  /** Whether what the script posts now is the answer to a task. */
  get isAsked() {
    return this.#unanswered.length > 0;
  }

  /**
   * Emits the message of a task.
   *
   * @returns {boolean} whether the task has ended already
   */
  begin(job, input) {
    const listeners = this.#port.listenerCount('message');
    return listeners > 0 ? this.#emit(job, input, listeners) : this.#emitLater(job, input);
  }

  /**
   * Nobody listens. A script that is still at something may do so later, and hears then, as in a bare Worker: so the task is
   * refused when the event loop would end. Meanwhile this worker does not hold the loop.
   */
  #emitLater(job, input) {
    const runner = this.#runner;
    const delivery = deliveryOf(binding);
    runner.open.set(job.id, job);
    if (this.#unheard++ === 0) delivery.hold(-1);
    const listens = () => this.#port.listenerCount('message') > 0;
    const goOn = () => {
      clearTimeout(timer);
      takeBack();
      if (--this.#unheard === 0) delivery.hold(1);
      runner.goOn(job, (ready) => {
        if (listens()) return runner.calls.run(ready, MESSAGE, input);
        this.#answers.failed(runner.unknownFunction(''));
        return true;
      });
    };
    const takeBack = require('../runtime/loop-end').onLoopEnd(goOn);
    const look = () => (listens() ? goOn() : lookAgain());
    let timer;
    const lookAgain = () => (timer = setTimeout(look, LOOK_FOR_LISTENER).unref());
    lookAgain();
    return false;
  }

  #emit(job, input, listeners) {
    const { open } = this.#runner;
    this.#unanswered = added(this.#unanswered, job);
    open.set(job.id, job);
    job.listeners = listeners;
    this.#emitting = job;
    try {
      this.#port.emit('message', input);
    } catch (error) {
      throwUncaught(error);
      // It may be this worker's end, which no other task is to share.
      this.#runner.pauseOnce();
    }
    this.#emitting = undefined;
    if (job.answered) return true;
    if (open.has(job.id)) {
      job.unansweredSince = now();
      this.#watchUnanswered();
    }
    return false;
  }

  /**
   * Asked when a listener of the script's is called.
   *
   * @returns {((error: unknown) => void) | undefined} what to call when it fails
   */
  listenerCalled() {
    const job = this.#emitting;
    return job === undefined ? undefined : (error) => this.#listenerFailed(job, error);
  }

  #listenerFailed(job, error) {
    // Where nobody handles the error, it ends the worker, and so the task.
    if (process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback()) return;
    // Another listener may answer it still.
    if (--job.listeners > 0 || job.answered || !this.#runner.open.has(job.id)) return;
    this.#take(job);
    this.#runner.open.delete(job.id);
    this.#answers.failed(error);
    this.#runner.finish(job.id);
    nodeGlobals.queueMicrotask(this.#goOn);
  }

  /** Tells, once, of a task that a listener has not answered for long: it may have forgotten to. */
  #watchUnanswered() {
    if (this.#warnTimer !== undefined) return;
    this.#warnTimer = setTimeout(() => {
      const job = this.#unanswered[0];
      if (job === undefined || now() - job.unansweredSince < LONG_UNANSWERED) {
        this.#warnTimer = undefined;
        if (job !== undefined) this.#watchUnanswered();
        return;
      }
      process.emitWarning(
        `A task has waited ${LONG_UNANSWERED / 1000} s for the script ${this.#script}, which listens for 'message' ` +
          'on its parentPort: each task ends when the script answers it by parentPort.postMessage(result), once',
        'RustWorkersWarning',
      );
    }, LONG_UNANSWERED);
    this.#warnTimer.unref();
  }

  /**
   * The script has called `parentPort.postMessage`.
   *
   * @returns {boolean} whether that was the answer to a task
   * @throws Node's error for a value that cannot be cloned or transferred: then the task is still to be answered
   */
  posted(value, transfer) {
    const unanswered = this.#unanswered;
    const own = this.#contexts?.getStore();
    const job = own !== undefined && unanswered.includes(own) ? own : unanswered[0];
    if (job === undefined) return false;
    // Before the value is read, which may run code of the script's that posts.
    const at = this.#take(job);
    try {
      this.#answers.write(value, transfer === undefined ? NOTHING : require('../transfer/transfer-list').listOf(transfer));
    } catch (error) {
      this.#unanswered.splice(at, 0, job);
      throw error;
    }
    this.#runner.open.delete(job.id);
    // Now: the listener may end the worker, or wait in place for what the answer brings about.
    this.#runner.finish(job.id);
    if (job === this.#emitting && this.#contexts === undefined) job.answered = true;
    // The rest not now: this is the middle of the script's own code.
    else nodeGlobals.queueMicrotask(this.#goOn);
    return true;
  }

  /** Takes a task off the list: it is answered, or failed. Returns where it stood. */
  #take(job) {
    const at = this.#unanswered.indexOf(job);
    // Most often there is but one, and to leave it a new array is the quickest.
    if (at === 0 && this.#unanswered.length === 1) this.#unanswered = [];
    else this.#unanswered.splice(at, 1);
    return at;
  }

  #goOn = () => this.#runner.afterMessage();
}

module.exports = { MessageTasks };
