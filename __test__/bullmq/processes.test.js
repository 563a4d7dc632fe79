'use strict';

/** Several worker processes on one queue, some killed in the middle of their jobs: every job is done, and none is lost. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { afterEach, beforeEach, describe, test } = require('node:test');

const { until, useRedis } = require('./support/house');

const PROGRAM = path.join(__dirname, 'fixtures', 'process.js');

/** Jobs of a process that was killed are found soon, however often that happens to them. */
const OPTIONS = { lockDuration: 1000, stalledInterval: 300, maxStalledCount: 1000 };

const house = useRedis();
let folder;
let log;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-chores-'));
  log = path.join(folder, 'log');
  fs.writeFileSync(log, '');
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

/** One worker process. */
class Process {
  lines = [];
  #child;
  #exit;

  constructor(queue, options = {}) {
    const args = [PROGRAM, String(house.connection.port), queue.name, JSON.stringify({ ...OPTIONS, ...options })];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exit = once(this.#child, 'exit');
    let rest = '';
    this.#child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      this.lines.push(...lines);
    });
    house.closing(() => this.kill());
  }

  /** The ids of the jobs of which it has said so. */
  said(what) {
    return this.lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.split(' ')[1]);
  }

  async ready() {
    await until(() => this.lines.includes('ready'), 'the process is ready');
  }

  async kill() {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }

  /** @returns {Promise<number>} the exit code */
  async close(timeout = '') {
    this.#child.stdin.write(`close ${timeout}`.trimEnd() + '\n');
    const [code] = await this.#exit;
    return code;
  }
}

/** How often each job has begun, and was done, by the lines that it left. */
function logged() {
  const counts = { begun: new Map(), done: new Map() };
  for (const line of fs.readFileSync(log, 'utf8').split('\n')) {
    const [what, id] = line.split(' ');
    if (id !== undefined) counts[what].set(id, (counts[what].get(id) ?? 0) + 1);
  }
  return counts;
}

/** Milliseconds of a job in whose middle its process is killed. */
const LONG = 500;

/** Waits until no job waits, runs or is delayed. */
async function settled(queue, count) {
  await until(async () => {
    const { completed, failed } = await queue.getJobCounts('completed', 'failed');
    return completed + failed >= count;
  }, 'all jobs have ended');
}

test('two processes, one killed in mid-job: every job is done at least once, none is lost', async () => {
  const queue = await house.queue();
  const count = 400;
  const added = await queue.addBulk(
    Array.from({ length: count }, (_, at) => ({ name: 'any', data: { log, ms: at % 20 === 0 ? LONG : 5, kind: at % 10 === 0 ? 'progress' : '' } })),
  );
  const long = new Set(added.filter(({ data }) => data.ms === LONG).map(({ id }) => id));
  const [first, second] = [new Process(queue), new Process(queue)];
  await Promise.all([first.ready(), second.ready()]);
  await until(() => first.said('completed').length >= 20 && second.said('completed').length >= 20, 'both work');
  const underWay = () => {
    const { begun, done } = logged();
    return first.said('active').filter((id) => long.has(id) && begun.has(id) && !done.has(id));
  };
  await until(() => underWay().length > 0, 'the first has just begun a long job');
  await first.kill();
  const [cut] = underWay();
  assert.ok(cut !== undefined, 'a job was under way');
  await settled(queue, count);
  const counts = await queue.getJobCounts();
  assert.equal(counts.completed, count);
  for (const state of ['active', 'waiting', 'delayed', 'failed', 'prioritized']) assert.equal(counts[state] ?? 0, 0, state);
  const { begun, done } = logged();
  assert.ok(begun.get(cut) >= 2, 'the job that was cut off began again');
  for (const { id } of added) assert.ok(done.get(id) >= 1, `job ${id} was done`);
  // Not each job twice: only what the killed process had under way may run again.
  const again = [...done.values()].filter((times) => times > 1).length;
  assert.ok(again <= 2, `${again} jobs were done twice`);
  assert.equal(await second.close(), 0);
});

/** Whole numbers below `limit` from a seed (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

describe('random programs against what is allowed', () => {
  const rounds = Number(process.env.RW_BULLMQ_ROUNDS ?? 3);
  const firstSeed = Number(process.env.RW_BULLMQ_SEED ?? Date.now() % 1_000_000);

  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    test(`jobs, failures, kills and closes, seed ${seed}`, async () => {
      const random = randomFrom(seed);
      const queue = await house.queue();
      const jobs = Array.from({ length: 60 + random(60) }, () => {
        const kind = ['', '', 'progress', 'exit'][random(4)];
        const failures = [0, 0, 0, 1, 2, 5][random(6)];
        const attempts = 1 + random(4);
        return { name: 'any', data: { log, ms: random(30), kind, failures }, opts: { attempts, backoff: random(2) * 10, priority: random(3) } };
      });
      const added = await queue.addBulk(jobs);
      let processes = [];
      const start = () => processes.push(new Process(queue, { maxThreads: 1 + random(3) }));
      start();
      start();
      for (let events = 3 + random(4); events > 0; events--) {
        const goal = Math.min(logged().begun.size + 1 + random(8), added.length);
        await until(() => logged().begun.size >= goal, 'work goes on');
        const [victim] = processes.splice(random(processes.length), 1);
        switch (random(3)) {
          case 0:
            await victim.kill();
            break;
          case 1:
            assert.equal(await victim.close(), 0);
            break;
          default:
            assert.equal(await victim.close(random(10)), 0);
        }
        start();
      }
      await settled(queue, added.length);
      const codes = await Promise.all(processes.map((one) => one.close()));
      assert.deepEqual(codes, processes.map(() => 0));

      const { begun, done } = logged();
      for (const { id, data, opts } of added) {
        const job = await queue.getJob(id);
        const state = await job.getState();
        const succeeds = data.failures < opts.attempts;
        // A job that was given back or found without its lock has used up no attempt.
        const attempts = succeeds ? data.failures + 1 : opts.attempts;
        const at = `job ${id} of seed ${seed}`;
        assert.equal(state, succeeds ? 'completed' : 'failed', at);
        assert.equal(job.attemptsMade, attempts, at);
        assert.ok(begun.get(id) >= attempts, `${at} has begun`);
        if (succeeds) {
          assert.ok(done.get(id) >= 1, `${at} was done`);
          assert.deepEqual(job.returnvalue, { id, attempt: attempts }, at);
          if (data.kind === 'progress') assert.equal(job.progress, 5, at);
        } else {
          assert.equal(done.get(id), undefined, at);
          assert.match(job.failedReason, data.kind === 'exit' ? /exit/ : new RegExp(`failure ${attempts} of ${id}`), at);
        }
      }
    });
  }
});
