'use strict';

/** One worker of a pool with a script, as the pool's owner knows it; and how it is ended when a task does not stop. */

const path = require('node:path');

const { clearTimeout, now, setTimeout } = require('../runtime/clock');
const { append } = require('../runtime/intrinsics');
const { log } = require('../debug-log');
const { binding } = require('../native');
const { MessageChannel } = require('../runtime/worker-threads');
const { Worker } = require('../worker/worker');
const { nextModules } = require('./compiled');
const { COMPILED, RETIRE, SHUT_DOWN } = require('./owner-messages');
const { sendValue } = require('./transfer');

/** The worker's first file; and the module that this starts, by its name in lib. */
// Not `path.join`, which fails where a program has put accessors on Array.prototype before this is loaded.
const BOOTSTRAP = [path.dirname(__dirname), 'runtime', 'bootstrap.js'].join(path.sep);
const START = 'script-pool/start';

/** Milliseconds between two looks at a worker that should end. */
const LOOK_EVERY = 10;

const always = () => true;

class PoolWorker {
  /** Its number in the pool, which the native side uses again; and its key, which is never used again. */
  number;
  key;
  /** Node's Worker. */
  thread;
  /** The owner's end of the worker's fallback port. */
  port;
  /** Whether it has loaded the script. */
  ready = false;
  /** Whether it has reported that the script does not load. */
  failed = false;
  /** The error that ended the worker, or that the script threw while it was loaded. */
  error = undefined;
  /** Whether it was found to have ended by a thread that is blocked, and what it ran then: Node has not said so yet. */
  left = false;
  ran = [];
  /** Whether `error` is what the script's hook `setup` threw. */
  isOfSetup = false;
  /** Whether it was terminated here. */
  killed = false;
  /** Whether it was told to end without waiting for its tasks. */
  shutDown = false;
  /** Whether it is known to be ending. */
  ending = false;
  /** Its memory limits: those of the options, and with Node's own for the others once its thread runs. */
  resourceLimits;
  /** The tasks that its tasks have submitted (nested-tasks.js), once there were some. */
  nested = undefined;
  /** How many inputs were sent to it. */
  sent = 0;
  /** How many tasks the pool had done when it came; and when that was. */
  doneBefore;
  startedAt = now();
  /** An error of it that ended no task: see `lastError` of `pool.workers`. */
  lastError;

  #pool;
  #killTimeout;
  /** For the log: the pool's name, and the thread's number, which Node forgets when it ends; and when it was started. */
  #name;
  #threadId;
  #madeAt = now();
  /** Its tasks that should stop, by id: when the time is up that each has for it. */
  #doomed = new Map();
  /** What is to be done after some time, by a name: `{ timer, due, run }`. */
  #timers = new Map();
  /** What it has to do in a time that has begun: `end`, `ready`. */
  #limits = new Set();
  #whenEnded = [];

  /**
   * @param {import('./native-script-pool').NativeScriptPool} pool
   * @param {{ number: number, key: number }} registration
   * @param {object} settings as `scriptSettings` returns them
   * @param {object} place of the script, as `placeOf` returns it
   * @param {number} doneBefore
   * @throws what Node says when it cannot start one
   */
  constructor(pool, { number, key }, settings, place, doneBefore) {
    const { port1, port2 } = new MessageChannel();
    this.#pool = pool;
    this.#killTimeout = settings.killTimeout;
    this.#name = settings.name;
    this.number = number;
    this.key = key;
    this.port = port1;
    this.doneBefore = doneBefore;
    this.resourceLimits = { ...settings.worker.resourceLimits };
    try {
      // Before its thread is started, which may be there sooner than the last of several is started.
      port1.postMessage([COMPILED, nextModules()]);
      this.thread = startThread(this, settings, place, port2);
      this.#threadId = this.thread.threadId;
    } catch (error) {
      port1.close();
      throw error;
    }
  }

  /** One of its tasks should stop: if the task has not when its time is up, the worker is terminated. */
  expectEnd(id) {
    if (this.#killTimeout === Infinity || this.#doomed.has(id)) return;
    this.#doomed.set(id, now() + this.#killTimeout);
    if (!this.#timers.has('judge')) this.#judgeIn(this.#killTimeout);
    this.#pool.keeper?.look();
  }

  /** Whether it may be terminated soon, for a task that does not stop. */
  get isDoomed() {
    return this.#doomed.size > 0;
  }

  #judgeIn(milliseconds, deadline) {
    this.#after('judge', milliseconds, () => this.#judge(deadline));
  }

  #after(name, milliseconds, run) {
    const timer = setTimeout(() => this.#runTimer(name), milliseconds);
    timer.unref();
    this.#timers.set(name, { timer, due: now() + milliseconds, run });
  }

  #runTimer(name) {
    const { run } = this.#timers.get(name);
    this.#timers.delete(name);
    run();
  }

