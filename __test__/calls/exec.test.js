'use strict';

// pool.exec: a function in the place of a script.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { once } = require('node:events');
const path = require('node:path');
const { after, test } = require('node:test');

const { WorkerPool, errors, task } = require('rust-workers');
const { freeVariables } = require('../../lib/exec/free-variables');
const { parseProgram } = require('../../lib/exec/parser');
const { holdWorker, script, using } = require('../support/pools');
const { createRandom, randomValue } = require('../support/random-values');
const { runNode } = require('../support/child');
const { inTime, until } = require('../support/until');
const captured = require('../fixtures/scripts/captured.cjs');

const KINDS = {
  'a pool without a script': () => new WorkerPool({ maxThreads: 2 }),
  'a pool with a script': () => new WorkerPool(script('calls.mjs'), 2),
};
const pools = Object.entries(KINDS).map(([kind, make]) => [kind, make()]);
after(() => Promise.all(pools.map(([, pool]) => pool.close())));
const [[, native], [, scripted]] = pools;

const outer = { deep: [1, 2] };
function factorial(n) {
  return n < 2 ? 1 : n * factorial(n - 1);
}

for (const [kind, pool] of pools) {
  test(`${kind}: functions of every form`, async () => {
    assert.equal(await pool.exec((a, b) => a + b, [1, 2]), 3);
    assert.equal(await pool.exec((a) => a, ['x']), 'x');
    assert.equal(await pool.exec(() => 'none'), 'none');
    assert.equal(await pool.exec(factorial, [10]), 3628800);
    assert.deepEqual(await pool.exec(function named(...args) {
      return [named.name, arguments.length, args];
    }, [1, 2]), ['named', 2, [1, 2]]);
    assert.equal(await pool.exec(async (a) => {
      await null;
      return a * 2;
    }, [4]), 8);
    assert.deepEqual(await pool.exec(({ a, b: [c = 3] = [] }, d = a) => [a, c, d], [{ a: 1 }]), [1, 3, 1]);
    const { method } = new captured.all.Holder();
    assert.deepEqual(await pool.exec(method, [1]), [1, 'method']);
    assert.deepEqual(await pool.exec(captured.all.Holder.make, [1]), [1, 'static']);
    const holder = { async short(a) { return [a, 'short']; }, get value() { return 5; }, ['a b'](a) { return a; } };
    assert.deepEqual(await pool.exec(holder.short, [1]), [1, 'short']);
    assert.equal(await pool.exec(holder['a b'], [1]), 1);
    assert.equal(await pool.exec(Object.getOwnPropertyDescriptor(holder, 'value').get), 5);
    // A class may stand inside.
    assert.equal(await pool.exec((n) => new (class Counter {
      #n = n;
      next() { return this.#n + 1; }
    })().next(), [1]), 2);
    // eslint-disable-next-line no-new-func
    assert.equal(await pool.exec(new Function('a', 'return a + 1'), [1]), 2);
  });

  test(`${kind}: sloppy functions stay sloppy, and strict ones strict`, async () => {
    // eslint-disable-next-line no-new-func
    const sloppy = new Function('a', 'arguments[0] = 5; return a');
    assert.equal(await pool.exec(sloppy, [1]), sloppy(1));
    const strict = function (a) { arguments[0] = 5; return a; };
    assert.equal(await pool.exec(strict, [1]), strict(1));
  });

  test(`${kind}: what it captures is cloned at the call`, async () => {
    const values = { outer, list: new Map([[1, 'x']]), blob: new Blob(['abc']), fails: undefined };
    const done = pool.exec(async (x) => [x, outer.deep, list.get(1), (await blob.text()), fails], [0], { capture: values });
    values.outer = 'later';
    assert.deepEqual(await done, [0, [1, 2], 'x', 'abc', undefined]);
    // The same function with other values.
    const double = (x) => x * factor;
    for (const factor of [2, 3]) assert.equal(await pool.exec(double, [5], { capture: { factor, unused: () => {} } }), 5 * factor);
    // eslint-disable-next-line no-undef
    await assert.rejects(pool.exec(() => f(), [], { capture: { f: () => {} } }), { name: 'DataCloneError' });
    // What is captured may have the name of something that is there.
    assert.equal(await pool.exec(() => typeof require, [], { capture: { require: 5 } }), 'number');
    assert.deepEqual(await pool.exec(() => [Math, typeof crypto], [], { capture: { Math: 5, crypto: 'mine' } }), [5, 'string']);
    assert.equal(await pool.exec(() => typeof Math, [], { capture: {} }), 'object');
    // eslint-disable-next-line no-undef
    const [list, blob, fails] = [];
    void [list, blob, fails];
  });

  test(`${kind}: what is no variable cannot be captured`, async () => {
    // Node ends the process where it is told to compile a function with such a parameter.
    const functions = { this: () => this, 'new.target': function () { return new.target; }, arguments: () => arguments };
    for (const [name, fn] of Object.entries(functions)) {
      await assert.rejects(pool.exec(fn, [], { capture: { [name]: 1 } }), { code: 'ERR_RW_INVALID_ARG_VALUE', variables: [name] });
    }
    assert.equal(await pool.exec(() => 3, [], { capture: { 'import.meta': 1, 'a b': 2 } }), 3);
  });

  test(`${kind}: a private method, and a function whose name is no text`, async () => {
    class Holder {
      static all() { return [Holder.#one, Holder.#two]; }
      static #one(a) { return a + 1; }
      static async #two(a) { return a + 2; }
    }
    const [one, two] = Holder.all();
    assert.deepEqual([await pool.exec(one, [1]), await pool.exec(two, [1])], [2, 3]);
    for (const value of [Symbol('s'), undefined, { toString: () => assert.fail('not asked') }]) {
      assert.equal(await pool.exec(Object.defineProperty(() => 1, 'name', { value })), 1);
    }
  });

  test(`${kind}: arguments and results are cloned as those of a script's functions`, async () => {
    const random = createRandom(21);
    for (let round = 0; round < 40; round++) {
      const args = Array.from({ length: random(4) }, () => randomValue(random));
      assert.deepEqual(await pool.exec((...given) => given, args), structuredClone(args));
    }
    const buffer = new ArrayBuffer(16);
    assert.equal(await pool.exec((given) => given.byteLength, [buffer], { transfer: [buffer] }), 16);
    assert.equal(buffer.byteLength, 0);
  });

  test(`${kind}: free variables are refused by name, before anything runs`, async () => {
    const { submitted } = pool.stats();
    const other = 1;
    // eslint-disable-next-line no-undef
    const cases = [
      [() => other + outer.deep, ['other', 'outer'], /capture: \{ other \}/],
      [() => path.join('a'), ['path'], /await import/],
      [function () { return this; }, ['this'], /as an argument/],
      [() => arguments.length, ['arguments'], /\(\.\.\.args\)/],
      [{ m() { return super.m; } }.m, ['super'], /no object/],
      [function () { return new.target; }, ['new.target'], /`new`/],
      [() => __awaiter(1), ['__awaiter'], /TypeScript .* newer target/],
      [() => _asyncToGenerator(1), ['_asyncToGenerator'], /Babel/],
      [() => { cov_2f9kq1().s[0]++; }, ['cov_2f9kq1'], /istanbul ignore next/],
      [() => __vite_ssr_import_0__.x, ['__vite_ssr_import_0__'], /bundler/],
      [() => module.exports, ['module'], /require/],
      [async () => { for await (const x of source) { if (x) return rest; } }, ['source', 'rest'], /capture/],
    ];
    for (const [fn, variables, message] of cases) {
      await assert.rejects(pool.exec(fn), (error) => {
        assert.ok(error instanceof errors.InvalidArgValueError, error.stack);
        assert.deepEqual(error.variables, variables);
        for (const name of variables) assert.ok(error.message.includes(name), error.message);
        assert.match(error.message, message);
        return true;
      });
    }
    assert.equal(pool.stats().submitted, submitted);
    // Only asked for its type.
    // eslint-disable-next-line no-undef
    assert.equal(await pool.exec(() => typeof notThere), 'undefined');
  });

  test(`${kind}: what is no such function`, async () => {
    const cases = [
      [5, 'ERR_RW_INVALID_ARG_TYPE', /Received 5/],
      [undefined, 'ERR_RW_INVALID_ARG_TYPE', /Received undefined/],
      [{}, 'ERR_RW_INVALID_ARG_TYPE', /an instance of Object/],
      [factorial.bind(null), 'ERR_RW_INVALID_ARG_VALUE', /bound function/],
      [Math.max, 'ERR_RW_INVALID_ARG_VALUE', /The function max has no source/],
      [new Proxy(factorial, {}), 'ERR_RW_INVALID_ARG_VALUE', /a Proxy/],
      [captured.all.Holder, 'ERR_RW_INVALID_ARG_VALUE', /is a class/],
    ];
    for (const [fn, code, message] of cases) await assert.rejects(pool.exec(fn), { code, message });
    await assert.rejects(pool.exec((a) => a, 1), { code: 'ERR_RW_INVALID_ARG_TYPE', message: /an array of arguments/ });
    for (const options of [{ captures: {} }, { name: 'x' }, { spread: true }, { timout: 1 }, { capture: 5 }, 5]) {
      await assert.rejects(pool.exec((a) => a, [1], options), /ERR_RW|argument|option/);
    }
  });

  test(`${kind}: imports are relative to the function's file`, async () => {
    assert.deepEqual(await captured.run(pool, 'imports'), [[1, 2], 'held', true, true]);
    assert.equal(await pool.exec(() => require('node:path').basename(__filename)), 'exec.test.js');
    assert.equal(await pool.exec(async () => (await import('node:path')).basename('a/b')), 'b');
    assert.equal(await pool.exec(() => typeof require('rust-workers').task), 'object');
    // Two of the same text, of two files.
    assert.equal(path.basename(await captured.inlineFile(pool)), 'captured.cjs');
    assert.equal(path.basename(await pool.exec(() => __filename)), 'exec.test.js');
  });

  test(`${kind}: an error names the file and the line`, async () => {
    await assert.rejects(captured.run(pool, 'throwsHere'), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.stack, /captured\.cjs:16:17/);
      return true;
    });
    const line = Number(/exec\.test\.js:(\d+)/.exec(new Error().stack)[1]) + 1;
    const here = await pool.exec(() => new Error('here').stack);
    assert.match(here, new RegExp(`exec\\.test\\.js:${line}:40`));
  });

  test(`${kind}: it is a task: its signal, its time limit, what it reports, priority`, async () => {
    const stop = new AbortController();
    const spin = () => {
      const { task: running } = require('rust-workers');
      while (!running.cancelled);
    };
    const rejected = assert.rejects(pool.exec(spin, [], { signal: stop.signal }), { name: 'AbortError' });
    await until(() => pool.stats().running > 0, 'it runs');
    stop.abort();
    await rejected;
    await assert.rejects(pool.exec(spin, [], { timeout: 100 }), { code: 'ERR_RW_TASK_TIMEOUT', message: /exec: spin/ });
    const reports = [];
    await pool.exec(() => require('rust-workers').task.progress('half'), [], { onProgress: (value) => reports.push(value), priority: 5 });
    assert.deepEqual(reports, ['half']);
  });

  test(`${kind}: a generator's parts by iterate`, async () => {
    await assert.rejects(pool.exec(function* () { yield 1; }), { code: 'ERR_RW_UNSUPPORTED_VALUE', message: /iterate/ });
    const parts = [];
    const count = function* (n) {
      for (let i = 0; i < n; i++) yield [i, factor];
    };
    for await (const part of pool.iterate(count, [100], { capture: { factor: 2 }, highWaterMark: 2 })) {
      parts.push(part);
      if (part[0] === 2) break;
    }
    assert.deepEqual(parts, [[0, 2], [1, 2], [2, 2]]);
    const holder = new captured.all.Holder();
    assert.deepEqual(await pool.iterate(holder.generate, [1]).next(), { done: false, value: 1 });
    assert.throws(() => pool.iterate((a) => a + factorial, [1]), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /factorial/ });
    const factor = 0;
    void factor;
  });

  test(`${kind}: the name of a function, as workerpool has it`, async () => {
    assert.equal(await pool.exec('fibonacci', [10]), 55);
    await assert.rejects(pool.exec('nobody', [1, 2]), { code: /ERR_RW_UNKNOWN_TASK|ERR_RW_INVALID_ARG_VALUE/ });
    await assert.rejects(pool.exec('fibonacci', 10), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  });
}

test('the name of a function of the script, with several arguments', async () => {
  assert.deepEqual(await scripted.exec('two', [1, 2]), { a: 1, b: 2 });
  assert.deepEqual(await scripted.exec('args', [1]), [1]);
  assert.deepEqual(await scripted.exec('args', []), [undefined]);
});

test('a source is sent once, and workers compile it once', async () => {
  const { binding } = require('../../lib/native');
  const { keepSource } = binding;
  let sent = 0;
  binding.keepSource = (...given) => {
    sent++;
    return keepSource(...given);
  };
  try {
    await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
      for (let i = 0; i < 20; i++) assert.equal(await captured.inline(pool, i), i + 1);
      for (let i = 0; i < 20; i++) assert.equal(await pool.exec(captured.all.sum, [i, 1]), i + 1);
      assert.equal(sent, 2);
    });
  } finally {
    binding.keepSource = keepSource;
  }
});

