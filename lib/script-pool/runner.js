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
 * (message-tasks.js), the codec, and errors.
 */

const { types } = require('node:util');

const { LONGEST_TIMER, now, setImmediate, setTimeout } = require('../runtime/clock');
const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { freshContext } = require('../runtime/turn');
const { EVENTS, FORMS, REASONS, SCRIPTS, STEPS } = require('../constants');
const { coverListeners } = require('../runtime/listener-failures');
const { flushOutput, watchOutput } = require('../runtime/worker-output');
const { readValue, wireFromStart } = require('../task/read-value');
const { Answering } = require('./answering');
const { functionsOf, hooksOf } = require('./load-script');
const { Job, RUNNER, WATCHED } = require('./task');

const { BY_MESSAGE, IDLE_BLOCK, IDLE_NEVER, ON_DEMAND, PATHS } = SCRIPTS;
const { RUN, WAIT } = STEPS;

/** Bytes of an input that come without a Node-API call. */
const INBOX_BYTES = 64 * 1024;
/** So many milliseconds of tasks without a break; then the event loop has its turn before the next task. */
const STRETCH = 5;
/** Milliseconds after which tasks that take long are looked after. */
const LOOK_EVERY = 1_000;
/** Milliseconds, at the least, between two questions of an idle worker whether it is kept. */
const KEPT_FOR = 1_000;
/** Stands for "emit it as a message" among the functions. */
const MESSAGE = Symbol('message');
/** Stands for the id of a task that has its answer. */
const ANSWERED = -1;

const { then } = Promise.prototype;

/** Where the native side shows inputs. */
class Inbox {
  wire = Buffer.from(new ArrayBuffer(INBOX_BYTES));
  #outOfBand;
  #next = 0;

  /** Takes the out-of-band values of the input that is read next. */
  show(outOfBand) {
    this.#outOfBand = outOfBand;
    this.#next = 0;
    return this;
  }

  takeOutOfBand() {
    return this.#outOfBand[this.#next++];
  }
}

class Runner {
  /** Tasks begun and not ended, by id. */
  open = new Map();
  /** The worker's number within its pool. */
  workerId;

  #setup;
  #port;
  #control;
  #functions;
  /** Functions by the number the owner calls them by. */
  #numbered = [];
  /** Loads modules beside the script; and those that were. Made for the first task that names one. */
  #importUrl;
  #modules;
  #call;
  #inbox = new Inbox();
  #answers;
  /** The answer to the task that ended last. */
  #out;
  /** Inputs that arrive apart from their task, and tasks that are messages. Made for the first such task. */
  #arriving;
  #messages;
  /** Looks after tasks that take long. Made for the first one. */
  #unsettled;
  /** Whether it will look after them. */
  #looks = false;

  #job;
  /** The async context identifies each of several tasks at a time. */
  #contexts;
  /** Runs something in an async context in which no task was; where a Worker gives each message such a one. */
  #fresh;
  #pulling = false;
  /** Made when it is first asked for; how many tasks wait for tasks of their own, and how many have submitted some. */
  #ownPool;
  /** By which its thread has been blocked. Made for the first time. */
  #blocked;
  #waiting = 0;
  #nesting = 0;
  /** Why it is to take no more tasks once none of them does. */
  #retiresLater;
  /** Whether the event loop is to have its turn before the next task. */
  #pauses = false;
  #leaving = false;
  #retiring = false;
  /** The script's hooks, where it has some; whether this worker takes part, and why it ends. */
  #hooks;
  #joined = false;
  #reason;
  /** Whether it ends without waiting for its tasks. */
  #shutDown = false;
  /** When the last task began, and the first one since there was a break; by the native side's clock. */
  #now = 0;
  #since = 0;
  #recycling;
  #lastWork = now();
  #idleTimer;

