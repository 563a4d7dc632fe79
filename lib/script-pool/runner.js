'use strict';

/**
 * A worker's side of a script pool: takes tasks from the Rust queue, runs them, answers them.
 *
 * The worker pulls. A task that ends in the turn it began is answered, and the next one taken, in one native call;
 * when nothing waits the worker returns to its event loop, and an event in its event queue calls it back. So timers,
 * ports and unfinished work of the script go on while it waits.
 */

const { receiveMessageOnPort } = require('node:worker_threads');
const { types } = require('node:util');

const { clearTimeout, now, setImmediate, setTimeout } = require('../runtime/clock');
const { added } = require('../runtime/intrinsics');
const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { freshContext, throwUncaught } = require('../runtime/turn');
const FORMS = require('../forms');
const nodeGlobals = require('../runtime/globals');
const { coverListeners } = require('../runtime/port-listeners');
const { functionsOf } = require('./load-script');
const { ValueEncoder } = require('./value-encoder');
const { flushOutput, watchOutput } = require('../runtime/worker-output');
const {
  STEP_RUN, STEP_WAIT, TAKE, BLOCK, ASKED, ASKED_INPUT, BESIDE, BY_MESSAGE, DROP, END_FAILED, END_BESIDE, END_BESIDE_FAILED, INPUT, VOID,
} = require('./steps');
const { Job, Moved, RUNNER } = require('./task');
const { notTooDeep } = require('./too-deep');

/** Bytes of an input that come without a Node-API call. */
const INBOX_BYTES = 64 * 1024;
/** So many milliseconds of tasks without a break, and the event loop has its turn before the next. */
const BREATH = 5;

/** A script that listens and has not answered after so many milliseconds may have forgotten to: it is told so, once. */
const LONG_UNANSWERED = 30_000;

/** So many milliseconds the owner has to give the memory of an input; then a copy is taken. */
const ASKING = 10;

/** Stands for an input that could not be sent. */
const NO_INPUT = Object.freeze({ error: undefined });
/** Stands for "emit it as a message" among the functions. */
const MESSAGE = Symbol('message');
/** Milliseconds between two looks whether the script listens by now. */
const LOOK_FOR_LISTENER = 10;

/** The codec, loaded for the first value that needs it: every file counts in a worker's start. */
let loadedValues;
const values = () => (loadedValues ??= require('../values'));

class Runner {
  /** The task at hand, for `task` in lib/script-pool/task.js; with several at a time, the one of this context. */
  get current() {
    return this.#contexts === undefined ? this.#job : this.#contexts.getStore();
  }

  /** Whether what the script posts now is the answer to a task. */
  get isAsked() {
    return this.#messages.length > 0;
  }

  #setup;
  #port;
  #postMessage;
  #control;
  #functions;
  /** Functions by the number the owner calls them by. */
  #numbered = [];
  #call;
  #inbox = Buffer.from(new ArrayBuffer(INBOX_BYTES));
  #result = new ValueEncoder();
  #reports = new ValueEncoder();
  /** How the answer to the last task that ended goes out. */
  #out = { form: 0, length: 0, value: undefined, parts: undefined };

  #job;
  /** Several tasks at a time are told apart by their async context. */
  #contexts;
  /** Runs something in an async context in which no task was; where a Worker gives each message such a one. */
  #fresh;
  /** Tasks begun and not ended, by id. */
  #open = new Map();
  /** Those among them that a 'message' event began, oldest first. */
  #messages = [];
  /** The task whose message is being emitted. */
  #emitting;
  #unansweredTimer;
  /** Inputs that came beside the queue and whose task has not begun, by number. */
  #inputs = new Map();
  /** The lowest number that has not come; and those above it that have. */
  #lowest = 0;
  #above = new Set();
  /** Tasks whose input was asked for, by their ids. */
  #asked = new Map();
  /** Tasks that began before their input was here, by the input's number. */
  #awaiting = new Map();
  #pulling = false;
  /** Whether an uncaught error is on its way. */
  #isShaken = false;
  #leaving = false;
  #retiring = false;
  /** When the last task began, and the first one since there was a break; by the native side's clock. */
  #now = 0;
  #since = 0;
  #recycling;
  #lastWork = now();
  #idleTimer;
  workerId;

