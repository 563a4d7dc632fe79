'use strict';

// Scopes: what ends with what, what is told, and that nothing of them is left. Beside these, scope-model.test.js.

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');
const { test } = require('node:test');

const { SharedBuffer, WorkerPool, errors } = require('rust-workers');
const { busyPool, script, using } = require('../support/pools');
const { runProgram } = require('../support/child');
const { block, inTime, turns, until } = require('../support/until');

const cellsOf = () => new Int32Array(new SharedArrayBuffer(16));
const errorOf = (promise) => promise.then((value) => assert.fail(`it gave ${value}`), (error) => error);
const nativePool = () => new WorkerPool({ maxThreads: 3 });
const scriptPool = (options) => new WorkerPool(script('structure.js'), { maxThreads: 3, killTimeout: 100, ...options });

const KINDS = {
  native: { open: nativePool, endless: (scope, options) => scope.run('primes', 10_000_000_000, options), same: 'echo' },
  script: { open: scriptPool, endless: (scope, options) => scope.run('spins', cellsOf(), options), same: 'same' },
};

/** As `await using scope = …` does it. */
async function withScope(scope, body) {
  try {
    return await body(scope);
  } finally {
    await scope[Symbol.asyncDispose]();
  }
}

for (const [kind, { open, endless, same }] of Object.entries(KINDS)) {
  test(`${kind}: the first failure stops loops of the siblings, and the scope is over when their threads are free`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    let siblings;
    const failure = await errorOf(pool.scope(async (scope) => {
      siblings = [endless(scope), endless(scope)];
      await until(() => pool.stats().running === 2, 'they run');
      await scope.run('native:panic', 'boom');
    }));
    assert.equal(failure.code, 'ERR_RW_TASK_PANICKED');
    assert.equal(pool.stats().running, 0, 'no thread has anything of it');
    for (const sibling of siblings) {
      const error = await errorOf(sibling);
      assert.equal(error.name, 'AbortError');
      assert.equal(error.cause, failure, 'the reason is kept');
    }
  }));

  test(`${kind}: the first success stops the siblings`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    const first = await pool.scope({ join: 'any' }, (scope) => Promise.any([endless(scope), scope.run('native:panic', 'not this'), endless(scope), scope.run(same, 'won')]));
    assert.equal(first, 'won');
    assert.equal(pool.stats().running, 0);
    const failures = await errorOf(pool.scope({ join: 'any' }, async (scope) => {
      for (let i = 0; i < 3; i++) scope.run('native:panic', `${i}`);
    }));
    assert.ok(failures instanceof AggregateError);
    assert.deepEqual(failures.errors.map(({ code }) => code), Array(3).fill('ERR_RW_TASK_PANICKED'));
  }));

  test(`${kind}: what the block throws cancels all and wins`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    const mine = new Error('mine');
    let signal;
    const thrown = await errorOf(pool.scope(async (scope) => {
      ({ signal } = scope);
      endless(scope);
      endless(scope);
      await until(() => pool.stats().running === 2, 'they run');
      throw mine;
    }));
    assert.equal(thrown, mine);
    assert.equal(signal.reason, mine);
    assert.equal(pool.stats().running, 0);
    assert.equal(await errorOf(pool.scope(() => { throw mine; })), mine);
    assert.equal(await errorOf(pool.scope(() => Promise.reject(undefined))), undefined);
  }));

  test(`${kind}: dispose waits for all, and what began while it waits`, () => using(open(), async (pool) => {
    const done = [];
    await withScope(pool.scope(), (scope) => {
      scope.run(same, 1).then(async (value) => {
        done.push(value);
        done.push(await scope.run(same, 2));
        scope.map(same, [3, 4]).then((values) => done.push(...values));
      });
    });
    assert.deepEqual(done, [1, 2, 3, 4]);
  }));

  test(`${kind}: an outcome that nobody asked for is told once; one that was asked for is not`, () => using(open(), async (pool) => {
    const scope = pool.scope({ join: 'settled' });
    scope.run('native:panic', 'alone');
    assert.match((await errorOf(scope.close())).message, /alone/);
    assert.equal(await scope[Symbol.asyncDispose](), undefined);
    for (const ask of [(run) => run.catch(() => {}), (run) => run.then(null, () => {}), (run) => Promise.allSettled([run]), async (run) => { try { await run; } catch {} }]) {
      await pool.scope({ join: 'settled' }, async (inner) => { await ask(inner.run('native:panic', 'asked')); });
    }
    const run = pool.scope().run(same, 5);
    assert.ok(run instanceof Promise && run.then(() => 1).constructor === Promise);
    assert.equal(await run, 5);
  }));

  test(`${kind}: a deadline ends the scope and those within it; the earlier counts`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    const error = await errorOf(pool.scope({ deadline: 40 }, async (scope) => {
      for (let i = 0; i < 8; i++) endless(scope);
    }));
    assert.ok(error instanceof errors.DeadlineError, String(error));
    assert.equal(error.started, true);
    assert.equal(pool.stats().running, 0);
    const within = await errorOf(pool.scope({ deadline: 60_000 }, (outer) => outer.scope({ deadline: 30 }, async (inner) => { endless(inner); })));
    assert.ok(within instanceof errors.DeadlineError);
    const outside = await errorOf(pool.scope({ deadline: 30 }, (outer) => outer.scope({ deadline: 60_000 }, (inner) => endless(inner, { deadline: 50_000 }))));
    assert.ok(outside instanceof errors.DeadlineError);
    const { submitted } = pool.stats();
    const late = await errorOf(pool.scope({ deadline: 0 }, (scope) => scope.run(same, 1)));
    assert.deepEqual([late.code, late.started], ['ERR_RW_DEADLINE', false]);
    assert.equal(pool.stats().submitted, submitted);
  }));

  test(`${kind}: the signal of a task and that of its scope both end it, and neither ends other tasks of the other`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    const own = new AbortController();
    const outside = pool.run('native:sleep', 150, { signal: own.signal });
    const scope = pool.scope({ join: 'settled' });
    const inside = [endless(scope, { signal: own.signal }), scope.map('native:sleep', [60_000], { signal: own.signal })];
    inside.forEach((run) => run.catch(() => {}));
    await until(() => pool.stats().running === 3, 'they run');
    scope.cancel(new Error('scope'));
    for (const run of inside) assert.equal((await errorOf(run)).cause.message, 'scope');
    await scope.close();
    assert.equal(await outside, undefined);
    assert.equal(getEventListeners(own.signal, 'abort').length, 0);
    const next = pool.scope({ join: 'settled' });
    const runs = [endless(next, { signal: own.signal }), endless(next), next.map('native:sleep', [60_000], { signal: own.signal })];
    runs.forEach((run) => run.catch(() => {}));
    await until(() => pool.stats().running === 3, 'they run');
    own.abort(new Error('own'));
    assert.equal((await errorOf(runs[0])).cause.message, 'own');
    assert.equal((await errorOf(runs[2])).cause.message, 'own');
    assert.equal(next.signal.aborted, false);
    next.cancel();
    await next.close();
  }));

  test(`${kind}: one signal for ten thousand tasks, a thousand scopes, and a thousand signals: no warning, nothing left`, () => using(open(), async (pool) => {
    const warnings = [];
    const note = (warning) => warnings.push(warning);
    process.on('warning', note);
    const outer = new AbortController();
    const scope = pool.scope({ join: 'settled', signal: outer.signal });
    const runs = Array.from({ length: 10_000 }, () => scope.run('native:sleep', 60_000));
    assert.equal(getEventListeners(scope.signal, 'abort').length, 1);
    outer.abort();
    const reasons = new Set((await Promise.allSettled(runs)).map(({ reason }) => reason.name));
    assert.deepEqual([...reasons], ['AbortError']);
    await scope.close();
    assert.equal(getEventListeners(scope.signal, 'abort').length, 0);

    const shared = new AbortController();
    const scopes = Array.from({ length: 1_000 }, () => pool.scope({ signal: shared.signal }));
    await Promise.all(scopes.map((one) => one.run(same, 1)));
    assert.equal(getEventListeners(shared.signal, 'abort').length, 1);
    await Promise.all(scopes.map((one) => one.close()));
    assert.equal(getEventListeners(shared.signal, 'abort').length, 0);

    const many = pool.scope();
    const controllers = Array.from({ length: 1_000 }, () => new AbortController());
    await Promise.all(controllers.map(({ signal }, index) => many.run(same, index, { signal })));
    await many.close();
    for (const { signal } of [...controllers, many]) assert.equal(getEventListeners(signal, 'abort').length, 0);
    await turns(2);
    process.off('warning', note);
    assert.deepEqual(warnings, []);
  }));

  test(`${kind}: a map and a stream of a scope end with it`, () => using(open(), async (pool) => {
    await pool.run(same, 1);
    let closed = 0;
    async function* source() {
      try {
        for (;;) yield 1;
      } finally {
        closed++;
      }
    }
    assert.deepEqual(await pool.scope((scope) => scope.map(same, [1, 2, 3])), [1, 2, 3]);
    const mine = new Error('enough');
    let mapped;
    assert.equal(await errorOf(pool.scope(async (scope) => {
      mapped = scope.map(same, source());
      await until(() => pool.stats().completed > 50, 'it is under way');
      throw mine;
    })), mine);
    assert.equal((await errorOf(mapped)).cause, mine);
    await until(() => closed === 1, 'the source is closed');
    assert.equal(pool.stats().running, 0);
    // One that nobody reads to its end is ended with the block.
    const outputs = await pool.scope(async (scope) => {
      const stream = scope.stream(same, source());
      assert.equal((await stream.next()).value, 1);
      return stream;
    });
    assert.deepEqual(await outputs.next(), { done: true, value: undefined });
    await until(() => closed === 2, 'the source is closed');
    assert.equal(pool.stats().running + pool.queueSize, 0);
    const stopped = await errorOf(pool.scope(async (scope) => {
      for await (const _ of scope.stream(same, source())) scope.cancel(mine);
    }));
    assert.equal(stopped.cause, mine);
  }));

  test(`${kind}: the pool is destroyed in the middle, and a closed pool`, async () => {
    const pool = open();
    await pool.run(same, 1);
    const scope = pool.scope({ join: 'settled' });
    endless(scope);
    scope.run(same, 1);
    await until(() => pool.stats().running > 0, 'it runs');
    const closing = scope.close();
    pool.destroy();
    const lost = await errorOf(closing);
    for (const { code } of lost.errors ?? [lost]) assert.equal(code, 'ERR_RW_POOL_CLOSED');
    assert.equal((await errorOf(pool.scope((late) => late.run(same, 1)))).code, 'ERR_RW_POOL_CLOSED');
    await pool.close();
  });
}