  /**
   * @param {object} setup
   * @param {MessagePort} parentPort the script's
   * @param {(url: string) => Promise<object>} importUrl see runtime/bootstrap.js
   */
  constructor(setup, parentPort, importUrl) {
    this.#setup = setup;
    this.#importUrl = importUrl;
    this.#control = setup.control;
    this.#port = parentPort;
    this.#answers = new Answering(setup.control);
    this.#out = this.#answers.out;
    this.workerId = setup.number;
    binding.adoptThread(setup.key);
    if (setup.concurrency > 1) {
      const { AsyncLocalStorage } = require('node:async_hooks');
      this.#contexts = new AsyncLocalStorage();
    }
    this.#fresh = freshContext();
    if (setup.recycle !== undefined) {
      const { Recycling } = require('./recycle-limits');
      this.#recycling = new Recycling(setup.recycle);
    }
    const { postMessage } = parentPort;
    // On the object itself: the script's `parentPort`, whichever module it took it from, is this very one.
    Object.defineProperty(parentPort, 'postMessage', {
      value: (...given) => {
        // Node says what is missing.
        if (given.length === 0) return postMessage.call(parentPort);
        if (this.#messages?.posted(given[0], given[1])) return undefined;
        return postMessage.call(parentPort, given[0], given[1]);
      },
      writable: true,
      configurable: true,
    });
    coverListeners(parentPort, () => this.#messages?.listenerCalled());
    watchOutput();
    Object.defineProperty(binding, RUNNER, { value: this, configurable: true });
  }

  /** The running task, for `task` in lib/script-pool/task.js; with several at a time, the one of this async context. */
  get current() {
    return this.#contexts === undefined ? this.#job : this.#contexts.getStore();
  }

  /** Its pool, for tasks of its tasks, once the script is loaded. From then on several tasks may be under way. */
  get ownPool() {
    if (this.loading !== undefined || this.tearsDown) return undefined;
    if (this.#ownPool === undefined) {
      const { OwnPool } = require('./own-pool');
      this.#ownPool = new OwnPool(this, this.#control);
      if (this.#contexts === undefined) {
        const { AsyncLocalStorage } = require('node:async_hooks');
        this.#contexts = new AsyncLocalStorage();
        if (this.#job !== undefined) this.#contexts.enterWith(this.#job);
      }
    }
    return this.#ownPool;
  }

  /**
   * A task, or other code, is about to block this thread until a task is answered that it submits to this pool.
   *
   * @returns {import('./blocked-worker').BlockedWorker} by which it does
   */
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
    setImmediate(this.#pull);
  }

  /** Whether its script's `teardown` runs, or has run: nothing is submitted any more, or each worker would need another after it. */
  get tearsDown() {
    return this.#hooks?.tearingDown === true;
  }

  /** Whether it takes no more tasks. */
  get isLeaving() {
    return this.#leaving || this.#retiring;
  }

  /**
   * A task waits for one more that it has submitted to its pool: others may run here meanwhile, unless it answers a message.
   *
   * @returns {() => void} to be called when it waits for one less
   */
  waits(job) {
    if (job === undefined || job.isOver) return () => {};
    if (job.listeners > 0) return this.#holds(job);
    this.#makesWay(job);
    return () => this.#goesOn(job);
  }

  /** A message's task keeps its place. */
  #holds(job) {
    if (job.holds++ === 0) binding.scriptHolds(job.id, true);
    return () => {
      if (--job.holds === 0) binding.scriptHolds(job.id, false);
    };
  }

  #makesWay(job) {
    if (!job.nests) {
      job.nests = true;
      this.#nesting++;
    }
    if (job.waitsFor++ > 0) return;
    this.#waiting++;
    binding.scriptWaits(job.id, true);
    setImmediate(this.#pull);
  }

  #goesOn(job) {
    if (job.waitsFor === 0 || --job.waitsFor > 0) return;
    this.#waiting--;
    binding.scriptWaits(job.id, false);
  }

  /** A task has ended, perhaps before those that it has submitted. */
  #isOver(job) {
    if (job.isOver) return;
    job.isOver = true;
    if (job.waitsFor > 0) this.#waiting--;
    job.waitsFor = 0;
    // Until then another worker would have had to run what it waits for.
    if (--this.#nesting === 0 && this.#retiresLater !== undefined) this.#retire(this.#retiresLater);
  }

  /** Whether it may run one more task. */
  get #hasRoom() {
    return this.open.size - this.#waiting < this.#setup.concurrency;
  }

  /** The URL of the script while it is being loaded. */
  get loading() {
    return this.#functions === undefined || this.#hooks?.settingUp ? this.#setup.script : undefined;
  }

  /** Whether what the script posts now is the answer to a task. */
  get isAsked() {
    return this.#messages !== undefined && this.#messages.isAsked;
  }

  /** Tells the owner how far a task is. */
  report(job, value) {
    this.#answers.report(job, job.reported === undefined ? value : job.reported(value));
  }

  /** Tells the owner what a task prints: see told-output.js. */
  tellOutput(job, value) {
    this.#answers.output(job, value);
  }

  /** How many tasks it may run at once. */
  get concurrency() {
    return this.#setup.concurrency;
  }

