'use strict';

// A pool loads its script as Node loads a Worker's: beside a bare Worker with the same arguments.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { Worker } = require('node:worker_threads');

const { WorkerPool, errors } = require('rust-workers');
const { script: scriptPath } = require('../support/pools');
const { until } = require('../support/until');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rw-loading-'));
after(() => fs.rmSync(folder, { recursive: true }));
const write = (name, text) => {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
};

const hook = write('hook.js', `
  const fs = require('node:fs');
  for (const extension of ['.ts', '.dialect'])
    require.extensions[extension] = (module, file) =>
      module._compile(fs.readFileSync(file, 'utf8').replace(/enum (\\w+) \\{ (\\w+) = (\\d+) \\}/, 'const $1 = { $2: $3 };'), file);
`);
const DIALECT = `
  enum Factor { two = 2 }
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (n) => parentPort.postMessage(n * Factor.two));
`;
const register = write('register.mjs', `
  import { register } from 'node:module';
  register(new URL('./loader.mjs', import.meta.url));
`);
write('loader.mjs', `
  export async function load(url, context, next) {
    if (!url.endsWith('.odd') && !url.includes('replaced')) return next(url, context);
    return {
      format: 'module', shortCircuit: true,
      source: "import { parentPort } from 'node:worker_threads'; parentPort.on('message', (n) => parentPort.postMessage(n * 3));",
    };
  }
`);
const ESM = "import { parentPort } from 'node:worker_threads'; parentPort.on('message', (n) => parentPort.postMessage(n * 2));";
const CJS = "require('node:worker_threads').parentPort.on('message', function (n) { this.postMessage(n * 2); });";
write('esm/package.json', '{ "type": "module" }');

const scripts = {
  'a require hook for .ts': [write('hooked.ts', DIALECT), { execArgv: ['-r', hook] }],
  'a require hook for an extension of its own': [write('hooked.dialect', DIALECT), { execArgv: ['-r', hook] }],
  'a loader for another extension': [write('loaded.odd', 'not JavaScript'), { execArgv: ['--import', pathToFileURL(register).href] }],
  'a loader that replaces the source': [write('replaced.mjs', 'not JavaScript'), { execArgv: ['--import', pathToFileURL(register).href] }],
  'CommonJS under a loader': [write('plain.cjs', CJS), { execArgv: ['--import', pathToFileURL(register).href] }],
  'no extension': [write('bare', CJS)],
  '.cjs in a package of modules': [write('esm/one.cjs', CJS)],
  '.js in a package of modules': [write('esm/one.js', ESM)],
  '.mjs': [write('one.mjs', ESM)],
  'the syntax of modules in .js, no type': [write('ambiguous.js', ESM)],
  'an unknown extension': [write('one.unknown', CJS)],
};

/** What a bare Worker answers to 21; or what it dies of. */
function bare(file, options) {
  return new Promise((resolve) => {
    const worker = new Worker(file, options);
    worker.on('message', (answer) => {
      resolve(answer);
      worker.terminate();
    });
    worker.on('error', ({ name }) => resolve(name));
    worker.postMessage(21);
  });
}

for (const [what, [file, options]] of Object.entries(scripts)) {
  test(`as a bare Worker: ${what}`, async () => {
    const expected = await bare(file, options);
    const pool = new WorkerPool(file, { maxThreads: 1, ...options });
    const seen = await pool.runTask(21).catch(({ cause, name }) => cause?.name ?? name);
    assert.equal(seen, expected);
    await pool.close();
  });
}

test('through a link: the file is the one that is linked to, once', async () => {
  const target = write('linked/target.mjs', 'globalThis.loads = (globalThis.loads ?? 0) + 1; export default () => [import.meta.url, globalThis.loads];');
  const link = path.join(folder, 'link.mjs');
  fs.symlinkSync(target, link);
  const pool = new WorkerPool(link, { maxThreads: 1 });
  assert.deepEqual(await pool.runTask(), [pathToFileURL(fs.realpathSync(target)).href, 1]);
  await pool.close();
});