test('a loop that does not look costs its worker, and the scope is over when that has ended', () => using(scriptPool(), async (pool) => {
  await pool.run('same', 1);
  const cells = cellsOf();
  const mine = new Error('mine');
  const ended = [];
  pool.on('workerDestroy', () => ended.push(1));
  assert.equal(await errorOf(pool.scope(async (scope) => {
    scope.run('loops', cells);
    await until(() => cells[0] === 1, 'it loops');
    throw mine;
  })), mine);
  assert.equal(ended.length, 1);
  assert.equal(pool.stats().running, 0);
}));

test('a task that waits for the exports of its script, and one that waits for room, end with the scope', async () => {
  await using(scriptPool({ maxThreads: 1 }), async (pool) => {
    // A native task has the name too, so the exports decide.
    const held = pool.scope();
    const run = held.run('echo', 1);
    run.catch(() => {});
    held.cancel(new Error('held'));
    assert.equal((await errorOf(run)).cause.message, 'held');
    await held.close();
    assert.equal(await pool.scope((scope) => scope.run('echo', { a: 1 }).then(({ a }) => a)), 1);
  });
  const { pool, free } = await busyPool({ maxQueue: 1 });
  await using(pool, async () => {
    const filler = pool.run('echo', 1);
    const scope = pool.scope();
    const mapped = scope.map('echo', (async function* () { yield* [1, 2, 3]; })());
    mapped.catch(() => {});
    await turns(5);
    scope.cancel(new Error('no room'));
    assert.equal((await errorOf(mapped)).cause.message, 'no room');
    await inTime(scope.close(), 'the scope closes');
    // A full queue is a failure like any other.
    const refused = await errorOf(pool.scope((full) => full.run('echo', { kept: 1 })));
    assert.equal(refused.code, 'ERR_RW_QUEUE_FULL');
    assert.deepEqual(refused.input, { kept: 1 });
    free();
    assert.equal(await filler, 1);
  });
});

