'use strict';

/** A trace of a pool: what `pool.trace()` returns. It records until it is stopped, and is saved in the format of Chrome's traces. */

const fs = require('node:fs/promises');

const { NATIVE, SCRIPT, WIDTH } = require('../constants').TRACE;
const { PoolClosedError } = require('../errors');
const { showState } = require('../inspection');
const { now } = require('../runtime/clock');
const { validateInteger, validateOptions } = require('../validators');
const { LoopDelay } = require('./loop-delay');
const { chromeTrace } = require('./chrome-trace');
const { TraceReader } = require('./trace-reader');

const OPTIONS = new Set(['limit']);

/** Records of each thread that are kept. */
const LIMIT = 65_536;
const MOST = 4_000_000;

/** So many events are made into text at a time. */
const PIECE = 10_000;

class Trace {
  static {
    showState(this, (it) => ({ pool: it.#poolName, recording: it.recording, dropped: it.dropped }));
  }

  #reader;
  /** The pool, while it is recorded. */
  #watched;
  #poolName;
  #workerNames = new Map();
  #limit;
  #loopDelay;
  /** Of the event loop: [milliseconds, delay]. */
  #delays = [];
  #missedDelays = 0;
  /** The time of the pool at which it began; and what its clock shows more than that of this thread, in nanoseconds. */
  #began;
  #ahead;
  /** What was recorded, once it has stopped. */
  #recorded;
  #ended;

  /**
   * @param {object} watched the pool: as `WorkerPool` gives it
   * @param {number} limit
   */
  constructor(watched, limit) {
    this.#watched = watched;
    this.#limit = limit;
    this.#reader = new TraceReader(watched.binding, watched.native, limit);
    const { now: began } = this.#reader.read();
    this.#began = began;
    this.#poolName = watched.name;
    watched.watchers.add(this);
    this.#ahead = began - now() * 1e6;
    this.#loopDelay = new LoopDelay((at, delay) => this.#addDelay(at, delay));
  }

  #addDelay(at, delay) {
    if (this.#delays.length >= this.#limit) {
      this.#delays.shift();
      this.#missedDelays++;
    }
    this.#delays.push([at * 1e6 + this.#ahead, delay]);
  }

  /** Whether it still records. */
  get recording() {
    return this.#recorded === undefined;
  }

  /** How many records were dropped, since there were more than `limit` of one thread. While it records, none is known of. */
  get dropped() {
    if (this.#recorded === undefined) return 0;
    return this.#recorded.reduce((sum, { missed }) => sum + missed, this.#missedDelays);
  }

  /** Ends the recording. What was recorded stays here, to be saved. */
  stop() {
    if (this.#recorded !== undefined) return this;
    this.#loopDelay.stop();
    const { now: ended, lanes } = this.#reader.read();
    this.#recorded = lanes;
    this.#ended = ended;
    this.#learnNames();
    this.#reader.close();
    this.#watched.watchers.delete(this);
    this.#watched = undefined;
    return this;
  }

  /** The pool closes. */
  poolCloses() {
    this.stop();
  }

  /** The names of what was recorded, while the pool is there to be asked. */
  #learnNames() {
    for (const { kind, number, records } of this.#recorded) {
      if (kind !== NATIVE && kind !== SCRIPT) continue;
      for (let at = 1; at < records.length; at += WIDTH) this.#reader.nameOf(records[at]);
      if (kind !== SCRIPT) continue;
      const thread = this.#watched.workerOf(number)?.thread;
      const id = thread === undefined || thread.threadId < 0 ? '' : ` (threadId ${thread.threadId})`;
      this.#workerNames.set(number, `worker ${number}${id}`);
    }
  }

  /** The trace as an object, in the format of Chrome's traces; ends the recording. */
  toJSON() {
    this.stop();
    return chromeTrace({
      began: this.#began,
      ended: this.#ended,
      lanes: this.#recorded,
      delays: this.#delays,
      dropped: this.dropped,
      limit: this.#limit,
      name: this.#poolName,
      taskName: (task) => this.#reader.nameOf(task),
      workerName: (number) => this.#workerNames.get(number),
    });
  }

  /**
   * Ends the recording, and writes it to a file.
   *
   * @param {string | URL | Buffer} path
   */
  async save(path) {
    this.stop();
    const file = await fs.open(path, 'w');
    try {
      const { traceEvents, ...rest } = this.toJSON();
      await file.write(`${JSON.stringify(rest).slice(0, -1)},"traceEvents":[`);
      for (let at = 0; at < traceEvents.length; at += PIECE) {
        const piece = traceEvents.slice(at, at + PIECE).map((event) => JSON.stringify(event));
        await file.write(`${at === 0 ? '\n' : ',\n'}${piece.join(',\n')}`);
      }
      await file.write('\n]}\n');
    } finally {
      await file.close();
    }
  }
}

if (Symbol.dispose !== undefined) {
  Object.defineProperty(Trace.prototype, Symbol.dispose, {
    value: function dispose() {
      this.stop();
    },
    writable: true,
    configurable: true,
  });
}

/**
 * @param {object} watched
 * @param {{ limit?: number }} [options]
 * @returns {Trace}
 */
function openTrace(watched, options = {}) {
  const { limit = LIMIT } = validateOptions(options, 'options', OPTIONS);
  validateInteger(limit, 'options.limit', 1, MOST);
  if (watched.pool.closed) throw new PoolClosedError('the pool is closed: begin a trace before, and it ends with the pool');
  return new Trace(watched, limit);
}

module.exports = { openTrace };
