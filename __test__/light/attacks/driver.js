'use strict';

/** Light code by `pool.light`, and what it throws apart from what ends it. */

const { WorkerPool } = require('../../..');

/** What the code threw. */
class Thrown extends Error {
  constructor(thrown) {
    super(`light code threw ${thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)}`);
    this.thrown = thrown;
  }
}

const isOurs = (error) =>
  error instanceof Error && (['AbortError', 'TimeoutError'].includes(error.name) || String(error.code).startsWith('ERR_RW_'));

/** A pool of one thread: a task that does not end, or harms it, shows in the next one. */
function openLight(threads = 1) {
  const pool = new WorkerPool({ maxThreads: threads });

  async function define(source, options) {
    const light = pool.light({ f: source }, options);
    await light.ready;
    return light;
  }

  /** What the function gives; a rejection with {@link Thrown} for what it throws, with a typed error for a limit. */
  async function call(light, args = [], options = undefined) {
    try {
      return await (options === undefined ? light : light.with(options)).f(...args);
    } catch (error) {
      throw isOurs(error) ? error : new Thrown(error);
    }
  }

  async function evaluate(source, { args, ...options } = {}) {
    const light = await define(source, options);
    try {
      return await call(light, args);
    } finally {
      await light.close();
    }
  }

  return { pool, define, call, evaluate, drop: (light) => light.close(), close: () => pool.destroy() };
}

module.exports = { Thrown, openLight };
