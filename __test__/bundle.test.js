'use strict';

// lib/bundle, made by lib/install/bundle.js; and lib/runtime/module-loader.js, which makes modules of it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { compileFunction } = require('node:vm');
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

const bundleFiles = (target) => fs.readdirSync(path.join(target, 'lib', 'bundle')).filter((name) => name.endsWith('.js'));

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
    const rw = require(${JSON.stringify(target)});
    for (const name of ${JSON.stringify(names)}) void rw[name];
    const { basename, join } = require('node:path');
    const bundle = require.cache[join(${JSON.stringify(target)}, 'lib', 'bundle', 'index.js')];
    const files = bundle === undefined ? [] : [bundle, ...bundle.children].map(({ filename }) => basename(filename));
    console.log(JSON.stringify(files.filter((file) => file.endsWith('.js')).sort()));`;
  const { code, stdout, stderr } = await runNode(['-e', program]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('to require the package reads one file of it, and each name what it needs', async () => {
  assert.deepEqual(await filesRead(installed), ['index.js']);
  assert.deepEqual(await filesRead(installed, ['WorkerPool']), ['common.js', 'fallback.js', 'index.js', 'pool.js']);
  assert.deepEqual(await filesRead(installed, ['Mutex']), ['common.js', 'index.js', 'locks.js']);
  assert.deepEqual(await filesRead(plain, ['WorkerPool']), []);
});

test('it holds every module of ours, with each token in its line, and no comment', () => {
  const { load } = require(path.join(installed, 'lib', 'bundle'));
  assert.equal(typeof load, 'function');
  const functions = Object.assign(
    {},
    ...bundleFiles(installed).filter((name) => name !== 'index.js').map((name) => require(path.join(installed, 'lib', 'bundle', name))),
  );
  const main = fs.readFileSync(path.join(installed, 'lib', 'bundle', 'index.js'), 'utf8');
  const files = fs
    .readdirSync(path.join(ROOT, 'lib'), { recursive: true })
    .filter((name) => name.endsWith('.js') && !/^(?:install|bundle|bullmq|seeing.page)|bundled|bootstrap|notifier-thread/.test(name));
  assert.ok(files.length > 100);
  const options = { ecmaVersion: 'latest', sourceType: 'commonjs', locations: true };
  const tokensOf = (source, comments) =>
    [...tokenizer(source, { ...options, onComment: comments })].map(({ type, value, loc }) => [type.label, value, loc.start.line]);
  let inMain = 0;
  for (const file of files) {
    const id = file.replaceAll(path.sep, '/').slice(0, -3);
    const source = fs.readFileSync(path.join(ROOT, 'lib', file), 'utf8');
    if (functions[id] === undefined) {
      assert.ok(main.includes(`'${id}': (function (`), id);
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

test('a clone takes the files, when a file of the bundle is another than the one that was written', async () => {
  const clone = copy('other', true);
  await bundle(clone);
  assert.deepEqual(await filesRead(clone), ['index.js']);
  const part = path.join(clone, 'lib', 'bundle', 'pool.js');
  fs.writeFileSync(part, fs.readFileSync(part, 'utf8').replace('// ', '// other '));
  assert.deepEqual(await filesRead(clone, ['WorkerPool']), ['index.js'], 'it is asked, and passed over');
  // Of several processes that make the bundle, one is the last.
  await Promise.all([bundle(clone), bundle(clone), bundle(clone)]);
  assert.deepEqual(await filesRead(clone, ['Mutex']), ['common.js', 'index.js', 'locks.js']);
});

/** Loads the package as frameworks and bundlers load it: modules are not Node's. The exports and the files' names. */
function loadElsewhere(target, hasFiles) {
  const modules = new Map();
  function load(file) {
    if (modules.has(file)) return modules.get(file).exports;
    const made = { exports: {}, ...(hasFiles && { filename: file }) };
    modules.set(file, made);
    const ofNode = createRequire(file);
    const resolved = (name) => (/^(?:\.|\/|[A-Z]:)/.test(name) ? ofNode.resolve(name) : name);
    const own = (name) => (/^(?:\.|\/|[A-Z]:)/.test(name) && !name.endsWith('.node') ? load(resolved(name)) : ofNode(name));
    own.resolve = ofNode.resolve;
    const names = ['exports', 'require', 'module', '__filename', '__dirname'];
    const run = compileFunction(fs.readFileSync(file, 'utf8'), names, { filename: file });
    run.call(made.exports, made.exports, own, made, file, path.dirname(file));
    return made.exports;
  }
  const exported = load(path.join(target, 'index.js'));
  return { exported, files: [...modules.keys()].map((file) => path.relative(target, file)) };
}

test('a framework with modules of its own gets all of the bundle at once, without accessors', () => {
  const { exported, files } = loadElsewhere(installed, true);
  // But for the one with what only workers of a pool need.
  const names = bundleFiles(installed).filter((name) => name !== 'worker.js').map((name) => path.join('lib', 'bundle', name));
  assert.deepEqual(files.sort(), ['index.js', ...names]);
  const accessors = Object.entries(Object.getOwnPropertyDescriptors(exported)).filter(([, { get }]) => get !== undefined);
  assert.deepEqual(accessors, []);
  assert.equal(typeof exported.WorkerPool, 'function');
});

test('where modules have no file names, and the files are there, they are taken from them', () => {
  const { exported, files } = loadElsewhere(installed, false);
  assert.ok(files.includes(path.join('lib', 'main.js')));
  assert.deepEqual(files.filter((file) => file.startsWith(path.join('lib', 'bundle'))), []);
  assert.equal(typeof exported.WorkerPool, 'function');
});

onEachNode('the bundle', (run) => {
  test('a name that was not read is a property like any, also of objects that have it from ours', async () => {
    const end = await run(async ({ say }, installed) => {
      const rw = require(installed);
      const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(rw));
      const child = Object.create(rw);
      say(copy.task === rw.task, child.errors === rw.errors, Object.hasOwn(child, 'errors'));
      copy.Mutex = 1;
      child.Semaphore = 2;
      say(copy.Mutex, typeof rw.Mutex, child.Semaphore, typeof rw.Semaphore, typeof copy.Semaphore);
      rw.RwLock = 3;
      say(rw.RwLock, typeof copy.RwLock, Object.getOwnPropertyDescriptor(rw, 'RwLock').writable, rw.RwLock);
      Object.freeze(rw);
      say(typeof rw.WorkerPool, rw.WorkerPool === rw.WorkerPool, typeof rw.Condvar);
      try {
        (() => { 'use strict'; rw.WorkerPool = 4; })();
      } catch (error) {
        say(error.name, typeof rw.WorkerPool);
      }
    }, { args: [installed] });
    assert.deepEqual(end, quietly(
      'true true false', '1 function 2 function function', '3 function true 3', 'function true function', 'TypeError function',
    ));
  });

  test('a name can be read where the functions of node:fs, or what `require` returns of Node, are replaced', async () => {
    const end = await run(({ say }, installed) => {
      const fs = require('node:fs');
      const { prototype } = require('node:module');
      const rw = require(installed);
      const { readFileSync, existsSync, statSync } = fs;
      Object.assign(fs, { readFileSync: () => 'nothing', existsSync: () => false, statSync: () => undefined });
      const ofNode = prototype.require;
      prototype.require = (name) => ({ name });
      const kinds = [typeof rw.WorkerPool, typeof rw.Mutex, typeof rw.MessageChannel];
      prototype.require = ofNode;
      Object.assign(fs, { readFileSync, existsSync, statSync });
      say(...kinds);
    }, { args: [installed] });
    assert.deepEqual(end, quietly('function function function'));
  });

  test('where a hook changes the sources, the workers of a pool get them as they are', async () => {
    const end = await run(async ({ say }, installed) => {
      const { _extensions: extensions } = require('node:module');
      const load = extensions['.js'];
      extensions['.js'] = (module, file) => {
        const { _compile } = module;
        module._compile = function (text, ...rest) {
          const counting = text.replace(/^'.*': \(?function \(.*?\) \{/gm, '$& counted();');
          return _compile.call(this, `const counted = () => {}; ${counting}`, ...rest);
        };
        return load(module, file);
      };
      const script = `${installed}/adder.cjs`;
      require('node:fs').writeFileSync(script, 'exports.add = ([a, b]) => a + b;');
      const pool = new (require(installed).WorkerPool)(script, 1);
      say(await pool.run('add', [1, 2]));
      await pool.close();
    }, { args: [installed] });
    assert.deepEqual(end, quietly('3'));
  });

  test('a file of another version is not mixed with what is loaded', async () => {
    const end = await run(({ say }, installed) => {
      const fs = require('node:fs');
      const updated = `${installed}-updated`;
      fs.cpSync(installed, updated, { recursive: true, verbatimSymlinks: true });
      const rw = require(updated);
      const file = `${updated}/lib/bundle/locks.js`;
      const text = fs.readFileSync(file, 'utf8');
      fs.writeFileSync(file, text.replace(/[0-9a-f]{64}/, 'f'.repeat(64)));
      for (let i = 0; i < 2; i++) {
        try {
          say(rw.Mutex);
        } catch (error) {
          say(/locks\.js was replaced after rust-workers was loaded/.test(error.message));
        }
      }
      fs.writeFileSync(file, text);
      say(typeof rw.Mutex);
      fs.rmSync(updated, { recursive: true });
    }, { args: [installed] });
    assert.deepEqual(end, quietly('true', 'true', 'function'));
  });

  test('a second copy of the exports does not change the first', async () => {
    const end = await run(async ({ say }, installed) => {
      const rw = require(installed);
      for (const file of Object.keys(require.cache)) if (!/lib.worker/.test(file)) delete require.cache[file];
      const second = require(installed);
      say(second !== rw, second.errors !== rw.errors);
      const pool = new rw.WorkerPool({ maxThreads: 1 });
      say((await pool.run('nothing').catch((error) => error)) instanceof rw.errors.UnknownTaskError);
    }, { args: [installed] });
    assert.deepEqual(end, quietly('true true', 'true'));
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
