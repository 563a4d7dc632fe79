'use strict';

/**
 * Random programs of script tasks, beside a bare Worker and a simple model.
 *
 * Each program makes a pool with random options and submits random tasks: inputs of every kind, by every way; reports;
 * results that are thrown, moved, come later; tasks that end their worker, or never end and are stopped; aborts before, in
 * the queue and while they run. What must hold: every promise settles, with the value that a bare Worker gives for the
 * same input, or with an error that this task can have; reports come in order, before the answer, and none is missing; the
 * pool closes; its counters add up. RW_PROGRAMS sets how many, RW_SEED which.
 */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after: afterAll, test } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');

const { WorkerPool } = require('rust-workers');
const { script } = require('../support/pools');
const { createRandom, randomValue } = require('../support/random-values');
const { inTime } = require('../support/until');

const PROGRAMS = Number(process.env.RW_PROGRAMS ?? 12);
const SEED = Number(process.env.RW_SEED ?? 1 + Math.floor(Math.random() * 1e6));
const SCRIPT = script('differential.js');

const bare = new Worker(SCRIPT, { workerData: { bare: true } });
afterAll(() => bare.terminate());

/** What a bare Worker makes of an input: its reports, and its answer. One is asked after the other. */
let asked = Promise.resolve();
function beside(input) {
  const answer = asked.then(async () => {
    bare.postMessage(input);
    const [told] = await once(bare, 'message');
    return told;
  });
  asked = answer.catch(() => {});
  return answer;
}

class Point {
  constructor(value) {
    this.value = value;
  }
}

/** A value to send, by all the ways there are. */
function makeValue(random) {
  const value = randomValue(random, false);
  switch (random(8)) {
    case 0: return new Point(value);
    case 1: return { shared: new Int32Array(new SharedArrayBuffer(8)), value };
    case 2: return new Uint8Array(random(5) * 3_000).fill(random(256));
    case 3: return { get lazily() { return value; }, last: 1 };
    case 4: return random(1_000);
    default: return value;
  }
}

const PERMITTED = {
  exit: ['ERR_RW_WORKER_EXITED'],
  stray: ['stray'],
  never: ['ERR_RW_TASK_CANCELLED', 'ERR_RW_TASK_TIMEOUT'],
  spin: ['ERR_RW_TASK_CANCELLED', 'ERR_RW_TASK_TIMEOUT'],
};
/** What a neighbour's end may do to a task that had begun beside it on the same worker. */
const OF_NEIGHBOURS = ['ERR_RW_WORKER_EXITED', 'stray'];

async function program(seed) {
  const random = createRandom(seed);
  const chance = (part) => random(100) < part;
  const concurrency = [1, 1, 3][random(3)];
  const pool = new WorkerPool(SCRIPT, {
    maxThreads: 1 + random(3),
    minThreads: random(2),
    concurrentTasksPerWorker: concurrency,
    killTimeout: 5 + random(20),
    wait: chance(25) ? 'block' : 'event',
    recycle: chance(25) ? { afterTasks: 3 + random(10) } : undefined,
    idleTimeout: chance(30) ? 5 : 10_000,
  });
  pool.on('error', () => {});
  const faults = [];
  const tasks = [];

  const submit = async (index) => {
    const kind = chance(8) ? ['exit', 'stray', 'never', 'spin'][random(4)] : chance(50) ? 'sync' : 'async';
    const isEnding = kind in PERMITTED;
    const end = chance(15) ? 'throw' : chance(15) ? 'move' : 'return';
    const input = { value: isEnding ? 0 : makeValue(random), reports: isEnding ? 0 : random(4), end };
    const stop = new AbortController();
    const isStopped = kind === 'never' || kind === 'spin' || chance(10);
    const options = { priority: random(3) };
    const reports = [];
    if (chance(70)) options.onProgress = (report) => reports.push(report);
    if (isStopped && chance(50)) options.signal = stop.signal;
    else if (isStopped) options.timeout = 1 + random(15);
    else if (chance(30)) options.timeout = 60_000;
    if (chance(25)) options.transfer = 'auto';
    // A bare Worker is asked first: a transfer may empty the input.
    const expected = isEnding ? undefined : await beside(input).catch((error) => ({ refused: error.name }));
    const run = pool.run(kind, input, options);
    if (options.signal !== undefined) setTimeout(() => stop.abort(), random(12));
    const outcome = await run.then((value) => ({ value }), (error) => ({ failed: true, error }));
    const code = outcome.error?.code ?? outcome.error?.message;
    const say = (what) => faults.push(`task ${index} (${kind}, ${end}): ${what}`);
    if (isStopped && ['ERR_RW_TASK_CANCELLED', 'ERR_RW_TASK_TIMEOUT'].includes(code)) return;
    if (isEnding) {
      if (!PERMITTED[kind].includes(code) && !(concurrency > 1 && OF_NEIGHBOURS.includes(code))) say(`ended with ${code}`);
      return;
    }
    if (concurrency > 1 && outcome.failed && OF_NEIGHBOURS.includes(code)) return;
    try {
      if (expected.refused !== undefined) {
        assert.equal(outcome.error?.name, expected.refused);
      } else if (end === 'throw') {
        // Of what is thrown more arrives than by structured clone: here it is enough that something of it does.
        assert.ok(outcome.failed);
      } else {
        assert.equal(outcome.failed && (outcome.error.stack ?? outcome.error), undefined);
        assert.deepEqual(outcome.value, expected.value);
      }
      if (expected.refused === undefined && options.onProgress !== undefined) assert.deepEqual(reports, expected.reports);
    } catch (error) {
      say(error.message);
    }
  };

  const count = 15 + random(40);
  for (let i = 0; i < count; i++) {
    tasks.push(submit(i));
    if (chance(20)) await after(random(4));
  }
  const note = ({ message }) => faults.push(`${message}; ${JSON.stringify(pool.stats())}`);
  await inTime(Promise.all(tasks), `all of ${count} tasks`).catch(note);
  await inTime(pool.close(), 'close()').catch(note);
  const { submitted, completed, failed, cancelled, queueSize, running, workers } = pool.stats();
  if (submitted !== completed + failed + cancelled) faults.push(`counters: ${JSON.stringify(pool.stats())}`);
  if (queueSize + running + workers !== 0) faults.push(`left: ${JSON.stringify(pool.stats())}`);
  return faults;
}

test(`${PROGRAMS} random programs of script tasks, RW_SEED=${SEED}`, async (t) => {
  for (let i = 0; i < PROGRAMS; i++) {
    const faults = await program(SEED + i);
    assert.deepEqual(faults, [], `RW_PROGRAMS=1 RW_SEED=${SEED + i}`);
  }
  t.diagnostic(`RW_SEED=${SEED}`);
});
