'use strict';

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const vm = require('node:vm');

const { WorkerPool, SharedBuffer } = require('rust-workers');

let pool;
before(() => {
  pool = new WorkerPool({ maxThreads: 2 });
});
after(() => pool.close());

const one = (source, options) => pool.light({ f: source }, options);

describe('calls', () => {
  test('texts and functions, several arguments, each other, globals', async () => {
    const light = pool.light(
      { rule: '(order) => order.total > limit', twice: (n) => n * 2, both: (a, b) => `${a} ${b}`, sum: 'async (...all) => all.reduce((a, b) => a + twice(b), 0)' },
      { globals: { limit: 100 } },
    );
    await light.ready;
    assert.equal(await light.rule({ total: 101 }), true);
    assert.equal(await light.rule({ total: 99 }), false);
    assert.equal(await light.twice(21), 42);
    assert.equal(await light.both('a', 'b'), 'a b');
    assert.equal(await light.sum(1, 2, 3), 12);
    assert.equal(await light.run('twice', 4), 8);
    await light.close();
    await assert.rejects(light.twice(1), { code: 'ERR_RW_LIGHT_CLOSED', name: 'LightClosedError' });
    await light.close();
  });

  test('methods of an object', async () => {
    const light = pool.light({
      plain(a) {
        return a + 1;
      },
      async late(a) {
        return a + 2;
      },
    });
    assert.deepEqual([await light.plain(1), await light.late(1)], [2, 3]);
    await light.close();
  });

  test('values of all kinds', async () => {
    const light = one('(value) => value');
    const values = [
      1, -0, 0.5, NaN, 2 ** 40, 'a', '\ud800x', 'ü🎉', null, undefined, true, 10n ** 40n, -5n, [], [1, [2]], [[]], { a: { b: [] } }, new Date(5),
      new Map([[1, { a: 1 }]]), new Set(['x']), new Uint8Array([1, 2]), new Float64Array(3000).fill(0.5), new Uint8Array(5).buffer, [0, 1],
    ];
    for (const value of values) assert.deepEqual(await light.f(value), value);
    await light.close();
  });

  test('what code throws is an error with its name, place and code', async () => {
    const light = one("(a) => {\n  const error = new RangeError('no ' + a, { cause: 5 });\n  error.code = 'E_MINE';\n  throw error;\n}");
    const error = await light.f('way').catch((thrown) => thrown);
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.message, error.code, error.cause], ['no way', 'E_MINE', 5]);
    assert.match(error.stack, /^RangeError: no way\n {4}at f \(f:2:/);
    await light.close();
    const other = one('() => { throw 5 }');
    await assert.rejects(other.f(), (thrown) => thrown === 5);
    await other.close();
  });

  test('shared memory is shared', async () => {
    const memory = new SharedBuffer(16);
    const view = new Int32Array(memory.buffer);
    const light = one('(a) => { Atomics.add(a, 0, 5); return a[1] }');
    view[1] = 7;
    assert.equal(await light.f(view), 7);
    assert.equal(view[0], 5);
    await light.close();
  });

  test('as programs of node:vm', async () => {
    let seed = Number(process.env.RUST_WORKERS_SEED ?? 7);
    const next = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    const pick = (list) => list[next(list.length)];
    const expression = (depth) => {
      if (depth === 0) return pick(['a', 'b', '0', '1', '-3', '2.5', "'x'", "''", 'null', 'undefined', 'true', '[1, 2]', '({ k: 1 })', '10n', 'NaN']);
      const inner = () => expression(depth - 1 - next(2 > depth ? 1 : 2));
      return pick([
        () => `(${inner()} ${pick(['+', '-', '*', '/', '%', '**', '<', '===', '==', '&&', '||', '??', '&', '>>', ','])} (${inner()}))`,
        () => `(${pick(['-', '+', '!', '~', 'typeof ', 'void '])}(${inner()}))`,
        () => `((${inner()}) ? (${inner()}) : (${inner()}))`,
        () => `[${inner()}, ...[${inner()}]]`,
        () => `({ p: ${inner()}, ['q' + ${next(3)}]: ${inner()} })`,
        () => `((x, y = ${inner()}) => [x, y].map(String))(${inner()})`,
        () => `String(${inner()}).${pick(['length', 'toUpperCase()', 'slice(1)', 'split("")', 'padStart(4, "-")', 'replace(/1/g, "z")'])}`,
        () => `Math.${pick(['max', 'min'])}(Number(${inner()} ?? 1), 2)`,
        () => `[${inner()}, ${inner()}].${pick(['flat()', 'reverse()', 'includes(1)', 'indexOf(1)', 'concat([1])', 'at(-1)', 'sort()', 'join()'])}`,
        () => `JSON.stringify([${inner()}].filter((v) => typeof v !== 'bigint'))`,
        () => `((v) => { try { return v.k.length } catch (e) { return e.name } })(${inner()})`,
      ])();
    };
    const context = vm.createContext({});
    const depthOf = 4;
    for (let round = 0; round < 25; round++) {
      const sources = Array.from({ length: 12 }, () => `(a, b) => (${expression(1 + next(depthOf))})`);
      const light = pool.light(Object.fromEntries(sources.map((source, i) => [`f${i}`, source])));
      for (const [i, source] of sources.entries()) {
        for (const given of [[1, 'b'], [[3], undefined]]) {
          const outcome = async (run) => {
            try {
              return ['result', await run()];
            } catch (error) {
              return ['throws', error?.name];
            }
          };
          const there = await outcome(() => structuredClone(vm.runInContext(`'use strict'; (${source})`, context)(...structuredClone(given))));
          const here = await outcome(() => light[`f${i}`](...given));
          assert.deepEqual(here, there, `${source} of ${JSON.stringify(given)}`);
        }
      }
      await light.close();
    }
  });
});

