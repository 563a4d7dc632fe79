'use strict';

/**
 * One run of a job on the pool, from the processor's call to its end.
 *
 * A run ends early in one of these ways, and the first one counts:
 *   CANCELLED  the program cancelled the job (BullMQ's signal). It fails, by default for good.
 *   LOST       the job is no longer ours: its lock is gone, it was removed, or it runs again. Somebody else decides about it.
 *   GIVEN_BACK this worker closes, or has no pool any more. The job waits again, for any worker, and the attempt does not count.
 *   UNWRITTEN  its progress could not be written. It fails with that error, as in BullMQ's own sandbox.
 * In each case the task is aborted: a running loop of a script sees `task.cancelled`, and a script that does not look is ended
 * with its worker after `killTimeout`.
 */

const { DelayedError, RateLimitError, WaitingError } = require('./peer');
const { failureOf, isPoolClosed, isRefused, unrecoverable } = require('./failures');
const { ProgressWriter } = require('./progress');
const { submissionOf, submit } = require('./submission');

const CANCELLED = 'cancelled';
const LOST = 'lost';
const GIVEN_BACK = 'given back';
const UNWRITTEN = 'unwritten';

/** The codes of BullMQ's errors about a job that is gone, not locked, not active, or locked by somebody else. */
const NOT_OURS = new Set([-1, -2, -3, -6]);

/**
 * BullMQ moves the job to those that wait, counts no attempt, and takes no other job in its place. After a WaitingError, and
 * a job that was moved here, BullMQ 5 takes the next one even while it closes, which would be this one again.
 */
const givenBack = () => new RateLimitError();

class JobRun {
  #pool;
  #job;
  #token;
  #settings;
  #poolClosed;
  #controller = new AbortController();
  /** How the run ended early, and the error that did it. */
  #ending;
  #cause;
  #progress;

  /**
   * @param {import('../pool/worker-pool').WorkerPool} pool
   * @param {object} job BullMQ's
   * @param {string} token of its lock
   * @param {object} settings as `processorOptions` returns them
   * @param {() => void} poolClosed called when the pool turns out to be closed; it may give the job back
   */
  constructor(pool, job, token, settings, poolClosed) {
    this.#pool = pool;
    this.#job = job;
    this.#token = token;
    this.#settings = settings;
    this.#poolClosed = poolClosed;
    this.#progress = new ProgressWriter(
      (value) => job.updateProgress(value),
      (error) => this.#end(NOT_OURS.has(error?.code) ? LOST : UNWRITTEN, error),
    );
  }

  #end(ending, cause) {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#cause = cause;
    this.#controller.abort(cause);
  }

  lose() {
    this.#end(LOST, new Error('the worker has lost the lock of the job'));
  }

  giveBack() {
    this.#end(GIVEN_BACK, new Error('the worker is closing'));
  }

  /**
   * @param {AbortSignal | undefined} signal BullMQ's
   * @returns {Promise<unknown>} the job's result; rejects with what tells BullMQ what to do with the job
   */
  async execute(signal) {
    const cancel = () => this.#end(CANCELLED, signal.reason);
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await this.#run();
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  async #run() {
    let submission;
    try {
      submission = await submissionOf(this.#job, this.#settings);
      const output = await submit(this.#pool, submission, this.#controller.signal, (value) => this.#progress.report(value));
      const { result } = this.#settings;
      const value = result === undefined ? output : await result(output, this.#job);
      await this.#progress.flush();
      if (this.#ending === UNWRITTEN) throw this.#cause;
      return value;
    } catch (error) {
      await this.#progress.flush();
      throw await this.#outcomeOf(error, submission);
    }
  }

  async #outcomeOf(error, submission) {
    switch (this.#ending) {
      case CANCELLED: {
        const says = this.#cause === undefined ? '' : `: ${this.#cause?.message ?? this.#cause}`;
        return this.#settings.retryCancelled ? error : unrecoverable(error, `The job was cancelled${says}`);
      }
      case LOST:
        return this.#moveBack();
      case GIVEN_BACK:
        return givenBack();
      case UNWRITTEN:
        return failureOf(this.#cause);
      default:
        if (isPoolClosed(error, this.#pool)) {
          this.#poolClosed();
          return this.#ending === GIVEN_BACK ? givenBack() : this.#delay();
        }
        if (isRefused(error, submission?.input)) return this.#delay();
        return failureOf(error, submission?.end);
    }
  }

  /** If the lock is ours after all: so that the job does not stay active until it counts as stalled. */
  async #moveBack() {
    return (await this.#moved(() => this.#job.moveToWait(this.#token))) ?? new WaitingError();
  }

  /** The same after a while; not after the same time for all, since the next ones would meet the same full queue. */
  async #delay() {
    const { busyDelay } = this.#settings;
    const due = Date.now() + Math.ceil(busyDelay * (0.5 + Math.random()));
    return (await this.#moved(() => this.#job.moveToDelayed(due, this.#token))) ?? new DelayedError();
  }

  /** @returns {Promise<Error | undefined>} why the job could not be moved, unless that is because it is not ours */
  async #moved(move) {
    try {
      await move();
      return undefined;
    } catch (error) {
      return NOT_OURS.has(error?.code) ? undefined : error;
    }
  }
}

module.exports = { JobRun };
