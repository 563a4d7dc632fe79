'use strict';

// Functions of the host that light code calls, from end to end.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { after, before, describe, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { WorkerPool } = require('rust-workers');
const { script } = require('../support/pools');
const { inTime, until } = require('../support/until');

let pool;
before(() => {
  pool = new WorkerPool({ maxThreads: 1 });
});
after(() => pool.close());

const never = () => new Promise(() => {});

/** Calls `f` of a light object that is closed afterwards. */
async function once(f, host, { args = [], on = pool, options, ...more } = {}) {
  const light = on.light({ f }, { host, ...more });
  try {
    return await inTime((options === undefined ? light : light.with(options)).f(...args), f);
  } finally {
    await light.close();
  }
}

const describeError = '(e) => [e.name, e.message, e.code, e instanceof Error, Object.keys(e).sort()]';

describe('what a function of the host gives', () => {
  const VALUES = [
    undefined, null, 0, -0, NaN, 'text', '\ud800', 2n ** 70n, true, [1, , 3], { a: { b: [] } }, new Date(5), new Map([[1, new Set([2])]]),
    new Uint8Array([1, 2]), new Float64Array(2000).fill(1.5), new ArrayBuffer(3), new Array(20_000).fill('x'),
  ];

  test('values go and come as a call in one thread has them', async () => {
    const light = pool.light({ f: 'async (value) => await same(value)', g: 'async (...all) => await count(...all)' }, {
      host: { same: (value) => value, count: (...all) => all.length },
    });
    for (const value of VALUES) assert.deepEqual(await light.f(value), structuredClone(Array.isArray(value) ? [...value] : value));
    assert.deepEqual([await light.g(), await light.g(1), await light.g(1, undefined, 3)], [0, 1, 3]);
    await light.close();
  });

  test('at once, later, by a thenable; without await it is a promise', async () => {
    const host = { now: () => 1, later: async () => (await sleep(1), 2), thenable: () => ({ then: (resolve) => resolve(3) }) };
    const source = 'async () => [await now(), await later(), await thenable(), now() instanceof Promise, await Promise.all([now(), later()])]';
    assert.deepEqual(await once(source, host), [1, 2, 3, true, [1, 2]]);
  });

  test('the object passed is a copy, as is the one returned', async () => {
    const kept = { n: 1 };
    let seen;
    const host = { give: () => kept, take: (value) => ((seen = value), (value.n = 9), undefined) };
    const source = 'async () => { const a = { n: 5 }; await take(a); const b = await give(); b.n = 7; return [a.n, b.n, (await give()).n] }';
    assert.deepEqual(await once(source, host), [5, 7, 1]);
    assert.deepEqual([kept.n, seen.n], [1, 9]);
  });

  test('the async context is that of the call, and `this` has a signal alone', async () => {
    const storage = new AsyncLocalStorage();
    let self;
    const host = {
      who() {
        self = this;
        return storage.getStore();
      },
    };
    const light = pool.light({ f: 'async () => await who()' }, { host });
    const found = await Promise.all(['a', 'b'].map((name) => storage.run(name, () => light.f())));
    await light.close();
    assert.deepEqual(found, ['a', 'b']);
    assert.deepEqual(Object.keys(self), ['signal']);
    assert.ok(self.signal instanceof AbortSignal && !self.signal.aborted);
  });
});