test('nested: a failure within is a failure of the outer scope, and a cancelled outer scope cancels what is within', () => using(nativePool(), async (pool) => {
  let sibling;
  const failure = await errorOf(pool.scope(async (outer) => {
    sibling = outer.run('sleep', 60_000);
    outer.scope((inner) => inner.run('panic', 'deep'));
  }));
  assert.match(failure.message, /deep/);
  assert.equal((await errorOf(sibling)).cause, failure);
  const reason = new Error('outer');
  const outer = pool.scope();
  const inner = outer.scope({ join: 'settled' });
  const innermost = inner.scope();
  const run = innermost.run('sleep', 60_000);
  run.catch(() => {});
  outer.cancel(reason);
  assert.equal((await errorOf(run)).cause, reason);
  assert.deepEqual([inner.signal.reason, innermost.signal.reason], [reason, reason]);
  assert.equal(outer.scope().signal.reason, reason, 'also one that is opened afterwards');
  await outer.close();
  assert.ok(inner.closed && innermost.closed);
  assert.throws(() => outer.scope(), { code: 'ERR_RW_SCOPE_CLOSED' });
}));

test('priorities: a scope’s, one of a scope within, and a task’s own', async () => {
  const { pool, free } = await busyPool();
  await using(pool, async () => {
    // Each takes a number when it runs: promises of a scope are settled some microtasks later than others.
    const counted = { buffer: new SharedBuffer(8), index: 0 };
    const order = [];
    const put = (from, name, options) => from.run('atomicAdd', counted, options).then((place) => (order[place - 1] = name));
    const scope = pool.scope({ priority: 5 });
    const within = scope.scope();
    const lower = scope.scope({ priority: -1 });
    const all = [
      put(pool, 'plain'), put(lower, 'lower'), put(scope, 'scope'), put(within, 'within'), put(scope, 'own', { priority: 9 }),
      put(scope, 'zero', { priority: 0 }),
    ];
    free();
    await Promise.all(all);
    assert.deepEqual(order, ['own', 'scope', 'within', 'plain', 'zero', 'lower']);
    await scope.close();
  });
});

