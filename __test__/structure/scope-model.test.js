'use strict';

// Random programs of scopes (nested, of each `join`, with signals) beside a model that is as simple as the rules of docs/structure.md.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { SharedBuffer, WorkerPool } = require('rust-workers');
const { script } = require('../support/pools');
const { createRandom } = require('../support/random-values');
const { inTime, turns } = require('../support/until');

const { then } = Promise.prototype;
const CELLS = 64;

/** A scope as the rules have it. */
class Model {
  tasks = [];
  children = [];
  cancelled;
  succeeded = false;
  closed = false;

  constructor(join, parent) {
    this.join = join;
    this.parent = parent;
    parent?.children.push(this);
    if (parent?.cancelled !== undefined) this.cancel('signal');
  }

  start(name) {
    const task = { name, state: this.cancelled === undefined ? 'pending' : 'cancelled', asked: false };
    this.tasks.push(task);
    return task;
  }

  end(task, state) {
    if (task.state !== 'pending') return;
    task.state = state;
    if (state === 'ok') this.succeeded = true;
    if (state === 'ok' && this.join === 'any') this.cancel('success');
    if (state === 'failed' && this.join === 'all') this.cancel('failure');
  }

  cancel(by) {
    if (this.cancelled !== undefined || this.closed) return;
    this.cancelled = by;
    for (const task of this.tasks) if (task.state === 'pending') task.state = 'cancelled';
    for (const child of this.children) child.cancel('signal');
  }

  /** What `close()` rejects with: names of the tasks that failed, or 'aborted'; nothing left of the scopes within, which it closes. */
  close() {
    const failures = [];
    for (const child of this.children) {
      if (child.closed) continue;
      const outcome = child.close();
      if (outcome.aborted) this.aborted = true;
      else if (outcome.failed.length > 0) failures.push(outcome.failed);
    }
    this.closed = true;
    if (failures.length > 0 && this.join === 'all') this.cancelled ??= 'failure';
    const isLost = this.join === 'any' && this.succeeded;
    for (const task of this.tasks) if (task.state === 'failed' && !task.asked) failures.unshift(task.name);
    const failed = isLost ? [] : failures;
    const someDropped = this.aborted || this.tasks.some((task) => task.state === 'cancelled' && !task.asked);
    return { failed, aborted: failed.length === 0 && this.cancelled === 'signal' && someDropped };
  }
}

/** The same of an error of ours; lists in any order. */
function outcomeOf(error) {
  if (error === undefined) return { failed: [], aborted: false };
  if (error.code === 'ERR_RW_TASK_CANCELLED') return { failed: [], aborted: true };
  const failed = error instanceof AggregateError ? error.errors.map((one) => namesIn(one)) : [namesIn(error)];
  return { failed, aborted: false };
}
const namesIn = (error) => (error instanceof AggregateError ? error.errors.map(namesIn) : error.message.match(/failed: (\d+)|panicked: .*?(\d+)/)?.slice(1).find(Boolean) ?? error.message);
const flat = (names) => names.flat(9).map(String).sort();

const KINDS = {
  script: {
    open: () => new WorkerPool(script('structure.js'), { maxThreads: 2, concurrentTasksPerWorker: CELLS, killTimeout: Infinity }),
    pending: (scope, memory, number) => scope.run('decided', [memory, number]),
    memory: () => new Int32Array(new SharedArrayBuffer(CELLS * 4)),
    /** Lets it end: well, or by a failure. */
    decide: (memory, number, isFailure) => {
      Atomics.store(memory, number, isFailure ? 2 : 1);
      Atomics.notify(memory, number);
    },
    fail: (scope, number) => scope.run('fails', number),
    canFailLater: true,
  },
  native: {
    open: () => new WorkerPool({ maxThreads: CELLS }),
    pending: (scope, memory, number) => scope.run('atomicWait', { buffer: memory, index: number, value: 0 }),
    memory: () => new SharedBuffer(CELLS * 4),
    decide: (memory, number) => {
      const cells = memory.view ? memory.view(Int32Array) : new Int32Array(memory.buffer);
      Atomics.store(cells, number, 1);
      memory.notify(number);
    },
    fail: (scope, number) => scope.run('panic', String(number)),
    canFailLater: false,
  },
};