test('very many functions: what is kept of them is bounded, and all of them run', () =>
  using(new WorkerPool({ maxThreads: 2 }), async (pool) => {
    const { binding } = require('../../lib/native');
    const { dropSource } = binding;
    let dropped = 0;
    binding.dropSource = (...given) => {
      dropped++;
      return dropSource(...given);
    };
    try {
      // eslint-disable-next-line no-new-func
      const functions = Array.from({ length: 700 }, (_, i) => new Function('a', `return a + ${i}`));
      for (let round = 0; round < 2; round++) {
        const results = await Promise.all(functions.map((fn) => pool.exec(fn, [1])));
        assert.deepEqual(results, functions.map((_, i) => i + 1));
        for (const i of [0, 350, 699]) assert.equal(await pool.exec(functions[i], [1]), i + 1);
      }
      assert.ok(dropped >= 700, String(dropped));
    } finally {
      binding.dropSource = dropSource;
    }
  }));

test('a pool without a script: its workers come with the first function, and end with the pool', async () => {
  const pool = new WorkerPool({ maxThreads: 2, minThreads: 1 });
  const events = [];
  for (const name of ['workerCreate', 'workerDestroy']) pool.on(name, () => events.push(name));
  assert.equal(await pool.run('fibonacci', 10), 55);
  assert.deepEqual([pool.stats().workers, events], [0, []]);
  await assert.rejects(pool.exec(() => nothing), { code: 'ERR_RW_INVALID_ARG_VALUE' });
  assert.deepEqual([pool.stats().workers, events], [0, []]);
  const thread = await pool.exec(() => require('node:worker_threads').threadId);
  assert.notEqual(thread, require('node:worker_threads').threadId);
  // A second one may have been started before the first took the task.
  assert.ok(events.length >= 1 && events.every((name) => name === 'workerCreate') && pool.stats().workers === events.length, events.join());
  // Native tasks go on beside them.
  assert.deepEqual(await Promise.all([pool.run('sum', Float64Array.of(1, 2)), pool.exec(() => 5)]), [3, 5]);
  assert.throws(() => pool.iterate('numbers'), { code: 'ERR_RW_UNKNOWN_TASK' });
  await assert.rejects(pool.run('nobody', 1), { code: 'ERR_RW_UNKNOWN_TASK' });
  const last = pool.exec((a) => a, [7]);
  const closed = once(pool, 'close');
  await inTime(pool.close(), 'the pool closes');
  await closed;
  assert.equal(await last, 7);
  assert.deepEqual([pool.stats().workers, events.at(-1)], [0, 'workerDestroy']);
  await assert.rejects(pool.exec(() => 1), { code: 'ERR_RW_POOL_CLOSED' });
});