test('runTimeout of a scope is that of each task', () => using(nativePool(), async (pool) => {
  const scope = pool.scope({ join: 'settled', runTimeout: 20 });
  assert.match((await errorOf(scope.run('sleep', 60_000))).message, /ran for longer than 20 ms/);
  assert.equal(await scope.run('sleep', 60, { runTimeout: 60_000 }), undefined);
  await scope.close();
}));

test('options are read once, of plain objects, frozen ones and instances; wrong ones reject, or are thrown', () => using(nativePool(), async (pool) => {
  const scope = pool.scope({ join: 'settled' });
  let reads = 0;
  class Options {
    #priority = 3;
    get priority() {
      reads++;
      return this.#priority;
    }
  }
  assert.equal(await scope.run('echo', 1, new Options()), 1);
  assert.equal(await scope.run('echo', 2, Object.freeze({ get timeout() { reads++; return 60_000; } })), 2);
  assert.equal(await scope.run('echo', 3, Object.assign(Object.create(null), { priority: 1 })), 3);
  assert.equal(reads, 2);
  await assert.rejects(scope.run('echo', 1, { priorty: 1 }), /did you mean 'priority'/);
  await assert.rejects(scope.run('echo', 1, 5), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  const thrown = new Error('getter');
  await assert.rejects(scope.run('echo', 1, { get signal() { throw thrown; } }), thrown);
  await assert.rejects(scope.run('echo', { get a() { throw thrown; } }), thrown);
  await scope.close();
  for (const [options, message] of [[{ joins: 'all' }, /did you mean 'join'/], [{ join: 'first' }, /'all', 'any' or 'settled'/], [{ signal: 1 }, /AbortSignal/], [{ deadline: 1e12 }, /new Date/], [{ priority: 0.5 }, /priority/], [{ runTimeout: -1 }, /runTimeout/], [[], /object/]]) {
    assert.throws(() => pool.scope(options), message);
    await assert.rejects(pool.scope(options, () => {}), message);
  }
  await assert.rejects(pool.scope({}, 5), /"block" argument must be a function/);
}));

test('code of the program that runs while a scope ends: closes, cancels and opens', () => using(nativePool(), async (pool) => {
  const scope = pool.scope({ join: 'settled' });
  const late = [];
  scope.signal.addEventListener('abort', () => {
    scope.cancel();
    scope.close();
    late.push(scope.run('echo', 1), scope.scope().run('echo', 2));
  });
  const run = scope.run('sleep', 60_000);
  scope.cancel(new Error('why'));
  for (const one of [run, ...late]) assert.equal((await errorOf(one)).cause.message, 'why');
  await inTime(scope.close(), 'it closes');
  // A getter of an input closes the scope that it is submitted in.
  const other = pool.scope();
  assert.deepEqual(await other.run('echo', { get a() { other.close(); return 1; } }), { a: 1 });
  await other.close();
}));

test('a task that is cancelled while this thread is blocked, and one that ended in time', () => using(nativePool(), async (pool) => {
  const scope = pool.scope({ join: 'settled', deadline: 60 });
  const quick = scope.run('echo', 1);
  const slow = scope.run('sleep', 60_000);
  slow.catch(() => {});
  block(120);
  assert.equal(await quick, 1);
  assert.equal((await errorOf(slow)).code, 'ERR_RW_DEADLINE');
  await scope.close();
}));

test('errors beside that of the block are warned of, once', () => using(nativePool(), async (pool) => {
  const warnings = [];
  const note = (warning) => warnings.push(warning.message);
  process.on('warning', note);
  const mine = new Error('mine');
  assert.equal(await errorOf(pool.scope({ join: 'settled' }, async (scope) => {
    const failing = scope.run('panic', 'beside');
    await Promise.prototype.then.call(failing, () => {}, () => {});
    throw mine;
  })), mine);
  await until(() => warnings.length > 0, 'the warning');
  process.off('warning', note);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /block of a scope has thrown, and beside that .*beside/);
}));

