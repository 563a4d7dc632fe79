'use strict';

/**
 * Light code that is up to no good: each piece ends in a result or a typed error, and another tenant's task on the same thread is right
 * afterwards. A crash ends this process, and so the test.
 */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { setTimeout: after } = require('node:timers/promises');
const { after: afterAll, describe, test } = require('node:test');
const vm = require('node:vm');

const { Thrown, openLight } = require('./attacks/driver');
const { DEPTH, ENDLESS, HUNGER } = require('./attacks/limits');
const { KNOWN, RESULTS } = require('./attacks/results');
const { ESCAPES, PROTOTYPES } = require('./attacks/worlds');

const STOP_MS = 20;
/** What a stopped loop may take at the most, on a machine that does other things besides. */
const LONG_MS = 5_000;

const light = openLight();
afterAll(() => light.close());

let bystander;

async function unharmed() {
  bystander ??= await light.define("(n) => [n * 2, [3, 1, 2].sort().join(), { a: `${n}` }, /(a)b/.exec('ab')[1], new Map([[n, 1]]).get(n)]");
  assert.deepEqual(await light.call(bystander, [21]), [42, '1,2,3', { a: '21' }, 'a', 1]);
}

const settled = (promise) => promise.then((value) => ({ value }), (error) => ({ error }));

/** Holds what happened against what had to. */
function judge({ gives, throws, thrown, code, codes = [code], orThrows, orGives, any, ...attack }, { value, error }) {
  if (any) return assert.ok(error instanceof Thrown || error?.code !== undefined, String(error));
  if ('code' in attack || code !== undefined || codes[0] !== undefined) {
    if (orGives && error === undefined) return undefined;
    if (orThrows && error instanceof Thrown) return assert.match(error.thrown.name, /^(RangeError|InternalError|SyntaxError|TypeError)$/);
    return assert.ok(codes.includes(error?.code), `${error?.code ?? error ?? JSON.stringify(value)} instead of ${codes}`);
  }
  if (throws !== undefined || thrown !== undefined) {
    assert.ok(error instanceof Thrown, String(error ?? JSON.stringify(value)));
    return thrown !== undefined ? assert.deepEqual(error.thrown, thrown) : assert.equal(error.thrown?.constructor.name, throws);
  }
  assert.equal(error, undefined);
  return assert.deepEqual(value, gives);
}

function attacks(list) {
  for (const attack of list) {
    test(attack.source.slice(0, 150), async () => {
      const happened = await settled(light.evaluate(attack.source, { timeout: LONG_MS * 2 }));
      if (!(attack.mayNotCompile && happened.error?.code === 'ERR_RW_LIGHT_SOURCE')) judge(attack, happened);
      await unharmed();
    });
  }
}

describe('prototypes', () => attacks(PROTOTYPES));
describe('ways out', () => attacks(ESCAPES));
describe('depth', () => attacks(DEPTH));
describe('hunger', () => attacks(HUNGER.filter(({ stops }) => !stops)));
describe('results', () => attacks(RESULTS));

describe('faults that QuickJS had', () => {
  for (const source of KNOWN) {
    test(source.slice(0, 150), async () => {
      const { error } = await settled(light.evaluate(source, { timeout: LONG_MS }));
      assert.ok(error === undefined || error instanceof Thrown || /^ERR_RW_(LIGHT_(MEMORY|STACK)|UNSUPPORTED_VALUE)$/.test(error.code), String(error));
      await unharmed();
    });
  }
});

describe('what never ends', () => {
  const all = [...ENDLESS, ...HUNGER.filter(({ stops }) => stops).map(({ source }) => source)];
  for (const source of all) {
    test(source.slice(0, 150), async () => {
      const id = await light.define(source);
      for (const ms of [STOP_MS, 1 + Math.random() * STOP_MS]) {
        const abort = new AbortController();
        const running = settled(light.call(id, [], { signal: abort.signal }));
        await after(ms);
        const started = performance.now();
        abort.abort();
        const { error } = await running;
        // The thread is free, and not only the promise.
        await unharmed();
        const took = performance.now() - started;
        assert.ok(error?.name === 'AbortError' || error?.code === 'ERR_RW_LIGHT_MEMORY' || error instanceof Thrown, String(error));
        assert.ok(took < LONG_MS, `${took} ms`);
      }
      await light.drop(id);
    });
  }
});

