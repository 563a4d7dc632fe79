'use strict';

/**
 * `pool.profile(ms)`: CPU profiles of all workers of a pool, and of this thread, in one that Chrome loads (`.cpuprofile`).
 *
 * A worker is profiled by its Worker's `startCpuProfile`, which Node 22, 24 and later have. Where there is none, this thread attaches to
 * the worker by the inspector's domain NodeWorker, which only the main thread has. Both interrupt a worker in the middle of a loop.
 *
 * One file has one line of time, so the threads stand one after the other in it: each is a node below the root, with the thread's
 * samples in the order they were taken. Sums by function are those of all threads; the times in the flame chart are those within a
 * thread.
 */

const inspector = require('node:inspector');
const fs = require('node:fs/promises');
const { threadId } = require('node:worker_threads');

const { Cancellable } = require('../cancellable');
const { UnsupportedRuntimeError, abortError } = require('../errors');
const { threadOf } = require('../runtime/attached-worker');
const { LONGEST_TIMER, clearTimeout, setTimeout } = require('../runtime/clock');
const { validateAbortSignal, validateBoolean, validateNumber, validateOptions } = require('../validators');

const OPTIONS = new Set(['signal', 'thisThread']);

/** Profiles of Node 22 are told apart by a name. */
let names = 0;

/** Starts the profile of a worker; returns what stops it and gives the profile. */
async function startWorker(worker, attached) {
  if (typeof worker.startCpuProfile !== 'function') return attached(worker);
  let handle;
  try {
    handle = await worker.startCpuProfile();
  } catch (error) {
    if (error?.code !== 'ERR_INVALID_ARG_TYPE') throw error;
    handle = await worker.startCpuProfile(`rust-workers-${++names}`);
  }
  return async () => {
    const profile = await handle.stop();
    return typeof profile === 'string' ? JSON.parse(profile) : profile;
  };
}

/** A session of the inspector whose calls are promises. */
class Session {
  #session = new inspector.Session();
  /** The sessions of workers, by the worker's thread id; and the answers that are awaited from them. */
  #workers = new Map();
  #awaited = new Map();
  #whenAttached = new Map();
  #sent = 0;

  constructor() {
    this.#session.connect();
  }

  post(method, params) {
    return new Promise((resolve, reject) => {
      this.#session.post(method, params, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }

  /** Attaches to all workers of this process. */
  async attach() {
    this.#session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      const thread = threadOf(workerInfo);
      this.#workers.set(thread, sessionId);
      this.#whenAttached.get(thread)?.();
    });
    this.#session.on('NodeWorker.receivedMessageFromWorker', ({ params: { message } }) => this.#answered(JSON.parse(message)));
    // A worker that ends answers nothing more.
    this.#session.on('NodeWorker.detachedFromWorker', ({ params: { sessionId } }) => {
      for (const [id, entry] of this.#awaited) if (entry.sessionId === sessionId) this.#answered({ id, error: { message: 'the worker has ended' } });
    });
    await this.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  #answered({ id, error, result }) {
    const entry = this.#awaited.get(id);
    this.#awaited.delete(id);
    if (error === undefined) entry?.resolve(result);
    else entry?.reject(new Error(error.message));
  }

  /** Resolves once this thread has attached to a worker; rejects when that ends before. */
  attachedTo(worker) {
    const { threadId: thread } = worker;
    if (this.#workers.has(thread)) return undefined;
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error('the worker has ended'));
      worker.once('exit', ended);
      this.#whenAttached.set(thread, () => {
        worker.off('exit', ended);
        resolve();
      });
      if (thread === -1) ended();
    });
  }

  postTo(worker, method) {
    const sessionId = this.#workers.get(worker.threadId);
    const id = ++this.#sent;
    return new Promise((resolve, reject) => {
      this.#awaited.set(id, { sessionId, resolve, reject });
      this.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method }) }).catch(reject);
    });
  }

  close() {
    this.#session.disconnect();
  }
}

/** Begins a profile of this thread. */
async function startOwn(session) {
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  return async () => (await session.post('Profiler.stop')).profile;
}