  constructor(setup, parentPort) {
    this.#setup = setup;
    this.#control = setup.control;
    this.#port = parentPort;
    this.workerId = setup.number;
    if (setup.concurrency > 1) {
      const { AsyncLocalStorage } = require('node:async_hooks');
      this.#contexts = new AsyncLocalStorage();
    }
    this.#fresh = freshContext();
    if (setup.recycle !== undefined) {
      const { Recycling } = require('./recycling');
      this.#recycling = new Recycling(setup.recycle);
    }
    this.#postMessage = parentPort.postMessage;
    // On the object itself: the script's `parentPort`, whichever module it took it from, is this very one.
    Object.defineProperty(parentPort, 'postMessage', {
      value: (...given) => {
        // Node says what is missing.
        if (given.length === 0) return this.#postMessage.call(this.#port);
        return this.#posted(given[0], given[1]);
      },
      writable: true,
      configurable: true,
    });
    coverListeners(parentPort, () => this.#whoFails());
    watchOutput();
    Object.defineProperty(binding, RUNNER, { value: this, configurable: true });
  }

  /** The script is loaded: takes part from now on. */
  start(exported) {
    try {
      this.#functions = functionsOf(exported);
    } catch (error) {
      // They are a Proxy, say.
      return this.failedToLoad(error);
    }
    const delivery = deliveryOf(binding);
    this.#call = delivery.call;
    delivery.subject(FORMS.SCRIPT_WORK, () => ({ deliver: () => this.#pull() }));
    delivery.subject(FORMS.SCRIPT_STOP, () => ({
      deliver: (id, reason) => this.#open.get(id)?.abort(reason),
    }));
    this.#control.on('message', (message) => this.#told(message));
    this.#control.on('messageerror', (error) => this.#received(this.#lowest, { error }));
    this.#control.unref();
    if (!binding.joinPool(this.#setup.key, this.#inbox)) return this.#end();
    // Idle or not, the pool says when this worker ends.
    delivery.hold(1);
    this.#port.once('close', () => this.#retire());
    this.#control.postMessage([false, { names: [...this.#functions.keys()], thrown: undefined }]);
    binding.tellReady();
    this.#pull();
  }

  /** The script cannot be loaded: tells the owner why, and ends. */
  failedToLoad(error) {
    if (this.#leaving) return;
    this.#leaving = true;
    try {
      if (binding.joinPool(this.#setup.key, this.#inbox)) {
        const { encodeThrown } = require('../task/thrown');
        this.#post({ names: undefined, thrown: besideOf(encodeThrown(error)) }, NOTHING, 'error');
        binding.tellReady();
      }
    } finally {
      // Unless what the script threw has ended the worker by then.
      setImmediate(() => this.#end(1));
    }
  }

  /** Takes and runs what waits. */
  #pull = () => {
    this.#since = this.#now = 0;
    if (this.#pulling || this.#leaving || this.#open.size >= this.#setup.concurrency) return;
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
    const { concurrency } = this.#setup;
    for (;;) {
      if (id !== 0 && this.#mustPause()) {
        if (id !== ANSWERED) this.#finish(id);
        break;
      }
      if (id === ANSWERED) id = 0;
      if (id !== 0) flushOutput();
      call[0] = id;
      call[1] = out.form;
      call[2] = out.length;
      call[3] = this.#open.size === 0 ? this.#setup.patience : TAKE;
      call[4] = this.#setup.patienceTime;
      const extra = this.#step(id);
      const step = call[0];
      if (step !== STEP_RUN) {
        if (step === STEP_WAIT) this.#idle();
        else this.#leave();
        break;
      }
      this.#now = call[6];
      if (this.#since === 0) this.#since = this.#now;
      const job = new Job(call[1], call[5] !== 0);
      if (this.#begin(job, call[4], call[2], call[3], call[7], extra)) {
        id = job.answered ? ANSWERED : job.id;
        continue;
      }
      id = 0;
      out.value = undefined;
      out.parts = undefined;
      if (this.#open.size >= concurrency) break;
    }
    this.#job = this.#open.size === 1 && this.#contexts === undefined ? this.#open.values().next().value : undefined;
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
      // There is no room for the answer.
      return this.#again(id, error, 'scriptStep');
    }
  }

  /** The answer was refused: the error takes its place, which needs no room. */
  #again(id, error, how) {
    if (id === 0) throw error;
    this.#failed(undefined, error);
    const call = this.#call;
    call[0] = id;
    call[1] = this.#out.form;
    call[2] = this.#out.length;
    call[3] = TAKE;
    call[4] = 0;
    return binding[how](this.#out.value, this.#out.parts);
  }

  /** Whether something else comes before the next task: the event loop, or this worker's end. */
  #mustPause() {
    if (!this.#retiring && this.#recycling?.isDue()) {
      this.#retire();
      return true;
    }
    if (this.#leaving) return true;
    if (!this.#isShaken && this.#now - this.#since < BREATH) return false;
    this.#isShaken = false;
    setImmediate(this.#pull);
    return true;
  }

  /** Answers without taking. */
  #finish(id) {
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
  #begin(job, number, form, value, road, extra) {
    this.#job = job;
    const run = this.#numbered[number] ?? this.#find(number);
    if (road === ASKED) {
      this.#ask(job, run);
      return false;
    }
    if (road === BY_MESSAGE) {
      const arrived = this.#takeInput(value);
      if (arrived !== undefined) return this.#runBeside(job, run, arrived);
      // Its owner has taken it back, which was read just now.
      if (value < this.#lowest || this.#above.has(value)) return false;
      // It is on its way.
      this.#open.set(job.id, job);
      this.#awaiting.set(value, { job, run });
      return false;
    }
    return this.#runWith(job, run, form, value, extra);
  }

  /** Begins a task whose input is here. */
  #runWith(job, run, form, value, extra) {
    let input;
    try {
      input = this.#read(form, value, extra);
    } catch (error) {
      this.#failed(job, error);
      return true;
    }
    return this.#run(job, run, input);
  }

  /** The owner has been asked for the memory of the input; if it does not answer soon, a copy will do. */
  #ask(job, run) {
    this.#open.set(job.id, job);
    const timer = setTimeout(() => {
      const extra = binding.scriptClaim(job.id);
      // Else it is on its way.
      if (this.#call[2] !== 0) this.#goOn(job, (ready) => this.#runWith(ready, run, this.#call[0], this.#call[1], extra));
    }, ASKING);
    this.#asked.set(job.id, { job, run, timer });
  }

  /** The memory that was asked for has come. */
  #given(id, value) {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    clearTimeout(asked.timer);
    this.#goOn(asked.job, (ready) => this.#run(ready, asked.run, value));
  }

  /** Begins a task that had to wait for its input, and goes on with what comes after it. */
  #goOn(job, begin) {
    this.#asked.delete(job.id);
    this.#open.delete(job.id);
    this.#job = job;
    if (begin(job)) this.#through(job);
  }

  /** Answers a task that ended in a later turn than it was taken, and goes on with what comes after it. */
  #through(job) {
    if (this.#leaving || this.#pulling) {
      if (!job.answered) this.#finish(job.id);
      this.#endIfDone();
    } else {
      this.#advance(job.answered ? ANSWERED : job.id);
    }
  }

  /** Begins a task whose input came beside the queue. */
  #runBeside(job, run, { error, isBundle, value }) {
    if (error !== undefined) {
      this.#failed(job, unreadable(error));
      return true;
    }
    let input = value;
    if (isBundle) {
      try {
        input = require('../transfer').arrive(value);
      } catch (refusal) {
        this.#failed(job, refusal);
        return true;
      }
    }
    return this.#run(job, run, input);
  }

  /** The input of this number, if it is here. */
  #takeInput(number) {
    for (;;) {
      const input = this.#inputs.get(number);
      if (input !== undefined) {
        this.#inputs.delete(number);
        return input;
      }
      let received;
      try {
        received = receiveMessageOnPort(this.#control);
      } catch (error) {
        this.#received(this.#lowest, { error });
        continue;
      }
      if (received === undefined) return undefined;
      this.#told(received.message);
    }
  }

  /** A message has come from the owner. */
  #told([kind, number, isBundle, value]) {
    if (kind === INPUT) this.#received(number, { error: undefined, isBundle, value });
    else if (kind === DROP) this.#drop(number);
    else if (kind === VOID) this.#received(number, NO_INPUT);
    // Its id stands where others have a number.
    else if (kind === ASKED_INPUT) this.#given(number, isBundle);
  }

  /** An input is for nobody any more. What was given away with it is let go. */
  #drop(number) {
    const input = this.#inputs.get(number);
    if (input === undefined) return;
    this.#inputs.delete(number);
    if (input.error === undefined) require('./transfer').discardArrived(input);
  }

  /** An input has come: the task that waits for it begins. */
  #received(number, input) {
    this.#above.add(number);
    while (this.#above.delete(this.#lowest)) this.#lowest++;
    const waiting = this.#awaiting.get(number);
    if (waiting === undefined) {
      if (input !== NO_INPUT) this.#inputs.set(number, input);
      return;
    }
    this.#awaiting.delete(number);
    const { job, run } = waiting;
    this.#open.delete(job.id);
    if (input === NO_INPUT) {
      // Its owner has taken it back.
      if (this.#leaving) this.#endIfDone();
      else if (!this.#pulling) this.#advance(0);
      return;
    }
    this.#goOn(job, (ready) => this.#runBeside(ready, run, input));
  }

  #read(form, number, extra) {
    switch (form) {
      case FORMS.NUMBER:
        return number;
      case FORMS.WIRE:
        return values().decode(this.#inbox, 0, number, []);
      case FORMS.UNDEFINED:
        return undefined;
      case FORMS.NULL:
        return null;
      case FORMS.TRUE:
        return true;
      case FORMS.FALSE:
        return false;
      case FORMS.BYTES:
        return values().decodeBytes(number, extra[0]);
      case FORMS.ERROR: {
        // There was no room for it here.
        const { errorFromCode } = require('../errors');
        throw errorFromCode(extra[0], extra[1]);
      }
      default: {
        const wire = Buffer.from(extra[0]);
        return values().decode(wire, 0, wire.length, extra[1]);
      }
    }
  }

  /** The function that the owner calls by this number. */
  #find(number) {
    const name = number === 0 ? '' : binding.scriptFunctionName(number);
    const found = this.#functions.get(name);
    if (found !== undefined) return (this.#numbered[number] = found);
    if (name === '') return (this.#numbered[number] = MESSAGE);
    const error = this.#unknown(name);
    return () => {
      throw error;
    };
  }

  #unknown(name) {
    const names = [...this.#functions.keys()].filter((known) => known !== '');
    const exported = names.length > 0 ? `it exports: ${names.join(', ')}` : 'it exports no function';
    const { UnknownTaskError } = require('../errors');
    return new UnknownTaskError(
      name === ''
        ? `The script ${this.#setup.script} neither exports a function as its default nor listens for ` +
            `'message' on its parentPort; ${exported}`
        : `The script ${this.#setup.script} exports no function '${name}'; ${exported}`,
    );
  }

  #run(job, run, input) {
    return this.#fresh === undefined ? this.#runHere(job, run, input) : this.#fresh(this.#runHere, job, run, input);
  }

  #runHere = (job, run, input) => {
    if (this.#contexts !== undefined) return this.#contexts.run(job, () => this.#invoke(job, run, input));
    return this.#invoke(job, run, input);
  };

  #invoke(job, run, input) {
    if (run === MESSAGE) {
      const listeners = this.#port.listenerCount('message');
      return listeners > 0 ? this.#emit(job, input, listeners) : this.#emitLater(job, input);
    }
    let result;
    try {
      result = run(input);
    } catch (error) {
      this.#failed(job, error);
      return true;
    }
    let promise;
    try {
      promise = promiseOf(result);
    } catch (error) {
      this.#failed(job, error);
      return true;
    }
    if (promise !== undefined) {
      this.#open.set(job.id, job);
      then.call(
        promise,
        (value) => this.#ended(job, this.#succeeded, value),
        (error) => this.#ended(job, this.#failed, error),
      );
      return false;
    }
    this.#succeeded(job, result);
    return true;
  }

  #hasListener() {
    return this.#port.listenerCount('message') > 0;
  }

  /** Nobody listens. A script that is still at something may do so later, and hears then, as in a bare Worker. */
  #emitLater(job, input) {
    this.#open.set(job.id, job);
    const look = () => {
      if (!this.#hasListener() && isAtSomething()) return void recheck();
      this.#goOn(job, (ready) => {
        if (this.#hasListener()) return this.#run(ready, MESSAGE, input);
        this.#failed(ready, this.#unknown(''));
        return true;
      });
    };
    const recheck = () => setTimeout(look, LOOK_FOR_LISTENER).unref();
    recheck();
    return false;
  }

  #emit(job, input, listeners) {
    this.#messages = added(this.#messages, job);
    this.#open.set(job.id, job);
    job.listeners = listeners;
    this.#emitting = job;
    try {
      this.#port.emit('message', input);
    } catch (error) {
      throwUncaught(error);
      // It may be this worker's end, which no other task is to share.
      this.#isShaken = true;
    }
    this.#emitting = undefined;
    if (job.answered) return true;
    if (this.#open.has(job.id)) {
      job.unansweredSince = now();
      this.#watchUnanswered();
    }
    return false;
  }

  /** Asked when a listener of the script's is called: whom to tell when it fails. */
  #whoFails() {
    const job = this.#emitting;
    if (job === undefined) return undefined;
    return (error) => {
      // Where nobody handles it, it ends the worker, and so the task.
      if (process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback()) return;
      // Another listener may answer it still.
      if (--job.listeners > 0 || job.answered || !this.#open.has(job.id)) return;
      this.#takeMessage(job);
      this.#open.delete(job.id);
      this.#failed(job, error);
      this.#finish(job.id);
      nodeGlobals.queueMicrotask(this.#afterMessage);
    };
  }

  /** Tells, once, of a task that a listener has not answered for long: it may have forgotten to. */
  #watchUnanswered() {
    if (this.#unansweredTimer !== undefined) return;
    this.#unansweredTimer = setTimeout(() => {
      const job = this.#messages[0];
      if (job === undefined || now() - job.unansweredSince < LONG_UNANSWERED) {
        this.#unansweredTimer = undefined;
        if (job !== undefined) this.#watchUnanswered();
        return;
      }
      process.emitWarning(
        `A task has waited ${LONG_UNANSWERED / 1000} s for the script ${this.#setup.script}, which listens for 'message' ` +
          'on its parentPort: each task ends when the script answers it by parentPort.postMessage(result), once',
        'RustWorkersWarning',
      );
    }, LONG_UNANSWERED);
    this.#unansweredTimer.unref();
  }

  /** The script has called `parentPort.postMessage`: the answer to its oldest task, or that of this async context. */
  #posted(value, transfer) {
    const messages = this.#messages;
    const own = this.#contexts?.getStore();
    const job = own !== undefined && messages.includes(own) ? own : messages[0];
    if (job === undefined) return this.#postMessage.call(this.#port, value, transfer);
    // Before the value is read, which may run code of the script's that posts.
    const at = this.#takeMessage(job);
    try {
      this.#write(job, value, transfer === undefined ? NOTHING : require('../transfer/transfer-list').listOf(transfer));
    } catch (error) {
      this.#messages.splice(at, 0, job);
      throw error;
    }
    this.#open.delete(job.id);
    // Now: the listener may end the worker, or wait in place for what the answer brings about.
    this.#finish(job.id);
    if (job === this.#emitting && this.#contexts === undefined) job.answered = true;
    // The rest not now: this is the middle of the script's own code.
    else nodeGlobals.queueMicrotask(this.#afterMessage);
  }

  /** This one is answered, or failed. Where it stood among the others. */
  #takeMessage(job) {
    const at = this.#messages.indexOf(job);
    // Most often there is but one, and to leave it a new array is the quickest.
    if (at === 0 && this.#messages.length === 1) this.#messages = [];
    else this.#messages.splice(at, 1);
    return at;
  }

  #afterMessage = () => {
    if (this.#leaving) this.#endIfDone();
    else if (!this.#retiring && this.#recycling?.isDue()) this.#retire();
    else if (!this.#pulling && this.#open.size < this.#setup.concurrency) this.#advance(0);
  };

  /** A task ends in a later turn than it began. */
  #ended(job, how, value) {
    this.#open.delete(job.id);
    how.call(this, job, value);
    this.#through(job);
  }

  #succeeded(job, value) {
    try {
      if (Moved.is(value)) this.#write(job, value.value, value.list);
      else this.#write(job, value, NOTHING);
    } catch (error) {
      this.#failed(job, notTooDeep(error, 'the result'));
    }
  }

  /** Puts a result in `#out`. */
  #write(job, value, list) {
    const out = this.#out;
    if (list.length > 0) {
      this.#post(value, list, 'result');
    } else if (this.#result.prepare(value)) {
      out.form = this.#result.form;
      out.length = this.#result.length;
      out.value = this.#result.value;
      out.parts = this.#result.parts;
      return;
    } else {
      this.#post(this.#result.takeLeft(), NOTHING, 'result');
    }
    this.#beside(END_BESIDE);
  }

  /** Posts a value to the owner by the port beside the queue; a notice in the queue must follow. */
  #post(value, list, name) {
    const { leaving } = require('./transfer');
    leaving(value, list, (sent, isBundle, given) => this.#control.postMessage([isBundle, sent], given), name);
  }

  #beside(form) {
    const out = this.#out;
    out.form = form;
    out.length = 0;
    out.value = undefined;
    out.parts = undefined;
  }

  /** Puts what a task threw in `#out`. */
  #failed(job, error) {
    const out = this.#out;
    const { encodeThrown } = require('../task/thrown');
    let thrown = encodeThrown(error);
    if (thrown.carried.length > 0) {
      try {
        this.#post(besideOf(thrown), NOTHING, 'error');
        return this.#beside(END_BESIDE_FAILED);
      } catch (refusal) {
        const { TaskFailedError } = require('../errors');
        thrown = encodeThrown(new TaskFailedError(`the task threw what cannot cross: ${refusal?.message}`));
      }
    }
    const { bytes, length, parts } = thrown;
    out.form = FORMS.INPUT_WIRE | END_FAILED;
    out.length = length;
    out.value = bytes;
    out.parts = parts.length > 0 ? parts.flatMap((part) => [viewOf(part), false]) : undefined;
  }