test('destroy() in the middle, in both kinds of pool', async () => {
  for (const make of Object.values(KINDS)) {
    const pool = make();
    const begun = new Int32Array(new SharedArrayBuffer(4));
    const spin = pool.exec((cells) => {
      Atomics.add(cells, 0, 1);
      for (;;);
    }, [begun]);
    const queued = Array.from({ length: 5 }, () => pool.exec((cells) => Atomics.wait(cells, 0, 0, 5), [begun]));
    const rejected = [spin, ...queued].map((promise) => promise.then(() => 'done', (error) => error.code));
    await until(() => Atomics.load(begun, 0) === 1, 'it runs');
    await inTime(pool.destroy(), 'the pool closes');
    const [first, ...others] = await Promise.all(rejected);
    assert.equal(first, 'ERR_RW_POOL_CLOSED');
    for (const other of others) assert.ok(other === 'done' || other === 'ERR_RW_POOL_CLOSED', other);
  }
});

test('a worker that dies takes only its task along', async () => {
  for (const [, pool] of pools) {
    await assert.rejects(pool.exec(() => process.exit(4)), { code: 'ERR_RW_WORKER_EXITED', exitCode: 4 });
    assert.equal(await pool.exec(() => 'the next'), 'the next');
  }
});

test('a queue that is full has the arguments', () =>
  using(new WorkerPool(script('calls.js'), { maxThreads: 1, maxQueue: 1 }), async (pool) => {
    const held = await holdWorker(pool);
    const first = pool.exec((a) => a, [1]);
    const args = [2];
    await assert.rejects(pool.exec((a) => a, args), (error) => {
      assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
      assert.equal(error.input, args);
      return true;
    });
    held.open();
    assert.equal(await first, 1);
  }));

