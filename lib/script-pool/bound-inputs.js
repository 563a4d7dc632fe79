'use strict';

/**
 * The inputs of tasks that only Node's ports can carry, on the side of the pool's owner.
 *
 * Such an input is sent when its task is submitted, so it is what it was at the call, and its task is bound to the worker
 * that has it. The worker counts what comes by its port: the number of the message stands in the queue in place of the
 * input. Should the worker end before the task's turn, or another be idle while it is at something else, the task is bound to another
 * one and the copy that was kept is sent again. A transferred object that is no memory exists once, and is lost with its worker.
 *
 * Transferred memory is not sent while the task waits: the worker that takes the task asks for it.
 */

const { append } = require('../runtime/intrinsics');
const { binding } = require('../native');
const { ASKED_INPUT, DROP, INPUT, VOID } = require('./owner-messages');
const { canGoTwice, discardTaken, sendValue } = require('./transfer');

const NOTHING = Object.freeze([]);

class BoundInputs {
  #pool;
  /**
   * By the task's id: `{ worker, number, taken }`; without a worker, not sent yet; without `taken`, there once; without both, the input
   * is in the queue, and only the task is bound.
   */
  #inputs = new Map();
  /** Ids of tasks that wait for a worker to be bound to. */
  #unbound = [];

  /** @param {import('./native-script-pool').NativeScriptPool} pool */
  constructor(pool) {
    this.#pool = pool;
  }

  /**
   * Sends an input to the worker to which its task is bound.
   *
   * @param {import('./pool-worker').PoolWorker} worker
   * @param {number} number the number of its next message
   * @param {number} id the task's
   * @param {unknown} input
   * @param {object[]} list the transfer list
   * @throws Node's error for a value that cannot be cloned or transferred: then the task must be taken back
   */
  send(worker, number, id, input, list) {
    this.#post(worker, number, id, undefined, (port) =>
      sendValue(input, list, (value, isBundle, given) => port.postMessage([INPUT, number, isBundle, value], given), 'input'),
    );
  }

  /**
   * As `send`, of an input that was taken before.
   *
   * @param {{ isBundle: boolean, value: unknown, list: object[] }} taken by `takeNow` of transfer.js
   */
  sendTaken(worker, number, id, taken) {
    const { isBundle, value, list } = taken;
    const [kept, given] = canGoTwice(taken) ? [taken, NOTHING] : [undefined, list];
    this.#post(worker, number, id, kept, (port) => port.postMessage([INPUT, number, isBundle, value], given));
  }

  #post(worker, number, id, taken, post) {
    // Here, and not for a task that is refused: the worker counts what comes.
    worker.sent = number + 1;
    // Before: reading the input may run code that ends the task.
    this.#inputs.set(id, { worker, number, taken });
    try {
      post(worker.port);
    } catch (error) {
      this.#inputs.delete(id);
      worker.port.postMessage([VOID, number]);
      throw error;
    }
    // Reading the input has ended the task.
    if (!this.#inputs.has(id)) worker.port.postMessage([DROP, number]);
  }

  /** The task is no longer bound to the worker to which its input was sent: the input, to be sent to another one. */
  takeBack(id) {
    const input = this.#inputs.get(id);
    if (input === undefined) return undefined;
    input.worker?.port.postMessage([DROP, input.number]);
    return input.taken;
  }

  /** Keeps the input of a task that waits for a worker to be bound to. */
  keep(id, taken) {
    this.lend(id, taken);
    append(this.#unbound, id);
  }

  /** The task is for one worker, and its input in the queue: it ends with its worker. */
  pin(id) {
    this.lend(id, undefined);
  }

  /** Keeps memory that the task's worker, whichever takes it, can have itself instead of a copy if it asks for it. */
  lend(id, taken) {
    this.#inputs.set(id, { worker: undefined, number: 0, taken });
  }

  /** A worker asks for the memory of a task's input. */
  give(worker, id) {
    const input = this.#inputs.get(id);
    if (input?.taken === undefined || !binding.claimInput(this.#pool.handle, id)) return;
    this.#inputs.delete(id);
    const { value, list } = input.taken;
    worker.port.postMessage([ASKED_INPUT, id, value], list);
  }

  /** The input is no longer needed here: the task was rejected, or refused, and then its memory is the caller's again. */
  forget(id) {
    this.#inputs.delete(id);
  }

  /** The task has been answered. */
  answered(id) {
    const input = this.#inputs.get(id);
    if (input === undefined) return;
    this.#inputs.delete(id);
    // It never left.
    if (input.worker === undefined && input.taken !== undefined) discardTaken(input.taken);
  }

  /** The task has ended early: if its input is already sent, nobody will use it. */
  letGo(id) {
    const input = this.#inputs.get(id);
    if (input === undefined) return;
    this.#inputs.delete(id);
    if (input.taken !== undefined && input.worker === undefined) discardTaken(input.taken);
    else input.worker?.port.postMessage([DROP, input.number]);
  }

  /** How many tasks have something here. */
  get size() {
    return this.#inputs.size;
  }

  /** Whether the task has its input here; `taken` is undefined where it was there once. */
  get(id) {
    return this.#inputs.get(id);
  }

  /** The ids of tasks that wait for a worker to be bound to; they wait no more. */
  takeUnbound() {
    return this.#unbound.splice(0);
  }
}

module.exports = { BoundInputs };
