'use strict';

/** The way of a task to a pool's script workers: its input in the form that carries it, and its place in the queue. */

const { abortError } = require('../errors');
const { Pending } = require('../pending');
const { runTerms } = require('../pool-options');
const { Outgoing } = require('./outgoing');
const { scriptTerms } = require('./script-options');
const { INPUT_BESIDE } = require('./steps');
const { takeAside, transferablesOf } = require('./transfer');

/** Inputs on their way to scripts. */
const outgoing = new Outgoing();

/** What `submitScript` tells beside the acceptance, as bits. */
const NO_WORKER_FREE = 1;
const FULL = 2;

class ScriptSubmitter {
  #binding;
  #delivery;
  #record;
  #crew;
  #becameFull;
  #refused;
  /** The numbers of the script's functions, by name. */
  #functions = new Map([['', 0]]);

  constructor({ binding, delivery, record, crew, becameFull, refused }) {
    this.#binding = binding;
    this.#delivery = delivery;
    this.#record = record;
    this.#crew = crew;
    this.#becameFull = becameFull;
    this.#refused = refused;
  }

  /**
   * Runs a task whose name is that of a native task and perhaps one of the script's, before it is known what the script
   * exports.
   */
  runColliding(name, input, options, resolve, reject, runNative) {
    runNative();
  }

  run(name, input, options, resolve, reject) {
    try {
      if (options === undefined) {
        if (!outgoing.prepare(input)) return this.#runAside(name, input, [], resolve, resolve, { priority: 0 });
        const id = this.#delivery.add(resolve, this.#record, name);
        this.#submitScript(name, id, 0, -1, 0, outgoing, resolve, input);
        return;
      }
      const terms = runTerms(options);
      const { onProgress, name: named = name, auto } = scriptTerms(options);
      if (terms.signal?.aborted) return reject(abortError(terms.signal));
      const pending = new Pending(resolve, reject, this.#record, named);
      if (onProgress !== undefined) pending.listen(onProgress);
      const list = auto ? transferablesOf(input) : terms.transfer ?? [];
      if (list.length > 0 || !outgoing.prepare(input)) {
        return this.#runAside(named, input, list, pending, resolve, terms);
      }
      pending.id = this.#delivery.add(pending, this.#record, named);
      this.#submitPending(named, pending, outgoing, resolve, terms, input);
    } catch (error) {
      reject(error);
    }
  }

  /** What only Node's own port can carry waits here for the worker that takes the task. */
  #runAside(name, input, list, settler, resolve, terms) {
    const aside = takeAside(input, list);
    const id = this.#delivery.add(settler, this.#record, name);
    this.#crew.keep(id, aside);
    const beside = { form: INPUT_BESIDE, value: undefined, length: 0, parts: undefined };
    if (typeof settler === 'function') {
      this.#submitScript(name, id, 0, -1, 0, beside, resolve, input);
    } else {
      settler.id = id;
      this.#submitPending(name, settler, beside, resolve, terms, aside.value);
    }
  }

  #submitPending(name, pending, prepared, resolve, terms, input) {
    const { priority, signal, timeout } = terms;
    const cancellable = signal !== undefined || timeout !== undefined;
    const accepted = this.#submitScript(
      name, pending.id, priority, timeout ?? -1, cancellable ? 1 : 0, prepared, resolve, input,
    );
    if (accepted && cancellable) pending.control(terms);
  }

  /** Whether it was accepted. */
  #submitScript(name, id, priority, timeout, cancellable, prepared, resolve, input) {
    const { call } = this.#delivery;
    call[0] = this.#record.handle;
    call[1] = this.#functions.get(name) ?? this.#nameFunction(name);
    call[2] = id;
    call[3] = prepared.form;
    call[4] = prepared.length;
    call[5] = priority;
    call[6] = timeout;
    call[7] = cancellable;
    const answer = this.#binding.submitScript(prepared.value, prepared.parts);
    if (answer === undefined) return true;
    if (typeof answer === 'number') {
      if (answer & NO_WORKER_FREE) this.#crew.need();
      if (answer & FULL) this.#becameFull();
      return true;
    }
    this.#crew.drop(id);
    this.#refused(answer, id, resolve, name, input);
    return false;
  }

  #nameFunction(name) {
    const number = this.#binding.scriptFunction(this.#record.handle, name);
    this.#functions.set(name, number);
    return number;
  }
}

module.exports = { ScriptSubmitter };
