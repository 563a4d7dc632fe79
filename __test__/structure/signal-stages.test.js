'use strict';

// A signal that aborts at every stage of a task: the promise is rejected once, `cause` is the signal's reason, and nothing is left.

const assert = require('node:assert/strict');
const { getEventListeners, once } = require('node:events');
const { setTimeout: after } = require('node:timers/promises');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { busyPool, script, using } = require('../support/pools');
const { createRandom } = require('../support/random-values');
const { blockUntil, inTime, turns, until } = require('../support/until');

const cellsOf = () => new Int32Array(new SharedArrayBuffer(16));
const scriptPool = (options) => new WorkerPool(script('structure.js'), { maxThreads: 1, killTimeout: 5_000, ...options });

/** How a task is run, by its kind and its call: each gives a promise. */
const CALLS = {
  native: {
    run: (pool, options) => pool.run('native:sleep', 60_000, options),
    map: (pool, options) => pool.map('native:sleep', [60_000, 60_000], options),
    'map of an async source': (pool, options) => pool.map('native:sleep', (async function* () { yield 60_000; })(), options),
    stream: (pool, options) => pool.stream('native:sleep', [60_000], options).next(),
  },
  script: {
    run: (pool, options) => pool.run('waits', cellsOf(), options),
    'synchronous loop': (pool, options) => pool.run('spins', cellsOf(), options),
    map: (pool, options) => pool.map('waits', [cellsOf(), cellsOf()], options),
    stream: (pool, options) => pool.stream('waits', [cellsOf()], options).next(),
  },
};

const REASONS = { error: new Error('why'), text: 'why', nothing: null, number: 0, object: Object.freeze({ why: 1 }) };

/** The outcome of a call whose signal aborts for this reason. */
async function rejects(promise, reason, about) {
  const error = await inTime(promise.then((value) => assert.fail(`${about}: it gave ${value}`), (thrown) => thrown), about);
  assert.equal(error.name, 'AbortError', about);
  assert.equal(error.code, 'ERR_RW_TASK_CANCELLED', about);
  assert.ok('cause' in error, about);
  assert.equal(error.cause, reason, about);
}

async function isFree(pool, about) {
  await until(() => pool.stats().running === 0 && pool.queueSize === 0, `${about}: nothing is left`);
}