  /** Tells the owner how far a task is. */
  report(job, value) {
    const call = this.#call;
    if (!this.#reports.prepare(value)) {
      this.#post(this.#reports.takeLeft(), NOTHING, 'progress');
      call[0] = job.id;
      call[1] = BESIDE;
      binding.scriptReport();
      return;
    }
    const { form, length, value: shown, parts } = this.#reports;
    call[0] = job.id;
    call[1] = form;
    call[2] = length;
    binding.scriptReport(shown, parts);
  }

  #idle() {
    this.#lastWork = now();
    const { patience, idleTimeout, keep } = this.#setup;
    if (patience === BLOCK && this.#open.size === 0) {
      // The event loop has a turn between two waits.
      setImmediate(this.#pull);
    }
    if (idleTimeout === Infinity || this.#idleTimer !== undefined || keep === Infinity) return;
    this.#armIdleTimer(idleTimeout);
  }

  #armIdleTimer(time) {
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined;
      if (this.#leaving) return;
      const { idleTimeout, keep } = this.#setup;
      const idle = now() - this.#lastWork;
      if (this.#open.size === 0 && idle >= idleTimeout && binding.leavePool(true, keep)) this.#end();
      else this.#armIdleTimer(Math.max(10, idleTimeout - idle));
    }, Math.min(time, 2 ** 31 - 1));
    this.#idleTimer.unref();
  }

