'use strict';

/**
 * Submits native tasks: the input in the form that carries it, and the task's place in the queue.
 */

const { rejectBy } = require('../answer-errors');
const { SUBMISSION } = require('../constants');
const { deliveryOf } = require('../delivery');
const { binding } = require('../native');
const { namedByMessage } = require('../flow/outcomes');
const { ITSELF, cancelBy, soonerLimit } = require('../task/cancel-group');
const { Pending } = require('../task/pending');
const { submitOptions } = require('../task/options');
const { encodeInput, encodeInputs } = require('../task/encode-input');
const { givenBack, orGiven, prepareFor, prepareForAll, readOnce, withParallel } = require('../task/shared-inputs');
const { TaskTransfer } = require('../transfer/task-transfer');
const { hearCalls } = require('./call-events');
const { DEPOSIT, KINDS, WITHOUT_INPUT, WITH_NUMBER, openIntake } = require('./intake');
const { nativeOwnerOf, unknownTask } = require('./task-router');

const delivery = deliveryOf(binding);

const { LATEST_REPORT, REPORTS } = SUBMISSION;

hearCalls(delivery);

/** Whether the outputs of many inputs come back. */
const KEEPS = true;
const DROPS = false;

class NativeSubmitter {
  #pool;
  #admission;
  /** Where small tasks go; undefined before the first, null where there is none. */
  #intake;
  /** With fewer tasks under way, one more does not fill the queue. */
  #roomBelow;

  /**
   * @param {import('../task/native-pool').NativePool} pool
   * @param {import('./admission').Admission} admission
   * @param {number} maxQueue
   */
  constructor(pool, admission, maxQueue) {
    this.#pool = pool;
    this.#admission = admission;
    this.#roomBelow = maxQueue - 1;
  }

