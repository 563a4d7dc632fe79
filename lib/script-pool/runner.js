'use strict';

/**
 * A worker's side of a script pool: takes tasks from the Rust queue, runs them, answers them.
 *
 * The worker pulls. A task that ends in the turn it began is answered, and the next one taken, in one native call;
 * when nothing waits the worker returns to its event loop, and a letter in its mailbox calls it back. So timers,
 * ports and unfinished work of the script go on while it waits.
 */

const { setImmediate, setTimeout } = require('node:timers');

const { now } = require('../clock');
const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const FORMS = require('../forms');
const { functionsOf } = require('./load-script');
const { Outgoing } = require('./outgoing');
const {
  STEP_RUN, STEP_WAIT, TAKE, BLOCK, END_FAILED, END_BESIDE, READY, FETCH, RESULT, REPORT,
} = require('./steps');
const { Job, Moved, RUNNER } = require('./task');
const { unseal } = require('../travel/mark');

/** Bytes of an input that come without a Node-API call. */
const INBOX_BYTES = 64 * 1024;
/** So many milliseconds of tasks without a break, and the event loop has its turn before the next. */
const BREATH = 5;

/** Stands for "emit it as a message" among the functions. */
const MESSAGE = Symbol('message');

/** The codec, loaded for the first value that needs it: every file counts in a worker's start. */
let loadedValues;
const values = () => (loadedValues ??= require('../values'));