  /** Takes no more tasks, of this worker's own will, but those whose input is here. */
  #retire() {
    if (this.#leaving || this.#retiring) return;
    this.#retiring = true;
    if (binding.leavePool(false, 0)) this.#leave();
    else setImmediate(this.#pull);
  }

  #leave() {
    this.#leaving = true;
    this.#endIfDone();
  }

  #endIfDone() {
    if (this.#leaving && this.#open.size === 0) setImmediate(() => this.#end());
  }

  #end(code) {
    flushOutput();
    process.exit(code);
  }
}

const NOTHING = Object.freeze([]);
/** Stands for the id of a task that has its answer. */
const ANSWERED = -1;
const { then } = Promise.prototype;

/** A promise for what a function has returned; undefined when that is the result itself. */
function promiseOf(result) {
  if (typeof result !== 'object' || result === null) return undefined;
  if (types.isPromise(result)) return result;
  const { then: thenOf } = result;
  if (typeof thenOf !== 'function') return undefined;
  return new Promise((resolve, reject) => Reflect.apply(thenOf, result, [resolve, reject]));
}

/** What a task fails with whose input could not be read in this thread. */
function unreadable(error) {
  const { TaskFailedError } = require('../errors');
  const deep = notTooDeep(error, 'the input');
  if (deep !== error) return deep;
  return new TaskFailedError(`the input could not be read in the worker: ${error?.message ?? error}`, { cause: error });
}

/** What was thrown, for Node's port. */
function besideOf({ bytes, length, parts, carried }) {
  return { wire: new Uint8Array(bytes.subarray(0, length)), parts, carried };
}

/** Whether something keeps this thread's event loop alive beside ports: timers, files, sockets, children. */
const isAtSomething = () => process.getActiveResourcesInfo().some((kind) => kind !== 'MessagePort');

const viewOf = (part) =>
  ArrayBuffer.isView(part) ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength) : new Uint8Array(part);

module.exports = { Runner };
