'use strict';

/** The events that workers report to the pool, and the tasks that their tasks submit to it. Loaded for a pool that has workers. */

const { takesNoMoreTasks } = require('../errors');
const { callUser } = require('../user-code');

/** Workers must not keep alive a pool that everybody else has forgotten; kept.js says what does. */
class WorkerEvents {
  #pool;

  #runNested;
  #runCalled;

  /**
   * @param {import('./worker-pool').WorkerPool} pool
   * @param {(pool: WorkerPool, task: string, input: unknown, options: object, resolve: Function, reject: Function) => void} [runNested]
   * @param {typeof runNested} [runCalled]
   */
  constructor(pool, runNested, runCalled) {
    this.#pool = new WeakRef(pool);
    this.#runNested = runNested;
    this.#runCalled = runCalled;
  }

  /** A task of the script submits one. */
  runNested(task, input, options, resolve, reject) {
    const pool = this.#pool.deref();
    if (pool === undefined) reject(takesNoMoreTasks(task));
    else this.#runNested(pool, task, input, options, resolve, reject);
  }

  /** A native task calls a function of the script. */
  runCalled(name, input, options, resolve, reject) {
    const pool = this.#pool.deref();
    if (pool === undefined) reject(takesNoMoreTasks(name));
    else this.#runCalled(pool, name, input, options, resolve, reject);
  }

  emit(event, ...values) {
    callUser(emitOfWorker, this.#pool.deref(), event, values);
  }
}

/** Tells the pool's listeners what a worker did; `this` is the pool, or undefined where nobody has it any more. */
function emitOfWorker(event, values) {
  if (this === undefined) return;
  if (event === 'error' && this.listenerCount('error') === 0) {
    process.emitWarning(
      `A worker of the pool failed: ${values[0]?.stack ?? values[0]}\n` +
        "Listen to the pool's 'error', and await in a task all that it begins",
      'RustWorkersWarning',
    );
    return;
  }
  this.emit(event, ...values);
}

module.exports = { WorkerEvents };