describe('limits', () => {
  test('an endless loop ends by timeout, signal, deadline', async () => {
    const light = one('() => { for (;;); }', { timeout: 30 });
    await assert.rejects(light.f(), { code: 'ERR_RW_TASK_TIMEOUT', name: 'TimeoutError' });
    const signal = AbortSignal.timeout(20);
    await assert.rejects(light.with({ signal, runTimeout: 60_000 }).f(), { name: /AbortError|TimeoutError/ });
    await assert.rejects(light.with({ deadline: 20, runTimeout: 60_000 }).f(), { code: 'ERR_RW_DEADLINE' });
    await light.close();
    assert.equal(await one('() => 1').f(), 1);
  });

  test('memory and stack', async () => {
    const light = pool.light({ memory: '() => { const a = []; for (;;) a.push({}) }', stack: '() => { const f = () => f() + 1; return f() }' });
    for (let round = 0; round < 3; round++) {
      await assert.rejects(light.memory(), { code: 'ERR_RW_LIGHT_MEMORY', name: 'LightMemoryError' });
      await assert.rejects(light.stack(), { code: 'ERR_RW_LIGHT_STACK', name: 'LightStackError' });
    }
    await light.close();
  });

  test('a promise that nothing settles', async () => {
    await assert.rejects(one('() => new Promise(() => {})').f(), { code: 'ERR_RW_LIGHT_UNSETTLED' });
  });

  test('what cannot leave is named', async () => {
    await assert.rejects(one('() => ({ a: [() => 1] })').f(), { code: 'ERR_RW_UNSUPPORTED_VALUE', message: /result\.a\[0\] is a function/ });
    await assert.rejects(one('() => { const a = {}; a.b = a; return a }').f(), { code: 'ERR_RW_CYCLIC_VALUE' });
  });

  test('what cannot enter is named as its caller knows it, in the message and in the stack', async () => {
    const light = one('(first, second) => second');
    const named = (start) => (error) => {
      assert.equal(error.code, 'ERR_RW_UNSUPPORTED_VALUE');
      assert.ok(error.message.startsWith(start), error.message);
      assert.ok(error.stack.includes(error.message), error.stack);
      return true;
    };
    await assert.rejects(light.f(1, { x: [() => 1] }), named('arguments[1].x[0] is a function'));
    await assert.rejects(light.run('f', Symbol('s')), named('arguments[0] is a symbol'));
    await assert.rejects(light.map('f', [1, { z: () => 2 }]), named('inputs[1].z is a function'));
    await assert.rejects(pool.light({ f: '() => 1' }, { globals: { g: () => 1 } }).ready, named('options.globals.g is a function'));
    // What code throws is its own.
    await assert.rejects(one("() => { throw new Error('input[2][0] is mine') }").f(), { message: 'input[2][0] is mine' });
  });

  test('nothing is left of a call, of its own tenant or another', async () => {
    const light = one('(change) => { if (change) { Array.prototype.map = 1; globalThis.x = 1 } return [typeof [].map, typeof x] }');
    const other = one('() => [typeof [].map, typeof x]');
    for (let round = 0; round < 5; round++) {
      assert.deepEqual(await light.f(true), ['number', 'number']);
      assert.deepEqual(await Promise.all([light.f(false), light.f(false), other.f()]), Array(3).fill(['function', 'undefined']));
    }
    await Promise.all([light.close(), other.close()]);
  });

  test('no clock and no randomness unless given', async () => {
    await assert.rejects(one('() => Date.now()').f(), { name: 'TypeError', message: /clock: true/ });
    await assert.rejects(one('() => Math.random()').f(), { name: 'TypeError', message: /random: true/ });
    const given = one('() => [Date.now() > 1e12, Math.random() < 1]', { clock: true, random: true });
    assert.deepEqual(await given.f(), [true, true]);
  });

  test('progress goes to onProgress', async () => {
    const reports = [];
    const light = one('(n) => { for (let i = 0; i < n; i++) progress({ i }); return n }');
    assert.equal(await light.with({ onProgress: (report) => reports.push(report) }).f(3), 3);
    assert.deepEqual(reports, [{ i: 0 }, { i: 1 }, { i: 2 }]);
    await light.close();
  });
});