class Runner {
  /** The task at hand, for `task` in lib/script-pool/task.js; with several at a time, the one of this context. */
  get current() {
    return this.#contexts === undefined ? this.#job : this.#contexts.getStore();
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
  #result = new Outgoing();
  #reports = new Outgoing();
  /** How the answer to the last task that ended goes out. */
  #out = { form: 0, length: 0, value: undefined, parts: undefined };

  #job;
  /** Several tasks at a time are told apart by their async context. */
  #contexts;
  /** Tasks begun and not ended, by id. */
  #open = new Map();
  /** Those among them that a 'message' event began, oldest first. */
  #messages = [];
  /** The task whose message is being emitted. */
  #emitting;
  #pulling = false;
  #leaving = false;
  /** When the last task began, and the first one since there was a break; by the native side's clock. */
  #now = 0;
  #since = 0;
  #recycling;
  #lastWork = now();
  #idleTimer;

  constructor(setup, parentPort) {
    this.#setup = setup;
    this.#control = setup.control;
    this.#port = parentPort;
    this.workerId = setup.number;
    if (setup.concurrency > 1) {
      const { AsyncLocalStorage } = require('node:async_hooks');
      this.#contexts = new AsyncLocalStorage();
    }
    if (setup.recycle !== undefined) {
      const { Recycling } = require('./recycling');
      this.#recycling = new Recycling(setup.recycle);
    }
    this.#postMessage = parentPort.postMessage;
    // On the object itself: the script's `parentPort`, whichever module it took it from, is this very one.
    Object.defineProperty(parentPort, 'postMessage', {
      value: (value, transfer) => this.#posted(value, transfer),
      writable: true,
      configurable: true,
    });
    Object.defineProperty(binding, RUNNER, { value: this, configurable: true });
  }

  /** The script is loaded: takes part from now on. */
  start(exported) {
    this.#functions = functionsOf(exported);
    const delivery = deliveryOf(binding);
    this.#call = delivery.call;
    delivery.subject(FORMS.SCRIPT_WORK, () => ({ deliver: () => this.#pull() }));
    delivery.subject(FORMS.SCRIPT_STOP, () => ({
      deliver: (id, reason) => this.#open.get(id)?.abort(reason),
    }));
    this.#control.on('message', ([, id, value]) => this.#fetched(id, value));
    this.#control.unref();
    if (!binding.joinPool(this.#setup.key, this.#inbox)) return this.#end();
    // Idle or not, the pool says when this worker ends.
    delivery.hold(1);
    this.#port.once('close', () => this.#retire());
    this.#control.postMessage([READY]);
    this.#pull();
  }

  /** Takes and runs what waits. */
  #pull = () => {
    this.#since = this.#now = 0;
    if (this.#pulling || this.#leaving || this.#open.size >= this.#setup.concurrency) return;
    this.#advance(0);
  };

  /**
   * Answers a task that has ended (0: none; the answer stands in `#out`), and runs what comes next until nothing does.
   */
  #advance(id) {
    this.#pulling = true;
    const call = this.#call;
    const out = this.#out;
    const { concurrency } = this.#setup;
    for (;;) {
      if (id !== 0 && this.#mustPause()) {
        this.#finish(id);
        break;
      }
      call[0] = id;
      call[1] = out.form;
      call[2] = out.length;
      call[3] = this.#open.size === 0 ? this.#setup.patience : TAKE;
      call[4] = this.#setup.patienceTime;
      const extra = binding.scriptStep(out.value, out.parts);
      const step = call[0];
      if (step !== STEP_RUN) {
        if (step === STEP_WAIT) this.#idle();
        else this.#leave();
        break;
      }
      this.#now = call[6];
      if (this.#since === 0) this.#since = this.#now;
      const job = new Job(call[1], call[5] !== 0);
      if (this.#begin(job, call[4], call[2], call[3], extra)) {
        id = job.id;
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

  /** Whether something else comes before the next task: the event loop, or this worker's end. */
  #mustPause() {
    if (this.#recycling?.isDue()) {
      this.#retire();
      return true;
    }
    if (this.#leaving) return true;
    if (this.#now - this.#since < BREATH) return false;
    setImmediate(this.#pull);
    return true;
  }

  /** Answers without taking. */
  #finish(id) {
    const { form, length, value, parts } = this.#out;
    this.#call[0] = id;
    this.#call[1] = form;
    this.#call[2] = length;
    binding.scriptFinish(value, parts);
  }

  /** Begins a task. True when it has ended already, and its answer stands in `#out`. */
  #begin(job, number, form, value, extra) {
    this.#job = job;
    const run = this.#numbered[number] ?? this.#find(number);
    if (form === FORMS.WIRE && value === 0) {
      // Only its owner's port can carry the input.
      this.#open.set(job.id, job);
      job.run = run;
      this.#control.postMessage([FETCH, job.id]);
      return false;
    }
    let input;
    try {
      input = this.#read(form, value, extra);
    } catch (error) {
      this.#failed(job, error);
      return true;
    }
    return this.#run(job, run, input);
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
    if (name === '' && this.#port.listenerCount('message') > 0) return MESSAGE;
    const names = [...this.#functions.keys()].filter((known) => known !== '');
    const exported = names.length > 0 ? `it exports: ${names.join(', ')}` : 'it exports no function';
    const { UnknownTaskError } = require('../errors');
    throwing.error = new UnknownTaskError(
      name === ''
        ? `The script ${this.#setup.script} neither exports a function as its default nor listens for ` +
            `'message' on its parentPort; ${exported}`
        : `The script ${this.#setup.script} exports no function '${name}'; ${exported}`,
    );
    return throwing;
  }

  #run(job, run, input) {
    if (this.#contexts !== undefined) return this.#contexts.run(job, () => this.#invoke(job, run, input));
    return this.#invoke(job, run, input);
  }

  #invoke(job, run, input) {
    if (run === MESSAGE) return this.#emit(job, input);
    let result;
    try {
      result = run(input);
    } catch (error) {
      this.#failed(job, error);
      return true;
    }
    if (typeof result === 'object' && result !== null && typeof result.then === 'function') {
      this.#open.set(job.id, job);
      result.then(
        (value) => this.#ended(job, this.#succeeded, value),
        (error) => this.#ended(job, this.#failed, error),
      );
      return false;
    }
    this.#succeeded(job, result);
    return true;
  }

  #emit(job, input) {
    this.#messages.push(job);
    this.#open.set(job.id, job);
    this.#emitting = job;
    this.#port.emit('message', input);
    this.#emitting = undefined;
    if (!job.answered) return false;
    return true;
  }

  /** The script has called `parentPort.postMessage`: the answer to its oldest task, or that of this async context. */
  #posted(value, transfer) {
    const messages = this.#messages;
    const own = this.#contexts?.getStore();
    const job = own !== undefined && messages.includes(own) ? own : messages[0];
    if (job === undefined) return this.#postMessage.call(this.#port, value, transfer);
    const list = Array.isArray(transfer) ? transfer : transfer?.transfer;
    this.#write(job, value, list ?? []);
    messages.splice(messages.indexOf(job), 1);
    this.#open.delete(job.id);
    if (job === this.#emitting && this.#contexts === undefined && this.#isSnapshot()) {
      job.answered = true;
      return;
    }
    this.#finish(job.id);
    // Not now: this is the middle of the script's own code.
    queueMicrotask(this.#afterMessage);
  }

  #isSnapshot() {
    return this.#out.form >= END_BESIDE || this.#result.isSnapshot;
  }

  #afterMessage = () => {
    if (this.#leaving) this.#endIfDone();
    else if (this.#recycling?.isDue()) this.#retire();
    else if (!this.#pulling && this.#open.size < this.#setup.concurrency) this.#advance(0);
  };

  /** A task ends in a later turn than it began. */
  #ended(job, how, value) {
    this.#open.delete(job.id);
    how.call(this, job, value);
    if (this.#leaving || this.#pulling) {
      this.#finish(job.id);
      this.#endIfDone();
    } else {
      this.#advance(job.id);
    }
  }

  #succeeded(job, value) {
    try {
      if (value instanceof Moved) this.#write(job, value.value, value.list);
      else this.#write(job, value, NOTHING);
    } catch (error) {
      this.#failed(job, error);
    }
  }

  /** Puts a result in `#out`. */
  #write(job, value, list) {
    const out = this.#out;
    // The script's `parentPort` may have made objects of ours ready to travel.
    if (list.length === 0 && unseal(value) === undefined && this.#result.prepare(value)) {
      out.form = this.#result.form;
      out.length = this.#result.length;
      out.value = this.#result.value;
      out.parts = this.#result.parts;
      return;
    }
    const { leaving } = require('./transfer');
    leaving(value, list, (sent, given) => this.#control.postMessage([RESULT, job.id, sent], given));
    this.#beside(END_BESIDE);
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
    const { bytes, length, parts } = encodeThrown(error);
    out.form = FORMS.INPUT_WIRE | END_FAILED;
    out.length = length;
    out.value = bytes;
    out.parts = parts.length > 0 ? parts.flatMap((part) => [viewOf(part), false]) : undefined;
  }

  /** Tells the owner how far a task is. */
  report(job, value) {
    if (!this.#reports.prepare(value)) {
      const { leaving } = require('./transfer');
      leaving(value, NOTHING, (sent, given) => this.#control.postMessage([REPORT, job.id, sent], given));
      return;
    }
    const { form, length, value: shown, parts } = this.#reports;
    this.#call[0] = job.id;
    this.#call[1] = form;
    this.#call[2] = length;
    binding.scriptReport(shown, parts);
  }

  /** The input of a task that was fetched from its owner. */
  #fetched(id, fetched) {
    const job = this.#open.get(id);
    if (job === undefined) return;
    const bundle = unseal(fetched);
    const input = bundle === undefined ? fetched : require('../travel').arrive(bundle);
    this.#open.delete(id);
    this.#job = job;
    const ended = this.#run(job, job.run, input);
    if (!ended) return;
    if (this.#leaving) {
      this.#finish(id);
      this.#endIfDone();
    } else {
      this.#advance(id);
    }
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

  /** Takes no more tasks, of this worker's own will. */
  #retire() {
    if (this.#leaving) return;
    binding.leavePool(false, 0);
    this.#leave();
  }

  #leave() {
    this.#leaving = true;
    this.#endIfDone();
  }

  #endIfDone() {
    if (this.#leaving && this.#open.size === 0) setImmediate(() => this.#end());
  }

  #end() {
    process.exit();
  }
}

const NOTHING = Object.freeze([]);

/** Serves for a function that is not there. */
function throwing() {
  throw throwing.error;
}

const viewOf = (part) =>
  ArrayBuffer.isView(part) ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength) : new Uint8Array(part);

/** What was thrown, with all that can cross; what cannot is left out, rather than hiding the error behind another. */
function encodeThrown(error) {
  const { encodeValue } = values();
  try {
    return encodeValue(error, 'error');
  } catch (refusal) {
    if (!(error instanceof Error)) {
      const { TaskFailedError } = require('../errors');
      return encodeValue(new TaskFailedError(`the task threw something that cannot cross: ${refusal.message}`));
    }
    const plain = new Error(error.message);
    plain.name = error.name;
    plain.stack = error.stack;
    for (const key of [...Object.keys(error), 'cause']) {
      if (!Object.hasOwn(error, key) || key === 'name' || key === 'stack' || key === 'message') continue;
      try {
        encodeValue(error[key]);
        plain[key] = error[key];
      } catch {
        // Left out.
      }
    }
    return encodeValue(plain);
  }
}

module.exports = { Runner };
