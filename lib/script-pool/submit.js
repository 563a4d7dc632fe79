'use strict';

/** The way of a task to a pool's script workers: its input in the form that carries it, and its place in the queue. */

const { AsyncResource } = require('node:async_hooks');

const { now } = require('../runtime/clock');
const { append } = require('../runtime/intrinsics');
const { PoolClosedError, QueueFullError, UnknownTaskError } = require('../errors');
const { Pending } = require('../pending');
const { runTerms } = require('../pool-options');
const { ensureStack } = require('../runtime/stack-overflow');
const { keep, takeKept } = require('./kept-input');
const { Outgoing } = require('./outgoing');
const { scriptTerms } = require('./script-options');
const { ANY_WORKER, ASKED, BESIDE, BY_MESSAGE, BY_QUEUE, NO_WORKER } = require('./steps');
const { notTooDeep } = require('./too-deep');
const { AUTO, discard, givesOnlyMemory, letGo, takeAside, takeBack, transferablesOf } = require('./transfer');

/** Inputs on their way to scripts. */
const outgoing = new Outgoing();

/** What `submitScript` tells beside the acceptance, as bits. */
const NO_WORKER_FREE = 1;
const FULL = 2;

/** The highest priority. */
const FIRST = 2 ** 31 - 1;

/** Milliseconds by which the time limit of a task that was held comes before that of what it became. */
const MARGIN = 5;

/** How often another seat is tried when a worker left just now. */
const TRIES = 8;

const NOTHING = Object.freeze([]);
/** Each is there, so that nobody looks for it on a prototype. */
const NO_TERMS = Object.freeze({ priority: 0, signal: undefined, timeout: undefined });

/** Options of the same terms, in the async context of now. */
function optionsOf({ onProgress, name, signal, timeout, priority, parallel }) {
  const options = { priority, parallel };
  if (signal !== undefined) options.signal = signal;
  if (timeout !== undefined) options.timeout = timeout;
  if (name !== undefined) options.name = name;
  if (onProgress !== undefined) options.onProgress = AsyncResource.bind(onProgress);
  return options;
}

/** A task of a script. */
class ScriptPending extends Pending {
  settle(form, number, delivery) {
    this.pool.manager.answered(this.id);
    super.settle(form, number, delivery);
  }
}

/** A task that waits until it is known whose it is. */
class HeldPending extends Pending {
  /** Lets go of it. */
  release = undefined;

  end(error, timedOut) {
    super.end(error, timedOut);
    this.release?.();
  }
}

class ScriptSubmitter {
  #binding;
  #delivery;
  #record;
  #manager;
  /** Whether a task that may be stopped wants its worker alone: stopping it may need ending the worker. */
  #separates;
  #isClosed;
  #queueFull;
  #becameFull;
  #refused;
  /** The numbers of the script's functions, by name. */
  #functions = new Map([['', 0]]);
  /** Tasks that wait until it is known what the script exports: `{ pending, aside }`. */
  #held = new Set();
  #whenDispatched = [];

  constructor({ binding, delivery, record, manager, settings, isClosed, becameFull, queueFull, refused }) {
    this.#binding = binding;
    this.#delivery = delivery;
    this.#record = record;
    this.#manager = manager;
    this.#separates = settings.concurrency > 1 && settings.killTimeout !== Infinity;
    this.#isClosed = isClosed;
    this.#queueFull = queueFull;
    this.#becameFull = becameFull;
    this.#refused = refused;
  }

  /** The names that the script exports; undefined until a worker has told. */
  get exports() {
    return this.#manager.exports;
  }