test('every memory limit, byte for byte around what a program needs', async () => {
  const source = `() => {
    const all = [];
    for (;;) all.push(new Map([[{}, [/(a)+/u, () => all]]]), class { #x = 1 }, (function* () {})(), Promise.resolve().then(), \`\${all.length}\`, 2n ** 70n,
      new Proxy([], {}), [1].values().map((x) => x), ((a) => a).bind(1), new Error('x', { cause: all }), JSON.parse('{"a":[1]}'), new Date(0), new Uint16Array(3));
  }`;
  for (let memory = 1 << 20; memory < (1 << 20) + 30_000; memory += 331) {
    const { error } = await settled(light.evaluate(source, { memory }));
    assert.equal(error?.code, 'ERR_RW_LIGHT_MEMORY', `${memory}: ${error}`);
  }
  await unharmed();
});

describe('races', () => {
  test('tenants are dropped, stopped and made while others run', { timeout: 60_000 }, async () => {
    const two = openLight(2);
    const work = [
      '(n) => n + 1',
      '(n) => { for (;;); }',
      '(n) => { const a = []; for (;;) a.push({ n }) }',
      '(n) => { const f = () => f() + n; return f() }',
      'async (n) => { for (let i = 0; i < 100; i++) await i; return n + 1 }',
      "(n) => 'x'.repeat(n % 1000).split('').map((x) => x + n).join('').length",
    ];
    const outcomes = new Map();
    const one = async (index) => {
      const id = await two.define(`${work[index % work.length]} // ${index % 50}`);
      const signal = AbortSignal.timeout(1 + (index % 7));
      const running = settled(two.call(id, [index], { signal }));
      // Some are closed while they run.
      const closing = index % 3 === 0 ? two.drop(id) : undefined;
      const { value, error } = await running;
      const kind = error === undefined ? 'value' : ['AbortError', 'TimeoutError'].includes(error.name) ? 'stopped' : error.code;
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      if (error === undefined && index % 6 === 0) assert.equal(value, index + 1);
      await (closing ?? two.drop(id));
    };
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 30 }, (_, at) => one(round * 30 + at)));
    const known = ['value', 'stopped', 'ERR_RW_LIGHT_CLOSED', 'ERR_RW_LIGHT_MEMORY', 'ERR_RW_LIGHT_STACK'];
    for (const kind of outcomes.keys()) assert.ok(known.includes(kind), `${kind}: ${outcomes.get(kind)}`);
    const id = await two.define('(n) => n * 2');
    assert.equal(await two.call(id, [4]), 8);
    await two.close();
  });

  test('2,000 tenants, each of whom finds its own world', { timeout: 60_000 }, async () => {
    const two = openLight(2);
    const ids = await Promise.all(Array.from({ length: 2_000 }, (_, at) => two.define(`(n) => (globalThis.n = (globalThis.n ?? 0) + n) + ${at}`)));
    for (let round = 0; round < 2; round++) {
      const found = await Promise.all(ids.map((id) => two.call(id, [round])));
      assert.deepEqual(found, ids.map((_, at) => at + round));
    }
    await two.close();
  });

  for (const ending of ['process.exit(0)', 'void light.close()', 'light.pool.destroy()', 'process.exitCode = 0']) {
    test(`a process ends by ${ending} while light code runs`, () => {
      const program = `
        const { openLight } = require(${JSON.stringify(path.join(__dirname, 'attacks', 'driver.js'))});
        const light = openLight(2);
        (async () => {
          const ids = await Promise.all(['() => { for (;;); }', '() => { const a = []; for (;;) a.push({}) }', '(n) => n'].map((s) => light.define(s)));
          const stop = AbortSignal.timeout(300);
          for (let i = 0; i < 50; i++) light.call(ids[i % 3], [i], { signal: stop }).catch(() => {});
          setTimeout(() => { ${ending} }, Math.random() * 30);
        })();`;
      for (let round = 0; round < 5; round++) {
        const { status, signal, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 30_000 });
        assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' });
      }
    });
  }

  test('a Worker is terminated while its light code runs', async () => {
    const { Worker } = require('node:worker_threads');
    const driver = JSON.stringify(path.join(__dirname, 'attacks', 'driver.js'));
    for (let round = 0; round < 5; round++) {
      const worker = new Worker(
        `const light = require(${driver}).openLight(2);
         light.define('() => { for (;;); }').then((id) => { for (let i = 0; i < 4; i++) light.call(id).catch(() => {}); require('node:worker_threads').parentPort.postMessage(1); });`,
        { eval: true },
      );
      await new Promise((resolve) => worker.once('message', resolve));
      await after(Math.random() * 10);
      await worker.terminate();
      await unharmed();
    }
  });
});

