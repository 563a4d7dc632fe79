'use strict';

/**
 * The workers of a pool with a script: started when they are needed, replaced when they end.
 *
 * The crew hands out no tasks: workers take them from the Rust queue. What it knows of a worker is its seat there.
 * When a worker ends, for whatever reason, its seat is evicted, which gives the ids of the tasks it had at hand; these
 * are rejected with what the worker died of, and the rest of the queue goes on.
 */

const path = require('node:path');
const { clearTimeout, setTimeout } = require('node:timers');
const { MessageChannel, receiveMessageOnPort } = require('../node-threads');

const {
  PoolClosedError,
  ScriptLoadError,
  WorkerExitedError,
  WorkerOutOfMemoryError,
  WorkerTerminatedError,
} = require('../errors');
const { arrive, unseal } = require('../travel');
const { Worker } = require('../worker/worker');
const { compiledModules } = require('./compiled');
const { placeOf } = require('./script-location');
const { COMPILED, READY, FETCH, FETCHED, RESULT, REPORT } = require('./steps');

const BOOTSTRAP = path.join(__dirname, 'bootstrap.js');

/** So many workers in a row may end without having finished a task; then it is the script's fault. */
const FRUITLESS_LIMIT = 3;
/** Milliseconds between two looks at a worker that should end. */
const LOOK_EVERY = 10;

class Crew {
  #binding;
  #delivery;
  #record;
  #script;
  #place;
  #settings;
  /** Tells the pool, if anybody still has it. */
  #emit;
  /** Workers by seat. */
  #members = new Map();
  /** Inputs that wait for the worker that takes their task: id -> { value, list }. */
  #inputs = new Map();
  #fruitless = 0;
  #closing = false;
  #started = 0;
  /** Ports of workers that have not been given our modules. */
  #unequipped = [];

  constructor({ binding, delivery, record, script, settings, emit }) {
    this.#binding = binding;
    this.#delivery = delivery;
    this.#record = record;
    this.#script = script;
    this.#place = placeOf(script);
    this.#settings = settings;
    this.#emit = emit;
    record.crew = this;
    binding.setScriptCapacity(record.handle, settings.most * settings.concurrency);
  }