describe('errors of the host', () => {
  test('name, message, code and class arrive; what is thrown as it is', async () => {
    const host = {
      mine() {
        throw Object.assign(new RangeError('too far'), { code: 'E_MINE' });
      },
      rejects: () => Promise.reject(new TypeError('later')),
      text: () => Promise.reject('a text'),
      nothing: () => Promise.reject(undefined),
    };
    const caught = (name) => once(`async () => { try { await ${name}() } catch (e) { return (${describeError})(Object(e)) } }`, host);
    assert.deepEqual(await caught('mine'), ['RangeError', 'too far', 'E_MINE', true, ['code']]);
    assert.deepEqual((await caught('rejects')).slice(0, 2), ['TypeError', 'later']);
    assert.equal(await once('async () => { try { await text() } catch (e) { return e } }', host), 'a text');
    assert.deepEqual(await once('async () => { try { await nothing() } catch (e) { return [e] } }', host), [undefined]);
  });

  test('one that nobody catches ends the call as it was', async () => {
    const host = { fails: () => Promise.reject(Object.assign(new RangeError('r'), { code: 'E_R' })) };
    await assert.rejects(once('async () => { await fails() }', host), { name: 'RangeError', message: 'r', code: 'E_R' });
    await assert.rejects(once('() => { fails(); return 1 }', host), { name: 'RangeError', code: 'E_R' });
  });

  test('what cannot cross is refused, one way and the other, and the code may go on', async () => {
    let called = 0;
    const host = { take: () => void called++, fn: () => () => 1, symbol: () => Symbol('s'), deep: () => deep(300), cyclic: () => { const a = {}; a.a = a; return a } };
    const code = (call) => `async () => { try { await ${call}; return 'nothing' } catch (e) { return [e instanceof Error, e.message.length > 0] } }`;
    for (const call of ['take(() => 1)', 'take(Symbol("x"))', 'take((() => { const a = {}; a.a = a; return a })())', 'take([Promise.resolve()])', 'fn()', 'symbol()', 'deep()']) {
      assert.deepEqual(await once(code(call), host), [true, true], call);
    }
    assert.equal(called, 0);
    // A cycle crosses to a thread of JavaScript, and not to light code.
    assert.deepEqual(await once(code('cyclic()'), host), [true, true]);
  });

  test('errors that are hard to read do not end the process', async () => {
    const host = {
      getter: () => Promise.reject({ get message() { throw new Error('inside') } }),
      proxy: () => Promise.reject(new Proxy(new Error('x'), { get() { throw new Error('trap') } })),
      withFunction: () => Promise.reject(Object.assign(new TypeError('with a function'), { fn() {}, code: 'E_ODD' })),
      thenable: () => ({ get then() { throw new RangeError('then') } }),
      own: () => ({ get a() { throw new RangeError('a') } }),
    };
    for (const name of Object.keys(host)) {
      const found = await once(`async () => { try { await ${name}(); return 'nothing' } catch (e) { return typeof e } }`, host);
      assert.notEqual(found, 'nothing', name);
    }
  });
});

const deep = (levels) => {
  let value = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
};