for (const [kind, calls] of Object.entries(CALLS)) {
  const open = kind === 'native' ? () => new WorkerPool({ maxThreads: 1 }) : scriptPool;
  const warm = (pool) => pool.run(kind === 'native' ? 'echo' : 'same', 1);

  for (const [call, begin] of Object.entries(calls)) {
    test(`${kind}, ${call}: before, in the queue, just taken, running, answered and delivered`, () => using(open(), async (pool) => {
      await warm(pool);
      for (const [name, reason] of Object.entries(REASONS)) {
        const about = `${call}, ${name}`;
        const { submitted } = pool.stats();
        await rejects(begin(pool, { signal: AbortSignal.abort(reason) }), reason, `${about}: before`);
        assert.equal(pool.stats().submitted, submitted, about);

        // In the queue, behind one that runs; and just taken, as soon as it can be seen.
        const [first, second] = [new AbortController(), new AbortController()];
        const running = begin(pool, { signal: first.signal });
        running.catch(() => {});
        await until(() => pool.stats().running > 0, `${about}: it runs`);
        const waiting = begin(pool, { signal: second.signal });
        waiting.catch(() => {});
        await turns(2);
        second.abort(reason);
        await rejects(waiting, reason, `${about}: in the queue`);
        first.abort(reason);
        await rejects(running, reason, `${about}: running`);
        await isFree(pool, about);

        const third = new AbortController();
        const taken = begin(pool, { signal: third.signal });
        taken.catch(() => {});
        if (!call.includes('async')) blockUntil(() => pool.stats().running > 0, `${about}: it is taken`);
        third.abort(reason);
        await rejects(taken, reason, `${about}: just taken`);
        for (const { signal } of [first, second, third]) assert.equal(getEventListeners(signal, 'abort').length, 0, about);
        await isFree(pool, about);
      }
      assert.equal(await warm(pool), 1);
    }));
  }

  test(`${kind}: without a reason it is the signal’s own, a DOMException`, () => using(open(), async (pool) => {
    const { signal } = Object.assign(new AbortController());
    assert.equal(signal.aborted, false);
    const aborted = AbortSignal.abort();
    await rejects(Object.values(calls)[0](pool, { signal: aborted }), aborted.reason, 'no reason');
    const late = AbortSignal.timeout(1);
    const error = await Object.values(calls)[0](pool, { signal: late }).catch((thrown) => thrown);
    assert.equal(error.cause, late.reason);
    assert.equal(error.cause.name, 'TimeoutError');
    // As Node's own functions have it; `fetch` rejects with the reason itself.
    const nodes = await after(60_000, undefined, { signal: AbortSignal.abort(REASONS.error) }).catch((thrown) => thrown);
    assert.deepEqual([nodes.name, nodes.cause], ['AbortError', REASONS.error]);
    assert.equal(await fetch('data:,', { signal: AbortSignal.abort(REASONS.error) }).catch((thrown) => thrown), REASONS.error);
  }));

  test(`${kind}: answered and not delivered; delivered`, () => using(open(), async (pool) => {
    await warm(pool);
    const reason = new Error('too late to be of use');
    const quick = {
      run: (options) => pool.run(kind === 'native' ? 'echo' : 'same', 7, options),
      map: (options) => pool.map(kind === 'native' ? 'echo' : 'same', [7], options),
    };
    for (const [call, begin] of Object.entries(quick)) {
      for (const shared of [false, true]) {
        const about = `${call}, ${shared ? 'a shared signal' : 'its own'}`;
        const stop = new AbortController();
        const others = shared ? [begin({ signal: stop.signal }), begin({ signal: stop.signal })] : [];
        others.forEach((other) => other.catch(() => {}));
        const { completed } = pool.stats();
        const run = begin({ signal: stop.signal });
        run.catch(() => {});
        // A map of a script is answered input by input, in turns of the loop.
        blockUntil(() => pool.stats().completed > completed, `${about}: it is answered`);
        stop.abort(reason);
        await rejects(run, reason, about);

        const next = new AbortController();
        const value = await begin({ signal: next.signal });
        assert.deepEqual([value].flat(), [7]);
        assert.equal(getEventListeners(next.signal, 'abort').length, 0, about);
        next.abort(reason);
        await turns(2);
      }
    }
    await isFree(pool, 'at the end');
  }));

  test(`${kind}: while the input is read, and while the options are`, () => using(open(), async (pool) => {
    const reason = new Error('in a getter');
    for (const call of ['run', 'map']) {
      const stop = new AbortController();
      const input = { get a() { stop.abort(reason); return 1; } };
      const name = kind === 'native' ? 'echo' : 'same';
      await rejects(call === 'run' ? pool.run(name, input, { signal: stop.signal }) : pool.map(name, [input], { signal: stop.signal }), reason, call);
      const other = new AbortController();
      const options = { get priority() { other.abort(reason); return 1; }, signal: other.signal };
      await rejects(call === 'run' ? pool.run(name, 1, options) : pool.map(name, [1], options), reason, `${call}, options`);
    }
    assert.equal(pool.stats().submitted, 0);
  }));

  test(`${kind}: at any moment, a thousand times: settled once, and counted once`, () => using(open(), async (pool) => {
    await warm(pool);
    const random = createRandom(7);
    const outcomes = { value: 0, aborted: 0 };
    const before = pool.stats();
    for (let round = 0; round < 1_000; round++) {
      const stop = new AbortController();
      const reason = { round };
      const runs = Array.from({ length: 1 + random(3) }, () => pool.run(kind === 'native' ? 'echo' : 'same', random(2) ? 7 : { a: 7 }, { signal: stop.signal }));
      const settled = Promise.allSettled(runs);
      // On a busy machine nothing would end within some turns.
      if (random(3) === 0) await Promise.race(runs);
      for (let turn = random(4); turn > 0; turn--) await null;
      for (let turn = random(3); turn > 0; turn--) await new Promise(setImmediate);
      stop.abort(reason);
      for (const outcome of await settled) {
        if (outcome.status === 'fulfilled') outcomes.value++;
        else {
          assert.equal(outcome.reason.cause, reason);
          outcomes.aborted++;
        }
      }
      assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
    }
    await isFree(pool, 'at the end');
    assert.ok(outcomes.value > 100 && outcomes.aborted > 100, JSON.stringify(outcomes));
    const { submitted, completed, failed, cancelled } = pool.stats();
    assert.equal(failed, 0);
    assert.equal(completed + cancelled - before.completed - before.cancelled, submitted - before.submitted);
  }));
}

