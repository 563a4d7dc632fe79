'use strict';

// Tasks of one key, and tasks with a limit: one after the other, in order, and nobody else waits for them.

const assert = require('node:assert/strict');
const { setTimeout: after } = require('node:timers/promises');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { Gate, script, using } = require('../support/pools');
const { inTime, until } = require('../support/until');

const SCRIPT = script('keys.js');

/** A task that runs until it is ended, and one that ends at once, of native threads and of a script. */
const KINDS = {
  native: {
    task: 'sleep',
    make: (options) => new WorkerPool({ maxThreads: 4, ...options }),
    hold(pool, options) {
      const stop = new AbortController();
      const ended = assert.rejects(pool.run('sleep', 60_000, { ...options, signal: stop.signal }), { name: 'AbortError' });
      return { ended, end: () => stop.abort() };
    },
    quick: (pool, options) => pool.run('echo', 'quick', options),
    many: (pool, options) => pool.run('fibonacci', 5, options),
  },
  script: {
    task: 'held',
    make: (options) => new WorkerPool(SCRIPT, { maxThreads: 4, ...options }),
    hold(pool, options) {
      const gate = new Gate();
      return { ended: pool.run('held', gate.cells, options), end: () => gate.open() };
    },
    quick: (pool, options) => pool.run('thread', undefined, options).then(() => 'quick'),
    many: (pool, options) => pool.run('thread', undefined, options),
  },
};

/** Waits until so many run, and so many wait. A native task that was aborted goes on for a moment. */
const state = (pool, count, waiting) =>
  until(() => {
    const { running, queueSize } = pool.stats();
    return running === count && queueSize === waiting;
  }, `${count} run and ${waiting} wait`);
const running = (pool, count) => until(() => pool.stats().running === count, `${count} run`);

