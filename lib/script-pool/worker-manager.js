'use strict';

/**
 * The workers of a pool with a script: started when they are needed, replaced when they end.
 *
 * The manager hands out no tasks: workers take them from the Rust queue, where each of them is registered under a number.
 * When a worker ends, for whatever reason, and all that it told before has been delivered, its registration is taken back,
 * which returns the ids of the tasks that it had taken; these are rejected with the error that the worker died of, and the
 * rest of the queue goes on.
 */

const { append } = require('../runtime/intrinsics');
const { binding } = require('../native');
const { nextTick } = require('../runtime/globals');
const { DeadlockError, TaskTimeoutError } = require('../errors');
const { log } = require('../debug-log');
const { ensureStack } = require('../runtime/stack-overflow');
const { addSource, removeSource } = require('./output-before-exit');
const { RETIRE } = require('./owner-messages');
const { PoolWorker } = require('./pool-worker');
const { placeOf } = require('./script-location');

const { REASONS, SCRIPTS: { NO_WORKER } } = require('../constants');

/** So many workers in a row may end without having finished a task; then it is the script's fault. */
const FRUITLESS_LIMIT = 3;

class WorkerManager {
  /** The names of the functions that the script exports; undefined until a worker has reported them. */
  exports;
  /** Why the script could not be loaded the last time, if it could not. */
  loadFailure;

  #pool;
  #delivery;
  #fallbackPorts;
  #script;
  #place;
  #settings;
  /** Tell the pool's listeners, if anybody still has the pool. */
  #events;
  /** Keeps the pool while something is to be told. */
  #kept;
  /** How many workers were found to have ended, of which Node has not said so yet. */
  #unreported = 0;
  /** The workers that live or are starting, by number. */
  #workers = new Map();
  /** Called once the script's exports are known, or cannot be. */
  #whenLoaded = [];
  /** Of `pool.ready`, once somebody has asked. */
  #readiness;
  #fruitless = 0;
  #closing = false;
  #destroyed = false;
  #broadcasts;
  /** The errors by which workers have ended, by number, for `pool.workers`. */
  #lastErrors = new Map();
  /** Whether this thread is blocked just now: then nothing of the user's may run. */
  #isBlocked = false;
  #ended = () => this.#done();

  /**
   * @param {object} setup
   * @param {import('./native-script-pool').NativeScriptPool} setup.pool
   * @param {import('../delivery').Delivery} setup.delivery
   * @param {import('./fallback-ports').FallbackPorts} setup.fallbackPorts
   * @param {string} setup.script its URL
   * @param {object} setup.settings as `scriptSettings` returns them
   * @param {{ emit(event: string, ...values: unknown[]): void }} setup.events
   * @param {import('../pool/kept').Kept} setup.kept is told when its answers below may be others
   */
  constructor({ pool, delivery, fallbackPorts, script, settings, events, kept }) {
    this.#pool = pool;
    this.#delivery = delivery;
    this.#fallbackPorts = fallbackPorts;
    this.#script = script;
    this.#place = placeOf(script);
    this.#settings = settings;
    this.#events = events;
    this.#kept = kept;
    pool.workers = this;
    this.#tellSize();
  }

  /** How many tasks its workers may run at once. */
  get capacity() {
    const { width, concurrency } = this.#settings;
    return width * concurrency;
  }

  #tellSize() {
    const { keep, width, concurrency } = this.#settings;
    binding.resizeScripts(this.#pool.handle, keep, width, concurrency);
  }