describe('mistakes', () => {
  test('sources', async () => {
    const light = one('(a) => {\n return a +* 1 }');
    await assert.rejects(light.ready, { code: 'ERR_RW_LIGHT_SOURCE', name: 'LightSourceError', message: /'f'.*SyntaxError.*f:2:/ });
    await assert.rejects(light.f(), { code: 'ERR_RW_LIGHT_SOURCE' });
    await light.close();
    await assert.rejects(one('5').f(), { code: 'ERR_RW_LIGHT_SOURCE', message: /no function/ });
  });

  test('free variables', () => {
    const outside = 1;
    assert.throws(() => one(() => outside + process.pid), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /uses outside, process/ });
    assert.throws(() => one(() => setTimeout(() => {}, 1)), { message: /setTimeout/ });
    assert.doesNotThrow(() => one(() => outside, { globals: { outside } }));
    assert.throws(() => one(Math.max), { code: 'ERR_RW_INVALID_ARG_VALUE' });
  });

  test('arguments', () => {
    const wrong = [
      [[], 'ERR_RW_INVALID_ARG_TYPE'], [[{}], 'ERR_RW_INVALID_ARG_TYPE'], [[{ f: 5 }], 'ERR_RW_INVALID_ARG_TYPE'], [[{ close: '() => 1' }], 'ERR_RW_INVALID_ARG_VALUE'],
      [[{ f: '() => 1' }, { memory: 5 }], 'ERR_RW_OUT_OF_RANGE'], [[{ f: '() => 1' }, { stack: 'x' }], 'ERR_RW_INVALID_ARG_TYPE'],
      [[{ f: '() => 1' }, { timeouts: 5 }], 'ERR_RW_INVALID_ARG_VALUE'], [[{ f: '() => 1' }, { clock: 1 }], 'ERR_RW_INVALID_ARG_TYPE'],
      [[{ f: '() => 1' }, { globals: { f: 1 } }], 'ERR_RW_INVALID_ARG_VALUE'], [[{ f: '() => 1' }, { timeout: -1 }], 'ERR_RW_OUT_OF_RANGE'],
    ];
    for (const [given, code] of wrong) assert.throws(() => pool.light(...given), { code }, JSON.stringify(given));
  });

  test('run refuses names and options that are not there', async () => {
    const light = one('() => 1');
    await assert.rejects(light.run('g'), { code: 'ERR_RW_INVALID_ARG_VALUE' });
    await assert.rejects(light.run('f', 1, { signals: 1 }), { code: 'ERR_RW_INVALID_ARG_VALUE' });
    await light.close();
  });
});

describe('ends', () => {
  test('destroy, with calls in flight and waiting', async () => {
    const own = new WorkerPool({ maxThreads: 1 });
    const light = own.light({ f: '() => { for (;;); }' });
    const calls = Promise.allSettled([light.f(), light.f(), light.f()]);
    await light.ready;
    await own.destroy();
    for (const outcome of await calls) assert.equal(outcome.status, 'rejected');
    await light.close();
  });

  test('close waits for calls', async () => {
    const light = one('(n) => { let s = 0; for (let i = 0; i < n; i++) s += i; return s }');
    const running = light.f(100_000);
    const closed = light.close();
    assert.equal(await running, 4999950000);
    await closed;
  });

  test('a Worker that is terminated with calls in flight', async () => {
    const { Worker } = require('node:worker_threads');
    const source = `const { WorkerPool } = require('rust-workers'); const { parentPort } = require('node:worker_threads');
      const light = new WorkerPool({ maxThreads: 1 }).light({ f: '() => { for (;;); }', g: '() => 1' });
      light.g().then((n) => { light.f(); parentPort.postMessage(n) });`;
    for (let round = 0; round < 5; round++) {
      const worker = new Worker(source, { eval: true });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await worker.terminate();
    }
    assert.equal(await one('() => 2').f(), 2);
  });

  test('a thousand tenants', async () => {
    const tenants = Array.from({ length: 1000 }, (_, i) => pool.light({ f: `(n) => n + ${i}`, g: '(s) => s.toUpperCase()' }));
    await Promise.all(tenants.map((tenant) => tenant.ready));
    for (let round = 0; round < 2; round++) {
      const results = await Promise.all(tenants.map((tenant) => tenant.f(1)));
      assert.deepEqual(results, tenants.map((_, i) => i + 1));
    }
    await Promise.all(tenants.map((tenant) => tenant.close()));
  });
});