for (const [kind, { task, make, hold, quick, many }] of Object.entries(KINDS)) {
  test(`${kind}: tasks of one key run one after the other, and others pass them`, () =>
    using(make(), async (pool) => {
      const held = [1, 2, 3].map(() => hold(pool, { key: 'a' }));
      const other = hold(pool, { key: 'b' });
      await state(pool, 2, 2);
      assert.equal(await quick(pool), 'quick');
      assert.equal(await quick(pool, { key: 'c', priority: -5 }), 'quick');
      for (const [n, one] of held.entries()) {
        // Those behind wait for it, however many threads are free.
        await state(pool, 2, 2 - n);
        one.end();
        await one.ended;
      }
      await running(pool, 1);
      other.end();
      await other.ended;
    }));

  test(`${kind}: a key's tasks begin in order of submission, whatever their priorities`, () =>
    using(make(), async (pool) => {
      const first = hold(pool, { key: 'a' });
      await running(pool, 1);
      const order = [];
      const runs = [0, 9, -3, 5].map((priority, n) => quick(pool, { key: 'a', priority }).then(() => order.push(n)));
      first.end();
      await Promise.all([first.ended, ...runs]);
      assert.deepEqual(order, [0, 1, 2, 3]);
    }));

  test(`${kind}: several tasks of a key may be allowed`, () =>
    using(make({ limits: { key: 2 } }), async (pool) => {
      const held = [1, 2, 3, 4].map(() => hold(pool, { key: 'a' }));
      await state(pool, 2, 2);
      held[0].end();
      await held[0].ended;
      await state(pool, 2, 1);
      held.forEach((one) => one.end());
      await Promise.all(held.map((one) => one.ended));
    }));

  test(`${kind}: so many tasks of a name run, and others pass them`, () =>
    using(make({ limits: { tasks: { [task]: 2 } } }), async (pool) => {
      const held = [hold(pool), hold(pool)];
      await state(pool, 2, 0);
      held.push(hold(pool), hold(pool, { priority: 1 }));
      await state(pool, 2, 2);
      assert.equal(await quick(pool, { priority: -1 }), 'quick');
      for (const [one, left, waiting] of [[0, 2, 1], [1, 2, 0], [2, 1, 0], [3, 0, 0]]) {
        held[one].end();
        await state(pool, left, waiting);
      }
      await Promise.all(held.map((one) => one.ended));
    }));

  test(`${kind}: a task that waits for its key can be aborted, or its time be up`, () =>
    using(make(), async (pool) => {
      const first = hold(pool, { key: 'a' });
      await running(pool, 1);
      const stop = new AbortController();
      const aborted = quick(pool, { key: 'a', signal: stop.signal });
      const late = quick(pool, { key: 'a', timeout: 20 });
      const past = quick(pool, { key: 'a', deadline: 20 });
      const last = quick(pool, { key: 'a' });
      stop.abort();
      await assert.rejects(aborted, { name: 'AbortError' });
      await assert.rejects(late, { code: 'ERR_RW_TASK_TIMEOUT' });
      await assert.rejects(past, { code: 'ERR_RW_DEADLINE' });
      assert.equal(pool.queueSize, 1);
      first.end();
      await first.ended;
      assert.equal(await last, 'quick');
    }));

  test(`${kind}: a pool that closes finishes what waits for a key, and no thread of it is left`, async () => {
    for (const limits of [{ key: 1 }, { tasks: { [task]: 1 } }]) {
      const pool = make({ limits });
      const held = [1, 2, 3].map(() => hold(pool, limits.key ? { key: 'a' } : undefined));
      await running(pool, 1);
      const closed = pool.close();
      // Of a limit, any of them may be the first: each is bound to a worker.
      held.forEach((one) => one.end());
      await inTime(Promise.all(held.map((one) => one.ended)), 'all end');
      await inTime(closed, 'the pool closes');
      assert.equal(pool.threads, 0);
    }
  });

  test(`${kind}: a pool that closes lets go of its threads also where the last that waits is aborted`, async () => {
    const pool = make();
    const first = hold(pool, { key: 'a' });
    await running(pool, 1);
    const stop = new AbortController();
    const waiting = assert.rejects(quick(pool, { key: 'a', signal: stop.signal }), { name: 'AbortError' });
    // Threads that are free look at the queue as it closes.
    await Promise.all([quick(pool), quick(pool), quick(pool)]);
    const closed = pool.close();
    await after(5);
    stop.abort();
    await waiting;
    first.end();
    await first.ended;
    await inTime(closed, 'the pool closes');
  });

  test(`${kind}: what waits for a key is rejected when the pool is destroyed, or its queue emptied`, async () => {
    const pool = make();
    const held = [1, 2, 3].map(() => hold(pool, { key: 'a' }));
    await running(pool, 1);
    const waiting = [quick(pool, { key: 'a' }), quick(pool, { key: 'b', priority: 1 })];
    await waiting[1];
    const refused = held.slice(1).map((one) => one.ended.catch((error) => error));
    assert.equal(pool.cancelQueued(), 3);
    await assert.rejects(waiting[0], { name: 'AbortError' });
    await Promise.all(refused);
    // The key is free again, once the first has ended.
    const next = quick(pool, { key: 'a' });
    held[0].end();
    await held[0].ended;
    assert.equal(await next, 'quick');
    const again = hold(pool, { key: 'a' });
    await running(pool, 1);
    const dropped = assert.rejects(quick(pool, { key: 'a' }), { code: 'ERR_RW_POOL_CLOSED' });
    again.ended.catch(() => {});
    await Promise.all([inTime(pool.destroy(), 'the pool closes'), dropped]);
  });

  test(`${kind}: maxQueue counts what waits for its key, though threads are free`, () =>
    using(make({ maxQueue: 0 }), async (pool) => {
      const first = hold(pool, { key: 'a' });
      await running(pool, 1);
      await assert.rejects(quick(pool, { key: 'a' }), { code: 'ERR_RW_QUEUE_FULL' });
      assert.equal(await quick(pool, { key: 'b' }), 'quick');
      first.end();
      await first.ended;
      await running(pool, 0);
      // A task that has settled keeps nobody from running.
      for (let n = 0; n < 200; n++) assert.equal(await quick(pool, { key: 'a' }), 'quick');
    }));

  test(`${kind}: random keys, priorities, limits and aborts: everything settles`, () =>
    using(make({ limits: { key: 2, tasks: { [kind === 'native' ? 'fibonacci' : 'thread']: 3 } } }), async (pool) => {
      let seed = 7;
      const below = (n) => ((seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 16) % n;
      const runs = [];
      let aborted = 0;
      for (let n = 0; n < 2_000; n++) {
        const options = {};
        if (below(2)) options.key = `key ${below(6)}`;
        if (below(3) === 0) options.priority = below(5) - 2;
        const stop = new AbortController();
        if (below(4) === 0) options.signal = stop.signal;
        const ran = (below(2) ? quick : many)(pool, below(5) === 0 ? undefined : options);
        runs.push(ran.catch((error) => (assert.equal(error.name, 'AbortError'), aborted++)));
        if (options.signal !== undefined && below(2)) stop.abort();
        if (below(20) === 0) await null;
        if (below(100) === 0) await runs[below(runs.length)];
      }
      await inTime(Promise.all(runs), 'all');
      assert.ok(aborted > 50);
      const { submitted, completed, cancelled, queueSize } = pool.stats();
      assert.equal(queueSize, 0);
      assert.equal(completed + cancelled, submitted);
    }));
}

test('native and script tasks of one key keep out of each other, in both orders', () =>
  using(new WorkerPool(SCRIPT, { maxThreads: 2 }), async (pool) => {
    const { native, script } = KINDS;
    for (const [one, other] of [[native, script], [script, native]]) {
      const first = one.hold(pool, { key: 'a' });
      await running(pool, 1);
      const second = other.hold(pool, { key: 'a' });
      const third = one.hold(pool, { key: 'a' });
      assert.equal(await script.quick(pool), 'quick');
      assert.equal(await native.quick(pool), 'quick');
      assert.equal(pool.stats().running, 1);
      for (const [n, each] of [first, second, third].entries()) {
        await state(pool, 1, 2 - n);
        each.end();
        await each.ended;
      }
      // The last may be a native task that goes on, which would stand for the first of the next three.
      await state(pool, 0, 0);
    }
  }));

test('a script task whose key a native task has gets a worker, though none lived meanwhile', () =>
  using(new WorkerPool(SCRIPT, { maxThreads: 2, idleTimeout: 1 }), async (pool) => {
    const { native, script } = KINDS;
    const first = native.hold(pool, { key: 'a' });
    await running(pool, 1);
    const waiting = script.quick(pool, { key: 'a' });
    // Its time to be idle is over, but for the task that waits.
    await after(30);
    first.end();
    assert.equal(await inTime(waiting, 'the task runs'), 'quick');
    await first.ended;
    // As with a native task whose key a script's task has.
    const second = script.hold(pool, { key: 'a' });
    await running(pool, 1);
    const behind = native.quick(pool, { key: 'a' });
    await after(30);
    second.end();
    assert.equal(await inTime(behind, 'the task runs'), 'quick');
    await second.ended;
  }));

test('in a script, no two tasks of a key or above a limit are ever inside at once', async () => {
  for (const [limits, options, most] of [[undefined, (room) => ({ key: `${room}` }), 1], [{ key: 3 }, (room) => ({ key: `${room}` }), 3], [{ tasks: { inside: 2 } }, () => undefined, 2]]) {
    await using(new WorkerPool(SCRIPT, { maxThreads: 3, concurrentTasksPerWorker: 4, limits }), async (pool) => {
      const cells = new Int32Array(new SharedArrayBuffer(4 * 5));
      const runs = [];
      for (let n = 0; n < 200; n++) {
        const room = limits?.tasks ? 0 : n % 4;
        runs.push(pool.run('inside', { cells, room, turns: n % 3 }, options(room)).then((seen) => ({ ...seen, room })));
      }
      const all = await Promise.all(runs);
      assert.ok(all.every(({ inRoom }) => inRoom <= most), `${JSON.stringify(limits)}`);
      if (most === 1) for (let room = 0; room < 4; room++) {
        const order = all.filter((one) => one.room === room).map(({ began }) => began);
        assert.deepEqual(order, order.toSorted?.((a, b) => a - b) ?? order, 'in order of submission');
      }
    });
  }
});

test('a limit holds for native tasks however they come: without options, with them, and as a map', () =>
  using(new WorkerPool({ maxThreads: 4, limits: { tasks: { sleep: 2, 'native:fibonacci': 1 } } }), async (pool) => {
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, pool.stats().running)), 0);
    const runs = [];
    for (let n = 0; n < 20; n++) runs.push(pool.run('sleep', 1), pool.run('sleep', 1, { priority: n % 3 }));
    runs.push(pool.map('sleep', Array(20).fill(1)), pool.map('sleep', Array(5).fill(1), { key: 'a' }));
    await Promise.all(runs);
    clearInterval(watch);
    assert.equal(most, 2);
    assert.deepEqual(await pool.map('fibonacci', [10, 20]), [55, 6765]);
    assert.deepEqual(await Promise.all(Array.from({ length: 5_000 }, () => pool.run('fibonacci', 1))), Array(5_000).fill(1));
  }));