test('a listener of the signal of a scope that throws is uncaught, and the scope ends all the same; nobody has to await anything', async () => {
  const { code, stdout, stderr } = await runProgram(process.execPath, async ({ load }) => {
    const { WorkerPool } = load();
    const seen = [];
    process.on('uncaughtException', (error, origin) => seen.push(`${origin}: ${error.message}`));
    const pool = new WorkerPool({ maxThreads: 1 });
    const scope = pool.scope();
    scope.signal.addEventListener('abort', () => {
      throw new Error('listener');
    });
    scope.run('sleep', 60_000);
    scope.run('panic', 'x');
    scope.cancel(new Error('why'));
    await scope.close();
    // An outcome of which a part is awaited is the program's own affair.
    pool.scope({ join: 'settled' }).run('panic', 'mine').then(() => {});
    await pool.close();
    await new Promise(setImmediate);
    console.log(seen.join('\n'));
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^uncaughtException: listener\nunhandledRejection: .*mine/);
});

test('exec, forEach, reduce and iterate of a scope', () => using(scriptPool(), async (pool) => {
  const seen = await pool.scope(async (scope) => {
    const cells = cellsOf();
    const parts = scope.iterate('parts', cells);
    const first = (await parts.next()).value;
    const of = [await scope.exec((a, b) => a + b, [1, 2]), await scope.forEach('same', [1, 2, 3]), await scope.reduce('adds', [1, 2, 3], 10), first];
    assert.equal(cells[1], 0);
    return { of, cells, parts };
  });
  assert.deepEqual(seen.of, [3, 3, 16, 0]);
  assert.deepEqual([seen.cells[0], seen.cells[1]], [1, 1], 'what was not read to its end has ended with the scope');
  assert.deepEqual(await seen.parts.next(), { done: true, value: undefined });
  assert.equal(pool.stats().running, 0);
  const calls = {
    exec: (scope) => scope.exec(() => { for (;;); }),
    forEach: (scope) => scope.forEach('spins', [cellsOf()]),
    reduce: (scope) => scope.reduce('loops', [cellsOf()], cellsOf()),
    async iterate(scope) {
      for await (const _ of scope.iterate('parts', cellsOf()));
    },
  };
  for (const [name, call] of Object.entries(calls)) {
    const mine = new Error(name);
    assert.equal(await errorOf(pool.scope(async (scope) => {
      call(scope).catch(() => {});
      await until(() => pool.stats().running === 1, `${name} runs`);
      throw mine;
    })), mine);
    assert.equal(pool.stats().running, 0, `${name}: nothing is left`);
    assert.equal((await errorOf(pool.scope({ deadline: 0 }, (scope) => call(scope)))).code, 'ERR_RW_DEADLINE', name);
  }
  const scope = pool.scope();
  await scope.close();
  for (const name of ['exec', 'forEach', 'reduce']) await assert.rejects(scope[name](() => {}, []), { code: 'ERR_RW_SCOPE_CLOSED' });
  assert.throws(() => scope.iterate('parts'), { code: 'ERR_RW_SCOPE_CLOSED' });
}));


test('what a block throws is thrown as it is, also a promise', () => using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
  const never = { then() {} };
  for (const thrown of [never, Promise.resolve('not its value'), undefined]) {
    const outcome = pool.scope(async (scope) => {
      scope.run('sleep', 60_000).catch(() => {});
      throw thrown;
    }).then(() => assert.fail('it was thrown'), (error) => ({ error }));
    assert.equal((await inTime(outcome, 'it is thrown')).error, thrown);
    assert.equal(pool.stats().running, 0);
  }
}));
