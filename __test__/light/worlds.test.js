'use strict';

/** Each call begins in a world of its own, however many there were before: the thread watches then which memory calls write to. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');

const { createRandom } = require('../support/random-values');

/** Code that leaves something wherever it can, and tells what it finds there. */
const PLAY = `(() => {
  let count = 0, flag = false;
  const list = [], seen = new Map(), object = { a: 1 }, pattern = /a/g, bytes = new Uint8Array(64), walk = (function* () { for (let i = 0; ; i++) yield i; })();
  const steps = {
    count: (n) => (count += n),
    flag: () => (flag = !flag),
    global: (n) => [globalThis.left, (globalThis.left = n)],
    prototype: (n) => [[].extra, (Array.prototype.extra = n)],
    list: (n) => { for (let i = 0; i < n * 50; i++) list.push({ i }); return list.length; },
    map: (n) => seen.set('k' + n, n).size,
    keys: (n) => { object['key' + n] = n; delete object.a; return Object.keys(object).join(); },
    pattern: () => [pattern.test('aaaa'), pattern.lastIndex],
    bytes: (n) => (bytes[n % 64] += n),
    walk: () => walk.next().value,
    gone: () => { const was = typeof Math.max; delete Math.max; return was; },
    text: (n) => 'x'.repeat(n * 10000).length,
    large: (n) => new Float64Array(n * 5000).fill(n)[7],
    frozen: () => { const was = Object.isFrozen(object); Object.freeze(object); return was; },
    throws: (n) => { throw new RangeError(n + ' of ' + count++); },
  };
  return async (program) => {
    const found = [];
    for (const [step, n] of program) {
      if (step === 'later') found.push(await Promise.resolve(count).then((was) => was + n));
      else found.push(steps[step](n));
    }
    return found;
  };
})()`;
const STEPS = [
  'count', 'flag', 'global', 'prototype', 'list', 'map', 'keys', 'pattern', 'bytes', 'walk', 'gone', 'text', 'large', 'frozen', 'later', 'throws',
];

const outcome = (promise) =>
  promise.then(
    (value) => ({ value }),
    ({ name, message, code }) => ({ name, message, code }),
  );

function seeded(t) {
  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  t.diagnostic(`SEED=${seed}`);
  return createRandom(seed);
}

let pool;
before(() => {
  pool = new WorkerPool({ maxThreads: 1 });
});
after(() => pool.close());

/** Programs, and what each does in a world that nobody was in. */
async function programs(random, count) {
  const pick = (list) => list[random(list.length)];
  const all = Array.from({ length: count }, () =>
    Array.from({ length: 1 + random(5) }, () => [pick(STEPS), 1 + random(9)]),
  );
  const expected = [];
  for (const program of all) {
    const light = pool.light({ play: PLAY });
    expected.push(await outcome(light.play(program)));
    await light.close();
  }
  return all.map((program, index) => ({ program, expected: expected[index] }));
}