test('while it waits for the exports of its script', async () => {
  const reason = new Error('exports');
  for (const call of ['run', 'map', 'stream']) {
    await using(scriptPool(), async (pool) => {
      // A native task has the name, so the exports decide whose it is.
      const stop = new AbortController();
      const { signal } = stop;
      const run = call === 'run' ? pool.run('echo', 1, { signal }) : call === 'map' ? pool.map('echo', [1, 2], { signal }) : pool.stream('echo', [1], { signal }).next();
      run.catch(() => {});
      await turns(1);
      stop.abort(reason);
      await rejects(run, reason, call);
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      assert.equal(await pool.run('echo', 5), 5);
    });
  }
});

test('while it waits for room in the queue', async () => {
  const reason = new Error('no room');
  for (const call of ['map', 'stream']) {
    const { pool, free } = await busyPool({ maxQueue: 1 });
    await using(pool, async () => {
      const filler = pool.run('echo', 1);
      const stop = new AbortController();
      const { signal } = stop;
      const source = (async function* () { yield* [1, 2, 3]; })();
      const run = call === 'map' ? pool.map('echo', source, { signal }) : pool.stream('echo', source, { signal }).next();
      run.catch(() => {});
      await turns(5);
      stop.abort(reason);
      await rejects(run, reason, call);
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      free();
      assert.equal(await filler, 1);
    });
  }
});

test('while an input is on its way by Node’s port', () => using(scriptPool(), async (pool) => {
  const reason = new Error('on its way');
  await pool.run('same', 1);
  for (const wait of [0, 1, 2]) {
    const stop = new AbortController();
    const { port1, port2 } = new MessageChannel();
    const run = pool.run('same', { port: port2, blob: new Blob(['x']) }, { signal: stop.signal, transfer: [port2] });
    run.catch(() => {});
    const closed = once(port1, 'close');
    port1.start?.();
    await turns(wait);
    stop.abort(reason);
    const outcome = await run.then(() => 'answered', (error) => error.cause);
    assert.ok(outcome === reason || outcome === 'answered', String(outcome));
    port1.close();
    await closed;
  }
  await isFree(pool, 'at the end');
  assert.equal(await pool.run('same', 5), 5);
}));

test('a thousand tasks, each with a signal of its own, at all stages at once', () => using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
  const warnings = [];
  const note = (warning) => warnings.push(warning);
  process.on('warning', note);
  const stops = Array.from({ length: 1_000 }, () => new AbortController());
  const runs = stops.map(({ signal }, index) => pool.run('sleep', index % 3 ? 60_000 : 0, { signal }));
  const settled = Promise.allSettled(runs);
  for (const [index, stop] of stops.entries()) {
    if (index % 50 === 0) await turns(1);
    stop.abort(index);
  }
  for (const [index, { status, reason }] of (await settled).entries()) if (status === 'rejected') assert.equal(reason.cause, index);
  for (const { signal } of stops) assert.equal(getEventListeners(signal, 'abort').length, 0);
  await isFree(pool, 'at the end');
  await turns(2);
  process.off('warning', note);
  assert.deepEqual(warnings, []);
}));
