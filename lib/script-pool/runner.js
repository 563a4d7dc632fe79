'use strict';

/**
 * A worker's side of a script pool: takes tasks from the Rust queue, runs them, answers them.
 *
 * The worker pulls. A task that ends in the turn it began is answered, and the next one taken, in one native call;
 * when nothing waits the worker returns to its event loop, and an event in its event queue calls it back. So timers,
 * ports and unfinished work of the script go on while it waits.
 *
 * A worker starts sooner the less it loads. Modules that a task with a number as input does not need are loaded with the
 * first task that needs it: inputs that do not come with their task (arriving-inputs.js), tasks that are messages
 * (message-tasks.js), tasks of tasks (own-pool.js), the codec, and errors.
 */

const { setImmediate } = require('../runtime/clock');
const { RUNNER, binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { EVENTS, FORMS, SCRIPTS, STEPS } = require('../constants');
const { flushOutput, watchOutput } = require('../runtime/worker-output');
const { readValue, wireFromStart } = require('../task/read-value');
const { Answering } = require('./answering');
const { Inbox } = require('./inbox');
const { hooksOf } = require('./load-script');
const { ScriptFunctions } = require('./script-functions');
const { Job } = require('./task');
const { TaskCalls } = require('./task-calls');
const { WorkerLife } = require('./worker-life');

const { BY_MESSAGE, IDLE_NEVER, ON_DEMAND, PATHS } = SCRIPTS;
const { RUN, WAIT } = STEPS;

/** So many milliseconds of tasks without a break; then the event loop has its turn before the next task. */
const STRETCH = 5;
/** Stands for the id of a task that has its answer. */
const ANSWERED = -1;

/** Of a worker none of whose tasks has submitted tasks: see nesting.js. */
const NO_NESTING = Object.freeze({ waiting: 0, count: 0 });

class Runner {
  /** Tasks begun and not ended, by id. */
  open = new Map();
  /** The worker's number within its pool. */
  workerId;
  /** How it takes part, and ends. */
  life;
  /** The way into the script. */
  calls;
  /** What goes to the owner. */
  answers;
  /** Of which tasks wait for tasks of their own. */
  nesting = NO_NESTING;
  /** Whether it is taking tasks just now, or none may begin. */
  pulling = false;

  #setup;
  #control;
  #functions;
  #importUrl;
  #call;
  #inbox = new Inbox();
  /** The answer to the task that ended last. */
  #out;
  /** Inputs that arrive apart from their task. Made for the first such task. */
  #arriving;

  #job;
  /** Made when it is first asked for. */
  #ownPool;
  /** By which its thread has been blocked. Made for the first time. */
  #blocked;
  /** Whether the event loop is to have its turn before the next task. */
  #pauses = false;
  /** When the last task began, and the first one since there was a break; by the native side's clock. */
  #now = 0;
  #since = 0;

  /**
   * @param {object} setup
   * @param {MessagePort} parentPort the script's
   * @param {(url: string) => Promise<object>} importUrl see runtime/bootstrap.js
   */
  constructor(setup, parentPort, importUrl) {
    this.#setup = setup;
    this.#importUrl = importUrl;
    this.#control = setup.control;
    this.answers = new Answering(setup.control);
    this.#out = this.answers.out;
    this.workerId = setup.number;
    binding.adoptThread(setup.key);
    this.life = new WorkerLife(this, setup, parentPort, this.answers, this.#inbox.wire);
    this.calls = new TaskCalls(this, setup, parentPort, this.answers);
    watchOutput();
    Object.defineProperty(binding, RUNNER, { value: this, configurable: true });
  }

  /** The running task, for `task` in lib/script-pool/task.js; with several at a time, the one of this async context. */
  get current() {
    const { contexts } = this.calls;
    return contexts === undefined ? this.#job : contexts.getStore();
  }

  /** Its pool, for tasks of its tasks, once the script is loaded. From then on several tasks may be under way. */
  get ownPool() {
    if (this.loading !== undefined || this.life.tearsDown) return undefined;
    if (this.#ownPool === undefined) {
      const { Nesting } = require('./nesting');
      const { OwnPool } = require('./own-pool');
      this.nesting = new Nesting(this);
      this.#ownPool = new OwnPool(this, this.#control);
      if (this.calls.contexts === undefined) this.calls.separate(this.#job);
    }
    return this.#ownPool;
  }

  /** By which a task, or other code, blocks this thread until a task is answered that it submits to this pool. */
  get blocked() {
    if (this.#blocked === undefined) {
      const { BlockedWorker } = require('./blocked-worker');
      this.#blocked = new BlockedWorker(this, this.#control);
    }
    return this.#blocked;
  }

  /** The thread goes on. Nobody has notified this worker meanwhile. */
  unblocked() {
    binding.scriptBlocks(0, false);
    setImmediate(this.pull);
  }

  /** Whether it may run one more task. */
  get #hasRoom() {
    return this.open.size - this.nesting.waiting < this.#setup.concurrency;
  }

  /** The URL of the script while it is being loaded. */
  get loading() {
    return this.#functions === undefined || this.life.isSettingUp ? this.#setup.script : undefined;
  }

  /** Whether what the script posts now is the answer to a task. */
  get isAsked() {
    return this.calls.isAsked;
  }

  /** Tells the owner how far a task is. */
  report(job, value) {
    this.answers.report(job, job.reported === undefined ? value : job.reported(value));
  }

  /** The names of the functions that the script exports. */
  get functionNames() {
    return [...this.#functions.names()];
  }

  /** How many tasks it may run at once. */
  get concurrency() {
    return this.#setup.concurrency;
  }

  /** The script is loaded: takes part from now on, or once the script's `setup` is done. */
  start(exported) {
    let hooks;
    try {
      this.#functions = new ScriptFunctions(exported, this.#setup.script, this.#importUrl);
      hooks = hooksOf(exported);
    } catch (error) {
      // They are a Proxy, say.
      return this.life.failedToLoad(error);
    }
    const delivery = deliveryOf(binding);
    this.#call = this.answers.call = delivery.call;
    delivery.handler(EVENTS.SCRIPT_WORK, () => ({ deliver: () => this.pull() }));
    delivery.handler(EVENTS.SCRIPT_STOP, () => ({
      deliver: (id, reason) => this.calls.stop(this.open.get(id), reason),
    }));
    this.#control.on('message', (message) => this.heard(message));
    this.#control.on('messageerror', (error) => this.unreadable(error));
    this.#control.unref();
    this.life.begin(hooks, this.#control);
  }

  /** A message has come from the owner. */
  heard(message) {
    const { RETIRE } = require('./owner-messages');
    if (this.#blocked?.isBehind) this.#blocked.tell();
    if (message[0] >= RETIRE) this.told(message);
    else this.#arrivingInputs().told(message);
  }

  /** A message of the owner's that cannot be read here. */
  unreadable(error) {
    this.#arrivingInputs().unreadable(error);
  }

  /** A message of the owner's that is no input. */
  told(message) {
    if (this.#blocked?.isBehind) return this.#blocked.keep(message);
    const { NESTED_ANSWER } = require('./owner-messages');
    if (message[0] >= NESTED_ANSWER) this.#ownPool.told(message);
    else this.life.toldToEnd(message[0], message[1]);
  }

  /** Takes and runs what waits. */
  pull = () => {
    if (this.pulling) return;
    this.#since = this.#now = 0;
    if (this.life.leaving || !this.#hasRoom) return;
    this.#advance(0);
  };

  /**
   * Answers a task that has ended (0: none; the answer stands in `#out`), and runs what comes next until nothing does.
   * ANSWERED: it has its answer.
   */
  #advance(id) {
    this.pulling = true;
    const call = this.#call;
    const out = this.#out;
    let hasWorked = id !== 0;
    for (;;) {
      if (id !== 0 && this.#mustPause()) {
        if (id !== ANSWERED) this.finish(id);
        break;
      }
      if (id === ANSWERED) id = 0;
      if (id !== 0) flushOutput();
      call[0] = id;
      call[1] = out.form;
      call[2] = out.length;
      call[3] = this.open.size === 0 ? this.#setup.waitPolicy : IDLE_NEVER;
      call[4] = this.#setup.waitTime;
      const extra = this.#step(id);
      const step = call[0];
      if (step !== RUN) {
        if (step === WAIT) this.life.idle(hasWorked);
        else this.life.leave();
        break;
      }
      hasWorked = true;
      this.#now = call[6];
      if (this.#since === 0) this.#since = this.#now;
      const job = new Job(call[1], call[5] !== 0);
      if (call[8] !== 0) job.deadline = call[8];
      if (call[9] !== 0) job.priority = call[9];
      if (this.#begin(job, call[4], call[2], call[3], call[7], extra)) {
        if (job.nests) this.nesting.isOver(job);
        id = job.answered ? ANSWERED : job.id;
        continue;
      }
      id = 0;
      out.value = undefined;
      out.parts = undefined;
      if (!this.#hasRoom) break;
    }
    this.#job = this.open.size === 1 && this.calls.contexts === undefined ? this.open.values().next().value : undefined;
    this.pulling = false;
    out.value = undefined;
    out.parts = undefined;
  }

  /** Answers a task (0: none) as `#out` says, and takes the next. */
  #step(id) {
    const { value, parts } = this.#out;
    try {
      return binding.scriptStep(value, parts);
    } catch (error) {
      // There is no memory for the answer.
      return this.#again(id, error, 'scriptStep');
    }
  }

  /** Sends an error instead of a refused answer. An error needs no memory for parts. */
  #again(id, error, how) {
    if (id === 0) throw error;
    this.answers.failed(error);
    const call = this.#call;
    call[0] = id;
    call[1] = this.#out.form;
    call[2] = this.#out.length;
    call[3] = IDLE_NEVER;
    call[4] = 0;
    return binding[how](this.#out.value, this.#out.parts);
  }

  /** Whether something else comes before the next task: the event loop, or this worker's end. */
  #mustPause() {
    const { life } = this;
    if (!life.retiring && this.nesting.count === 0 && life.recycling?.isDue()) {
      life.retire('recycle');
      return true;
    }
    if (life.leaving) return true;
    if (!this.#pauses && this.#now - this.#since < STRETCH) return false;
    this.#pauses = false;
    setImmediate(this.pull);
    return true;
  }

  /** The event loop is to have its turn before the next task. */
  pauseOnce() {
    this.#pauses = true;
  }

  /** Answers a task as `#out` says, without taking another. */
  finish(id) {
    flushOutput();
    const { form, length, value, parts } = this.#out;
    this.#call[0] = id;
    this.#call[1] = form;
    this.#call[2] = length;
    try {
      binding.scriptFinish(value, parts);
    } catch (error) {
      this.#again(id, error, 'scriptFinish');
    }
  }

  /** Begins a task. True when it has ended already, and its answer stands in `#out`. */
  #begin(job, number, form, value, path, extra) {
    this.#job = job;
    let run = this.#functions.numbered[number] ?? this.#functions.find(number);
    if (path >= PATHS) {
      run = require('./called-functions').calledAs(this, job, run, Math.floor(path / PATHS));
      path %= PATHS;
    }
    if (path === ON_DEMAND) {
      this.#arrivingInputs().ask(job, run);
      return false;
    }
    if (path === BY_MESSAGE) return this.#arrivingInputs().begin(job, run, value);
    return this.runShown(job, run, form, value, extra);
  }

  #arrivingInputs() {
    if (this.#arriving === undefined) {
      const { ArrivingInputs } = require('./arriving-inputs');
      this.#arriving = new ArrivingInputs(this, this.#control, this.#call);
    }
    return this.#arriving;
  }

  /** Runs a task whose input the native side shows. */
  runShown(job, run, form, number, extra) {
    let input;
    try {
      // The inbox holds one wire at a time, so its number is the length alone.
      const place = form === FORMS.WIRE ? wireFromStart(number) : number;
      input = readValue(form, place, this.#inbox.show(extra));
    } catch (error) {
      this.answers.failed(error);
      return true;
    }
    return this.calls.run(job, run, input);
  }

  /** Runs a task whose input has come by Node's port. */
  runArrived(job, run, { error, isBundle, value }) {
    if (error !== undefined) {
      this.answers.failed(require('./refused-input').unreadable(error));
      return true;
    }
    let input = value;
    if (isBundle) {
      try {
        input = require('../transfer/serialization').deserialize(value);
      } catch (refusal) {
        this.answers.failed(refusal);
        return true;
      }
    }
    return this.calls.run(job, run, input);
  }

  /** Begins a task that had to wait for its input, and goes on with what comes after it. */
  goOn(job, begin) {
    this.open.delete(job.id);
    this.#job = job;
    if (begin(job)) this.through(job);
  }

  /** Answers a task that ended in a later turn than it was taken, and goes on with what comes after it. */
  through(job) {
    if (job.nests) this.nesting.isOver(job);
    // One that waited for its own tasks may have gone on beside others: then these make way.
    if (this.life.leaving || this.pulling || !this.#hasRoom) {
      if (!job.answered) this.finish(job.id);
      this.life.endIfDone();
    } else {
      this.#advance(job.answered ? ANSWERED : job.id);
    }
  }

  /** A task was taken back: goes on with the next. */
  next() {
    if (this.life.leaving) this.life.endIfDone();
    else if (!this.pulling) this.#advance(0);
  }

  /** A task that is a message has been answered: goes on with the next. */
  afterMessage() {
    if (this.life.leaving) this.life.endIfDone();
    else if (!this.life.retiring && this.life.recycling?.isDue()) this.life.retire('recycle');
    else if (!this.pulling && this.#hasRoom) this.#advance(0);
  }

  unknownFunction(name) {
    return this.#functions.unknown(name);
  }

  /** A task that can never end by itself fails. */
  fail(job, error) {
    this.open.delete(job.id);
    this.answers.failed(error);
    this.through(job);
  }
}

module.exports = { Runner };