  /** Runs the script's function of this name; '' is the one for tasks that name none. */
  run(name, input, options, resolve, reject) {
    if (options !== undefined) return this.#runWith(name, input, options, resolve, reject);
    let id = 0;
    try {
      if (this.#isUnknown(name)) return reject(this.#unknown(name));
      if (!outgoing.prepare(input)) {
        // As it was read, where getters have run.
        const pending = new ScriptPending(resolve, reject, this.#record, name);
        return this.#runBeside(name, outgoing.takeLeft(), NOTHING, pending, NO_TERMS);
      }
      id = this.#delivery.add(resolve, this.#record, name);
      this.#submit(name, id, NO_TERMS, outgoing, resolve, input);
    } catch (error) {
      // The stack may be used up, at any of the steps.
      if (id !== 0) this.#delivery.remove(id);
      reject(notTooDeep(error, 'the input'));
    }
  }

  #runWith(named, input, options, resolve, reject) {
    let pending;
    try {
      const terms = runTerms(options);
      const { onProgress, name = named, auto } = scriptTerms(options);
      if (this.#isUnknown(name)) return reject(this.#unknown(name));
      pending = new ScriptPending(resolve, reject, this.#record, name);
      // Before the input is read: what its getters do may end the task.
      pending.control(terms);
      if (pending.ended) return;
      if (onProgress !== undefined) pending.listen(onProgress);
      const list = auto ? transferablesOf(input) : terms.transfer ?? NOTHING;
      // Nothing is given away to a queue that is full.
      const refusal = list.length > 0 ? this.#binding.poolRefusal(this.#record.handle, true) : null;
      if (refusal !== null) return pending.reject(this.#queueFull(refusal, name, input));
      if (list.length > 0) return this.#runBeside(name, input, list, pending, terms);
      if (!outgoing.prepare(input)) return this.#runBeside(name, outgoing.takeLeft(), NOTHING, pending, terms);
      if (pending.ended) return outgoing.release();
      pending.id = this.#delivery.add(pending, this.#record, name);
      this.#submit(name, pending.id, terms, outgoing, (outcome) => pending.resolve(outcome), input);
    } catch (error) {
      if (pending === undefined) return reject(error);
      if (pending.id !== 0) this.#delivery.remove(pending.id);
      pending.reject(notTooDeep(error, 'the input'));
    }
  }

  /**
   * Runs the script's function of a name that a native task has too, or else that task, before any worker has told what
   * the script exports: the task waits for that, its input taken now.
   *
   * @param {(input: unknown, options: object | undefined) => Promise<unknown>} runNative
   */
  runColliding(name, input, options, resolve, reject, runNative) {
    const pending = new HeldPending(resolve, reject, this.#record, name);
    try {
      ensureStack();
      const terms = options === undefined ? undefined : { ...runTerms(options), ...scriptTerms(options) };
      const began = now();
      if (terms !== undefined) pending.control(terms, true);
      if (pending.ended) return;
      // What the options' getters do may end the pool.
      if (this.#isClosed()) throw new PoolClosedError('the pool is closed and takes no more tasks', { task: name });
      // Before the input is read: what its getters do may end the task, or the pool.
      const held = { pending, aside: undefined };
      this.#held.add(held);
      this.#delivery.hold(1);
      pending.release = () => this.#release(held);
      try {
        held.aside = keep(input, terms?.auto ? AUTO : terms?.transfer);
      } catch (error) {
        this.#release(held);
        throw error;
      }
      if (!this.#held.has(held)) return discard(held.aside);
      const again = terms === undefined ? undefined : optionsOf(terms);
      this.#manager.whenLoaded((failure) => {
        if (!this.#held.has(held)) return;
        const { aside } = held;
        held.aside = undefined;
        if (failure === undefined) {
          pending.resolve(this.#runHeld(name, aside, input, again, now() - began, runNative));
        } else {
          discard(aside);
          pending.reject(failure);
        }
        this.#release(held);
      });
    } catch (error) {
      pending.reject(notTooDeep(error, 'the input'));
    }
  }

  /** One that was held goes on, or will not. */
  #release(held) {
    if (!this.#held.delete(held)) return;
    if (held.aside !== undefined) discard(held.aside);
    this.#delivery.hold(-1);
    if (this.#held.size === 0) for (const then of this.#whenDispatched.splice(0)) then();
  }

  /** Rejects what is held: the pool is destroyed. */
  rejectHeld(error) {
    for (const { pending } of [...this.#held]) pending.end(error());
  }

  /** Whether a task that may be stopped runs alone on its worker. */
  get separates() {
    return this.#separates;
  }

  /**
   * Calls `then` once it is known what the script exports, or with an error when it cannot be loaded. Keeps the event loop
   * alive until then.
   *
   * @returns {() => void} lets go of the event loop
   */
  whenKnown(then) {
    let holds = 1;
    const release = () => {
      this.#delivery.hold(-holds);
      holds = 0;
    };
    this.#delivery.hold(1);
    this.#manager.whenLoaded((failure) => {
      release();
      then(failure);
    });
    return release;
  }

  async #runHeld(name, aside, input, options, waited, runNative) {
    const { value, transfer } = takeKept(aside);
    const again = options === undefined && transfer.length === 0 ? undefined : { ...options };
    if (transfer.length > 0) again.transfer = transfer;
    // Its own time limit, which is the call's, ends it if this one is late.
    if (again?.timeout !== undefined) again.timeout = Math.max(0, again.timeout - waited) + MARGIN;
    try {
      if (this.#manager.exports?.has(name) !== true) return await runNative(value, again);
      return await new Promise((resolve, reject) => this.run(name, value, again, resolve, reject));
    } catch (error) {
      const isRefused = error instanceof QueueFullError;
      // What was refused is the caller's own, unless that was given away.
      if (isRefused && transfer.length === 0) error.input = input;
      if (!isRefused && transfer.length > 0) letGo(transfer);
      throw error;
    }
  }

  /** Calls `then` once no task waits any more for what the script exports; at once, if none does. */
  whenDispatched(then) {
    if (this.#held.size === 0) then();
    else append(this.#whenDispatched, then);
  }

  #isUnknown(name) {
    return this.#manager.exports !== undefined && name !== '' && !this.#manager.exports.has(name);
  }

  #unknown(name) {
    const names = [...this.#manager.exports].filter((known) => known !== '');
    const exported = names.length > 0 ? `it exports: ${names.join(', ')}` : 'it exports no function';
    return new UnknownTaskError(`The script exports no function '${name}'; ${exported}`);
  }

  /** What Node's own port carries: to the worker that will run the task, on its way when this returns. */
  #runBeside(name, input, list, pending, terms) {
    const settle = (outcome) => pending.resolve(outcome);
    /** The input as it is now, where it may have to be sent twice. */
    let aside;
    for (let tries = 0; ; tries++) {
      const { seat, free } = this.#manager.choose();
      if (!free && aside === undefined) aside = takeAside(input, list);
      if (pending.ended) return aside === undefined ? undefined : discard(aside);
      // Given memory that has to wait: the queue keeps it, for whichever worker comes first.
      if (!free && givesOnlyMemory(aside) && outgoing.prepareGiven(aside.value, aside.list)) {
        pending.id = this.#delivery.add(pending, this.#record, name);
        this.#manager.lend(pending.id, aside);
        return this.#submit(name, pending.id, terms, outgoing, settle, aside.value, ASKED);
      }
      const id = this.#delivery.add(pending, this.#record, name);
      const number = this.#manager.number(seat);
      const beside = { form: BESIDE, value: undefined, length: number, parts: undefined };
      // Its worker has its input, and nothing else to do: no other task comes between.
      const order = aside === undefined ? { ...terms, priority: FIRST } : terms;
      const answer = this.#submitTo(name, id, order, beside, seat, BY_MESSAGE);
      if (Array.isArray(answer)) {
        if (answer[0] === 'ERR_RW_INTERNAL' && tries < TRIES) {
          this.#delivery.remove(id);
          continue;
        }
        return this.#refused(answer, id, settle, name, aside === undefined ? input : takeBack(aside));
      }
      pending.id = id;
      try {
        if (seat === NO_WORKER) this.#manager.keep(id, aside);
        else if (aside === undefined) this.#manager.send(seat, number, id, input, list);
        else this.#manager.sendTaken(seat, number, id, aside);
      } catch (error) {
        this.#binding.retractScript(this.#record.handle, seat, id);
        this.#delivery.remove(id);
        pending.id = 0;
        return pending.reject(notTooDeep(error, 'the input'));
      }
      return this.#note(answer);
    }
  }

  /** Submits for any worker. */
  #submit(name, id, terms, prepared, resolve, input, road = BY_QUEUE) {
    const answer = this.#submitTo(name, id, terms, prepared, ANY_WORKER, road);
    if (typeof answer === 'number') this.#note(answer);
    else if (answer !== undefined) {
      if (road === ASKED) this.#manager.takeBack(id);
      this.#refused(answer, id, resolve, name, input);
    }
  }

  #note(answer) {
    if (answer & NO_WORKER_FREE) this.#manager.need();
    if (answer & FULL) this.#becameFull();
  }

  #submitTo(name, id, { priority, signal, timeout }, prepared, seat, road) {
    const { call } = this.#delivery;
    const cancellable = signal !== undefined || timeout !== undefined;
    // Before the call's arguments are written: it may be a call itself.
    const number = this.#functions.get(name) ?? this.#nameFunction(name);
    call[0] = this.#record.handle;
    call[1] = number;
    call[2] = id;
    call[3] = prepared.form;
    call[4] = prepared.length;
    call[5] = priority;
    call[6] = timeout ?? -1;
    call[7] = cancellable ? 1 : 0;
    call[8] = seat;
    call[9] = cancellable && this.#separates ? 1 : 0;
    call[10] = road === ASKED ? 1 : 0;
    const answer = this.#binding.submitScript(prepared.value, prepared.parts);
    // Nothing of it is kept.
    if (prepared === outgoing) outgoing.release();
    return answer;
  }

  #nameFunction(name) {
    const number = this.#binding.scriptFunction(this.#record.handle, name);
    this.#functions.set(name, number);
    return number;
  }
}

module.exports = { ScriptSubmitter };