  /** What its timers would do by now, for a thread that is blocked. */
  lookAtTime() {
    if (this.#timers.size === 0) return;
    const time = now();
    for (const [name, { timer, due }] of [...this.#timers]) {
      if (due > time) continue;
      clearTimeout(timer);
      this.#runTimer(name);
    }
  }

  /** The time of a task that should have stopped is up; perhaps of one that has, and others still have some. */
  #judge(deadline) {
    const { handle } = this.#pool;
    const atHand = binding.jobsOfWorker(handle, this.number);
    this.#doomed = new Map(atHand.filter((id) => this.#doomed.has(id)).map((id) => [id, this.#doomed.get(id)]));
    if (this.#doomed.size === 0 || this.killed) return this.#pool.keeper?.look();
    const time = now();
    const stuck = [...this.#doomed.keys()].filter((id) => this.#doomed.get(id) <= time);
    // Those that wait for tasks of their own, which should stop too, have time until these have: all are stopped together.
    const waiting = new Set(this.nested === undefined ? [] : binding.waitingJobsOfWorker(handle, this.number));
    if (stuck.every((id) => waiting.has(id))) for (const id of stuck.splice(0)) this.#doomed.set(id, time + this.#killTimeout);
    if (stuck.length === 0) return this.#judgeIn(Math.min(...this.#doomed.values()) - time, deadline);
    // It gets no more tasks. Its other tasks may end first, within the same time again.
    if (deadline === undefined) binding.unregisterWorker(handle, this.number);
    const until = deadline ?? time + this.#killTimeout;
    if (stuck.length === atHand.length || time >= until) this.kill(`${stuck.length} of its tasks should have stopped, and did not within killTimeout (${this.#killTimeout} ms)`);
    else this.#judgeIn(LOOK_EVERY, until);
  }

  /** @param {string} why for the log */
  kill(why) {
    this.say('is terminated: %s', why);
    this.killed = true;
    this.thread.terminate();
  }

  /** Whole milliseconds since it was started. */
  get age() {
    return Math.round(now() - this.#madeAt);
  }

  /** A line for NODE_DEBUG=rust-workers. */
  say(what, ...values) {
    if (log.enabled) log(`%s: worker %d (thread %d) ${what}`, this.#name, this.number, this.#threadId, ...values);
  }

  /** Calls `late` unless it has loaded the script, and set it up, within so many milliseconds. */
  limitSetup(time, late) {
    if (time === Infinity) return;
    this.#after('setup', time, () => {
      this.#pool.catchUp();
      if (this.ready || this.failed || this.killed) return;
      // Told to end, it may still be at its setup.
      if (this.shutDown) this.kill(`it was not set up within ${time} ms`);
      else late();
    });
  }

  /** It has been told to end: it is terminated unless it has within so many milliseconds. */
  endWithin(time) {
    this.ending = true;
    this.#killAfter('end', time, 'it has not ended');
  }

  /** It has told that it ends: its setup is over. */
  endsWithin(time) {
    clearTimeout(this.#timers.get('setup')?.timer);
    this.#timers.delete('setup');
    this.endWithin(time);
  }

  /**
   * It has been told to end before it was ready: it is terminated unless it is within so many milliseconds. Then it has tasks to
   * do, and the time for its end begins with that (`endWithin`).
   */
  readyWithin(time) {
    this.ending = true;
    this.#killAfter('ready', time, 'it was not ready', () => !this.ready);
  }

  #killAfter(name, time, what, isLate = always) {
    if (time === Infinity || this.#limits.has(name)) return;
    this.#limits.add(name);
    this.#after(name, time, () => {
      this.#pool.catchUp();
      if (isLate()) this.kill(`${what} within ${time} ms`);
    });
  }

  /** Ends it soon: where its script runs, it is asked before it is terminated. */
  endSoon(why, time) {
    if (this.shutDown || this.killed) return;
    // Nothing of the script's has begun but its loading.
    if (binding.revokeWorker(this.#pool.handle, this.number)) return this.kill(`${why}, before it has loaded the script`);
    this.say('is told to end: %s', why);
    this.shutDown = true;
    this.port.postMessage([SHUT_DOWN, why]);
    this.endWithin(time);
  }

  /** It has ended: nothing is expected of it any more. */
  ended() {
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const then of this.#whenEnded.splice(0)) then();
  }

  /** Asks it to end once its tasks are done; a promise of its end. */
  retire(why) {
    if (!this.ending && !this.killed) {
      this.ending = true;
      this.say('is told to end after its tasks: %s', why);
      this.port.postMessage([RETIRE, why]);
    }
    return new Promise((resolve) => append(this.#whenEnded, resolve));
  }
}

/** Starts Node's Worker. It loads start.js, and that the script. */
function startThread({ number, key }, settings, place, control) {
  const { name, worker: options, workerData, concurrency, waitPolicy, waitTime, recycle, idleTimeout } = settings;
  return sendValue(workerData, [], (value, isBundle, list) =>
    new Worker(BOOTSTRAP, {
      __proto__: null,
      name: `${name}-${number}`,
      ...options,
      workerData: {
        ...place, workerData: [isBundle, value], key, number, concurrency, waitPolicy, waitTime, recycle, idleTimeout,
        control, start: START,
      },
      transferList: [control, ...list],
    }),
  'options.workerData');
}

module.exports = { PoolWorker };