  /** Gives the owner a part of a task's result. */
  part(job, value) {
    this.#answers.part(job, value);
  }

  /** The script is loaded: takes part from now on, or once the script's `setup` is done. */
  start(exported) {
    let hooks;
    try {
      this.#functions = functionsOf(exported);
      hooks = hooksOf(exported);
    } catch (error) {
      // They are a Proxy, say.
      return this.failedToLoad(error);
    }
    const delivery = deliveryOf(binding);
    this.#call = this.#answers.call = delivery.call;
    delivery.handler(EVENTS.SCRIPT_WORK, () => ({ deliver: () => this.#pull() }));
    delivery.handler(EVENTS.SCRIPT_STOP, () => ({
      deliver: (id, reason) => this.#stop(this.open.get(id), reason),
    }));
    this.#control.on('message', (message) => this.heard(message));
    this.#control.on('messageerror', (error) => this.unreadable(error));
    this.#control.unref();
    if (!binding.joinPool(this.#setup.key, this.#inbox.wire)) return process.exit();
    this.#joined = true;
    if (hooks === undefined) this.#takePart();
    else this.#setUp(hooks);
  }

  /** A task should stop: its listeners run in its own context. */
  #stop(job, reason) {
    if (job === undefined) return;
    if (this.#contexts === undefined) job.abort(reason);
    else this.#contexts.run(job, () => job.abort(reason));
  }

  #takePart() {
    // Idle or not, the pool says when this worker ends.
    deliveryOf(binding).hold(1);
    this.#port.once('close', () => this.#retire('self'));
    this.#answers.ready([...this.#functions.keys()]);
    this.#pull();
  }

  #setUp(hooks) {
    const { Hooks } = require('./hooks');
    this.#hooks = new Hooks(hooks, this.workerId, this.#answers, this.#control);
    // No task begins meanwhile.
    this.#pulling = true;
    this.#hooks.setUp(
      () => {
        this.#pulling = false;
        if (this.#shutDown) this.#end();
        else this.#takePart();
      },
      (error) => this.failedToLoad(error, true),
    );
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
    else this.toldToEnd(message[0], message[1]);
  }

  /**
   * The owner wants this worker to end.
   *
   * @param {number} kind RETIRE or SHUT_DOWN
   * @param {string} why
   */
  toldToEnd(kind, why) {
    if (this.#hooks?.settingUp) {
      this.#reason = why;
      this.#shutDown = true;
      const { PoolClosedError } = require('../errors');
      this.#hooks.abort(new PoolClosedError('the worker is to end'));
    } else if (kind === require('./owner-messages').RETIRE) {
      this.#retire(why);
    } else {
      this.#reason = why;
      this.#shutDown = true;
      for (const job of this.open.values()) job.abort(REASONS.POOL_CLOSED);
      // Tasks that have heard their signal may end by it.
      setImmediate(() => this.#leave());
    }
  }

  /** The script cannot be loaded: reports the error to the owner, and ends. */
  failedToLoad(error, isOfSetup = false) {
    if (this.#leaving) return;
    this.#leaving = true;
    try {
      if (this.#joined || binding.joinPool(this.#setup.key, this.#inbox.wire)) this.#answers.notReady(error, isOfSetup);
    } finally {
      // Unless what the script threw has ended the worker by then.
      setImmediate(() => process.exit(1));
    }
  }

  /** Takes and runs what waits. */
  #pull = () => {
    if (this.#pulling) return;
    this.#since = this.#now = 0;
    if (this.#leaving || !this.#hasRoom) return;
    this.#advance(0);
  };

  /**
   * Answers a task that has ended (0: none; the answer stands in `#out`), and runs what comes next until nothing does.
   * ANSWERED: it has its answer.
   */
  #advance(id) {
    this.#pulling = true;
    const call = this.#call;
    const out = this.#out;
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
        if (step === WAIT) this.#idle();
        else this.#leave();
        break;
      }
      this.#now = call[6];
      if (this.#since === 0) this.#since = this.#now;
      const job = new Job(call[1], call[5] !== 0);
      if (call[8] !== 0) job.deadline = call[8];
      if (call[9] !== 0) job.priority = call[9];
      if (this.#begin(job, call[4], call[2], call[3], call[7], extra)) {
        if (job.nests) this.#isOver(job);
        id = job.answered ? ANSWERED : job.id;
        continue;
      }
      id = 0;
      out.value = undefined;
      out.parts = undefined;
      if (!this.#hasRoom) break;
    }
    this.#job = this.open.size === 1 && this.#contexts === undefined ? this.open.values().next().value : undefined;
    this.#pulling = false;
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
    this.#answers.failed(error);
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
    if (!this.#retiring && this.#nesting === 0 && this.#recycling?.isDue()) {
      this.#retire('recycle');
      return true;
    }
    if (this.#leaving) return true;
    if (!this.#pauses && this.#now - this.#since < STRETCH) return false;
    this.#pauses = false;
    setImmediate(this.#pull);
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
    let run = this.#numbered[number] ?? this.#find(number);
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
      this.#answers.failed(error);
      return true;
    }
    return this.run(job, run, input);
  }

  /** Runs a task whose input has come by Node's port. */
  runArrived(job, run, { error, isBundle, value }) {
    if (error !== undefined) {
      this.#answers.failed(unreadable(error));
      return true;
    }
    let input = value;
    if (isBundle) {
      try {
        input = require('../transfer/serialization').deserialize(value);
      } catch (refusal) {
        this.#answers.failed(refusal);
        return true;
      }
    }
    return this.run(job, run, input);
  }

  /** Begins a task that had to wait for its input, and goes on with what comes after it. */
  goOn(job, begin) {
    this.open.delete(job.id);
    this.#job = job;
    if (begin(job)) this.#through(job);
  }

  /** Answers a task that ended in a later turn than it was taken, and goes on with what comes after it. */
  #through(job) {
    if (job.nests) this.#isOver(job);
    // One that waited for its own tasks may have gone on beside others: then these make way.
    if (this.#leaving || this.#pulling || !this.#hasRoom) {
      if (!job.answered) this.finish(job.id);
      this.#endIfDone();
    } else {
      this.#advance(job.answered ? ANSWERED : job.id);
    }
  }

  /** An input has come: its task waits in the queue, unless it has ended. Nothing else has woken this worker for it. */
  inputCame() {
    this.#pull();
  }

  /** A task was taken back: goes on with the next. */
  next() {
    if (this.#leaving) this.#endIfDone();
    else if (!this.#pulling) this.#advance(0);
  }

  /** A task that is a message has been answered: goes on with the next. */
  afterMessage() {
    if (this.#leaving) this.#endIfDone();
    else if (!this.#retiring && this.#recycling?.isDue()) this.#retire('recycle');
    else if (!this.#pulling && this.#hasRoom) this.#advance(0);
  }

  /** The function that the owner calls by this number. */
  #find(number) {
    const name = number === 0 ? '' : binding.scriptFunctionName(number);
    const found = this.#functions.get(name);
    if (found !== undefined) return (this.#numbered[number] = found);
    if (name === '') return (this.#numbered[number] = MESSAGE);
    if (name.startsWith('\0')) return (this.#numbered[number] = this.#ofOtherModule(name, number));
    const error = this.unknownFunction(name);
    return () => {
      throw error;
    };
  }

  #ofOtherModule(name, number) {
    if (this.#modules === undefined) {
      const { LoadedModules } = require('./loaded-modules');
      this.#modules = new LoadedModules(this.#importUrl);
    }
    return this.#modules.functionOf(name, (run) => (this.#numbered[number] = run));
  }

  unknownFunction(name) {
    const { unknownFunction } = require('./unknown-function');
    return unknownFunction(name, this.#functions.keys(), `The script ${this.#setup.script}`);
  }

  /** Runs a task. True when it has ended already, and its answer stands in `#out`. */
  run(job, run, input) {
    return this.#fresh === undefined ? this.#runHere(job, run, input) : this.#fresh(this.#runHere, job, run, input);
  }

  #runHere = (job, run, input) => {
    if (this.#contexts !== undefined) return this.#contexts.run(job, () => this.#invoke(job, run, input));
    return this.#invoke(job, run, input);
  };

  #invoke(job, run, input) {
    if (run === MESSAGE) return this.#messageTasks().begin(job, input);
    const answers = this.#answers;
    let promise;
    let result;
    try {
      result = run(input);
      promise = promiseOf(result);
    } catch (error) {
      answers.failed(error);
      return true;
    }
    if (promise !== undefined) {
      this.open.set(job.id, job);
      job.promise = promise;
      if (!this.#looks) this.lookLater();
      then.call(
        promise,
        (value) => this.#ended(job, answers.succeeded, value),
        (error) => this.#ended(job, answers.failed, error),
      );
      return false;
    }
    answers.succeeded(result);
    return true;
  }

  /** Looks after tasks that take long, after a time. */
  lookLater() {
    if (this.#looks) return;
    this.#looks = true;
    const look = () => {
      this.#looks = false;
      if (this.open.size === 0) return;
      const { UnsettledTasks } = require('./unsettled');
      this.#unsettled ??= new UnsettledTasks(this, this.#setup.script);
      this.#unsettled.look();
    };
    setTimeout(look, this.#unsettled?.wait ?? LOOK_EVERY).unref();
  }

  /** A task that can never end by itself fails. */
  fail(job, error) {
    this.open.delete(job.id);
    this.#answers.failed(error);
    this.#through(job);
  }

  #messageTasks() {
    if (this.#messages === undefined) {
      const { MessageTasks } = require('./message-tasks');
      this.#messages = new MessageTasks(this, this.#answers, this.#port, this.#setup.script, this.#contexts);
    }
    return this.#messages;
  }

  /** Emits a task's message: for one that had to wait for a listener. */
  runMessage(job, input) {
    return this.run(job, MESSAGE, input);
  }

  /** A task ends in a later turn than it began. */
  #ended(job, how, value) {
    this.open.delete(job.id);
    job.promise = undefined;
    if (job.stage >= WATCHED) this.#unsettled.ended();
    // Its owner says then that the pool was destroyed, whatever the task makes of it.
    if (this.#shutDown && how === this.#answers.failed) return this.#endIfDone();
    how.call(this.#answers, value);
    this.#through(job);
  }

  /** Nothing waits. */
  #idle() {
    this.#lastWork = now();
    const { waitPolicy, idleTimeout } = this.#setup;
    if (waitPolicy === IDLE_BLOCK && this.open.size === 0) {
      // The event loop has a turn between two waits.
      setImmediate(this.#pull);
    }
    if (idleTimeout === Infinity || this.#idleTimer !== undefined) return;
    this.#armIdleTimer(idleTimeout);
  }

  #armIdleTimer(time) {
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined;
      if (this.#leaving) return;
      const { idleTimeout } = this.#setup;
      const idle = now() - this.#lastWork;
      if (this.open.size > 0 || idle < idleTimeout) return this.#armIdleTimer(Math.max(10, idleTimeout - idle));
      if (binding.leavePool(true)) return this.#end('idle');
      // It is among those that are kept: until others come, or fewer are kept.
      this.#armIdleTimer(Math.max(KEPT_FOR, idleTimeout));
    }, Math.min(time, LONGEST_TIMER));
    this.#idleTimer.unref();
  }

  /** Takes no more tasks but those whose input is here, and ends. */
  #retire(why) {
    if (this.#leaving || this.#retiring) return;
    if (this.#nesting > 0) {
      this.#retiresLater ??= why;
      return;
    }
    this.#retiring = true;
    this.#reason = why;
    if (binding.leavePool(false)) this.#leave();
    else setImmediate(this.#pull);
  }

  #leave() {
    this.#leaving = true;
    this.#endIfDone();
  }

  #endIfDone() {
    if (this.#leaving && this.#isDone()) setImmediate(() => this.#end());
  }

  /** Whether no task is waited for any more. */
  #isDone() {
    if (!this.#shutDown) return this.open.size === 0;
    for (const job of this.open.values()) if (job.hasSignal) return false;
    return true;
  }

  #end(why = this.#reason) {
    this.#leaving = true;
    const exit = () => {
      flushOutput();
      process.exit();
    };
    if (this.#hooks === undefined) return exit();
    const reason = why ?? (binding.poolCloses() ? 'close' : 'resize');
    if (!this.#hooks.tearDown(reason, exit)) exit();
  }
}

/** A promise for what a function has returned; undefined when that is the result itself. */
function promiseOf(result) {
  if (typeof result !== 'object' || result === null) return undefined;
  if (types.isPromise(result)) return result;
  const { then: thenOf } = result;
  if (typeof thenOf !== 'function') return undefined;
  return new Promise((resolve, reject) => Reflect.apply(thenOf, result, [resolve, reject]));
}

/** The error of a task whose input could not be read in this thread. */
function unreadable(error) {
  const { notTooDeep } = require('./too-deep');
  const deep = notTooDeep(error, 'the input');
  if (deep !== error) return deep;
  const { TaskFailedError } = require('../errors');
  return new TaskFailedError(`the input could not be read in the worker: ${error?.message ?? error}`, { cause: error });
}

module.exports = { Runner };