  /**
   * Another number of workers, from now on. Those that are too many end when they have done what they are at.
   *
   * @param {number} [keep] as it is, where it is not given
   * @param {number} most
   */
  resize(keep, most) {
    const settings = this.#settings;
    // A pool that was made with a number of workers has as many, always, unless this says otherwise.
    settings.fixed &&= keep === undefined;
    settings.width = most;
    settings.most = settings.isSingle ? 1 : most;
    settings.keep = Math.min(settings.most, settings.fixed ? most : (keep ?? settings.keep));
    this.#tellSize();
    while (this.#workers.size < settings.keep && this.#tryToStart() !== undefined);
    for (let before = -1; before < this.#workers.size;) {
      before = this.#workers.size;
      this.need();
    }
    if (this.#workers.size >= settings.most) {
      this.#refuseStuck((task) => new DeadlockError('the pool has too few workers now: those left are blocked, and wait for this task', { task }));
    }
    this.#kept.look();
  }

  /**
   * Starts the workers that are kept even when idle.
   *
   * @throws what Node says when it cannot start one
   */
  fill() {
    while (this.#workers.size < this.#settings.keep && this.#start() !== undefined);
  }

  /**
   * A task was queued and no idle worker could be notified: starts one more, if the limit allows it.
   *
   * @param {number} [setUp] the worker of this number is ready now: it and other idle ones are about to take some of what waits
   */
  need(setUp) {
    if (this.#workers.size >= this.#settings.most) return;
    const wanting = binding.scriptsWanting(this.#pool.handle, setUp);
    if (wanting > this.#starting() * this.#settings.concurrency) this.#tryToStart();
  }

  /** As `need`, where each worker has as many tasks as it runs at a time, or has them bound to it. */
  needIfAllHave() {
    const best = binding.leastLoadedWorker(this.#pool.handle);
    if (best !== null && best.load >= this.#settings.concurrency) this.need();
  }

  /** How many workers have not loaded the script yet. */
  #starting() {
    let starting = 0;
    for (const worker of this.#workers.values()) if (!worker.ready) starting++;
    return starting;
  }

  /** Whether a worker has not loaded the script yet: its outcome is still to be told. */
  get isStartingOne() {
    return this.#starting() > 0;
  }

  /** Whether a worker is to end, as far as is known here. */
  get isEndingOne() {
    if (this.#unreported > 0) return true;
    for (const { ending, killed, isDoomed } of this.#workers.values()) if (ending || killed || isDoomed) return true;
    // One that has to be replaced says so to the native side, before it answers its last task.
    return this.#settings.recycle !== undefined && this.#workers.size > binding.scriptsLiving(this.#pool.handle);
  }

  /** Whether a worker will end since it is idle, once it is. */
  get hasSurplus() {
    const { keep, idleTimeout } = this.#settings;
    return idleTimeout !== Infinity && this.#workers.size > keep;
  }

  /** Starts one more worker. If that fails and there is no other worker, all waiting tasks are rejected with the error. */
  #tryToStart() {
    try {
      return this.#start();
    } catch (error) {
      if (this.#workers.size === 0) this.#giveUp(error);
      else this.#refuseStuck(() => error);
      return undefined;
    }
  }

  /**
   * Chooses the worker to which a task is to be bound: one that is free, a new one, or else the least loaded.
   *
   * @returns {{ number: number, free: boolean }} `free`: whether it waits for just this task. NO_WORKER when none is there
   *   and none can be started before one has ended
   * @throws what Node says when none can be started and none is there
   */
  choose() {
    const { most } = this.#settings;
    const best = binding.leastLoadedWorker(this.#pool.handle);
    if (best !== null && best.load === 0) {
      // Where others wait, it may take one of them first.
      return { number: best.number, free: best.queued === 0 && this.#workers.get(best.number)?.ready === true };
    }
    if (this.#workers.size < most) {
      try {
        const worker = this.#start();
        if (worker !== undefined) return { number: worker.number, free: false };
      } catch (error) {
        if (this.#workers.size === 0) throw error;
      }
    }
    return { number: best === null ? NO_WORKER : best.number, free: false };
  }

  /** The worker of this number. */
  get(number) {
    return this.#workers.get(number);
  }

  /** The numbers of the workers that take tasks, in order. */
  takers() {
    const takers = [...this.#workers.values()].filter(({ ending, killed }) => !ending && !killed);
    return takers.map(({ number }) => number).sort((one, other) => one - other);
  }

  /** Node's Workers of those. */
  get threads() {
    return this.takers().map((number) => this.#workers.get(number).thread);
  }

  /**
   * What every worker is to run.
   *
   * @param {(name: string, input: unknown, options: object, alone?: boolean) => Promise<unknown>} run
   */
  broadcasts(run) {
    if (this.#broadcasts === undefined) {
      const { Broadcasts } = require('./broadcasts');
      this.#broadcasts = new Broadcasts(this, run, (error) => this.#events.emit('error', error));
    }
    return this.#broadcasts;
  }

  /** The numbers of all workers. */
  keys() {
    return this.#workers.keys();
  }

  /** What `pool.workers` shows. */
  get list() {
    const { listWorkers } = require('./worker-list');
    return listWorkers(this.#pool.handle, this.#workers.values());
  }

  /** Replaces the worker of this number, or all, once their tasks are done; a promise of their end. */
  recycle(number) {
    const { recycleWorkers } = require('./worker-list');
    const ended = recycleWorkers(this.#workers, number, this.#delivery);
    this.#kept.look();
    return ended;
  }

  /** Calls `then` once it is known what the script exports, or with an error when it cannot be loaded. */
  whenLoaded(then) {
    append(this.#whenLoaded, then);
    if (this.#workers.size === 0) this.#tryToStart();
  }

  /** @param {Error} [failure] why it cannot be loaded */
  #loaded(failure) {
    const waiting = this.#whenLoaded.splice(0);
    // A map goes to its source then.
    if (this.#isBlocked || this.#delivery.isQuiet) nextTick(() => waiting.forEach((then) => then(failure)));
    else for (const then of waiting) then(failure);
    this.loadFailure = failure;
  }

  /** Tells the pool's listeners; later, where this thread is blocked. */
  #tell(event, value) {
    if (this.#isBlocked || this.#delivery.isQuiet) nextTick(() => this.#events.emit(event, value));
    else this.#events.emit(event, value);
  }

  /**
   * What Node would report, and timers would do, if this thread were not blocked: finds the workers that have ended, starts
   * others in their place, and ends those whose tasks do not stop.
   */
  lookWhileBlocked() {
    this.#isBlocked = this.#pool.isBlocked = true;
    try {
      for (const worker of [...this.#workers.values()]) {
        worker.lookAtTime();
        if (this.#fallbackPorts.isLost(worker.key)) this.#left(worker);
      }
    } finally {
      this.#isBlocked = this.#pool.isBlocked = false;
    }
  }

  /** A worker was found to have ended. Why, Node will say: until then all that it ran waits, but for what this thread waits for. */
  #left(worker) {
    worker.left = true;
    this.#unreported++;
    worker.say('was found to have ended, while this thread is blocked');
    const { ran, orphans } = this.#remove(worker);
    worker.ran = ran;
    const exitError = this.#exitErrorOf(worker, undefined);
    for (const id of ran) if (this.#delivery.isAwaitedInPlace(id)) this.#reject(id, exitError);
    this.#count(worker, 0);
    this.#bindOrphans(orphans, exitError, worker, undefined);
    this.#goOn(worker, exitError, ran.length > 0);
  }

  /** Settles once the workers that are kept, or one, have loaded the script and set it up. */
  get ready() {
    if (this.#readiness === undefined || this.#readiness.hasFailed) {
      const { Readiness } = require('./readiness');
      this.#readiness = new Readiness(this.#delivery);
      if (this.#closing) this.#closes();
      else if (this.#workers.size === 0) this.#tryToStart();
      this.#lookWhetherReady();
    }
    return this.#readiness.promise;
  }

  #lookWhetherReady() {
    this.#readiness?.look(this.#workers.size - this.#starting(), this.#settings.keep);
  }

  /** The pool takes no more tasks. */
  #closes() {
    this.#closing = true;
    if (this.#readiness === undefined) return;
    const { PoolClosedError } = require('../errors');
    this.#readiness.fail(new PoolClosedError('the pool was closed before its workers were ready'));
  }

  /** A task of the worker of this number should stop. */
  expectEnd(number, id) {
    this.#workers.get(number)?.expectEnd(id);
  }

  /** The pool takes no more tasks. Workers end by themselves once nothing waits. */
  close() {
    this.#closes();
    if (binding.scriptsWaiting(this.#pool.handle) > 0) return this.need();
    for (const worker of this.#workers.values()) if (!worker.ready) this.#endBeforeTasks(worker);
  }

  /** A worker that has not told yet that it has loaded the script is not needed. It may be at a task all the same by now. */
  #endBeforeTasks(worker) {
    if (worker.shutDown || worker.killed) return;
    if (binding.revokeWorker(this.#pool.handle, worker.number)) return worker.kill('the pool closes, and it has not loaded the script');
    worker.port.postMessage([RETIRE, 'close']);
    worker.readyWithin(this.#settings.shutdownTimeout);
  }

  /** Ends all workers, whatever they are at. */
  destroy() {
    this.#closes();
    this.#destroyed = true;
    for (const worker of this.#workers.values()) worker.endSoon('destroy', this.#settings.shutdownTimeout);
  }

  /** Starts a worker; undefined when the pool needs none any more. */
  #start() {
    ensureStack();
    const registration = binding.registerWorker(this.#pool.handle);
    if (!registration) return undefined;
    const { number, key } = registration;
    let worker;
    try {
      worker = new PoolWorker(this.#pool, registration, this.#settings, this.#place, this.#done());
    } catch (error) {
      binding.evictWorker(this.#pool.handle, number, key);
      throw error;
    }
    if (this.#workers.size === 0) addSource(this.#ended);
    worker.lastError = this.#lastErrors.get(number);
    this.#workers.set(number, worker);
    worker.say('starts, with the script %s', this.#script);
    this.#kept.look();
    this.#fallbackPorts.open(key, {
      port: worker.port,
      ready: (told) => this.#told(worker, told),
      wants: (id) => (id === 0 ? this.#giveTasks(worker) : this.#pool.inputs.give(worker, id)),
    });
    this.#listenTo(worker);
    worker.limitSetup(this.#settings.setupTimeout, () => this.#setupIsLate(worker));
    this.#broadcasts?.startedOne(number);
    return worker;
  }

  #setupIsLate(worker) {
    const { setupTimeout } = this.#settings;
    worker.say('is terminated: it was not ready within setupTimeout (%d ms)', setupTimeout);
    worker.failed = true;
    worker.error = new TaskTimeoutError(`it was not loaded and set up within ${setupTimeout} ms, the pool's \`setupTimeout\``);
    worker.thread.terminate();
  }

  #listenTo(worker) {
    const { thread } = worker;
    thread.on('message', (value) => this.#events.emit('message', value, thread));
    thread.on('messageerror', (error) => this.#events.emit('messageerror', error, thread));
    thread.on('error', (error) => {
      // A task that is left behind may fail in any way.
      if (!worker.failed && !worker.shutDown) worker.error = error;
    });
    // Node no longer tells them when the thread has ended.
    thread.once('online', () => (worker.resourceLimits = thread.resourceLimits));
    thread.once('exit', (code) => this.#fallbackPorts.afterAll(() => {
      this.#exited(worker, code);
      this.#kept.look();
    }));
    thread.unref();
    // Later, so that the code that makes a pool can listen to it first.
    nextTick(() => this.#events.emit('workerCreate', thread));
  }

  /** How many tasks the pool has done. */
  #done() {
    const { completed, failed } = binding.poolCounters(this.#pool.handle) ?? { completed: 0, failed: 0 };
    return completed + failed;
  }

  /** A worker tells that it has loaded the script, or could not; or that it ends. */
  #told(worker, { names, thrown, isOfSetup = false, isEnding = false, isOutlived = false, ask, cancelsAsk }) {
    if (ask !== undefined || cancelsAsk !== undefined) return this.#asked(worker, ask, cancelsAsk);
    const error = thrown === undefined ? undefined : require('../task/thrown').thrownFromPort(thrown);
    if (isOutlived) {
      worker.lastError = error;
      return;
    }
    if (isEnding) {
      worker.say('ends by itself');
      if (thrown !== undefined) this.#tell('error', error);
      worker.endsWithin(this.#settings.shutdownTimeout);
      return this.#kept.look();
    }
    if (names === undefined) {
      // A setup that was told to end has ended.
      if (worker.ending) return;
      worker.error = error;
      worker.isOfSetup = isOfSetup;
      worker.failed = true;
      return;
    }
    worker.ready = true;
    worker.say('has loaded the script after %d ms', worker.age);
    this.exports = new Set(names);
    this.#lookWhetherReady();
    this.#loaded();
    // It may be at a task already, while others wait for it as one that starts.
    this.need(worker.number);
    this.#kept.look();
  }

  /** A task of a worker submits one to this pool, or cancels one. */
  #asked(worker, ask, cancelled) {
    if (worker.nested === undefined) {
      const { NestedTasks } = require('./nested-tasks');
      const wake = () => binding.notifyWorker(this.#pool.handle, worker.number);
      worker.nested = new NestedTasks(worker, (...given) => this.#events.runNested(...given), wake);
    }
    if (ask === undefined) {
      worker.nested.cancel(cancelled);
      return this.#pool.step?.();
    }
    worker.nested.ask(ask);
    // This worker will not take it, and makes way for another only once its own task has ended.
    if (worker.nested.isOfLast(ask) && binding.scriptsWaiting(this.#pool.handle) > 0) this.#tryToStart();
  }

  /** A worker has ended, and all events that it sent before have been delivered. */
  #exited(worker, code) {
    const { left } = worker;
    if (left) this.#unreported--;
    worker.say('has ended with exit code %d%s', code, worker.error === undefined ? '' : `, by an error: ${worker.error?.stack ?? worker.error}`);
    const { ran, orphans } = left ? { ran: worker.ran, orphans: [] } : this.#remove(worker);
    if (worker.error === undefined) this.#lastErrors.delete(worker.number);
    else this.#lastErrors.set(worker.number, worker.error);
    const exitError = this.#exitErrorOf(worker, code);
    for (const id of ran) this.#reject(id, exitError);
    if (ran.length > 0) worker.say('took %d of its tasks with it', ran.length);
    if (!left) this.#count(worker, code);
    this.#events.emit('workerDestroy', worker.thread);
    if (!left) this.#bindOrphans(orphans, exitError, worker, code);
    if (!left) return this.#goOn(worker, exitError, ran.length > 0);
    const { ready, error } = worker;
    if (ready && error !== undefined && ran.length === 0) this.#events.emit('error', error);
  }

  /** Takes a worker that has ended out of the pool. */
  #remove(worker) {
    this.#fallbackPorts.close(worker.key);
    worker.ended();
    worker.nested?.end();
    this.#workers.delete(worker.number);
    const held = binding.evictWorker(this.#pool.handle, worker.number, worker.key);
    if (this.#workers.size === 0) removeSource(this.#ended);
    return held;
  }

  /** A worker has ended: gives up, or starts others. */
  #goOn({ ready, failed, error, killed, ending }, exitError, hadTasks) {
    if (!ready && (failed || error !== undefined) && !killed && !ending) return this.#loadFailed(exitError());
    if (this.#fruitless >= FRUITLESS_LIMIT) {
      log('%s: %d workers in a row came to nothing: what waits is rejected', this.#settings.name, this.#fruitless);
      this.#fruitless = 0;
      if (!ready) return this.#loadFailed(exitError());
      return this.#giveUp(exitError());
    }
    if (error !== undefined && !hadTasks) this.#tell('error', error);
    this.#replace();
  }

  /** A function that makes the error of the tasks of a worker that has ended. It loads the module for that when it is called. */
  #exitErrorOf(worker, code) {
    const isDestroyed = this.#destroyed;
    let errorOf;
    return () => {
      errorOf ??= require('./worker-exit-errors').exitErrorOf(worker, code, this.#script, isDestroyed);
      return errorOf();
    };
  }

  /** Counts workers that came to nothing. One that ended before it was ready may have been terminated by somebody. */
  #count({ killed, ending, ready, error, doneBefore }, code) {
    const inOrder = ready && error === undefined && code === 0;
    this.#fruitless = killed || ending || inOrder || this.#done() > doneBefore ? 0 : this.#fruitless + 1;
  }

  #reject(id, errorOf) {
    this.#pool.inputs.forget(id);
    this.#delivery.reject(id, errorOf);
  }

  /** Tasks bound to a worker that ended before their turn go on with another one, if their input can be sent again. */
  #bindOrphans(orphans, exitError, worker, code) {
    const { handle, inputs } = this.#pool;
    for (const id of [...orphans, ...inputs.takeUnbound()]) {
      const input = inputs.get(id);
      if (input === undefined) continue;
      if (input.taken === undefined) {
        binding.disownOrphan(handle, id);
        const isPinned = input.worker === undefined;
        this.#reject(id, isPinned ? () => require('./worker-exit-errors').neverBegan(worker, code, exitError) : exitError);
      } else {
        this.#bindAgain(id, input.taken);
      }
    }
  }

  /** A worker has nothing to do while another has tasks bound to it that it has not begun: this one gets some of them. */
  #giveTasks(worker) {
    const { handle, inputs } = this.#pool;
    for (const id of binding.unbindFor(handle, worker.number)) {
      const taken = inputs.takeBack(id);
      if (taken !== undefined && !this.#bindTo(worker.number, id, taken)) this.#bindAgain(id, taken);
    }
  }

  /** Binds a task to a worker, or lets it wait for the next. */
  #bindAgain(id, taken) {
    let number;
    try {
      ({ number } = this.choose());
    } catch (error) {
      return this.#giveUp(error);
    }
    if (!this.#bindTo(number, id, taken)) this.#pool.inputs.keep(id, taken);
  }

  /** Binds a task that has no worker to this one. False where that takes no more. */
  #bindTo(number, id, taken) {
    const { handle, inputs } = this.#pool;
    const worker = this.#workers.get(number);
    const message = worker?.sent ?? 0;
    if (worker === undefined || !binding.rebind(handle, id, number, message)) return false;
    inputs.sendTaken(worker, message, id, taken);
    return true;
  }

  /** Starts workers in place of one that has ended, where the pool needs them. */
  #replace() {
    const { most, keep } = this.#settings;
    const waiting = binding.scriptsWaiting(this.#pool.handle);
    const isWaitedFor = waiting > 0 || this.#whenLoaded.length > 0;
    const wanted = Math.min(most, Math.max(this.#closing ? 0 : keep, isWaitedFor ? 1 : 0));
    while (this.#workers.size < wanted && this.#tryToStart() !== undefined);
    if (waiting > 0) this.need();
  }

  /** The script does not load, and would not the next time: all that waits is rejected. The next task tries again. */
  #loadFailed(error) {
    this.#readiness?.fail(error);
    this.#refuseStuck(() => error);
    for (const worker of this.#workers.values()) if (worker.ready) return this.#tell('error', error);
    const told = this.#giveUp(error);
    if (!told) this.#tell('error', error);
  }

  /** No further worker can be started: rejects the tasks that those there can never take, since they are blocked and wait for these. */
  #refuseStuck(errorOf) {
    for (const id of binding.stuckScripts(this.#pool.handle)) {
      this.#reject(id, errorOf);
      this.#pool.cancel(id, REASONS.CANCELLED);
    }
  }

  /** Rejects all that waits. True when anything did. */
  #giveUp(error) {
    this.#readiness?.fail(error);
    const ids = binding.drainScripts(this.#pool.handle);
    for (const id of ids) {
      this.#pool.inputs.letGo(id);
      this.#reject(id, () => error);
    }
    const held = this.#whenLoaded.length > 0;
    this.#loaded(error);
    return ids.length > 0 || held;
  }
}

module.exports = { WorkerManager };
