'use strict';

/**
 * What a pool has done, in the JSON of Chrome's traces ("Trace Event Format"), which Perfetto and chrome://tracing show.
 *
 * One row a thread, with a slice ('X') for each task; where a worker runs several tasks at a time, a row for each of these. On two
 * rows of the submitting thread: when tasks were submitted, and when answers were delivered. Arrows ('s', 't', 'f') lead from
 * submission to start to delivery. Counters ('C'): the queue's length, and the event loop's delay.
 *
 * An arrow is bound to the slice around its end, so slices come before arrows of the same time, and none is without length.
 */

const { TRACE } = require('../constants');

const { CANCELLED, DELIVERED, FAILED, HELPED, NATIVE, QUEUE, SCRIPT, UNDER_WAY, WIDTH } = TRACE;

/** Rows of the process. Those of threads come after. */
const PROCESS = 1;
const SUBMITS = 1;
const ANSWERS = 2;
const FIRST_THREAD = 10;

/** A slice that stands for a moment has this many microseconds at the most. */
const MOMENT = 1;
/** And at least so many. */
const SHORTEST = 0.001;

const STATES = { [UNDER_WAY]: 'running', [FAILED]: 'failed', [CANCELLED]: 'cancelled', [HELPED]: 'helped' };
/** Names of colours that chrome://tracing has. */
const COLOURS = { [FAILED]: 'terrible', [CANCELLED]: 'grey', [UNDER_WAY]: 'yellow' };

/** Of events of one time. */
const ORDER = { M: 0, X: 1, C: 2, s: 3, t: 4, f: 5 };

class ChromeTrace {
  #pid = process.pid;
  #began;
  #ended;
  #events = [];
  #rows = 0;

  constructor(began, ended) {
    this.#began = began;
    this.#ended = ended;
  }

