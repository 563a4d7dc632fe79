'use strict';

/** The way of a task to a pool's script workers: its input in the form that carries it, and its place in the queue. */

const { AsyncResource } = require('node:async_hooks');
const { types } = require('node:util');

const { onAbort } = require('../abort');
const { clearTimeout, now, setTimeout } = require('../clock');
const { abortError, PoolClosedError, TaskTimeoutError, UnknownTaskError } = require('../errors');
const { Pending } = require('../pending');
const { runTerms } = require('../pool-options');
const { Outgoing } = require('./outgoing');
const { scriptTerms } = require('./script-options');
const { ANY_SEAT, BESIDE, NO_SEAT } = require('./steps');
const { notTooDeep } = require('./too-deep');
const { discard, takeAside, takeBack, transferablesOf } = require('./transfer');

/** Inputs on their way to scripts. */
const outgoing = new Outgoing();

/** What `submitScript` tells beside the acceptance, as bits. */
const NO_WORKER_FREE = 1;
const FULL = 2;

/** How often another seat is tried when a worker left just now. */
const TRIES = 8;

const NOTHING = Object.freeze([]);
const NO_TERMS = Object.freeze({ priority: 0 });

/** A task whose input went, or is going, beside the queue. */
class BesidePending extends Pending {
  settle(form, number, delivery) {
    this.pool.crew.answered(this.id);
    super.settle(form, number, delivery);
  }
}

class ScriptSubmitter {
  #binding;
  #delivery;
  #record;
  #crew;
  /** Whether a task that may be stopped wants its worker alone: stopping it may need ending the worker. */
  #separates;
  #becameFull;
  #refused;
  /** The numbers of the script's functions, by name. */
  #functions = new Map([['', 0]]);
  /** Tasks that wait until it is known what the script exports. */
  #held = 0;
  #whenDispatched = [];

  constructor({ binding, delivery, record, crew, settings, becameFull, refused }) {
    this.#binding = binding;
    this.#delivery = delivery;
    this.#record = record;
    this.#crew = crew;
    this.#separates = settings.concurrency > 1 && settings.killTimeout !== Infinity;
    this.#becameFull = becameFull;
    this.#refused = refused;
  }