/** Begins the profile of a worker that this thread attaches to. */
const attachedBy = (session) => {
  let attached;
  return async (worker) => {
    if (threadId !== 0) {
      throw new UnsupportedRuntimeError(
        'This version of Node profiles workers from the main thread only: make the pool there, or use Node 24.8 or later',
      );
    }
    await (attached ??= session.attach());
    await session.attachedTo(worker);
    await session.postTo(worker, 'Profiler.enable');
    await session.postTo(worker, 'Profiler.start');
    return async () => (await session.postTo(worker, 'Profiler.stop')).profile;
  };
};

/** A profile of several threads: see the head of this file. */
class PoolProfile {
  nodes = [];
  startTime = 0;
  endTime = 0;
  samples = [];
  timeDeltas = [];

  /** @param {{ name: string, profile: object }[]} threads */
  constructor(threads) {
    const root = nodeOf('(root)', 1);
    this.nodes.push(root);
    for (const { name, profile } of threads) this.#add(root, name, profile);
    // What programs want of it, and the file has not: each thread by itself.
    Object.defineProperty(this, 'threads', { value: threads });
  }

  #add(root, name, { nodes, samples, timeDeltas, startTime, endTime }) {
    const first = this.nodes.length + 1;
    const idOf = new Map(nodes.map(({ id }, i) => [id, first + i]));
    const own = nodes.map((node) => ({
      ...node,
      id: idOf.get(node.id),
      // A text in the format; a number where it comes from a Worker.
      callFrame: { ...node.callFrame, scriptId: String(node.callFrame.scriptId) },
      children: node.children?.map((id) => idOf.get(id)),
    }));
    // The first is the thread's own root.
    own[0].callFrame = nodeOf(name, first).callFrame;
    root.children.push(first);
    this.nodes.push(...own);
    let time = 0;
    samples.forEach((sample, i) => {
      // Samples may be out of order by some microseconds.
      const delta = Math.max(0, timeDeltas[i]);
      time += delta;
      this.samples.push(idOf.get(sample));
      this.timeDeltas.push(delta);
    });
    this.endTime += Math.max(time, endTime - startTime);
  }

  /** Writes it to a file, whose name should end in `.cpuprofile`. */
  async save(path) {
    await fs.writeFile(path, JSON.stringify(this));
  }
}

function nodeOf(functionName, id) {
  return { id, callFrame: { functionName, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 }, hitCount: 0, children: [] };
}

/**
 * @param {{ name: string, workersOf: () => { id: number, thread: import('node:worker_threads').Worker }[] }} host the pool's name, and its
 *   workers that live
 * @param {number} milliseconds
 * @param {{ thisThread: boolean, signal?: AbortSignal }} options
 * @returns {Promise<PoolProfile>}
 */
async function profile({ name, workersOf }, milliseconds, options) {
  const { thisThread = true, signal } = validateOptions(options, 'options', OPTIONS);
  validateNumber(milliseconds, 'milliseconds', 0, LONGEST_TIMER);
  validateBoolean(thisThread, 'options.thisThread');
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  const session = new Session();
  const attached = attachedBy(session);
  const running = [];
  // Nothing else keeps the event loop alive until the workers have answered.
  const hold = setTimeout(() => {}, LONGEST_TIMER);
  try {
    if (thisThread) running.push({ name: threadId === 0 ? 'main' : `thread ${threadId}`, stop: await startOwn(session) });
    const workers = workersOf();
    const begun = await Promise.allSettled(workers.map(({ thread }) => startWorker(thread, attached)));
    begun.forEach((start, i) => {
      const { id, thread } = workers[i];
      if (start.status === 'fulfilled') running.push({ name: `${name}-${id}`, workerId: id, thread, stop: start.value });
      // One that has ended meanwhile is left out.
      else if (start.reason instanceof UnsupportedRuntimeError) throw start.reason;
    });
    await wait(milliseconds, signal);
    const threads = await Promise.all(running.map(({ stop, ...thread }) => stop().then((profile) => ({ ...thread, profile }), () => undefined)));
    return new PoolProfile(threads.filter((thread) => thread !== undefined).map(({ thread, ...rest }) => rest));
  } finally {
    clearTimeout(hold);
    session.close();
  }
}

/** Waits for so long; rejects when the signal aborts. */
function wait(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const waiting = new Cancellable(resolve, reject);
    if (signal !== undefined) waiting.watch(signal, abortError);
    if (!waiting.isSettled) waiting.limitTime(milliseconds, () => waiting.resolve(), true);
  });
}

module.exports = { profile };
