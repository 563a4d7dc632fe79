'use strict';

// lib/bundle, made by lib/install/bundle.js; and lib/runtime/module-loader.js, which makes modules of it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { tokenizer } = require('acorn');

const { triple } = require('../lib/native/triple');
const { onEachNode, quietly, runNode } = require('./support/child');

const ROOT = path.join(__dirname, '..');
const ADDON = `rust-workers.${triple()}.node`;

let folder;
/** A clone with a fresh bundle; what a user has installed; and a clone without a bundle. */
let clone, installed, plain;

function copy(name, isClone) {
  const target = path.join(folder, name);
  for (const part of ['lib', 'index.js', 'package.json', ADDON]) {
    fs.cpSync(path.join(ROOT, part), path.join(target, part), { recursive: true });
  }
  fs.rmSync(path.join(target, 'lib', 'bundle'), { recursive: true, force: true });
  if (isClone) fs.mkdirSync(path.join(target, '.git'));
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(target, 'node_modules'));
  return target;
}

/** Makes the bundle of a copy. */
async function bundle(target) {
  const end = await runNode([path.join(target, 'lib', 'install', 'bundle.js')]);
  assert.deepEqual(end, { code: 0, signal: null, stdout: '', stderr: '' });
}

before(async () => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-bundle-')));
  clone = copy('clone', true);
  installed = copy('installed', false);
  plain = copy('plain', true);
  await Promise.all([bundle(clone), bundle(installed)]);
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Which files of the bundle are read when the package in `target` is required and these names of it are read. */
async function filesRead(target, names = []) {
  const program = `
    const fs = require('node:fs');
    const { readFileSync } = fs;
    const read = [];
    fs.readFileSync = (file, ...rest) => (read.push(file), readFileSync(file, ...rest));
    const rw = require(${JSON.stringify(target)});
    for (const name of ${JSON.stringify(names)}) void rw[name];
    const bundle = ${JSON.stringify(path.join(target, 'lib', 'bundle') + path.sep)};
    // Some Nodes read what is required in another way.
    const files = new Set([...read, ...Object.keys(require.cache)].filter((file) => String(file).startsWith(bundle)));
    console.log(JSON.stringify([...files].map((file) => file.slice(bundle.length)).sort()));`;
  const { code, stdout, stderr } = await runNode(['-e', program]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('to require the package reads one file of it, and each name what it needs', async () => {
  assert.deepEqual(await filesRead(installed), ['index.js']);
  assert.deepEqual(await filesRead(installed, ['WorkerPool']), ['index.js', 'pool.js', 'worker.js']);
  assert.deepEqual(await filesRead(plain, ['WorkerPool']), []);
});

test('it holds every module of ours, with each token in its line, and no comment', () => {
  const { load } = require(path.join(installed, 'lib', 'bundle'));
  assert.equal(typeof load, 'function');
  const functions = Object.assign(
    {},
    ...['pool', 'rest', 'worker'].map((name) => require(path.join(installed, 'lib', 'bundle', `${name}.js`))),
  );
  const main = fs.readFileSync(path.join(installed, 'lib', 'bundle', 'index.js'), 'utf8');
  const files = fs
    .readdirSync(path.join(ROOT, 'lib'), { recursive: true })
    .filter((name) => name.endsWith('.js') && !/^(?:install|bundle)|bootstrap|notifier-thread/.test(name));
  assert.ok(files.length > 100);
  const options = { ecmaVersion: 'latest', sourceType: 'commonjs', locations: true };
  const tokensOf = (source, comments) =>
    [...tokenizer(source, { ...options, onComment: comments })].map(({ type, value, loc }) => [type.label, value, loc.start.line]);
  let inMain = 0;
  for (const file of files) {
    const id = file.replaceAll(path.sep, '/').slice(0, -3);
    const source = fs.readFileSync(path.join(ROOT, 'lib', file), 'utf8');
    if (functions[id] === undefined) {
      assert.ok(main.includes(`'${id}': function (`), id);
      inMain++;
      continue;
    }
    const head = 'function (exports, require, module, __filename, __dirname) { ';
    const text = String(functions[id]);
    assert.ok(text.startsWith(head) && text.endsWith('\n}'), id);
    const comments = [];
    const there = tokensOf(text.slice(head.length, -2), comments);
    assert.deepEqual(comments, [], id);
    assert.deepEqual(there, tokensOf(source), id);
  }
  assert.ok(inMain > 10);
});

test('a clone takes the files, as soon as one is another than when the bundle was made', async () => {
  assert.deepEqual(await filesRead(clone), ['index.js']);
  const file = path.join(clone, 'lib', 'locks', 'index.js');
  fs.appendFileSync(file, '\nmodule.exports.Mutex.isChanged = true;\n');
  const program = `console.log(require(${JSON.stringify(clone)}).Mutex.isChanged)`;
  assert.equal((await runNode(['-e', program])).stdout, 'true\n');
  await bundle(clone);
  assert.equal((await runNode(['-e', program])).stdout, 'true\n');
  assert.deepEqual(await filesRead(clone), ['index.js']);
  fs.rmSync(path.join(clone, 'lib', 'codec', 'describe.js'));
  const { stderr } = await runNode(['-e', program]);
  assert.match(stderr, /Cannot find module.*describe/, 'the files are taken, and one is missing');
});

onEachNode('the bundle', (run) => {
  test('names are properties like any: copied, covered, replaced, on a frozen object', async () => {
    const end = await run(({ say }, installed) => {
      const rw = require(installed);
      const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(rw));
      say(copy.Mutex === rw.Mutex, { ...rw }.RwLock === rw.RwLock, Object.create(rw).Barrier === rw.Barrier);
      class Mine {}
      rw.Semaphore = Mine;
      copy.Condvar = Mine;
      say(rw.Semaphore === Mine, rw.Condvar === Mine, copy.Condvar === Mine, copy.Semaphore === Mine);
      const heir = Object.create(rw);
      heir.SharedBuffer = Mine;
      say(heir.SharedBuffer === Mine, rw.SharedBuffer === Mine);
      Object.freeze(rw);
      say(rw.WorkerPool.name, rw.WorkerPool === rw.WorkerPool, rw.MessageChannel.name);
      try {
        (() => { 'use strict'; rw.move = 1; })();
      } catch (error) {
        say(error.name, typeof rw.move);
      }
    }, { args: [installed] });
    assert.deepEqual(end, quietly(
      'true true true', 'true false true false', 'true false', 'WorkerPool true MessageChannel', 'TypeError function'));
  });

  test('files that an update replaced meanwhile are an error that says what to do', async () => {
    const updated = copy(`updated-${process.pid}-${Math.random()}`, false);
    await bundle(updated);
    const end = await run(async ({ say }, updated) => {
      const fs = require('node:fs');
      const rw = require(updated);
      const file = `${updated}/lib/bundle/pool.js`;
      const text = fs.readFileSync(file, 'utf8');
      fs.writeFileSync(file, text.replace(/^\/\/ [0-9a-f]{64}$/m, '// of another version'));
      for (let i = 0; i < 2; i++) {
        try {
          void rw.WorkerPool;
        } catch ({ message }) {
          say(message.replace(updated, ''));
        }
      }
      fs.writeFileSync(file, text);
      say((await new rw.Mutex().lock()).held, rw.WorkerPool.name);
    }, { args: [updated] });
    const message = `${path.normalize('/lib/bundle/pool.js')} was replaced after rust-workers was loaded: start this process again`;
    assert.deepEqual(end, quietly(message, message, 'true WorkerPool'));
  });

  test('what is loaded late belongs to what was loaded before, whatever became of the module registry', async () => {
    const end = await run(async ({ say }, installed) => {
      const rw = require(installed);
      const { SharedBuffer } = rw;
      for (const file of Object.keys(require.cache)) delete require.cache[file];
      const mutex = new rw.Mutex();
      say((await mutex.lock()).held, mutex.tryLock() === null);
      const { port1, port2 } = new rw.MessageChannel();
      port1.postMessage({ mutex, shared: new SharedBuffer(8) });
      const got = await port2.receive();
      say(got.mutex instanceof rw.Mutex, got.shared instanceof SharedBuffer);
      port1.close();
      const failed = await new rw.WorkerPool({ maxThreads: 1 }).run('nothing').catch((error) => error);
      say(failed instanceof rw.errors.UnknownTaskError, failed.code);
    }, { args: [installed] });
    assert.deepEqual(end, quietly('true true', 'true true', 'true ERR_RW_UNKNOWN_TASK'));
  });

  test('scripts that require the package get the modules of their worker', async () => {
    const end = await run(async ({ say }, installed) => {
      const { WorkerPool } = require(installed);
      const fs = require('node:fs');
      const script = `${installed}/script.cjs`;
      fs.writeFileSync(script, `
        const { task, Mutex, move } = require(${JSON.stringify(installed)});
        const files = () => Object.keys(require.cache).filter((file) => /lib.bundle.(?!index)/.test(file)).length;
        exports.use = (mutex) => [task.signal instanceof AbortSignal, mutex instanceof Mutex, typeof move, files()];`);
      const pool = new WorkerPool(script, 1);
      say(JSON.stringify(await pool.run('use', new (require(installed).Mutex)())));
      await pool.close();
    }, { args: [installed] });
    assert.deepEqual(end, quietly('[true,true,"function",0]'));
  });

  test('an error thrown in a worker names file and line of ours', async () => {
    const end = await run(async ({ say }, installed) => {
      const { WorkerPool } = require(installed);
      const fs = require('node:fs');
      const script = `${installed}/thrower.cjs`;
      fs.writeFileSync(script, 'exports.fail = () => { throw new Error("mine"); };');
      const pool = new WorkerPool(script, 1);
      const { stack } = await pool.run('fail').catch((error) => error);
      await pool.close();
      const [, file, line] = /\(?([^( ]*lib[\\/]script-pool[\\/]runner\.js):(\d+):\d+/.exec(stack);
      say(/\(/.test(fs.readFileSync(file, 'utf8').split('\n')[line - 1]));
    }, { args: [installed] });
    assert.deepEqual(end, quietly('true'));
  });
});
