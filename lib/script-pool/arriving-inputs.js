'use strict';

/**
 * The inputs that do not come with their task, on the worker's side; bound-inputs.js is the owner's.
 *
 * The input of a task that is bound to this worker is a message of Node's port; its number stands in the queue. It may come
 * before its task or after it, and the owner may have taken it back. The memory of other inputs is asked for when the task
 * is taken; if the owner is busy for too long, a copy will do.
 */

const { receiveMessageOnPort } = require('node:worker_threads');

const { clearTimeout, setTimeout } = require('../runtime/clock');
const { binding } = require('../native');
const { ASKED_INPUT, DROP, INPUT, RETIRE, VOID } = require('./owner-messages');

/** Milliseconds in which the owner may give the memory of an input; then a copy is taken. */
const ASKING = 10;

/** Stands for an input that could not be sent. */
const NO_INPUT = Object.freeze({ error: undefined });

class ArrivingInputs {
  #runner;
  #port;
  #call;
  /** Inputs whose task has not begun, by number. */
  #inputs = new Map();
  /** The lowest number that has not come; and those above it that have. */
  #lowest = 0;
  #above = new Set();
  /** Tasks that began before their input was here, by the input's number. */
  #awaiting = new Map();
  /** Tasks whose input was asked for, by their ids. */
  #asked = new Map();

  /**
   * @param {import('./runner').Runner} runner
   * @param {MessagePort} port of Node's, from the owner of the pool
   * @param {Float64Array} call the arguments of native calls
   */
  constructor(runner, port, call) {
    this.#runner = runner;
    this.#port = port;
    this.#call = call;
  }

  /**
   * Begins a task whose input is the message of this number.
   *
   * @returns {boolean} whether it has ended already
   */
  begin(job, run, number) {
    const input = this.#take(number);
    if (input !== undefined) return this.#runner.runArrived(job, run, input);
    // Its owner has taken it back, which was read just now.
    if (number < this.#lowest || this.#above.has(number)) return false;
    // It is on its way.
    this.#runner.open.set(job.id, job);
    this.#awaiting.set(number, { job, run });
    return false;
  }

  /** Begins a task whose input the owner has been asked for. */
  ask(job, run) {
    this.#runner.open.set(job.id, job);
    const timer = setTimeout(() => {
      const extra = binding.scriptClaim(job.id);
      // Else it is on its way.
      if (this.#call[2] === 0) return;
      this.#asked.delete(job.id);
      this.#runner.goOn(job, (ready) => this.#runner.runShown(ready, run, this.#call[0], this.#call[1], extra));
    }, ASKING);
    this.#asked.set(job.id, { job, run, timer });
  }

  /** A message has come from the owner. */
  told(message) {
    const [kind, number, isBundle, value] = message;
    if (kind >= RETIRE) this.#runner.told(message);
    else if (kind === INPUT) this.#received(number, { error: undefined, isBundle, value });
    else if (kind === DROP) this.#drop(number);
    else if (kind === VOID) this.#received(number, NO_INPUT);
    // Its id stands where others have a number.
    else if (kind === ASKED_INPUT) this.#given(number, isBundle);
  }

  /** A message has come that cannot be read here. */
  unreadable(error) {
    this.#received(this.#lowest, { error });
  }

  /** The input of this number, if it is here. */
  #take(number) {
    for (;;) {
      const input = this.#inputs.get(number);
      if (input !== undefined) {
        this.#inputs.delete(number);
        return input;
      }
      let received;
      try {
        received = receiveMessageOnPort(this.#port);
      } catch (error) {
        this.unreadable(error);
        continue;
      }
      if (received === undefined) return undefined;
      this.told(received.message);
    }
  }

  /** The memory that was asked for has come. */
  #given(id, value) {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    clearTimeout(asked.timer);
    this.#asked.delete(id);
    this.#runner.goOn(asked.job, (ready) => this.#runner.calls.run(ready, asked.run, value));
  }

  /** No task needs this input any more: releases the objects that were transferred with it. */
  #drop(number) {
    const input = this.#inputs.get(number);
    if (input === undefined) return;
    this.#inputs.delete(number);
    if (input.error === undefined) require('../fallback/value').discardValue(input.isBundle, input.value);
  }

  /** An input has come: the task that waits for it begins. */
  #received(number, input) {
    this.#above.add(number);
    while (this.#above.delete(this.#lowest)) this.#lowest++;
    const waiting = this.#awaiting.get(number);
    if (waiting === undefined) {
      if (input !== NO_INPUT) this.#inputs.set(number, input);
      // Its task waits in the queue, unless it has ended. Nothing else has woken this worker for it.
      this.#runner.pull();
      return;
    }
    this.#awaiting.delete(number);
    const { job, run } = waiting;
    if (input !== NO_INPUT) return this.#runner.goOn(job, (ready) => this.#runner.runArrived(ready, run, input));
    // Its owner has taken it back.
    this.#runner.open.delete(job.id);
    this.#runner.next();
  }
}

module.exports = { ArrivingInputs };
