'use strict';

/**
 * The progress of one job, on its way to Redis: one write at a time, so that reports arrive in order. A report that comes
 * during a write waits, and takes the place of one that waits already: what counts is how far the job is now, and a task may
 * report faster than Redis writes.
 */
class ProgressWriter {
  #write;
  #failed;
  /** The report to write next: `{ value }`. */
  #next;
  #writing;

  /**
   * @param {(value: unknown) => Promise<void>} write
   * @param {(error: unknown) => void} failed told of the first error; nothing is written after it
   */
  constructor(write, failed) {
    this.#write = write;
    this.#failed = failed;
  }

  report(value) {
    this.#next = { value };
    this.#writing ??= this.#run();
  }

  async #run() {
    try {
      while (this.#next !== undefined) {
        const { value } = this.#next;
        this.#next = undefined;
        await this.#write(value);
      }
      this.#writing = undefined;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Resolves when what was reported is written, or could not be. */
  async flush() {
    await this.#writing;
  }
}

module.exports = { ProgressWriter };