  /** Starts the workers that are kept even when idle. */
  fill() {
    while (this.#members.size < this.#settings.keep && this.#start());
    this.#equip();
  }

  /** A task was queued and no idle worker could be told: starts one more, if there may be one more. */
  need() {
    if (this.#members.size >= this.#settings.most) return;
    let starting = 0;
    for (const member of this.#members.values()) if (!member.ready) starting++;
    if (this.#binding.scriptsWaiting(this.#record.handle) > starting * this.#settings.concurrency) this.#start();
    this.#equip();
  }

  /** Gives our modules to workers that were started. Their threads start meanwhile, should these not be there yet. */
  #equip() {
    for (const port of this.#unequipped.splice(0)) port.postMessage([COMPILED, compiledModules()]);
  }

  /** Keeps an input until the worker that takes its task asks for it. */
  keep(id, input) {
    this.#inputs.set(id, input);
  }

  /** Lets go of an input whose task was refused or has ended. */
  drop(id) {
    this.#inputs.delete(id);
  }

  #start() {
    const handle = this.#record.handle;
    const seat = this.#binding.openSeat(handle);
    if (!seat) return false;
    const { number, key } = seat;
    const { port1, port2 } = new MessageChannel();
    const { worker: options, workerData, concurrency, patience, patienceTime, recycle, idleTimeout, keep } =
      this.#settings;
    let worker;
    try {
      worker = new Worker(BOOTSTRAP, {
        name: `${this.#settings.name}-${number}`,
        ...options,
        workerData: {
          ...this.#place, workerData, key, number, concurrency, patience, patienceTime, recycle, idleTimeout, keep,
          control: port2,
        },
        transferList: [port2],
      });
    } catch (error) {
      this.#binding.evictSeat(handle, number, key);
      port1.close();
      if (this.#started === 0) throw error;
      this.#rejectWaiting(error);
      return false;
    }
    this.#started++;
    const member = {
      number, key, worker, port: port1,
      ready: false, error: undefined, killed: false, timer: undefined,
      /** Tasks that were told to end and have not. */
      doomed: new Set(),
      /** What the pool had done when it came. */
      doneBefore: this.#done(),
    };
    this.#members.set(number, member);
    this.#unequipped.push(port1);
    port1.on('message', (message) => this.#received(member, message));
    port1.unref();
    worker.on('message', (value) => this.#emit('message', value, worker));
    worker.on('messageerror', (error) => this.#emit('messageerror', error, worker));
    worker.on('error', (error) => {
      member.error = error;
    });
    worker.once('exit', (code) => this.#exited(member, code));
    worker.unref();
    this.#emit('workerCreate', worker);
    return true;
  }

  #done() {
    const { completed, failed } = this.#binding.poolCounters(this.#record.handle) ?? { completed: 0, failed: 0 };
    return completed + failed;
  }

  #received(member, [kind, id, sent]) {
    const bundle = unseal(sent);
    const value = bundle === undefined ? sent : arrive(bundle);
    switch (kind) {
      case READY:
        member.ready = true;
        break;
      case FETCH: {
        const input = this.#inputs.get(id);
        this.#inputs.delete(id);
        if (input !== undefined) member.port.postMessage([FETCHED, id, input.value], input.list);
        break;
      }
      case RESULT:
        this.#record.arrived(id, value);
        break;
      case REPORT:
        this.#delivery.report(id, value);
        break;
    }
  }

  /** A task at this seat was told to end: if it has not when the time is up, its worker goes. */
  expectEnd(seat, id) {
    const member = this.#members.get(seat);
    if (member === undefined) return;
    member.doomed.add(id);
    if (this.#settings.killTimeout === Infinity || member.timer !== undefined) return;
    member.timer = setTimeout(() => this.#judge(member), this.#settings.killTimeout);
    member.timer.unref();
  }

  /** The time of a task that should have ended is up. */
  #judge(member, deadline) {
    member.timer = undefined;
    const atHand = this.#binding.jobsAt(this.#record.handle, member.number);
    const stuck = atHand.filter((id) => member.doomed.has(id));
    member.doomed = new Set(stuck);
    if (stuck.length === 0 || member.killed) return;
    const now = performance.now();
    // It gets nothing more; what else it has at hand may end first, as long again.
    if (deadline === undefined) this.#binding.closeSeat(this.#record.handle, member.number);
    const until = deadline ?? now + this.#settings.killTimeout;
    if (stuck.length === atHand.length || now >= until) {
      this.#kill(member);
      return;
    }
    member.timer = setTimeout(() => this.#judge(member, until), LOOK_EVERY);
    member.timer.unref();
  }

  #kill(member) {
    member.killed = true;
    member.worker.terminate();
  }

  /** The pool takes no more tasks. Workers end by themselves once nothing waits. */
  close() {
    this.#closing = true;
    if (this.#binding.scriptsWaiting(this.#record.handle) > 0) return this.need();
    for (const member of this.#members.values()) if (!member.ready) this.#kill(member);
  }

  /** Ends all workers, whatever they are at. */
  destroy() {
    this.#closing = true;
    for (const member of this.#members.values()) this.#kill(member);
  }

  #exited(member, code) {
    for (;;) {
      // What it sent before it ended comes first.
      const last = receiveMessageOnPort(member.port);
      if (last === undefined) break;
      this.#received(member, last.message);
    }
    member.port.close();
    clearTimeout(member.timer);
    this.#members.delete(member.number);
    const { handle } = this.#record;
    const ids = this.#binding.evictSeat(handle, member.number, member.key);
    const fault = this.#faultOf(member, code);
    for (const id of ids) {
      this.drop(id);
      this.#record.forget(id);
      this.#delivery.reject(id, (task) => fault(task));
    }
    const fruitful = member.killed || (member.error === undefined && code === 0) || this.#done() > member.doneBefore;
    this.#fruitless = fruitful ? 0 : this.#fruitless + 1;
    this.#emit('workerDestroy', member.worker);
    if (!member.killed && !member.ready) return this.#loadFailed(fault('', true));
    if (this.#fruitless >= FRUITLESS_LIMIT) {
      this.#fruitless = 0;
      return this.#rejectWaiting(fault(''));
    }
    if (member.error !== undefined && ids.length === 0) this.#emit('error', member.error);
    this.#replace();
  }

  #replace() {
    const waiting = this.#binding.scriptsWaiting(this.#record.handle);
    const wanted = Math.min(this.#settings.most, Math.max(this.#closing ? 0 : this.#settings.keep, waiting > 0 ? 1 : 0));
    try {
      while (this.#members.size < wanted && this.#start());
    } catch (error) {
      this.#rejectWaiting(error);
    }
    this.#equip();
    if (waiting > 0) this.need();
  }

  /** What the tasks of a worker that has ended are rejected with. */
  #faultOf({ worker, killed, error, ready, number }, code) {
    const which = `worker ${number}`;
    if (killed) {
      if (this.#closing) return () => new PoolClosedError('the pool was destroyed while the task ran');
      return () => new WorkerTerminatedError(`${which} was terminated: another of its tasks did not stop`, { number });
    }
    const { resourceLimits } = worker;
    if (error?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      const message = `${which} ran out of memory; raise resourceLimits.maxOldGenerationSizeMb, or give it less at a time`;
      return () => new WorkerOutOfMemoryError(message, { cause: error, resourceLimits });
    }
    if (!ready) {
      const why = error === undefined ? `it exited with code ${code}` : error?.message ?? String(error);
      return () => new ScriptLoadError(`the script ${this.#script} could not be loaded: ${why}`, { cause: error });
    }
    if (error !== undefined) return () => error;
    return () => new WorkerExitedError(`${which} exited with code ${code} while the task ran`, { exitCode: code });
  }

  /** The script does not load: it would not the next time either. Who waits is told; whoever comes may try again. */
  #loadFailed(error) {
    for (const member of this.#members.values()) if (member.ready) return this.#emit('error', error);
    const told = this.#rejectWaiting(error);
    if (!told) this.#emit('error', error);
  }

  /** True when anybody waited. */
  #rejectWaiting(error) {
    const ids = this.#binding.drainScripts(this.#record.handle);
    for (const id of ids) {
      this.drop(id);
      this.#delivery.reject(id, () => error);
    }
    return ids.length > 0;
  }

  /** Workers that live or are starting. */
  get size() {
    return this.#members.size;
  }
}

module.exports = { Crew };
