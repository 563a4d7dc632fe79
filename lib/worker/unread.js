'use strict';

/**
 * Messages with objects of ours that the other end cannot read, as it has not loaded the package: a warning says so, once
 * for each thread.
 *
 * There, the message would silently be an object of our making. Whether a thread has loaded the package is known to the
 * whole process; whether it will still do so is not known before it has ended. So the warning comes at its end, or when it
 * has had enough time.
 */

const { setTimeout, clearTimeout } = require('node:timers');

const { now } = require('../runtime/clock');
const { onChannelEnd } = require('../runtime/worker-channel');
const { binding } = require('../native');

/** Of a thread: it has loaded rust-workers. */
const LOADED = 1;
/** Of a thread: its Worker is one of ours, so the parent can read. */
const OURS = 2;

/** Milliseconds that a thread gets to load the package. */
const TIME_TO_LOAD = 5000;
/** For a thread that runs its script, as it has posted something. */
const TIME_TO_LOAD_ONCE_RUNNING = 500;
/** A thread that has ended earlier, without a message, was probably stopped before it could load anything. */
const SHORT_LIFE = 1000;
/** How long the parent's constructor may take to return, while the thread runs already. */
const TIME_TO_CONSTRUCT = 100;

const hasNote = (thread, bit) => (binding.threadNotes(thread) & bit) !== 0;
const noteLoaded = (thread) => binding.noteThread(thread, LOADED);
const noteOurs = (thread) => binding.noteThread(thread, OURS);

const warn = (message) => process.emitWarning(message, 'RustWorkersWarning');

function warnOfThread(thread) {
  warn(
    `Worker ${thread} was sent a message with objects of rust-workers and has not loaded the package: it gets a plain ` +
      "object instead. Take parentPort from 'rust-workers' in its script, or load rust-workers there first",
  );
}

function warnOfParent(thread) {
  if (hasNote(thread, OURS)) return;
  warn(
    `Worker ${thread} posted a message with objects of rust-workers to its parent, which gets a plain object instead: ` +
      "start the thread with Worker of 'rust-workers', not of 'worker_threads'",
  );
}

/** Waits for a thread to load the package. */
class Expectation {
  #thread;
  #began = now();
  #hasPosted = false;
  #timer;

  constructor(port, thread) {
    this.#thread = thread;
    this.#timer = setTimeout(this.#look, TIME_TO_LOAD).unref();
    // It closes when the thread has ended.
    onChannelEnd(port, this.#ended);
  }

  #look = () => {
    clearTimeout(this.#timer);
    if (this.#timer !== undefined && !hasNote(this.#thread, LOADED)) warnOfThread(this.#thread);
    this.#timer = undefined;
  };

  /** There is no warning of a thread that was stopped before it could load anything. */
  #ended = () => {
    if (this.#hasPosted || now() - this.#began > SHORT_LIFE) this.#look();
    else clearTimeout(this.#timer);
  };

  /** The thread has posted something. */
  posted() {
    if (this.#hasPosted || this.#timer === undefined) return;
    this.#hasPosted = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#look, TIME_TO_LOAD_ONCE_RUNNING).unref();
  }
}

/**
 * A first message with objects of ours has left.
 *
 * @param {object} port by which it left
 * @param {number} thread the Worker's `threadId`
 * @param {boolean} isParents whether the parent sent it
 * @returns {Expectation | undefined} must be notified when the thread posts a message
 */
function expectReader(port, thread, isParents) {
  if (hasNote(thread, isParents ? LOADED : OURS)) return undefined;
  if (isParents) return new Expectation(port, thread);
  setTimeout(warnOfParent, TIME_TO_CONSTRUCT, thread).unref();
  return undefined;
}

module.exports = { expectReader, noteLoaded, noteOurs };