describe('ends', () => {
  /** A host whose function hangs, and how often it has begun and was told to stop. */
  const hanging = () => {
    const seen = { begun: 0, told: 0 };
    return {
      seen,
      host: {
        hangs() {
          seen.begun++;
          this.signal.addEventListener('abort', () => seen.told++);
          return never();
        },
      },
    };
  };
  const HANGS = 'async () => { try { await hangs() } catch { for (;;); } finally { for (;;); } }';

  test('a signal, the timeout of the object, a timeout and a deadline end the wait at once', async () => {
    const { seen, host } = hanging();
    const light = pool.light({ f: HANGS, g: '() => 1' }, { host, timeout: 30 });
    await assert.rejects(inTime(light.f()), { code: 'ERR_RW_TASK_TIMEOUT' });
    const long = pool.light({ f: HANGS }, { host });
    await assert.rejects(inTime(long.with({ runTimeout: 30 }).f()), { code: 'ERR_RW_TASK_TIMEOUT' });
    await assert.rejects(inTime(long.with({ timeout: 30 }).f()), (error) => error.name === 'TimeoutError' || error.code === 'ERR_RW_TASK_TIMEOUT');
    await assert.rejects(inTime(long.with({ deadline: Date.now() + 30 }).f()), (error) => /^ERR_RW_/.test(error.code) || error.name === 'TimeoutError');
    const abort = new AbortController();
    const before = seen.begun;
    const running = long.with({ signal: abort.signal }).f();
    await until(() => seen.begun > before, 'the call of the host');
    abort.abort();
    await assert.rejects(inTime(running), { name: 'AbortError' });
    await until(() => seen.told === seen.begun, 'the signals');
    assert.equal(await light.g(), 1);
    await Promise.all([light.close(), long.close()]);
  });

  test('an answer that comes too late is dropped', async () => {
    let release;
    const light = pool.light({ f: 'async () => await slow()', g: '() => 1' }, { host: { slow: () => new Promise((resolve) => (release = resolve)) }, timeout: 20 });
    await assert.rejects(inTime(light.f()), { code: 'ERR_RW_TASK_TIMEOUT' });
    release(5);
    assert.equal(await light.g(), 1);
    await light.close();
  });

  test('the light object is closed: it waits; the pool is closed: it waits; destroyed: the call ends', async () => {
    for (const [end, settles] of [['close', true], ['destroy', false]]) {
      const own = new WorkerPool({ maxThreads: 1 });
      let release;
      let begun = false;
      const light = own.light({ f: 'async () => [await slow(), await fast()]' }, {
        host: { slow: () => ((begun = true), new Promise((resolve) => (release = resolve))), fast: () => 2 },
      });
      const running = light.f().then((value) => ({ value }), (error) => ({ error }));
      await until(() => begun, 'the call of the host');
      const closed = own[end]();
      await sleep(5);
      release(1);
      const { value, error } = await inTime(running, end);
      await inTime(closed, end);
      if (settles) assert.deepEqual(value, [1, 2]);
      else assert.match(error.code ?? error.name, /^ERR_RW_POOL_|AbortError/);
    }
    const light = pool.light({ f: 'async () => await slow()' }, { host: { slow: () => sleep(20, 7) } });
    const running = light.f();
    await light.ready;
    await inTime(light.close());
    assert.equal(await running, 7);
  });

  test('a process with a call that never ends, ends by process.exit', () => {
    const { spawnSync } = require('node:child_process');
    const program = `const { WorkerPool } = require(${JSON.stringify(require.resolve('rust-workers'))});
      const light = new WorkerPool({ maxThreads: 1 }).light({ f: 'async () => await hangs()' }, { host: { hangs: () => { setTimeout(() => process.exit(3), 5); return new Promise(() => {}) } } });
      light.f().catch(() => {});`;
    const { status, signal, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
    assert.deepEqual({ status, signal, stderr }, { status: 3, signal: null, stderr: '' });
  });
});

describe('no deadlock', () => {
  test('all tasks of a pool of one thread wait for the host at once', async () => {
    let waiting = 0;
    let release;
    const all = new Promise((resolve) => (release = resolve));
    const host = { gather: async (n) => (++waiting === 40 && release(), await all, n * 2) };
    const light = pool.light({ f: 'async (n) => await gather(n)' }, { host });
    const found = await inTime(Promise.all(Array.from({ length: 40 }, (_, n) => light.f(n))));
    assert.deepEqual(found, Array.from({ length: 40 }, (_, n) => n * 2));
    await light.close();
  });

  test('the host calls the same light object again, and native tasks, one inside of the other', async () => {
    const light = pool.light({ f: 'async (n) => n === 0 ? 0 : 1 + await again(n - 1)' }, {
      host: { again: async (n) => (await light.f(n)) + (await pool.run('echo', 0)) },
    });
    assert.equal(await inTime(light.f(30)), 30);
    assert.deepEqual(await inTime(Promise.all([1, 5, 9].map((n) => light.f(n)))), [1, 5, 9]);
    await light.close();
  });

  test('state is that of the thread while a call waits for the host', async () => {
    const light = pool.light({ f: 'async (n) => { globalThis.seen = n; const other = await again(n); return [seen, other] }' }, {
      host: { again: async (n) => (n > 0 ? await light.f(n - 1) : null) }, state: true,
    });
    assert.deepEqual(await inTime(light.f(2)), [2, [1, [0, null]]]);
    await light.close();
  });

  test('functions of workers: light code of a pool with a script calls its host alone', async () => {
    const scripted = new WorkerPool(script('functions.js'), { maxThreads: 1 });
    const light = scripted.light({ f: 'async (n) => await half(n)' }, { host: { half: async (n) => n / 2 } });
    assert.equal(await inTime(light.f(8)), 4);
    await light.close();
    await scripted.close();
  });
});

test('ten thousand calls of the host, in order', async () => {
  const light = pool.light({ f: 'async (count) => { let n = 0; for (let i = 0; i < count; i++) n = await next(n); return n }' }, { host: { next: (n) => n + 1 } });
  assert.equal(await inTime(light.f(10_000), 'ten thousand'), 10_000);
  await light.close();
});
