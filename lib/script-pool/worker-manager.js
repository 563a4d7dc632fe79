'use strict';

/**
 * The workers of a pool with a script: started when they are needed, replaced when they end.
 *
 * The manager hands out no tasks: workers take them from the Rust queue. What it knows of a worker is its seat there.
 * When a worker ends, for whatever reason, and all that it told before has been delivered, its seat is evicted, which gives
 * the ids of the tasks it had at hand; these are rejected with what the worker died of, and the rest of the queue goes on.
 */

const path = require('node:path');
const { inspect } = require('node:util');
const { MessageChannel } = require('../runtime/worker-threads');

const { clearTimeout, now, setTimeout } = require('../runtime/clock');
const {
  PoolClosedError,
  ScriptLoadError,
  WorkerExitedError,
  WorkerOutOfMemoryError,
  WorkerTerminatedError,
} = require('../errors');
const { append } = require('../runtime/intrinsics');
const { nextTick } = require('../runtime/globals');
const { ensureStack } = require('../runtime/stack-overflow');
const { Worker } = require('../worker/worker');
const { compiledModules } = require('./compiled');
const { addSource, removeSource } = require('./last-turns');
const { placeOf } = require('./script-location');
const { ASKED_INPUT, COMPILED, DROP, INPUT, NO_WORKER, VOID } = require('./steps');
const { thrownBeside } = require('./thrown');
const { discard, givesOnlyMemory, leaving } = require('./transfer');

const BOOTSTRAP = path.join(__dirname, '..', 'runtime', 'bootstrap.js');
/** What it starts, as it requires it. */
const START = '../script-pool/start';

/** So many workers in a row may end without having finished a task; then it is the script's fault. */
const FRUITLESS_LIMIT = 3;
const NOTHING = Object.freeze([]);
/** Milliseconds between two looks at a worker that should end. */
const LOOK_EVERY = 10;

class WorkerManager {
  /** The names of the functions that the script exports; undefined until a worker has told. */
  exports;

  #binding;
  #ways;
  #delivery;
  #record;
  #script;
  #place;
  #settings;
  /** Tells the pool, if anybody still has it. */
  #emit;
  /** Workers by seat. */
  #members = new Map();
  /** Inputs that go to a worker beside the queue: id -> { member, number, aside }; without a member, not yet. */
  #inputs = new Map();
  /** Tasks among them that wait for a worker to be bound to. */
  #unseated = [];
  /** What is done once the script's exports are known, or cannot be. */
  #whenLoaded = [];
  #fruitless = 0;
  #closing = false;
  /** Ports of workers that have not been given our modules. */
  #unequipped = [];
  #ended = () => this.#done();

  constructor({ binding, ways, delivery, record, script, settings, emit }) {
    this.#binding = binding;
    this.#ways = ways;
    this.#delivery = delivery;
    this.#record = record;
    this.#script = script;
    this.#place = placeOf(script);
    this.#settings = settings;
    this.#emit = emit;
    record.manager = this;
    binding.setScriptCapacity(record.handle, settings.most * settings.concurrency);
  }

