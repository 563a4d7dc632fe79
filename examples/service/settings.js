'use strict';

/** The settings of the service, from environment variables. */

const { availableParallelism } = require('node:os');

const WAYS = ['inline', 'native', 'script', 'piscina'];
const TRACES = ['none', 'console', 'memory'];

function oneOf(env, name, choices, fallback) {
  const value = env[name] ?? fallback;
  if (!choices.includes(value)) throw new Error(`${name} is '${value}': choose one of ${choices.join(', ')}`);
  return value;
}

function integer(env, name, fallback) {
  const value = Number(env[name] ?? fallback);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} is '${env[name]}': give a whole number`);
  return value;
}

function readSettings(env) {
  return {
    /** Where the CPU work runs. */
    way: oneOf(env, 'WAY', WAYS, 'script'),
    host: env.HOST ?? '127.0.0.1',
    port: integer(env, 'PORT', 3000),
    logLevel: env.LOG_LEVEL ?? 'info',
    threads: Math.max(1, integer(env, 'THREADS', availableParallelism())),
    /** Tasks that may wait; more are refused with 503. */
    maxQueue: integer(env, 'MAX_QUEUE', 100),
    /** Milliseconds that a task may take, waiting included; then the answer is 504. A request may ask for less. */
    taskTimeout: integer(env, 'TASK_TIMEOUT', 2_000),
    /** Milliseconds for the pool to finish when the service ends. */
    closeTimeout: integer(env, 'CLOSE_TIMEOUT', 5_000),
    /** Where spans go. 'memory' keeps them for GET /traces: for tests. */
    traces: oneOf(env, 'TRACES', TRACES, 'none'),
  };
}

module.exports = { WAYS, readSettings };