describe('worlds', () => {
  test('random programs do the same in the first call and in each later one, one after the other and thousands at once', async (t) => {
    const random = seeded(t);
    const known = await programs(random, 60);
    const light = pool.light({ play: PLAY });
    const pick = () => known[random(known.length)];
    for (let i = 0; i < 400; i++) {
      const { program, expected } = pick();
      assert.deepEqual(await outcome(light.play(program)), expected, JSON.stringify(program));
    }
    const many = Array.from({ length: 3_000 }, pick);
    const found = await Promise.all(many.map(({ program }) => outcome(light.play(program))));
    found.forEach((one, index) => assert.deepEqual(one, many[index].expected, JSON.stringify(many[index].program)));
    await light.close();
  });

  test('two tenants by turns, in runs of all lengths', async (t) => {
    const random = seeded(t);
    const known = await programs(random, 30);
    const tenants = [pool.light({ play: PLAY }), pool.light({ play: PLAY, other: '() => 1' }, { globals: { given: [1, 2] } })];
    for (let turn = 0; turn < 40; turn++) {
      const light = tenants[turn % 2];
      const calls = Array.from({ length: 1 + random(150) }, () => known[random(known.length)]);
      const found = await Promise.all(calls.map(({ program }) => outcome(light.play(program))));
      found.forEach((one, index) => assert.deepEqual(one, calls[index].expected, JSON.stringify(calls[index].program)));
    }
    for (const light of tenants) await light.close();
  });

  test('of thousands that wait together some are cancelled, some never end, some need too much: the others are as alone', async (t) => {
    const random = seeded(t);
    const known = await programs(random, 20);
    const light = pool.light(
      { play: PLAY, forever: '() => { for (;;); }', greedy: '() => { const all = []; for (;;) all.push(new Array(1000)); }', deep: '() => { const f = () => 1 + f(); return f(); }' },
      { memory: 2 << 20 },
    );
    await light.ready;
    const abort = new AbortController();
    const kinds = {
      plain: () => {
        const { program, expected } = known[random(known.length)];
        return outcome(light.play(program)).then((found) => assert.deepEqual(found, expected, JSON.stringify(program)));
      },
      cancelled: () => assert.rejects(light.run('play', [], { signal: abort.signal }), { name: 'AbortError' }),
      forever: () => assert.rejects(light.run('forever', undefined, { runTimeout: 30 }), { code: 'ERR_RW_TASK_TIMEOUT' }),
      greedy: () => assert.rejects(light.greedy(), { code: 'ERR_RW_LIGHT_MEMORY' }),
      deep: () => assert.rejects(light.deep(), { code: 'ERR_RW_LIGHT_STACK' }),
    };
    const rare = ['cancelled', 'forever', 'greedy', 'deep'];
    const calls = Array.from({ length: 1_500 }, (_, index) => kinds[index % 100 === 50 ? rare[(index / 100) % 4 | 0] : 'plain']());
    abort.abort();
    await Promise.all(calls);
    await light.close();
  });

  test('a pool that is destroyed in the middle settles each call', async () => {
    const other = new WorkerPool({ maxThreads: 2 });
    const light = other.light({ play: PLAY });
    await light.ready;
    const calls = Array.from({ length: 2_000 }, () => outcome(light.play([['count', 1]])));
    await calls[500];
    await other.destroy();
    const found = await Promise.all(calls);
    const answered = found.filter(({ value }) => value !== undefined);
    assert.ok(answered.length >= 500);
    answered.forEach(({ value }) => assert.deepEqual(value, [1]));
    found.filter(({ value }) => value === undefined).forEach(({ code, name }) => assert.ok(code === 'ERR_RW_POOL_CLOSED' || name === 'AbortError', code));
  });
});

/** Runs code in a process of its own, where `light` is a tenant of one thread whose calls are watched by now. */
function inProcess(body, env = {}) {
  const program = `
    const { WorkerPool } = require(${JSON.stringify(path.join(__dirname, '..', '..'))});
    (async () => {
      const pool = new WorkerPool({ maxThreads: 1 });
      const light = pool.light({ next: '(() => { let n = 0; return (by) => (n += by); })()' });
      const many = async () => (await Promise.all(Array.from({ length: 500 }, () => light.next(2)))).every((n) => n === 2);
      if (!(await many())) throw new Error('a call has seen another');
      ${body}
      if (!(await many())) throw new Error('a call has seen another');
      await pool.close();
      console.log('done');
    })();`;
  return spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 });
}

describe('the handler of faults', { skip: process.platform === 'linux' ? false : 'memory is watched on Linux alone' }, () => {
  test('WebAssembly that faults beside it gets its own errors', () => {
    // (module (memory 1) (func (export "at") (param i32) (result i32) local.get 0 i32.load))
    const { status, stdout, stderr } = inProcess(`
      const bytes = Buffer.from('0061736d0100000001060160017f017f03020100050301000107060102617400000a0901070020002802000b', 'hex');
      const { at } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
      const running = many();
      for (let i = 0; i < 1000; i++) {
        let thrown;
        try { at(-8); } catch (error) { thrown = error; }
        if (!(thrown instanceof WebAssembly.RuntimeError)) throw new Error('no error of WebAssembly');
      }
      if (!(await running)) throw new Error('a call has seen another');`);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'done\n', stderr: '' });
  });

  test('a signal that somebody sends ends the process as it would without', () => {
    const { signal } = inProcess("process.kill(process.pid, 'SIGSEGV'); await new Promise((resolve) => setTimeout(resolve, 5_000));");
    assert.equal(signal, 'SIGSEGV');
  });

  test('a handler in its place, and the variable that turns it off: worlds are compared as a whole', () => {
    const replaced = inProcess("process.on('SIGSEGV', () => {});");
    assert.deepEqual([replaced.status, replaced.stdout], [0, 'done\n'], replaced.stderr);
    const off = inProcess('', { RUST_WORKERS_LIGHT_GUARD: 'off' });
    assert.deepEqual([off.status, off.stdout], [0, 'done\n'], off.stderr);
  });
});