test('shared memory is not kept: with state it is refused', async () => {
  const keeping = await light.define('(cells) => { globalThis.kept ??= cells; return kept[0] }', { state: true });
  await assert.rejects(light.call(keeping, [new Int32Array(new SharedArrayBuffer(8))]), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
  await light.drop(keeping);
  const without = await light.define('(cells) => { globalThis.kept ??= cells; return Atomics.add(kept, 0, 2) }');
  const [one, two] = [new Int32Array(new SharedArrayBuffer(8)), new Int32Array(new SharedArrayBuffer(8))];
  for (const cells of [one, two]) await light.call(without, [cells]);
  assert.deepEqual([one[0], two[0]], [2, 2]);
  await light.drop(without);
  await unharmed();
});

test("shared memory in a host's answer is refused: it is the host's again before the code goes on", async () => {
  const asking = light.pool.light({ f: 'async () => (await cells()).length' }, { host: { cells: () => new Int32Array(new SharedArrayBuffer(8)) } });
  await assert.rejects(asking.f(), (error) => error.name === 'TypeError');
  await asking.close();
  return unharmed();
});

/** Expressions by a seed, over numbers, texts, arrays and objects. */
function expressions(seed) {
  let state = seed;
  const random = (count) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  const pick = (list) => list[random(list.length)];
  const leaf = () => pick(['a', 'b', 's', '0', '-0', '1', '2.5', '-7', '1e21', 'NaN', 'null', 'undefined', 'true', "'x'", "''", "'12'", '[]', '[3,1]', '({k:1})', '2**31', '0.1']);
  const one = (depth) => {
    if (depth === 0) return leaf();
    const sub = () => one(depth - 1 - random(depth));
    return pick([
      () => `(${sub()} ${pick(['+', '-', '*', '/', '%', '**', '<', '>=', '==', '!==', '&', '|', '^', '<<', '>>', '>>>', '&&', '||', '??', ','])} (${sub()}))`,
      () => `(${pick(['-', '+', '!', '~', 'typeof ', 'void '])}(${sub()}))`,
      () => `(${sub()} ? ${sub()} : ${sub()})`,
      () => `[${sub()}, ...[${sub()}]]`,
      () => `({ k: ${sub()}, ['x' + ${sub()}]: 1 })`,
      () => `String(${sub()})`,
      () => `Number(${sub()})`,
      () => `\`\${${sub()}}\``,
      () => `(${sub()})?.${pick(['length', 'k', 'x1', 'at?.(0)', 'toString?.()', 'constructor?.name'])}`,
      () => `JSON.stringify(${sub()})`,
      () => `Math.${pick(['max', 'min', 'round', 'trunc', 'sign', 'fround', 'clz32', 'imul', 'abs', 'floor'])}(${sub()}, 2)`,
      () => `String(${sub()}).${pick(['slice(1)', "split('')", "padStart(4, '*')", 'toUpperCase()', "replace(/[0-9]+/g, 'n')", 'charCodeAt(0)', "indexOf('1')", 'trim()', 'at(-1)'])}`,
      () => `[${sub()}, ${sub()}, 2].${pick(['sort()', 'reverse()', 'map(String)', 'indexOf(2)', "join('-')", 'flat()', 'includes(NaN)', 'slice(-2)', 'toSorted()', 'with(0, 1)'])}`,
      () => `Number(${sub()}).${pick(['toString(2)', 'toFixed(2)', 'toExponential(3)', 'toPrecision(4)', 'toString(36)'])}`,
      () => `parseInt(${sub()}, ${pick([2, 10, 16, 36])})`,
      () => `Object.entries(Object(${sub()}))`,
      () => `((x, [y = 1] = []) => [x, y])(${sub()})`,
    ])();
  };
  return () => one(4);
}

test('random expressions give what V8 gives', { timeout: 120_000 }, async () => {
  const next = expressions(20261127);
  const names = { a: 3, b: -2.5, s: 'text 42' };
  const context = vm.createContext({ ...names });
  const sources = Array.from({ length: 2_000 }, next);
  const guarded = (source) => `(() => { try { return [${source}] } catch (e) { return 'threw ' + e.name } })()`;
  const id = await light.define(`(a, b, s) => [${sources.map(guarded).join(',\n')}]`, { memory: 64 << 20 });
  const found = await light.call(id, Object.values(names));
  sources.forEach((source, at) => {
    const wanted = structuredClone(vm.runInContext(guarded(source), context));
    assert.deepEqual(found[at], wanted, source);
  });
});
