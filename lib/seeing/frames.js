'use strict';

/**
 * What a page that shows a pool is told, twice a second: the counters, what each thread has run since the last time, and once a
 * second the times by task name.
 */

const { CANCELLED, FAILED, HELPED, NATIVE, SCRIPT, UNDER_WAY, WIDTH } = require('../constants').TRACE;
const { now } = require('../runtime/clock');
const { LoopDelay } = require('./loop-delay');
const { TraceReader } = require('./trace-reader');

/** Records of each thread between two frames. Of more the page shows the last. */
const RECORDS = 4_096;
/** Tasks of one name on a thread that follow each other closer than this, in milliseconds, are one bar. */
const CLOSE = 4;
/** Task names that the table has at the most: those that ran for longest together. */
const NAMES = 40;
/** Of so many frames one has the times. */
const TIMES_EVERY = 2;

const STATES = { [UNDER_WAY]: 'running', [FAILED]: 'failed', [CANCELLED]: 'cancelled', [HELPED]: 'helped' };

class Frames {
  #watched;
  #reader;
  #loopDelay;
  #delay = 0;
  #count = 0;
  #before;

  /** @param {object} watched the pool, as `WorkerPool` gives it */
  constructor(watched) {
    this.#watched = watched;
    this.#reader = new TraceReader(watched.binding, watched.native, RECORDS);
    this.#loopDelay = new LoopDelay((_, delay) => (this.#delay = Math.max(this.#delay, delay)));
  }

  /** The next frame, as an object for JSON; times in milliseconds. */
  next() {
    const { now: at, lanes } = this.#reader.read();
    const stats = this.#watched.pool.stats();
    const ended = stats.completed + stats.failed + stats.cancelled;
    const time = now();
    const { ended: endedBefore, time: timeBefore } = this.#before ?? { ended, time };
    this.#before = { ended, time };
    const frame = {
      at: at / 1e6,
      pool: this.#watched.name,
      perSecond: time > timeBefore ? ((ended - endedBefore) * 1_000) / (time - timeBefore) : 0,
      loopDelay: this.#delay,
      stats: shownStats(stats),
      threads: this.#threads(lanes),
    };
    this.#delay = 0;
    if (this.#count++ % TIMES_EVERY === 0) frame.times = this.#times();
    return frame;
  }

  /** A frame after which no other comes. */
  last() {
    return { closed: true, pool: this.#watched.name };
  }

  #threads(lanes) {
    const threads = [];
    for (const { kind, number, records, missed } of lanes) {
      if (kind !== NATIVE && kind !== SCRIPT) continue;
      const isNative = kind === NATIVE;
      const name = isNative ? `${this.#watched.name}-${number}` : `worker ${number}`;
      threads.push({ id: `${isNative ? 'n' : 's'}${number}`, name, missed, bars: this.#bars(records) });
    }
    return threads;
  }

  /** Bars of one thread: [name, begin, end, how many tasks, state]. */
  #bars(records) {
    const bars = [];
    let last;
    for (let at = 0; at < records.length; at += WIDTH) {
      // Task, begin, end, count, outcome: there may be thousands, and an object for each would cost more than all else.
      const name = this.#reader.nameOf(records[at + 1]);
      const begin = records[at + 3] / 1e6;
      const count = records[at + 5];
      const outcome = records[at + 6];
      const state = STATES[outcome];
      const end = outcome === UNDER_WAY ? null : records[at + 4] / 1e6;
      const isSame = last !== undefined && last[0] === name && last[4] === state && end !== null && last[2] !== null;
      if (isSame && begin - last[2] < CLOSE && last[2] - last[1] < 10 * CLOSE) {
        last[2] = Math.max(last[2], end);
        last[3] += count;
      } else {
        bars.push((last = [name, begin, end, count, state]));
      }
    }
    return bars;
  }

  #times() {
    const { wait, run, roundTrip, tasks } = this.#watched.pool.stats({ tasks: true });
    const byName = Object.entries(tasks).map(([name, task]) => ({
      name,
      kind: task.kind,
      count: task.run.count,
      cpu: task.cpuTime,
      wait: brief(task.wait),
      run: brief(task.run),
      roundTrip: brief(task.roundTrip),
      total: task.run.mean * task.run.count,
    }));
    byName.sort((a, b) => b.total - a.total);
    return { wait: brief(wait), run: brief(run), roundTrip: brief(roundTrip), byName: byName.slice(0, NAMES), names: byName.length };
  }

  close() {
    this.#loopDelay.stop();
    this.#reader.close();
  }
}

const brief = ({ p50, p95, p99, max }) => ({ p50, p95, p99, max });

function shownStats(stats) {
  const {
    threads, idleThreads, workers, idleWorkers, queueSize, running, submitted, completed, failed, cancelled, utilizationByKind, maxThreads,
  } = stats;
  return {
    threads, idleThreads, workers, idleWorkers, queueSize, running, submitted, completed, failed, cancelled, utilizationByKind, maxThreads,
  };
}

module.exports = { Frames };