  ownerOf(name) {
    return nativeOwnerOf(this.#pool, name);
  }

  /** Others fill the queue too from now on: where it has a limit, only the native side knows whether one more fits. */
  shareQueue() {
    if (this.#roomBelow !== Infinity) this.#roomBelow = 0;
  }

  run(name, input, options, resolve, reject) {
    const task = this.#pool.tasks.get(name);
    if (task === undefined) reject(unknownTask(this.#pool, name));
    else if (options !== undefined) this.#runWithOptions(task, input, options, resolve, reject);
    else if (typeof input === 'number') this.#runSmall(task, WITH_NUMBER, input, resolve, reject);
    else if (input === undefined) this.#runSmall(task, WITHOUT_INPUT, 0, resolve, reject);
    else this.#runPlain(task, input, resolve, reject);
  }

  /** The pool's intake, if a task may go there now. */
  #openIntake() {
    if (this.#pool.inFlight >= this.#roomBelow || this.#admission.isClosed) return null;
    if (this.#intake === undefined) this.#intake = openIntake(this.#pool.handle);
    return this.#intake;
  }

  /** With a number, or nothing, as its input. */
  #runSmall(task, kind, input, resolve, reject) {
    const intake = this.#openIntake();
    if (intake === null) return this.#runPlain(task, kind === WITH_NUMBER ? input : undefined, resolve, reject);
    const id = delivery.add(resolve, this.#pool, task.name);
    try {
      intake.put(id, task.number * KINDS + kind, input);
    } catch (error) {
      failed(id, resolve, error);
    }
  }

  #runPlain(task, input, resolve, reject) {
    let form, value, length, parts, given;
    try {
      const read = readOnce(task, input);
      ({ form, value, length, parts } = encodeInput(read, undefined, task.inPlace));
      prepareFor(task, read);
      given = givenBack(task, read);
    } catch (error) {
      return reject(error);
    }
    const settle = given === undefined ? resolve : settleBy(resolve, orGiven(given));
    // Here, since what getters of the input have done counts.
    const intake = this.#openIntake();
    const id = delivery.add(settle, this.#pool, task.name);
    try {
      const submit = intake === null ? binding.submit : binding.deposit;
      const answer = submit(this.#pool.handle, task.number, id, form, value, length, parts);
      if (answer === undefined && intake !== null) intake.put(0, DEPOSIT, 0);
      else if (answer !== undefined) this.#admission.answered(answer, id, resolve, task.name, input);
    } catch (error) {
      failed(id, resolve, error);
    }
  }

  #runWithOptions(task, input, given, resolve, reject) {
    const pending = new Pending(resolve, reject, this.#pool, task.name);
    try {
      const options = submitOptions(given, true);
      // Before the input is read: what its getters do may end the task.
      pending.control(options);
      if (pending.ended) return;
      gives(pending, options);
      if (options.onProgress !== undefined) pending.listen(options.onProgress, options.progress === 'latest');
      // Nor is anything transferred when the queue is full.
      const refusal = options.transfer === undefined ? null : this.#admission.refusal(false);
      if (refusal !== null) return pending.reject(this.#admission.queueFull(refusal, task.name, input));
      let read = readOnce(task, input);
      const back = givenBack(task, read);
      if (back !== undefined) pending.through(orGiven(back));
      if (options.parallel) read = withParallel(task, read);
      const { form, value, length, parts, input: taken } = encodeInput(read, options.transfer, task.inPlace);
      prepareFor(task, read);
      const moved = taken === read ? input : taken;
      // One that is nested in another may call a function, and so has to be known as nested.
      const submit = options.key === undefined && !options.context?.isNested ? binding.submitWith : binding.submitKeyed;
      if (!pending.ended) this.#submit(submit, task, pending, options, [form, value, length, parts], moved);
    } catch (error) {
      if (pending.id !== 0) delivery.remove(pending.id);
      pending.reject(error);
    }
  }

  /**
   * All inputs of a map in one crossing.
   *
   * @param {string} name of a native task
   * @param {Iterable<unknown>} inputs
   * @param {object} options as `submitOptions` returns them
   */
  map(name, inputs, options, resolve, reject) {
    this.#submitAll(name, inputs, options, KEEPS, resolve, reject);
  }

  /** The same, of which only the number of the outputs comes back. */
  forEach(name, inputs, options, resolve, reject) {
    this.#submitAll(name, inputs, options, DROPS, resolve, reject);
  }

  #submitAll(name, inputs, options, keepsOutputs, resolve, reject) {
    const task = this.#pool.tasks.get(name);
    const pending = new Pending(resolve, (error) => reject(namedByMessage(error)), this.#pool, task.name);
    try {
      pending.control(options);
      if (pending.ended) return;
      gives(pending, options);
      // As they are now: what getters among them change counts no more.
      const all = [...inputs];
      if (all.length === 0) {
        if (options.transfer !== undefined) new TaskTransfer(options.transfer).finish();
        return pending.resolve(keepsOutputs ? all : 0);
      }
      prepareForAll(task, all, options.parallel, keepsOutputs ? pending : undefined);
      const { form, value, length, parts } = encodeInputs(all, options.transfer, task.inPlace);
      if (pending.ended) return;
      this.#submit(binding.submitBatch, task, pending, options, [form, value, length, parts], inputs, all.length, keepsOutputs);
    } catch (error) {
      if (pending.id !== 0) delivery.remove(pending.id);
      pending.reject(error);
    }
  }

  /** Submits what may end early, or has a priority; `count`: of how many inputs, where there are many. */
  #submit(submit, task, pending, options, prepared, input, count, keepsOutputs) {
    const { priority, key, timeout, deadline, runTimeout, context } = options;
    // Others have the pool open too: it is not the pool's end that ends this one's tasks, but each by its id.
    const cancel = this.#pool.isShared ? ITSELF : cancelBy(options, count !== undefined);
    const { limit, isDeadline } = deadline === undefined ? { limit: timeout ?? -1, isDeadline: 0 } : soonerLimit(options);
    pending.id = delivery.add(pending, this.#pool, pending.task);
    const answer = submit(
      this.#pool.handle, task.number, pending.id, ...prepared, priority, limit, isDeadline + reportsOf(options), runTimeout ?? -1, cancel, count ?? key,
      // Of a task with a key: who waits for it, and whether its thread is blocked.
      keepsOutputs ?? context?.waiter ?? 0, context?.blocks ?? false,
    );
    if (answer === true) this.#admission.becameFull();
    else if (answer !== undefined) pending.reject(this.#admission.refused(answer, pending.id, pending.task, input));
  }
}

/** What functions that the task calls get from it. */
function gives(pending, { priority, deadline, callees }) {
  if (priority === 0 && deadline === undefined && callees === undefined) return;
  const given = callees === undefined ? undefined : new (require('./native-calls').Callees)(callees);
  pending.gives = { priority, deadline, callees: given };
}

/** Which reports are listened to, as the native side is told it. */
function reportsOf({ onProgress, progress }) {
  if (onProgress === undefined) return 0;
  return progress === 'latest' ? LATEST_REPORT : REPORTS;
}

/** Resolves with what `through` makes of the output. */
const settleBy = (resolve, through) => (output) => resolve(through(output));

/** A submission failed half-way, since the stack may be used up: no answer will come. */
function failed(id, resolve, error) {
  delivery.remove(id);
  rejectBy(resolve, error);
}

module.exports = { NativeSubmitter };