  /**
   * Starts the workers that are kept even when idle.
   *
   * @throws what Node says when it cannot start one
   */
  fill() {
    while (this.#members.size < this.#settings.keep && this.#start() !== undefined);
    this.#equip();
  }

  /** A task was queued and no idle worker could be told: starts one more, if there may be one more. */
  need() {
    if (this.#members.size >= this.#settings.most) return;
    let starting = 0;
    for (const member of this.#members.values()) if (!member.ready) starting++;
    const waiting = this.#binding.scriptsWaiting(this.#record.handle);
    if (waiting > starting * this.#settings.concurrency) this.#tryToStart();
  }

  /** Starts one more. Where that cannot be, and nobody else is there, who waits is told why. */
  #tryToStart() {
    try {
      return this.#start();
    } catch (error) {
      if (this.#members.size === 0) this.#giveUp(error);
      return undefined;
    } finally {
      this.#equip();
    }
  }

  /** Calls `then` once it is known what the script exports, or with an error when it cannot be loaded. */
  whenLoaded(then) {
    append(this.#whenLoaded, then);
    if (this.#members.size === 0) this.#tryToStart();
  }

  /** @param {Error} [failure] why it cannot be loaded */
  #loaded(failure) {
    for (const then of this.#whenLoaded.splice(0)) then(failure);
  }

  /** Gives our modules to workers that were started. Their threads start meanwhile, should these not be there yet. */
  #equip() {
    for (const port of this.#unequipped.splice(0)) port.postMessage([COMPILED, compiledModules()]);
  }

  /**
   * The seat of the worker that an input is to go to beside the queue: one that is free, a new one, or else the least
   * loaded.
   *
   * @returns {{ seat: number, free: boolean }} `free`: whether it waits for just this task. NO_WORKER when none is there and none can be started before one has ended
   * @throws what Node says when none can be started and none is there
   */
  choose() {
    const { most } = this.#settings;
    const best = this.#binding.leastLoadedWorker(this.#record.handle);
    if (best !== null && best.load === 0) {
      // Where others wait, it may take one of them first.
      return { seat: best.number, free: best.queued === 0 && this.#members.get(best.number)?.ready === true };
    }
    if (this.#members.size < most) {
      try {
        const member = this.#start();
        if (member !== undefined) return { seat: member.number, free: false };
      } catch (error) {
        if (this.#members.size === 0) throw error;
      } finally {
        this.#equip();
      }
    }
    if (best === null) return { seat: NO_WORKER, free: false };
    return { seat: best.number, free: false };
  }

  /** The number of the next input to the worker at this seat. */
  number(seat) {
    const member = this.#members.get(seat);
    return member === undefined ? 0 : member.sent;
  }

  /**
   * Sends an input to the worker at a seat, to which its task is bound.
   *
   * @param {number} number as `number` gave it
   * @param {number} id the task's
   * @param {unknown} input
   * @param {object[]} list what is given away
   * @throws what Node throws for what cannot be cloned or transferred: then the task must be taken back
   */
  send(seat, number, id, input, list) {
    this.#post(seat, number, id, undefined, (port) =>
      leaving(input, list, (value, isBundle, given) => port.postMessage([INPUT, number, isBundle, value], given), 'input'),
    );
  }

  /**
   * As `send`, of an input that was taken before.
   *
   * @param {{ isBundle: boolean, value: unknown, list: object[] }} aside
   */
  sendTaken(seat, number, id, aside) {
    const { isBundle, value, list } = aside;
    // Should the worker end before the task's turn, the input can be sent again: memory goes as a copy. Whatever else is
    // given away is there once.
    const isThereOnce = list.length > 0 && !givesOnlyMemory(aside);
    const [kept, given] = isThereOnce ? [undefined, list] : [aside, NOTHING];
    this.#post(seat, number, id, kept, (port) => port.postMessage([INPUT, number, isBundle, value], given));
  }

  /** Keeps an input for a worker that there is not yet. */
  keep(id, aside) {
    this.#inputs.set(id, { member: undefined, number: 0, aside });
    append(this.#unseated, id);
  }

  /** Keeps memory that its task's worker, whichever it will be, can have itself instead of a copy if it asks for it. */
  lend(id, aside) {
    this.#inputs.set(id, { member: undefined, number: 0, aside });
  }

  /** A worker asks for the memory of a task's input. */
  #give(member, id) {
    const input = this.#inputs.get(id);
    if (input?.aside === undefined || !this.#binding.claimInput(this.#record.handle, id)) return;
    this.#inputs.delete(id);
    const { value, list } = input.aside;
    member.port.postMessage([ASKED_INPUT, id, value], list);
  }

  #post(seat, number, id, aside, post) {
    const member = this.#members.get(seat);
    // Here, and not for a task that is refused: the worker counts what comes.
    member.sent = number + 1;
    // Before: reading the input may run code that ends the task.
    this.#inputs.set(id, { member, number, aside });
    try {
      post(member.port);
    } catch (error) {
      this.#inputs.delete(id);
      member.port.postMessage([VOID, number]);
      throw error;
    }
    // Reading the input has ended the task.
    if (!this.#inputs.has(id)) member.port.postMessage([DROP, number]);
  }

  /** A task whose memory was lent has been refused: it is its caller's again. */
  takeBack(id) {
    this.#inputs.delete(id);
  }

  /** A task with an input beside the queue has been answered. */
  answered(id) {
    const input = this.#inputs.get(id);
    if (input === undefined) return;
    this.#inputs.delete(id);
    // It never left.
    if (input.member === undefined) discard(input.aside);
  }

  /** A task was given up: if its input is on its way, nobody will use it. */
  letGo(id) {
    const input = this.#inputs.get(id);
    if (input === undefined) return;
    this.#inputs.delete(id);
    if (input.member === undefined) discard(input.aside);
    else input.member.port.postMessage([DROP, input.number]);
  }

  /** Starts a worker; undefined when the pool needs none any more. */
  #start() {
    ensureStack();
    const handle = this.#record.handle;
    const offer = this.#binding.registerWorker(handle);
    if (!offer) return undefined;
    const { number, key } = offer;
    const { port1, port2 } = new MessageChannel();
    const { worker: options, workerData, concurrency, patience, patienceTime, recycle, idleTimeout, keep } =
      this.#settings;
    let worker;
    try {
      worker = leaving(workerData, [], (value, isBundle, list) =>
        new Worker(BOOTSTRAP, {
          __proto__: null,
          name: `${this.#settings.name}-${number}`,
          ...options,
          workerData: {
            ...this.#place, workerData: [isBundle, value], key, number, concurrency, patience, patienceTime, recycle,
            idleTimeout, keep, control: port2, start: START,
          },
          transferList: [port2, ...list],
        }),
      'options.workerData');
    } catch (error) {
      this.#binding.evictWorker(handle, number, key);
      port1.close();
      throw error;
    }
    const member = {
      number, key, worker, port: port1,
      ready: false, failed: false, error: undefined, killed: false, timer: undefined,
      /** Inputs that were sent to it. */
      sent: 0,
      /** Tasks that were told to end and have not. */
      doomed: new Set(),
      /** What the pool had done when it came. */
      doneBefore: this.#done(),
    };
    if (this.#members.size === 0) addSource(this.#ended);
    this.#members.set(number, member);
    const wants = (id) => this.#give(member, id);
    this.#ways.open(key, { port: port1, ready: (told) => this.#ready(member, told), wants });
    append(this.#unequipped, port1);
    worker.on('message', (value) => this.#emit('message', value, worker));
    worker.on('messageerror', (error) => this.#emit('messageerror', error, worker));
    worker.on('error', (error) => {
      if (!member.failed) member.error = error;
    });
    worker.once('exit', (code) => this.#ways.afterAll(() => this.#exited(member, code)));
    worker.unref();
    // Later, so that who makes a pool can listen to it first.
    nextTick(() => this.#emit('workerCreate', worker));
    return member;
  }

  #done() {
    const { completed, failed } = this.#binding.poolCounters(this.#record.handle) ?? { completed: 0, failed: 0 };
    return completed + failed;
  }

  /** A worker has loaded the script, or could not. */
  #ready(member, { names, thrown }) {
    if (names === undefined) {
      member.error = thrownBeside(thrown);
      member.failed = true;
      return;
    }
    member.ready = true;
    this.exports = new Set(names);
    this.#loaded();
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
    const atHand = this.#binding.jobsOfWorker(this.#record.handle, member.number);
    const stuck = atHand.filter((id) => member.doomed.has(id));
    member.doomed = new Set(stuck);
    if (stuck.length === 0 || member.killed) return;
    const time = now();
    // It gets nothing more; what else it has at hand may end first, as long again.
    if (deadline === undefined) this.#binding.unregisterWorker(this.#record.handle, member.number);
    const until = deadline ?? time + this.#settings.killTimeout;
    if (stuck.length === atHand.length || time >= until) {
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

  /** A worker has ended, and what it told before has been delivered. */
  #exited(member, code) {
    this.#ways.close(member.key);
    clearTimeout(member.timer);
    this.#members.delete(member.number);
    const { handle } = this.#record;
    const { ran, orphans } = this.#binding.evictWorker(handle, member.number, member.key);
    if (this.#members.size === 0) removeSource(this.#ended);
    const fault = this.#faultOf(member, code);
    for (const id of ran) this.#reject(id, fault);
    this.#count(member, code);
    this.#emit('workerDestroy', member.worker);
    this.#adopt(orphans, fault);
    if (!member.ready && (member.failed || member.error !== undefined) && !member.killed) return this.#loadFailed(fault(''));
    if (this.#fruitless >= FRUITLESS_LIMIT) {
      this.#fruitless = 0;
      if (!member.ready) return this.#loadFailed(fault(''));
      return this.#giveUp(fault(''));
    }
    if (member.error !== undefined && ran.length === 0) this.#emit('error', member.error);
    this.#replace();
  }

  /** Counts workers that came to nothing. One that ended before it was ready may have been terminated by somebody. */
  #count({ killed, ready, error, doneBefore }, code) {
    const inOrder = ready && error === undefined && code === 0;
    this.#fruitless = killed || inOrder || this.#done() > doneBefore ? 0 : this.#fruitless + 1;
  }

  #reject(id, errorOf) {
    this.#inputs.delete(id);
    this.#delivery.reject(id, errorOf);
  }

  /** Tasks whose input had gone to a worker that ended before their turn: they go on with another, if the input can. */
  #adopt(orphans, fault) {
    const { handle } = this.#record;
    for (const id of [...orphans, ...this.#unseated.splice(0)]) {
      const input = this.#inputs.get(id);
      if (input === undefined) continue;
      if (input.aside === undefined) {
        this.#binding.disownOrphan(handle, id, false);
        this.#reject(id, fault);
      } else {
        this.#bindAnew(id, input.aside);
      }
    }
  }

  /** Binds a task to a worker, or has it wait for the next. */
  #bindAnew(id, aside) {
    let seat;
    try {
      ({ seat } = this.choose());
    } catch (error) {
      return this.#giveUp(error);
    }
    const number = this.number(seat);
    if (seat === NO_WORKER || !this.#binding.rebind(this.#record.handle, id, seat, number)) return this.keep(id, aside);
    this.sendTaken(seat, number, id, aside);
  }

  #replace() {
    const waiting = this.#binding.scriptsWaiting(this.#record.handle);
    const isWaitedFor = waiting > 0 || this.#whenLoaded.length > 0;
    const wanted = Math.min(this.#settings.most, Math.max(this.#closing ? 0 : this.#settings.keep, isWaitedFor ? 1 : 0));
    while (this.#members.size < wanted && this.#tryToStart() !== undefined);
    if (waiting > 0) this.need();
  }

  /** What the tasks of a worker that has ended are rejected with. */
  #faultOf({ worker, killed, failed, error, ready, number }, code) {
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
      const why = error === undefined && !failed ? `it exited with code ${code}` : whyOf(error);
      return () => new ScriptLoadError(`the script ${this.#script} could not be loaded: ${why}`, { cause: error });
    }
    if (error !== undefined) return () => error;
    return () => new WorkerExitedError(`${which} exited with code ${code} while the task ran`, { exitCode: code });
  }

  /** The script does not load: it would not the next time either. Who waits is told; whoever comes may try again. */
  #loadFailed(error) {
    for (const member of this.#members.values()) if (member.ready) return this.#emit('error', error);
    const told = this.#giveUp(error);
    if (!told) this.#emit('error', error);
  }

  /** Rejects all that waits. True when anybody did. */
  #giveUp(error) {
    const ids = this.#binding.drainScripts(this.#record.handle);
    for (const id of ids) {
      this.letGo(id);
      this.#reject(id, () => error);
    }
    const held = this.#whenLoaded.length > 0;
    this.#loaded(error);
    return ids.length > 0 || held;
  }

  /** Workers that live or are starting. */
  get size() {
    return this.#members.size;
  }
}

/** The message of whatever was thrown; for what does not parse, also where. */
function whyOf(error) {
  const message = error?.message ?? `it threw ${inspect(error)}`;
  if (error?.name !== 'SyntaxError' || typeof error.stack !== 'string') return message;
  const place = error.stack.slice(0, error.stack.indexOf('\n')).trim();
  return /:\d+$/.test(place) && !message.includes(place) ? `${message} (${place})` : message;
}

module.exports = { WorkerManager };