  /** Microseconds since the trace began; of what began before, that moment. */
  at(nanos) {
    return Math.max(0, Math.round(nanos - this.#began) / 1000);
  }

  get end() {
    return this.at(this.#ended);
  }

  /** @returns {number} a row */
  row(name, number = FIRST_THREAD + this.#rows++) {
    this.#meta('thread_name', { name }, number);
    this.#meta('thread_sort_index', { sort_index: number }, number);
    return number;
  }

  #meta(name, args, tid = 0) {
    this.#events.push({ ph: 'M', name, pid: this.#pid, tid, ts: 0, args });
  }

  processName(name) {
    this.#meta('process_name', { name });
  }

  slice(tid, name, ts, end, args, cname) {
    const dur = Math.max(SHORTEST, Math.round((end - ts) * 1000) / 1000);
    this.#events.push({ ph: 'X', cat: 'task', name, pid: this.#pid, tid, ts, dur, args, ...(cname && { cname }) });
  }

  counter(name, ts, args) {
    this.#events.push({ ph: 'C', cat: 'pool', name, pid: this.#pid, tid: PROCESS, ts, args });
  }

  arrow(ph, id, tid, ts) {
    this.#events.push({ ph, cat: 'task', name: 'task', id, pid: this.#pid, tid, ts, ...(ph !== 's' && { bp: 'e' }) });
  }

  /** All events, by time. */
  events() {
    return this.#events.sort((a, b) => a.ts - b.ts || ORDER[a.ph] - ORDER[b.ph]);
  }
}

/** @returns {object} of `records` each as an object */
function* recordsOf(records) {
  for (let at = 0; at < records.length; at += WIDTH) {
    const [id, task, queuedAt, began, ended, count, outcome] = records.subarray(at, at + WIDTH);
    yield { id, task, queuedAt, began, ended, count, outcome };
  }
}

/**
 * @param {object} recorded
 * @param {number} recorded.began and `ended`: in nanoseconds of the pool's time, as all times
 * @param {object[]} recorded.lanes as `TraceReader` reads them
 * @param {[number, number][]} recorded.delays when, and how many milliseconds late the event loop was
 * @param {number} recorded.dropped
 * @param {number} recorded.limit
 * @param {string} recorded.name of the pool
 * @param {(task: number) => string} recorded.taskName
 * @param {(number: number) => string} recorded.workerName
 */
function chromeTrace({ began, ended, lanes, delays, dropped, limit, name, taskName, workerName }) {
  const trace = new ChromeTrace(began, ended);
  trace.processName(`rust-workers: ${name}`);
  /** The tasks that have begun: when each was submitted, by id. */
  const submitted = new Map();
  for (const { kind, number, records } of lanes) {
    if (kind !== NATIVE && kind !== SCRIPT) continue;
    const row = kind === NATIVE ? `${name}-${number}` : workerName(number);
    addThread(trace, row, records, taskName, submitted);
  }
  addSubmissions(trace, submitted);
  for (const { kind, records } of lanes) {
    if (kind === DELIVERED) addAnswers(trace, records, submitted);
    if (kind === QUEUE) addQueue(trace, records);
  }
  for (const [at, delay] of delays) trace.counter('event loop delay', trace.at(at), { ms: Math.round(delay * 100) / 100 });
  const otherData = { pool: name, recordsPerThread: limit, droppedRecords: dropped, version: process.version };
  return { displayTimeUnit: 'ms', otherData, traceEvents: trace.events() };
}

function addThread(trace, name, records, taskName, submitted) {
  /** Where each of its rows is free again. */
  const rows = [];
  const slices = [...recordsOf(records)].sort((a, b) => a.began - b.began);
  for (const { id, task, queuedAt, began, ended, count, outcome } of slices) {
    const ts = trace.at(began);
    const end = outcome === UNDER_WAY ? trace.end : trace.at(ended);
    let row = rows.find(({ free }) => free <= ts);
    if (row === undefined) {
      row = { tid: trace.row(rows.length === 0 ? name : `${name} (${rows.length + 1})`), free: 0 };
      rows.push(row);
    }
    row.free = Math.max(end, ts + SHORTEST);
    const isPart = outcome === HELPED;
    const args = isPart ? {} : { id, waited: `${Math.max(0, Math.round((began - queuedAt) / 1000)) / 1000} ms` };
    if (count !== 1) args.inputs = count;
    if (outcome in STATES) args.state = STATES[outcome];
    trace.slice(row.tid, isPart ? `${taskName(task)} (part)` : taskName(task), ts, end, args, COLOURS[outcome]);
    if (isPart) continue;
    // A thread that comes back for the next task begins it as of when it was done with the last, which may be some microseconds
    // before this one was submitted.
    const at = Math.min(trace.at(queuedAt), ts);
    const known = submitted.get(id);
    if (known === undefined) submitted.set(id, { at, name: taskName(task) });
    else known.at = Math.min(known.at, at);
    trace.arrow('t', id, row.tid, ts);
  }
  // A thread that has run nothing has its row too.
  if (rows.length === 0) trace.row(name);
}

/** Tasks that were submitted at one moment are one slice, with an arrow each. */
function addSubmissions(trace, submitted) {
  const moments = new Map();
  for (const [id, { at, name }] of submitted) {
    let moment = moments.get(at);
    if (moment === undefined) moments.set(at, (moment = { ids: [], name }));
    moment.ids.push(id);
  }
  if (moments.size === 0) return;
  const tid = trace.row('submits', SUBMITS);
  const times = [...moments.keys()].sort((a, b) => a - b);
  times.forEach((ts, i) => {
    const { ids, name } = moments.get(ts);
    const end = Math.min(ts + MOMENT, times[i + 1] ?? Infinity);
    trace.slice(tid, ids.length === 1 ? name : `${ids.length} tasks`, ts, end, { tasks: ids.length });
    for (const id of ids) trace.arrow('s', id, tid, ts);
  });
}

/** A batch of answers is one slice, with an arrow for each task that the trace has seen begin. */
function addAnswers(trace, records, submitted) {
  const batches = new Map();
  for (let at = 0; at < records.length; at += WIDTH) {
    const [id, began, ended] = records.subarray(at, at + 3);
    let batch = batches.get(began);
    if (batch === undefined) batches.set(began, (batch = { ids: [], ended }));
    batch.ids.push(id);
  }
  if (batches.size === 0) return;
  const tid = trace.row('answers', ANSWERS);
  for (const [began, { ids, ended }] of batches) {
    const ts = trace.at(began);
    trace.slice(tid, ids.length === 1 ? 'answer' : `${ids.length} answers`, ts, trace.at(ended), { answers: ids.length });
    for (const id of ids) if (submitted.has(id)) trace.arrow('f', id, tid, ts);
  }
}

function addQueue(trace, records) {
  for (let at = 0; at < records.length; at += WIDTH) {
    const [time, native, script] = records.subarray(at, at + 3);
    trace.counter('queue', trace.at(time), { native, script });
  }
}

module.exports = { chromeTrace };