  /** Runs the script's function of this name; '' is the one for tasks that name none. */
  run(name, input, options, resolve, reject) {
    try {
      if (options === undefined) {
        if (this.#isUnknown(name)) return reject(this.#unknown(name));
        if (!outgoing.prepare(input)) {
          // As it was read, where getters have run.
          return this.#runBeside(name, outgoing.takeLeft(), NOTHING, resolve, reject, undefined, NO_TERMS);
        }
        const id = this.#delivery.add(resolve, this.#record, name);
        this.#submit(name, id, NO_TERMS, outgoing, resolve, input);
        return;
      }
      const terms = runTerms(options);
      const { onProgress, name: named = name, auto } = scriptTerms(options);
      if (terms.signal?.aborted) return reject(abortError(terms.signal));
      if (this.#isUnknown(named)) return reject(this.#unknown(named));
      // Called in the async context of this call, whoever delivers the report.
      const report = onProgress === undefined ? undefined : AsyncResource.bind(onProgress);
      const list = auto ? transferablesOf(input) : terms.transfer ?? NOTHING;
      if (list.length > 0) return this.#runBeside(named, input, list, resolve, reject, report, terms);
      if (!outgoing.prepare(input)) {
        return this.#runBeside(named, outgoing.takeLeft(), NOTHING, resolve, reject, report, terms);
      }
      // A getter of the input may have aborted it.
      if (terms.signal?.aborted) return reject(abortError(terms.signal));
      const pending = new Pending(resolve, reject, this.#record, named);
      pending.onProgress = report;
      pending.id = this.#delivery.add(pending, this.#record, named);
      if (this.#submit(named, pending.id, terms, outgoing, resolve, input)) control(pending, terms);
    } catch (error) {
      reject(notTooDeep(error, 'the input'));
    }
  }

  /**
   * Runs a function of the script, or else the native task of that name, in the order of their rights: the script's
   * comes first. Where no worker has told yet what the script exports, the task waits for that, its input taken now.
   *
   * @param {(input: unknown, options: object | undefined) => Promise<unknown>} runNative
   */
  runColliding(name, input, options, resolve, reject, runNative) {
    const { exports } = this.#crew;
    if (exports !== undefined) {
      if (exports.has(name)) this.run(name, input, options, resolve, reject);
      else runNative(input, options).then(resolve, reject);
      return;
    }
    try {
      this.#hold(name, input, options, resolve, reject, runNative);
    } catch (error) {
      reject(error);
    }
  }

  #hold(name, input, options, resolve, reject, runNative) {
    const terms = options === undefined ? NO_TERMS : runTerms(options);
    const { auto } = options === undefined ? {} : scriptTerms(options);
    const { signal, timeout } = terms;
    if (signal?.aborted) return reject(abortError(signal));
    const aside = takeAside(input, auto ? transferablesOf(input) : terms.transfer ?? NOTHING);
    const began = now();
    let timer;
    let ignoreSignal;
    let open = true;
    const end = (error) => {
      open = false;
      release();
      discard(aside);
      reject(error);
    };
    const release = () => {
      if (timer !== undefined) clearTimeout(timer);
      ignoreSignal?.();
    };
    if (signal !== undefined) ignoreSignal = onAbort(signal, () => end(abortError(signal)));
    if (timeout !== undefined) {
      timer = setTimeout(() => end(new TaskTimeoutError(`task '${name}' took longer than ${timeout} ms`)), timeout);
    }
    this.#held++;
    this.#delivery.hold(1);
    this.#crew.whenLoaded(() => {
      this.#delivery.hold(-1);
      this.#held--;
      if (open) {
        release();
        const left = timeout === undefined ? {} : { timeout: Math.max(0, timeout - (now() - began)) };
        const value = takeBack(aside);
        // Objects of ours that were given away are here again.
        const given = aside.isBundle ? transferablesOf(value) : aside.list;
        const again = options === undefined && given.length === 0 ? undefined : { ...options, ...left, transfer: given };
        if (this.#crew.exports?.has(name)) this.run(name, value, again, resolve, reject);
        else runNative(value, again).then(resolve, reject);
      }
      if (this.#held === 0) for (const then of this.#whenDispatched.splice(0)) then();
    });
  }

  /** Calls `then` once no task waits any more for what the script exports; at once, if none does. */
  whenDispatched(then) {
    if (this.#held === 0) then();
    else this.#whenDispatched.push(then);
  }

  #isUnknown(name) {
    return this.#crew.exports !== undefined && name !== '' && !this.#crew.exports.has(name);
  }

  #unknown(name) {
    const names = [...this.#crew.exports].filter((known) => known !== '');
    const exported = names.length > 0 ? `it exports: ${names.join(', ')}` : 'it exports no function';
    return new UnknownTaskError(`The script exports no function '${name}'; ${exported}`);
  }

  /** What Node's own port carries: to the worker that will run the task, on its way when this returns. */
  #runBeside(name, input, list, resolve, reject, report, terms) {
    const pending = new BesidePending(resolve, reject, this.#record, name);
    pending.onProgress = report;
    /** The input as it is now, where it may have to be sent twice. */
    let aside;
    for (let tries = 0; ; tries++) {
      const { seat, free } = this.#crew.choose();
      if (!free && aside === undefined) {
        aside = takeAside(input, list);
        if (terms.signal?.aborted) {
          discard(aside);
          return reject(abortError(terms.signal));
        }
      }
      // Given memory that has to wait: the queue keeps it, for whichever worker comes first.
      if (!free && this.#isMemory(aside) && outgoing.prepareGiven(aside.value, aside.list)) {
        pending.id = this.#delivery.add(pending, this.#record, name);
        if (this.#submit(name, pending.id, terms, outgoing, resolve, aside.value)) control(pending, terms);
        return;
      }
      pending.id = this.#delivery.add(pending, this.#record, name);
      const number = this.#crew.number(seat);
      const beside = { form: BESIDE, value: undefined, length: number, parts: undefined };
      const answer = this.#submitTo(name, pending.id, terms, beside, seat);
      if (Array.isArray(answer)) {
        if (answer[0] === 'ERR_RW_INTERNAL' && tries < TRIES) {
          this.#delivery.remove(pending.id);
          continue;
        }
        return this.#refused(answer, pending.id, resolve, name, aside === undefined ? input : takeBack(aside));
      }
      try {
        if (seat === NO_SEAT) this.#crew.keep(pending.id, aside);
        else if (aside === undefined) this.#crew.send(seat, number, pending.id, input, list);
        else this.#crew.sendTaken(seat, number, pending.id, aside);
      } catch (error) {
        this.#binding.retractScript(this.#record.handle, seat, pending.id);
        this.#delivery.remove(pending.id);
        return reject(notTooDeep(error, 'the input'));
      }
      this.#note(answer);
      if (terms.signal?.aborted) {
        // A getter of the input did that.
        reject(abortError(terms.signal));
        this.#record.cancel(pending.id, false);
      } else {
        control(pending, terms);
      }
      return;
    }
  }

  /** Whether what was given away is nothing but memory. */
  #isMemory({ isBundle, list }) {
    return !isBundle && list.length > 0 && list.every(types.isArrayBuffer);
  }

  /** Submits for any worker. Whether it was accepted. */
  #submit(name, id, terms, prepared, resolve, input) {
    const answer = this.#submitTo(name, id, terms, prepared, ANY_SEAT);
    if (answer === undefined) return true;
    if (typeof answer === 'number') {
      this.#note(answer);
      return true;
    }
    this.#refused(answer, id, resolve, name, input);
    return false;
  }

  #note(answer) {
    if (answer & NO_WORKER_FREE) this.#crew.need();
    if (answer & FULL) this.#becameFull();
  }

  #submitTo(name, id, { priority, signal, timeout }, prepared, seat) {
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

function control(pending, terms) {
  if (terms.signal !== undefined || terms.timeout !== undefined) pending.control(terms);
}

module.exports = { ScriptSubmitter };
