'use strict';

/** The jobs that run on a pool for one worker of BullMQ. */

const { JobRun } = require('./job-run');
const { processorOptions, validatePool } = require('./options');

class PoolJobs {
  #pool;
  #settings;
  #poolClosed;
  /** By the job's id: its latest run. */
  #runs = new Map();
  /** Whether jobs wait again instead of running: BullMQ may hand over one that it took before it began to close. */
  #givesBack = false;

  /**
   * @param {import('../pool/worker-pool').WorkerPool} pool
   * @param {object} options those of `poolProcessor`
   * @param {() => void} [poolClosed] called when the pool turns out to be closed
   */
  constructor(pool, options, poolClosed = () => {}) {
    validatePool(pool);
    this.#pool = pool;
    this.#settings = processorOptions(options);
    this.#poolClosed = poolClosed;
  }

  /** Runs a job; as BullMQ calls a processor. */
  async process(job, token, signal) {
    // Its lock had expired, and this worker has taken it again.
    this.#runs.get(job.id)?.lose();
    const run = new JobRun(this.#pool, job, token, this.#settings, this.#poolClosed);
    this.#runs.set(job.id, run);
    if (this.#givesBack) run.giveBack();
    try {
      return await run.execute(signal);
    } finally {
      if (this.#runs.get(job.id) === run) this.#runs.delete(job.id);
    }
  }

  /** @param {string[]} ids of jobs whose locks could not be renewed */
  lose(ids) {
    for (const id of ids) this.#runs.get(id)?.lose();
  }

  /** Stops all runs, and lets their jobs wait again; those to come too. */
  giveBack() {
    this.#givesBack = true;
    for (const run of this.#runs.values()) run.giveBack();
  }
}

/**
 * @param {import('../pool/worker-pool').WorkerPool} pool
 * @param {object} [options]
 * @returns {(job: object, token?: string, signal?: AbortSignal) => Promise<unknown>} BullMQ gives a signal to a function of
 *   three parameters
 */
function poolProcessor(pool, options = {}) {
  const jobs = new PoolJobs(pool, options);
  return (job, token, signal) => jobs.process(job, token, signal);
}

module.exports = { PoolJobs, poolProcessor };
