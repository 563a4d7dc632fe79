'use strict';

// Making, using and destroying pools again and again leaves nothing behind: no thread and no file, no object, no memory.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { runProgram } = require('../support/child');

/**
 * Fewer rounds would not do: what the process holds goes up and down by a MiB or two. RW_ROUNDS=1000 takes minutes, and sees
 * leaks of some kilobytes a round.
 */
const FEWEST = 24;
const ROUNDS = Math.max(FEWEST, Number(process.env.RW_ROUNDS ?? 100));
/** Before the first look: by then everything that is loaded and compiled late has been. */
const WARM_UP = 12;

const KIB = 1024;
const MIB = 1024 * KIB;
/** What may be more at the end, for what goes up and down, and for a round: Node's own Workers leave some kilobytes behind. */
const ALLOWED = {
  rss: 3 * MIB + ROUNDS * 16 * KIB,
  heapUsed: 256 * KIB + ROUNDS * 8 * KIB,
  external: 64 * KIB,
  arrayBuffers: 64 * KIB,
};

/** In a process of its own, which holds nothing but this, so that what is left after a collection can be told. */
async function program({ after, load, say, until }, warmUp, rounds) {
  const fs = require('node:fs');
  const { WorkerPool } = load();
  const made = [];

  async function round(number) {
    const pool = new WorkerPool('./__test__/fixtures/scripts/functions.js', 1);
    pool.on('workerCreate', (worker) => made.push(new WeakRef(worker)));
    made.push(new WeakRef(pool));
    const answers = await Promise.all([pool.runTask({ number }), pool.run('add', { a: number, b: 1 })]);
    if (answers[0].number !== number || answers[1] !== number + 1) say('wrong answers', JSON.stringify(answers));
    await (number % 2 === 0 ? pool.close() : pool.destroy());
  }
  const left = () => made.filter((reference) => reference.deref() !== undefined).length;
  const count = (what) => (fs.existsSync(`/proc/self/${what}`) ? fs.readdirSync(`/proc/self/${what}`).length : 0);
  async function look() {
    await until(() => (globalThis.gc(), left() === 0), 'every pool and Worker is collected');
    // V8 sweeps and gives memory back on threads of its own, and nothing tells when they have done so.
    for (let i = 0; i < 5; i++) {
      globalThis.gc();
      await after(20);
    }
    return { threads: count('task'), files: count('fd'), ...process.memoryUsage() };
  }

  for (let i = 0; i < warmUp; i++) await round(i);
  const before = await look();
  for (let i = 0; i < rounds; i++) await round(i);
  await until(() => count('task') <= before.threads && count('fd') <= before.files, 'its threads end and its files are closed');
  const now = await look();
  // A pool and its worker each.
  say(made.length, JSON.stringify(Object.fromEntries(Object.keys(now).map((key) => [key, now[key] - before[key]]))));
}

/** What is more after the rounds than before them, in a process of its own; nothing that can be counted may be. */
async function growth() {
  const { code, signal, stdout, stderr } = await runProgram(process.execPath, program, {
    args: [WARM_UP, ROUNDS],
    // The young generation grows with use; as for malloc see __test__/memory.test.js.
    execArgv: ['--expose-gc', '--max-semi-space-size=1'],
    env: { MALLOC_MMAP_THRESHOLD_: '131072' },
    timeout: 120_000 + ROUNDS * 2_000,
  });
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' }, stdout);
  const [, objects, figures] = /^(\d+) (.*)\n$/.exec(stdout);
  assert.equal(Number(objects), 2 * (WARM_UP + ROUNDS));
  return JSON.parse(figures);
}

test(`${ROUNDS} rounds of create, use and destroy leave nothing behind`, async (t) => {
  let tooMuch;
  // What memory goes up by in one process it may not in the next; a leak is in each.
  for (let attempt = 0; attempt < 3; attempt++) {
    const grown = await growth();
    t.diagnostic(`more than before: ${JSON.stringify(grown)}`);
    tooMuch = Object.keys(ALLOWED).filter((what) => grown[what] >= ALLOWED[what]);
    if (tooMuch.length === 0) return;
  }
  assert.fail(`it grows in ${ROUNDS} rounds: ${tooMuch}`);
});