test('a map with a key runs input by input, in order with other tasks of the key', () =>
  using(new WorkerPool(SCRIPT, { maxThreads: 3 }), async (pool) => {
    const cells = new Int32Array(new SharedArrayBuffer(8));
    const inputs = Array.from({ length: 30 }, () => ({ cells, room: 0, turns: 1 }));
    const [outputs, last] = await Promise.all([
      pool.map('inside', inputs, { key: 'a' }),
      pool.run('inside', { cells, room: 0 }, { key: 'a' }),
    ]);
    assert.ok([...outputs, last].every(({ inRoom }) => inRoom === 1));
    const began = outputs.map((output) => output.began);
    assert.deepEqual(began, [...began].sort((a, b) => a - b));
    assert.deepEqual(await pool.map('fibonacci', [1, 2, 3], { key: 'a' }), [1, 1, 2]);
  }));

test('a task of a key goes to the worker that ran the key last, if that is free', () =>
  using(new WorkerPool(SCRIPT, 3), async (pool) => {
    const keys = ['a', 'b', 'c'];
    // Each on a worker of its own.
    const gates = keys.map(() => new Gate());
    const held = keys.map((key, n) => pool.run('held', gates[n].cells, { key }));
    await until(() => gates.every((gate) => gate.begun === 1), 'all run');
    gates.forEach((gate) => gate.open());
    await Promise.all(held);
    const threads = await Promise.all(keys.map((key) => pool.run('thread', undefined, { key })));
    let moves = 0;
    for (let round = 0; round < 20; round++) {
      for (const [n, key] of keys.entries()) {
        await until(() => pool.stats().idleWorkers === 3, 'all are idle');
        const thread = await pool.run('thread', undefined, { key });
        if (thread !== threads[n]) moves++;
        threads[n] = thread;
      }
    }
    // A worker that is about to sleep may take one, and has the key then. Without a preference two of three would move.
    assert.ok(moves <= 15, `${moves} of 60 tasks went to another worker`);
    // Its worker is busy: another takes it at once, and has the key then.
    const gate = new Gate();
    const busy = pool.run('held', gate.cells, { key: 'a' });
    await until(() => gate.begun === 1, 'it is held');
    const elsewhere = await pool.run('thread', undefined, { key: 'b' });
    assert.ok(threads.includes(elsewhere));
    gate.open();
    await busy;
  }));

