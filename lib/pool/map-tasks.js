'use strict';

/**
 * The tasks of a map of a script's function, where they have no options but a priority and a key: of each there is one small object,
 * and no promise, and all are stopped by one call.
 */

const { isError } = require('../answer-errors');
const { deliveryOf } = require('../delivery');
const { binding } = require('../native');
const { KeptInput } = require('../script-pool/kept-input');
const { CancelGroup } = require('../task/cancel-group');

const delivery = deliveryOf(binding);

/** One of them, as the delivery knows it. */
class MapTask {
  /** Set by the submitter. */
  id = 0;
  number;
  /** Its neighbours in the list of those that are under way. */
  before;
  after;
  #tasks;

  constructor(tasks, number, before, after) {
    this.#tasks = tasks;
    this.number = number;
    this.before = before;
    this.after = after;
  }

  /** The answer has come. */
  settle(form, number) {
    this.#tasks.settle(this, form, number);
  }

  /** Its worker has ended, or the like. */
  reject(error) {
    this.#tasks.reject(this, error);
  }
}

class MapTasks {
  #pool;
  #submitter;
  #name;
  #options;
  #host;
  /** Those that are under way: a list, since a set would cost a third of all that is done here for a task. */
  #first;
  #count = 0;
  #isOver = false;

  /**
   * @param {import('../script-pool/native-script-pool').NativeScriptPool} pool
   * @param {import('../script-pool/script-submitter').ScriptSubmitter} submitter
   * @param {string} name of the function
   * @param {object} options as `submitOptions` returns them
   * @param {boolean} stops whether they can be stopped
   * @param {object} host
   * @param {(output: unknown, number: number) => void} host.succeeded called for an input's output, in the middle of a delivery
   * @param {(error: unknown, number: number) => void} host.failed called later, in a microtask
   */
  constructor(pool, submitter, name, options, stops, host) {
    this.#pool = pool;
    this.#submitter = submitter;
    this.#name = name;
    const { priority, key } = options;
    this.#options = { ...submitter.usualOptions, priority, key, group: stops ? new CancelGroup() : undefined };
    this.#host = host;
  }

  /**
   * Submits the task of an input.
   *
   * @param {unknown} input
   * @param {number} number the input's
   * @returns {{ value: unknown } | undefined} where only Node's port can carry it: the input as it was read
   * @throws what the input's getters throw, and the pool's refusal
   */
  submit(input, number) {
    const prepared = input instanceof KeptInput ? input.prepared : undefined;
    const submitter = this.#submitter;
    const encoded = prepared ?? submitter.encode(this.#name, input);
    if (encoded === undefined) return { value: submitter.takeForNode() };
    // A getter of the input may have ended the map.
    if (this.#isOver) return undefined;
    const task = new MapTask(this, number, undefined, this.#first);
    if (this.#first !== undefined) this.#first.before = task;
    this.#first = task;
    this.#count++;
    try {
      submitter.submitFor(task, this.#name, encoded, this.#options);
    } catch (error) {
      this.#remove(task);
      throw error;
    }
    return undefined;
  }

  settle(task, form, value) {
    this.#remove(task);
    if (this.#isOver) return delivery.skip(form, value);
    let output;
    try {
      if (isError(form)) return this.fail(this.#pool.readError(form, value, delivery, this.#name), task.number);
      output = this.#pool.readAnswer(form, value, delivery, this.#name);
    } catch (error) {
      return this.fail(error, task.number);
    }
    this.#host.succeeded(output, task.number);
  }

  reject(task, error) {
    this.#remove(task);
    if (!this.#isOver) this.fail(error, task.number);
  }

  #remove({ before, after }) {
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after !== undefined) after.before = before;
    this.#count--;
  }

  /** Not in the middle of a delivery: the map may close its source, which is the program's code. */
  async fail(error, number) {
    await undefined;
    if (!this.#isOver) this.#host.failed(error, number);
  }

  /** The map is over; those that are under way are stopped. */
  end() {
    if (this.#isOver) return;
    this.#isOver = true;
    const { group } = this.#options;
    if (group === undefined) return;
    if (this.#count > 0) {
      group.stop();
      this.#pool.cancelAll(this.#ids());
    }
    group.close();
  }

  #ids() {
    const ids = new Float64Array(this.#count);
    let at = 0;
    for (let task = this.#first; task !== undefined; task = task.after) ids[at++] = task.id;
    return ids;
  }
}

module.exports = { MapTasks };
