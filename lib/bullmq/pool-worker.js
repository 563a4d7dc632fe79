'use strict';

/**
 * A Worker of BullMQ whose jobs run on a pool. Beyond `new Worker(queue, poolProcessor(pool), options)`: it takes as many jobs
 * at a time as the pool runs tasks, stops tasks whose jobs it has lost, and closes within a time limit.
 */

const { PoolClosedError } = require('../errors');
const { closeOptions, poolWorkerOptions } = require('./options');
const { Worker } = require('./peer');
const { PoolJobs } = require('./pool-jobs');
const { capacityOf } = require('./submission');

const LONGEST_TIMER = 2 ** 31 - 1;

class PoolWorker extends Worker {
  #pool;
  #jobs;
  #followsPool;
  #closesPool;
  #ended;

  constructor(name, pool, options) {
    const { processor, worker, closePool } = poolWorkerOptions(options);
    const jobs = new PoolJobs(pool, processor, () => this.#pauseForGood());
    const { concurrency = capacityOf(pool) } = worker;
    super(name, (job, token, signal) => this.#process(job, token, signal), { ...worker, concurrency });
    this.#pool = pool;
    this.#jobs = jobs;
    this.#followsPool = worker.concurrency === undefined;
    this.#closesPool = closePool;
    this.on('lockRenewalFailed', (ids) => jobs.lose(ids));
  }

  /** The pool that runs the jobs. */
  get pool() {
    return this.#pool;
  }

  #process(job, token, signal) {
    // The size of the pool may have changed.
    if (this.#followsPool) this.concurrency = capacityOf(this.#pool);
    // The program has resumed it.
    if (this.#pool.closed) this.#pauseForGood();
    return this.#jobs.process(job, token, signal);
  }

  /** Without a pool it takes no more jobs: other workers can have them. */
  #pauseForGood() {
    this.#jobs.giveBack();
    if (this.closing || this.isPaused()) return;
    this.pause(true).catch((error) => this.emit('error', error));
    this.emit('error', new PoolClosedError(`the pool of the worker of queue '${this.name}' is closed, so the worker has paused`));
  }

  /**
   * @param {boolean | { force?: boolean, timeout?: number }} [options] BullMQ's boolean: with `true` it waits for no job
   * @returns {Promise<void>}
   */
  async close(options) {
    const { force, timeout } = closeOptions(options);
    this.#ended ??= this.#end(force);
    // Also in a second call, for a close that was without a limit.
    if (force || timeout === 0) this.#jobs.giveBack();
    else if (timeout !== undefined) this.#giveBackAfter(Math.min(timeout, LONGEST_TIMER));
    return this.#ended;
  }

  async #end(force) {
    await super.close(force);
    if (this.#closesPool) await this.#pool.close();
  }

  #giveBackAfter(timeout) {
    const timer = setTimeout(() => this.#jobs.giveBack(), timeout);
    const stop = () => clearTimeout(timer);
    this.#ended.then(stop, stop);
  }
}

module.exports = { PoolWorker };