test('ref() and unref() hold for functions too; an idle pool keeps no process alive', async () => {
  const program = (body) => `
    const { WorkerPool } = require(${JSON.stringify(require.resolve('rust-workers'))});
    const pool = new WorkerPool();
    (async () => {
      await pool.exec(() => 1);
      ${body}
      console.log('last');
    })();`;
  for (const [body, expected] of [['', 'last\n'], ['pool.unref(); await pool.exec(() => new Promise((done) => setTimeout(done, 60000)));', ''],
    ['pool.unref().ref(); await pool.exec(() => new Promise((done) => setTimeout(done, 50)));', 'last\n']]) {
    const { stdout, stderr } = await runNode(['-e', program(body)]);
    assert.deepEqual([stdout, stderr], [expected, ''], body);
  }
});

test('the parser: the bundle has acorn with its licence, and needs no package', async () => {
  const folder = path.join(__dirname, '..', '..', 'lib', 'bundle', 'acorn');
  assert.match(fs.readFileSync(path.join(folder, 'LICENSE'), 'utf8'), /MIT License.*Copyright \(C\) .*acorn|MIT License/s);
  const program = `
    const Module = require('node:module');
    const { _resolveFilename } = Module;
    Module._resolveFilename = (name, ...rest) => {
      if (name === 'acorn') throw new Error('there is no acorn');
      return _resolveFilename(name, ...rest);
    };
    const { WorkerPool } = require('rust-workers');
    const loaded = () => Object.keys(require.cache).filter((file) => file.includes('acorn')).length;
    const pool = new WorkerPool();
    console.log(loaded());
    pool.exec((a) => a + 1, [1]).then(async (value) => {
      console.log(value, loaded());
      await pool.close();
    });`;
  const { stdout, stderr } = await runNode(['-e', program]);
  assert.deepEqual([stdout, stderr], ['0\n2 1\n', '']);
});

