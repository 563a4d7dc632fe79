'use strict';

// Random programs over pools whose script has hooks of every kind: in each stage something ends the pool, its workers or a worker's
// thread, and yet every promise settles, the counters add up, and hooks run in their order.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { notes } = require('../fixtures/scripts/hooks-behaviour');
const { script } = require('../support/pools');
const { inTime } = require('../support/until');

const ROUNDS = Number(process.env.ROUNDS ?? 60);
const SEED = Number(process.env.SEED ?? 20_261_126);

/** Ways of hooks that come to an end by themselves or are ended by their limits. */
const SETUPS = ['plain', 'async', 'thenable', 'throws', 'rejects', 'nothing', 'unsettled', 'never', 'blocks', 'exits', 'exitsLater', 'uncaught', 'abortable'];
const TEARDOWNS = ['plain', 'async', 'thenable', 'throws', 'rejects', 'never', 'blocks', 'exits', 'exitsLater', 'uncaught'];
/** So that most programs come to their tasks. */
const USUAL = ['plain', 'async', 'thenable'];

function generator(seed) {
  let state = seed;
  const below = (count) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  return { below, of: (list) => list[below(list.length)] };
}

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A worker's notes in their order: of pools of one worker at a time. */
function checkOrder(noted, what) {
  let stage = 'none';
  for (const event of noted) {
    if (event === 'loaded') stage = 'loaded';
    else if (event === 'setup') assert.equal(stage, 'loaded', what), (stage = 'setup');
    else if (event === 'set up') assert.equal(stage, 'setup', what), (stage = 'set up');
    else if (event === 'task') assert.ok(stage === 'loaded' || stage === 'set up', `${what}: a task in stage '${stage}'`);
    else if (event.startsWith('teardown')) assert.ok(stage === 'loaded' || stage === 'set up', `${what}: teardown in stage '${stage}'`), (stage = 'teardown');
    else if (event === 'torn down') assert.equal(stage, 'teardown', what), (stage = 'torn down');
  }
}

async function round(seed) {
  const { below, of } = generator(seed);
  const setup = below(3) === 0 ? of(SETUPS) : of([...USUAL, undefined]);
  const teardown = below(3) === 0 ? of(TEARDOWNS) : of([...USUAL, undefined]);
  const onError = of([undefined, undefined, 'keeps', 'ends', 'throws']);
  const cells = new Int32Array(new SharedArrayBuffer(4 * 8192));
  const single = below(2) === 0;
  const options = {
    maxThreads: single ? 1 : 1 + below(3),
    minThreads: below(2),
    concurrentTasksPerWorker: 1 + below(3),
    killTimeout: of([0, 10, 1000]),
    setupTimeout: of([300, 600]),
    shutdownTimeout: of([0, 5, 30, 100]),
    idleTimeout: of([5, 50, 10_000]),
    wait: of(['event', 'block']),
    recycle: of([undefined, undefined, { afterTasks: 3 }]),
    workerData: { cells, setup, teardown, onError },
  };
  const what = `seed ${seed}: ${JSON.stringify({ ...options, workerData: { setup, teardown, onError } })}`;
  const pool = new WorkerPool(script(of(['hooks.js', 'hooks.mjs'])), options);
  pool.on('error', () => {});
  const threads = new Set();
  pool.on('workerCreate', (thread) => threads.add(thread));
  pool.on('workerDestroy', (thread) => threads.delete(thread));
  const settled = [];
  let open = 0;
  const watch = (promise, name) => {
    open++;
    settled.push(
      promise.then(
        () => open--,
        (error) => {
          open--;
          assert.ok(error === undefined || error instanceof Error, `${what}: ${name} rejects with ${error}`);
        },
      ),
    );
  };
  const stop = new AbortController();
  const steps = [
    () => watch(pool.run('echo', 1), 'run'),
    () => watch(pool.run('later', below(10)), 'run'),
    () => watch(pool.run('untilAborted', 0, { timeout: 5 + below(30) }), 'run'),
    () => watch(pool.run('spinUntilCancelled', 0, { timeout: 5 + below(30) }), 'run'),
    () => watch(pool.run('never', 0, { signal: stop.signal }), 'run'),
    () => watch(pool.run('exit', 3), 'run'),
    () => watch(pool.run('failLater'), 'run'),
    () => watch(pool.run('rejectLater'), 'run'),
    () => watch(pool.broadcast('echo', 2, { later: of([true, false, 'latest']), timeout: 2000 }), 'broadcast'),
    () => watch(pool.ready, 'ready'),
    () => watch(pool.recycle(), 'recycle'),
    () => pool.resize({ maxThreads: single ? 1 : 1 + below(3), minThreads: below(2) }),
    () => pool.cancelQueued(),
    () => pool.postMessage(below(9)),
    () => of([...threads])?.terminate(),
    () => pool.workers.map(({ state }) => assert.ok(['starting', 'idle', 'busy', 'ending'].includes(state))),
    () => after(below(20)),
    () => after(below(60)),
  ];
  for (let i = 3 + below(15); i > 0; i--) await of(steps)();
  // Tasks that no one else ends, and a recycle that waits for them.
  stop.abort();
  const ends = [() => pool.close(), () => pool.destroy(), () => pool.close({ cancelQueued: true }), () => pool.close({ timeout: below(50) })];
  const closed = of(ends)();
  if (below(3) === 0) watch(of(ends)(), 'closed again');
  if (below(4) === 0) await after(below(30));
  await inTime(Promise.race([closed, after(4000).then(() => pool.destroy())]), `${what}: the pool closes`);
  await inTime(Promise.all(settled), `${what}: all settle`);
  assert.equal(open, 0, what);
  const { submitted, completed, failed, cancelled, queueSize, running } = pool.stats();
  assert.equal(submitted, completed + failed + cancelled, what);
  assert.deepEqual([queueSize, running, pool.workers.length], [0, 0, 0], what);
  if (single) checkOrder(notes(cells), what);
}

test(`${ROUNDS} random rounds from seed ${SEED}`, { timeout: 1_200_000 }, async () => {
  for (let i = 0; i < ROUNDS; i++) await round(SEED + i);
});