test('a key that its worker has died with goes on elsewhere', () =>
  using(new WorkerPool(SCRIPT, { maxThreads: 2 }), async (pool) => {
    for (const options of [{ key: 'a' }, { key: 'a', transfer: [] }]) {
      const dies = assert.rejects(pool.run('die', undefined, options), { code: 'ERR_RW_WORKER_EXITED' });
      const runs = [1, 2, 3].map(() => pool.run('thread', undefined, options));
      await dies;
      for (const thread of await inTime(Promise.all(runs), 'the others run')) assert.equal(typeof thread, 'number');
    }
  }));

test('inputs that only Node can carry wait for their key beside their worker, also when that is recycled or dies', () =>
  using(new WorkerPool(SCRIPT, { maxThreads: 2, recycle: { afterTasks: 3 } }), async (pool) => {
    const gate = new Gate();
    const first = pool.run('held', gate.cells, { key: 'a' });
    await until(() => gate.begun === 1, 'it is held');
    // A Blob goes by Node's port.
    const inputs = Array.from({ length: 6 }, (_, n) => new Blob([`${n}`]));
    const runs = inputs.map((blob) => pool.run('thread', { blob }, { key: 'a' }));
    const dies = pool.run('die').catch((error) => error.code);
    assert.equal(await dies, 'ERR_RW_WORKER_EXITED');
    gate.open();
    await first;
    for (const thread of await inTime(Promise.all(runs), 'all run')) assert.equal(typeof thread, 'number');
  }));