const promised = {
  'a promise of a function, CommonJS': ['p1.cjs', 'module.exports = Promise.resolve((n) => n * 2);'],
  'a promise of an object of functions': ['p2.cjs', 'module.exports = Promise.resolve({ default: (n) => n * 2, other: () => "other" });'],
  'a default that is a promise, ESM': ['p3.mjs', 'export default Promise.resolve((n) => n * 2); export const other = () => "other";'],
  'a default that is a thenable': ['p4.mjs', 'export default { then(done) { setImmediate(done, (n) => n * 2); } };'],
  'a promise of a promise': ['p5.cjs', 'module.exports = (async () => ({ default: Promise.resolve((n) => n * 2) }))();'],
  'top-level await': ['p6.mjs', 'await new Promise(setImmediate); export default (n) => n * 2;'],
};
for (const [what, [name, source]] of Object.entries(promised)) {
  test(`an export that comes later: ${what}`, async () => {
    const pool = new WorkerPool(write(name, source), { maxThreads: 1 });
    assert.equal(await pool.runTask(21), 42);
    if (source.includes('other')) assert.equal(await pool.run('other'), 'other');
    await pool.close();
  });
}

const broken = {
  'throws': ['b1.cjs', "throw Object.assign(new RangeError('not today'), { code: 'E_LOAD' });", /not today/],
  'throws, with a handler of its own for that': ['b2.cjs', "process.on('uncaughtException', () => {}); throw new Error('swallowed');", /swallowed/],
  'a module that throws': ['b3.mjs', "throw new Error('in a module');", /in a module/],
  'a module that throws, with handlers': ['b4.mjs', "process.on('uncaughtException', () => {}); process.on('unhandledRejection', () => {}); await null; throw new Error('swallowed too');", /swallowed too/],
  'does not parse: where': ['b5.cjs', 'const x = 1;\nconst y = = 2;\n', /b5\.cjs:2/],
  // Where in it, Node itself does not tell.
  'a module that does not parse': ['b6.mjs', 'const x = 1;\nconst y = = 2;\n', /b6\.mjs.*Unexpected token/],
  'a promise that is rejected': ['b8.cjs', "module.exports = Promise.reject(new Error('rejected export'));", /rejected export/],
  'a default that is rejected': ['b9.mjs', "export default Promise.reject(new Error('rejected default'));", /rejected default/],
  'throws nothing one could name': ['b10.cjs', 'throw undefined;', /undefined/],
  'throws what cannot be cloned': ['b11.cjs', "throw Object.assign(new Error('uncloneable'), { f() {} });", /uncloneable/],
  'process.exit(0)': ['b12.cjs', 'process.exit(0);', /exited with code 0/],
  'process.exit(3)': ['b13.cjs', 'process.exit(3);', /exited with code 3/],
  'a dependency that is not there': ['b14.cjs', "require('./nowhere');", /nowhere/],
};
for (const [what, [name, source, message]] of Object.entries(broken)) {
  test(`a script that cannot be loaded: ${what}`, async () => {
    const pool = new WorkerPool(write(name, source), { maxThreads: 2 });
    let created = 0;
    pool.on('workerCreate', () => created++);
    pool.on('error', () => {});
    const runs = [pool.runTask(1), pool.runTask(new (class {})()), pool.run('fibonacci', 10), pool.run('other')];
    const [first, second, , last] = await Promise.all(runs.map((run) => run.catch((error) => error)));
    for (const error of [first, second, last]) {
      assert.ok(error instanceof errors.ScriptLoadError, `${error}`);
      assert.match(error.message, message);
    }
    await pool.close();
    assert.ok(created <= 8, `${created} workers were started`);
  });
}