test('ES modules: the file, its imports, no warning', async () => {
  const { stdout, stderr, code } = await runNode(['--input-type=module', '-e', `
    import { WorkerPool } from 'rust-workers';
    const pool = new WorkerPool();
    console.log(await pool.exec(async () => (await import('node:path')).sep.length));
    await pool.close();`]);
  assert.deepEqual([stdout, stderr, code], ['1\n', '', 0]);
  const file = path.join(__dirname, '..', 'fixtures', 'scripts', 'executes.mjs');
  const result = await runNode([file]);
  assert.deepEqual([result.stdout, result.stderr, result.code], ['[1,2] executes.mjs:8 executes.mjs\n', '', 0]);
});

test('the free variables of one program, as V8 finds them when it runs', () => {
  const random = createRandom(5);
  const names = ['a', 'b', 'c', 'd', 'e'];
  const name = () => names[random(names.length)];
  const statement = (depth) => {
    const inner = () => (depth > 0 ? statement(depth - 1) : `use(() => ${name()});`);
    const forms = [
      () => `use(() => ${name()});`,
      () => `{ let ${name()} = 0; ${inner()} }`,
      () => `{ const ${name()} = 0; ${inner()} ${inner()} }`,
      () => `for (let ${name()} = 0, once = true; once; once = false) { ${inner()} }`,
      () => `for (const ${name()} of [0]) { ${inner()} }`,
      () => `try { throw 0; } catch (${name()}) { ${inner()} }`,
      () => `(function ${name()}(${name()}) { ${inner()} })(0);`,
      () => `((${name()}, { x: ${`x${random(9)}`} = 0 } = {}) => { ${inner()} })(0);`,
      () => `(() => { var ${name()} = 0; ${inner()} })();`,
      () => `new (class ${name()} { field = (() => { ${inner()} })(); static { ${inner()} } })();`,
      () => `switch (0) { case 0: let ${name()}; ${inner()} }`,
    ];
    return forms[random(forms.length)]();
  };
  for (let round = 0; round < 400; round++) {
    const text = `(use) => { ${Array.from({ length: random(4) + 1 }, () => statement(4)).join(' ')} }`;
    const { expression } = parseProgram(`"use strict";(${text})`).body.at(-1);
    const found = new Set();
    const run = (0, eval)(`"use strict";(${text})`);
    // A reference in its dead zone is no free one.
    run((read) => {
      try {
        read();
      } catch (error) {
        const missing = /^(\w+) is not defined$/.exec(error.message);
        if (missing) found.add(missing[1]);
      }
    });
    assert.deepEqual(freeVariables(expression).needed.sort(), [...found].sort(), text);
  }
});

test('there is no task on this side', () => assert.equal(task.cancelled, false));
