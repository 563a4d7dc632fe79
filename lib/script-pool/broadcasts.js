'use strict';

/**
 * `pool.broadcast`: a task that every worker runs once, and `pool.postMessage`.
 *
 * The task is one for each worker (the option `worker` of `run`), all submitted in one go. Those that start later run it before any
 * other task: it is submitted when the worker is made, with the highest priority, and the worker runs nothing else meanwhile.
 */

const { BroadcastError, InvalidArgTypeError, InvalidArgValueError, PoolClosedError } = require('../errors');
const { append } = require('../runtime/intrinsics');
const { SCRIPT_RUN, submitOptions } = require('../task/options');
const { describe, validateOptions, validateString } = require('../validators');
const { KeptInput } = require('./kept-input');
const { locateScript } = require('./script-location');
const { hasNotBegun } = require('./worker-exit-errors');

/** The highest priority. */
const FIRST = 2 ** 31 - 1;

const LATER = [true, false, 'latest'];

const OPTIONS = new Set([...SCRIPT_RUN, 'later'].sort());
for (const name of ['transfer', 'worker']) OPTIONS.delete(name);

const NOT_HERE = {
  transfer: 'each worker gets a copy of the input',
  worker: 'a broadcast is for all workers; for one: run(name, input, { worker })',
};

class Broadcasts {
  #workers;
  #run;
  #tell;
  /** What workers that start later run: `{ name, input, options }`, in order. */
  #later = [];

  /**
   * @param {import('./worker-manager').WorkerManager} workers
   * @param {(name: string, input: unknown, options: object) => Promise<unknown>} run runs the script's function of that name
   * @param {(error: Error) => void} tell tells the pool's listeners of an error
   */
  constructor(workers, run, tell) {
    this.#workers = workers;
    this.#run = run;
    this.#tell = tell;
  }

  /** @returns {Promise<unknown[]>} the outputs of the workers that are there, in order of their numbers */
  async broadcast(name, input, given = {}) {
    validateString(name, 'task');
    const { later = true, ...options } = readOptions(given);
    if (!LATER.includes(later)) {
      throw new InvalidArgValueError(`The "options.later" argument must be true, false or 'latest'. Received ${describe(later)}`);
    }
    submitOptions(options);
    if (options.filename !== undefined) options.filename = locateScript(options.filename, 'options.filename');
    const { exports } = this.#workers;
    if (options.filename === undefined && exports !== undefined && !exports.has(name)) {
      throw require('./unknown-function').unknownFunction(name, exports);
    }
    // Read once, for all of them, and as it is now.
    const { value } = KeptInput.of(input).take();
    const runs = this.#runOnAll(name, value, { priority: FIRST, ...options });
    if (later !== false) this.#keep({ name, input: value, options: optionsOfLater(options) }, later);
    return outputsOf(name, runs);
  }

  #runOnAll(name, input, options) {
    return this.#workers.takers().map((worker) => ({ worker, outcome: settled(this.#run(name, input, { ...options, worker })) }));
  }

  #keep(entry, later) {
    if (later === 'latest') this.#later = this.#later.filter(({ name, options }) => !isSame(entry, name, options));
    append(this.#later, entry);
  }

  /** A worker starts. */
  startedOne(worker) {
    for (const { name, input, options } of this.#later) {
      this.#run(name, input, { ...options, worker }, true).catch((error) => {
        if (error instanceof PoolClosedError || hasNotBegun(error)) return;
        this.#tell(failed(name, [{ worker, error }], []));
      });
    }
  }
}

/** The options of the call, each read once. */
function readOptions(given) {
  const bag = validateOptions(given, 'options', OPTIONS, NOT_HERE);
  const options = {};
  for (const option of OPTIONS) {
    const { [option]: value } = bag;
    if (value !== undefined) options[option] = value;
  }
  return options;
}

/** What ends the call, and who hears of it, is not for workers that start some day. */
function optionsOfLater({ filename, runTimeout, spread }) {
  const options = { priority: FIRST };
  if (filename !== undefined) options.filename = filename;
  if (runTimeout !== undefined) options.runTimeout = runTimeout;
  if (spread !== undefined) options.spread = spread;
  return options;
}

const isSame = (entry, name, { filename }) => entry.name === name && `${entry.options.filename}` === `${filename}`;

const settled = (run) => run.then((output) => ({ output }), (error) => ({ error, hasFailed: true }));

async function outputsOf(name, runs) {
  const [failures, outputs] = [[], []];
  for (const { worker, outcome } of runs) {
    const { output, error, hasFailed } = await outcome;
    // Of a worker that has ended before, nothing is left to be told; another in its place runs the task as it starts.
    if (hasFailed && hasNotBegun(error)) continue;
    if (hasFailed) append(failures, { worker, error });
    else append(outputs, { worker, output });
  }
  if (failures.length > 0) throw failed(name, failures, outputs);
  return outputs.map(({ output }) => output);
}

function failed(name, failures, outputs) {
  const [{ worker, error }] = failures;
  const count = failures.length + outputs.length;
  const message = `The task '${name}' failed on ${failures.length} of ${count} workers; on worker ${worker}: ${error?.message ?? error}`;
  return new BroadcastError(message, { cause: error, failures, outputs });
}

/**
 * Sends a value to all workers.
 *
 * @param {Iterable<import('node:worker_threads').Worker>} threads
 * @returns {number} how many they are
 */
function postToAll(threads, value, rest) {
  if (rest.length > 0) throw new InvalidArgTypeError('"postMessage" of a pool takes one argument: each worker gets a copy of the value');
  let count = 0;
  for (const thread of threads) {
    thread.postMessage(value);
    count++;
  }
  return count;
}

module.exports = { Broadcasts, postToAll };