test('a worker that is terminated while it starts costs nobody anything', async () => {
  // The third worker gets to the end of the script.
  const source = `
    const { workerData } = require('node:worker_threads');
    const number = Atomics.add(workerData, 0, 1) + 1;
    if (number < 3) for (;;);
    module.exports = () => number;`;
  const starts = new Int32Array(new SharedArrayBuffer(4));
  const pool = new WorkerPool(write('slow.cjs', source), { maxThreads: 1, workerData: starts });
  let created = 0;
  pool.on('workerCreate', (worker) => {
    const number = ++created;
    until(() => Atomics.load(starts, 0) === number, 'it loads the script').then(() => number < 3 && worker.terminate());
  });
  assert.equal(await pool.runTask(5), 3);
  assert.equal(created, 3);
  await pool.close();
});

for (const concurrentTasksPerWorker of [1, 3]) {
  test(`a script that listens later hears what was sent before, ${concurrentTasksPerWorker} at a time`, async () => {
    const pool = new WorkerPool(scriptPath('listens-later.js'), { maxThreads: 2, concurrentTasksPerWorker });
    assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map((n) => pool.runTask(n))), [2, 3, 4, 5, 6]);
    await pool.close();
  });
}

const begun = {
  'it reads a file': "require('node:fs').readFile(process.execPath, then)",
  'it derives a key': "require('node:crypto').pbkdf2('a', 'b', 200_000, 20, 'sha1', then)",
  'it deflates': "require('node:zlib').deflate(Buffer.alloc(2 ** 24), then)",
  'another thread has ended': "new (require('node:worker_threads').Worker)('', { eval: true }).on('exit', then)",
};
for (const [when, begin] of Object.entries(begun)) {
  for (const [what, then, expected] of [
    ['that listens when', "parentPort.on('message', (n) => parentPort.postMessage(n + 1))", [2, 3, 4]],
    ['that does not listen even when', '{}', Array(3).fill('ERR_RW_UNKNOWN_TASK')],
  ]) {
    test(`a script ${what} ${when}`, async () => {
      const name = `${what} ${when}.cjs`;
      const text = `const { parentPort } = require('node:worker_threads'); const then = () => ${then}; ${begin};`;
      const pool = new WorkerPool(write(name, text), { maxThreads: 1, concurrentTasksPerWorker: 2 });
      let ends = 0;
      pool.on('workerDestroy', () => ends++);
      assert.deepEqual(await Promise.all([1, 2, 3].map((n) => pool.runTask(n).catch(({ code }) => code))), expected);
      assert.equal(ends, 0);
      await pool.close();
    });
  }
}

test('a getter among the exports that throws costs that name, and no other', async () => {
  const text = "module.exports = { get bad() { throw new RangeError('getter'); }, good: (value) => value };";
  const pool = new WorkerPool(write('getter.js', text), 1);
  assert.equal(await pool.run('good', 1), 1);
  await assert.rejects(pool.run('bad'), { name: 'RangeError', message: 'getter' });
  await pool.close();
});

test('a script that makes a pool of itself is refused in the worker that loads it, and not inside of a task', async () => {
  const own = scriptPath('makes-own-pool.mjs');
  write('own/main.cjs', `
    const { WorkerPool } = require(${JSON.stringify(path.join(__dirname, '..', '..'))});
    exports.factor = 2;
    exports.pool = new WorkerPool(require('node:path').join(__dirname, 'worker.cjs'), { maxThreads: 1 });
    exports.pool.run('twice', 1).catch(() => {});`);
  const byImport = write('own/worker.cjs', "const { factor } = require('./main.cjs'); exports.twice = (n) => factor * n;");
  for (const [script, task] of [[own, 'square'], [byImport, 'twice']]) {
    const pool = new WorkerPool(script, { maxThreads: 1 });
    await assert.rejects(pool.run(task, 2), ({ code, cause, message }) => {
      assert.deepEqual([code, cause.code], ['ERR_RW_SCRIPT_LOAD', 'ERR_RW_INVALID_ARG_VALUE']);
      assert.match(message, /makes a pool of itself .*isMainThread/s);
      return true;
    });
    await pool.close();
  }
  const pool = new WorkerPool(own, { maxThreads: 1, workerData: 'guarded' });
  assert.equal(await pool.run('nested', 4), 16);
  await pool.close();
});