for (const [what, limits, options] of [['key', undefined, { key: 'a' }], ['limit', { tasks: { reads: 1 } }, undefined]]) {
  test(`what waits for its ${what} beside a free worker outlives it, with an input that only Node carries`, () =>
    using(new WorkerPool(SCRIPT, { minThreads: 2, maxThreads: 2, limits }), async (pool) => {
      await pool.ready;
      const gates = [new Gate(), new Gate()];
      const runs = gates.map(({ cells }, n) => pool.run('reads', { cells, blob: new Blob([`${n}`]) }, options));
      // Bound to different workers: of those with a limit, the one runs whose worker came first.
      await until(() => gates.some(({ begun }) => begun === 1), 'one runs');
      await inTime(pool.recycle(pool.workers.find(({ running }) => running === 0).id), 'the free worker is replaced');
      for (const gate of gates) gate.open();
      assert.deepEqual(await inTime(Promise.all(runs), 'both run'), ['0', '1']);
    }));
}

test('the options are checked, and shown', async () => {
  const pool = new WorkerPool({ limits: { tasks: { sleep: 3, '__proto__': undefined } } });
  assert.deepEqual(pool.options.limits, { key: 1, tasks: { sleep: 3 } });
  for (const key of [1, null, {}, Symbol('a')]) {
    await assert.rejects(pool.run('echo', 1, { key }), { code: 'ERR_RW_INVALID_ARG_TYPE', message: /"options\.key"/ });
    await assert.rejects(pool.map('echo', [1], { key }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  }
  assert.equal(await pool.run('echo', 1, { key: undefined }), 1);
  assert.equal(await pool.run('echo', 1, { key: '' }), 1);
  await pool.close();
  const bad = [
    [{ limits: 1 }, 'ERR_RW_INVALID_ARG_TYPE'],
    [{ limits: { keys: 1 } }, 'ERR_RW_INVALID_ARG_VALUE'],
    [{ limits: { key: 0 } }, 'ERR_RW_OUT_OF_RANGE'],
    [{ limits: { key: 'a' } }, 'ERR_RW_INVALID_ARG_TYPE'],
    [{ limits: { tasks: [] } }, 'ERR_RW_INVALID_ARG_TYPE'],
    [{ limits: { tasks: { sleep: 0 } } }, 'ERR_RW_OUT_OF_RANGE'],
    [{ limits: { tasks: { sleep: 1.5 } } }, 'ERR_RW_OUT_OF_RANGE'],
  ];
  for (const [options, code] of bad) {
    assert.throws(() => new WorkerPool(options), { code, message: /limits/ });
    assert.throws(() => new WorkerPool(SCRIPT, options), { code });
  }
  assert.throws(() => new WorkerPool({ limits: { tasks: { slep: 1 } } }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /'slep'.*sleep/ });
  assert.throws(() => new WorkerPool(SCRIPT, { limits: { tasks: { 'native:slep': 1 } } }), { code: 'ERR_RW_INVALID_ARG_VALUE' });
});