async function program(kind, pool, seed) {
  const random = createRandom(seed);
  const pick = (list) => list[random(list.length)];
  const memory = kind.memory();
  const stop = new AbortController();
  const join = () => pick(['all', 'any', 'settled']);
  const rootJoin = join();
  const root = { scope: pool.scope({ join: rootJoin, signal: stop.signal }), model: new Model(rootJoin) };
  const scopes = [root];
  const tasks = [];
  const log = [];
  let number = 0;

  /** Follows a task without asking for its outcome. */
  const follow = (promise, owner, decidable) => {
    const model = owner.model.start(number);
    const task = { promise, owner, model, number, decidable, state: 'pending' };
    then.call(promise, () => (task.state = 'ok'), (error) => {
      task.state = error.code === 'ERR_RW_TASK_CANCELLED' ? 'cancelled' : 'failed';
    });
    number++;
    tasks.push(task);
    return task;
  };
  const settled = (task) => inTime(then.call(task.promise, () => {}, () => {}), `${log}`);
  const steps = {
    start: (owner) => void follow(kind.pending(owner.scope, memory, number), owner, true),
    async fail(owner) {
      const task = follow(kind.fail(owner.scope, number), owner, false);
      await settled(task);
      owner.model.end(task.model, 'failed');
    },
    async decide() {
      const waiting = tasks.filter((task) => task.decidable && task.model.state === 'pending');
      if (waiting.length === 0) return;
      const task = pick(waiting);
      const isFailure = kind.canFailLater && random(2) === 0;
      kind.decide(memory, task.number, isFailure);
      await settled(task);
      task.owner.model.end(task.model, isFailure ? 'failed' : 'ok');
    },
    ask() {
      if (tasks.length === 0) return;
      const task = pick(tasks);
      task.promise.catch(() => {});
      task.model.asked = true;
    },
    nest(owner) {
      if (scopes.length > 6) return;
      const childJoin = join();
      scopes.push({ scope: owner.scope.scope({ join: childJoin }), model: new Model(childJoin, owner.model) });
    },
    async closeChild(owner) {
      if (owner === root || owner.model.children.some((child) => !child.closed) || owner.model.tasks.some((task) => task.state === 'pending')) return;
      await compareClose(owner);
    },
    cancel(owner) {
      if (random(4) > 0) return;
      owner.scope.cancel();
      owner.model.cancel('call');
    },
    abort() {
      if (random(6) > 0) return;
      stop.abort(new Error('from outside'));
      root.model.cancel('signal');
    },
  };
  const compareClose = async ({ scope, model }) => {
    const error = await inTime(scope.close().then(() => undefined, (thrown) => thrown), `close: ${log}`);
    const expected = model.close();
    const seen = outcomeOf(error);
    assert.deepEqual({ failed: flat(seen.failed), aborted: seen.aborted }, { failed: flat(expected.failed), aborted: expected.aborted }, `seed ${seed}: ${log}`);
    await assert.rejects(scope.run('echo', 1), { code: 'ERR_RW_SCOPE_CLOSED' });
  };
  const compare = async () => {
    await turns(2);
    assert.deepEqual(tasks.map((task) => task.state), tasks.map((task) => task.model.state), `seed ${seed}: ${log}`);
    for (const { scope, model } of scopes) if (!model.closed) assert.equal(scope.signal.aborted, model.cancelled !== undefined, `seed ${seed}: ${log}`);
  };

  for (let step = 0; step < 24 && number < CELLS; step++) {
    const open = scopes.filter(({ model }) => !model.closed);
    const owner = pick(open);
    const name = pick(['start', 'start', 'start', 'start', 'decide', 'decide', 'fail', 'ask', 'nest', 'closeChild', 'cancel', 'abort']);
    log.push(`${name}@${scopes.indexOf(owner)}`);
    await steps[name](owner);
    await compare();
  }
  // What still waits ends well.
  log.push('end');
  for (const task of tasks) {
    if (!task.decidable || task.model.state !== 'pending') continue;
    kind.decide(memory, task.number, false);
    await settled(task);
    task.owner.model.end(task.model, 'ok');
  }
  await compare();
  await compareClose(root);
  const { running, queueSize } = pool.stats();
  assert.deepEqual({ running, queueSize }, { running: 0, queueSize: 0 }, `seed ${seed}: nothing outlives the scope`);
}

for (const [name, kind] of Object.entries(KINDS)) {
  test(`${name}: random programs of scopes do what the model does`, { timeout: 120_000 }, async () => {
    const unhandled = [];
    const note = (reason) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const pool = kind.open();
    try {
      const first = Number(process.env.SEED ?? 1);
      const count = Number(process.env.PROGRAMS ?? 250);
      for (let seed = first; seed < first + count; seed++) await program(kind, pool, seed);
      await turns(2);
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', note);
      await pool.destroy();
    }
  });
}
