'use strict';

// Packs that misbehave beyond what a table can have wrong: where they are loaded, in what they return, and what that costs others.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, describe, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { runNode } = require('../support/child');
const { compile, noCompiler, temporary } = require('../support/packs');
const { thread } = require('../support/thread');
const { inTime } = require('../support/until');

const MAIN = JSON.stringify(require.resolve('rust-workers'));

const pools = [];
const open = (options = { maxThreads: 1 }) => {
  const pool = new WorkerPool(options);
  pools.push(pool);
  return pool;
};
after(() => Promise.all(pools.map((pool) => pool.destroy())));

/** A pack of one task, `name`, that does nothing; `begin`: what its function does first, `run`: what the task does. */
function source({ name = '"one"', begin = '', run = 'return RW_OK;', includes = '' }) {
  return `
    #include "kit.h"
    ${includes}
    TASK(one) { UNUSED; ${run} }
    static const rw_task task = {sizeof task, 0, ${name}, NULL, one, NULL};
    static const rw_task *const tasks[] = {&task};
    static const rw_pack pack = {sizeof pack, RW_ABI, "misbehaves", "1", tasks, 1};
    RW_EXPORT const rw_pack *rust_workers_pack(const rw_host *host, const char **error) {
      (void)host, (void)error;
      ${begin}
      return &pack;
    }
  `;
}

/** The end of a process that does this with a pool, while another pool has a task under way. */
function processOf(library, body) {
  return runNode(['-e', `
    const { WorkerPool } = require(${MAIN});
    const library = ${JSON.stringify(library)};
    const other = new WorkerPool({ maxThreads: 1 });
    (async () => { ${body} })();
  `], { timeout: 20_000 });
}

describe('a pack whose function', { skip: noCompiler }, () => {
  test('calls exit(): the process ends with that', async () => {
    const { code, signal } = await processOf(compile(source({ begin: 'exit(7);' })), "other.run('sleep', 50); new WorkerPool().use(library);");
    assert.deepEqual([code, signal], [7, null]);
  });

  test('aborts, or crashes: the process ends by that signal', async () => {
    for (const [begin, expected] of [['abort();', 'SIGABRT'], ['*(volatile int *)8 = 1;', 'SIGSEGV']]) {
      const { code, signal } = await processOf(compile(source({ begin })), 'new WorkerPool().use(library);');
      assert.deepEqual([code, signal], [null, expected]);
    }
  });

  test('never returns: it costs the thread that called use() alone; others load packs and run tasks', async () => {
    const stuck = compile(source({ begin: 'for (;;) pause();', includes: '#include <unistd.h>' }));
    const [good, late] = [compile(source({})), compile(source({}))];
    const { code, signal, stdout } = await processOf(stuck, `
      const { Worker } = require('node:worker_threads');
      other.use(${JSON.stringify(good)});
      const text = \`const { WorkerPool } = require(\${JSON.stringify(${MAIN})});
        require('node:worker_threads').parentPort.postMessage(1);
        new WorkerPool({ maxThreads: 1 }).use(\${JSON.stringify(library)});\`;
      const worker = new Worker(text, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await new Promise((resolve) => setTimeout(resolve, 100));
      await other.run('one');
      await new WorkerPool({ maxThreads: 1 }).use(${JSON.stringify(late)}).run('one');
      console.log('others go on');
      // exit() of Node waits for the end of each Worker.
      process.kill(process.pid, 'SIGKILL');
    `);
    assert.deepEqual([code, signal, stdout], [null, 'SIGKILL', 'others go on\n']);
  });
});

describe('a pack in C++ that lets an exception out', { skip: noCompiler || spawnSync('c++', ['--version']).status !== 0 }, () => {
  const compiled = (begin, run) => {
    const [file, library] = [path.join(temporary(), 'throws.cc'), path.join(temporary(), `throws${begin.length}.so`)];
    fs.writeFileSync(file, `
      #include "${path.join(__dirname, '..', '..', 'include', 'rust_workers.h')}"
      #include <stdexcept>
      static int32_t one(const rw_host *, rw_call *, const rw_value *, void *) { ${run} return RW_OK; }
      static const rw_task task = {sizeof task, 0, "one", nullptr, one, nullptr};
      static const rw_task *const tasks[] = {&task};
      static const rw_pack pack = {sizeof pack, RW_ABI, "throws", "1", tasks, 1};
      extern "C" RW_EXPORT const rw_pack *rust_workers_pack(const rw_host *, const char **) { ${begin} return &pack; }
    `);
    const { status, stderr } = spawnSync('c++', ['-std=c++17', '-shared', '-fPIC', '-o', library, file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return library;
  };

  test('ends the process at once, as the interface says: nothing goes on with a stack that was torn', async () => {
    const thrown = 'throw std::runtime_error("out");';
    for (const [library, body] of [
      [compiled(thrown, ''), "try { new WorkerPool().use(library); } catch {} console.log('went on');"],
      [compiled('', thrown), "await new WorkerPool().use(library).run('one').catch(() => {}); console.log('went on');"],
    ]) {
      const { code, signal, stdout } = await processOf(library, body);
      assert.deepEqual([code, signal, stdout], [null, 'SIGABRT', '']);
    }
  });
});

describe('a library that', { skip: noCompiler }, () => {
  test('was no library and is one now loads', async () => {
    const file = path.join(temporary(), 'built-late.so');
    fs.writeFileSync(file, 'not yet');
    const pool = open();
    assert.throws(() => pool.use(file), errors.PackLoadError);
    fs.copyFileSync(compile(source({})), `${file}.new`);
    fs.renameSync(`${file}.new`, file);
    assert.equal(await pool.use(file).run('one'), undefined);
  });

  test('is replaced while it is loaded stays the one that was loaded, in this process', async () => {
    const file = path.join(temporary(), 'replaced.so');
    fs.copyFileSync(compile(source({ name: '"before"' })), file);
    await open().use(file).run('before');
    fs.copyFileSync(compile(source({ name: '"after"' })), `${file}.new`);
    fs.renameSync(`${file}.new`, file);
    const pool = open().use(file);
    await pool.run('before');
    await assert.rejects(pool.run('after'), errors.UnknownTaskError);
  });

  test('needs another library that is not there', () => {
    const folder = fs.mkdtempSync(path.join(temporary(), 'needs-'));
    const needed = path.join(folder, 'libneeded.so');
    fs.copyFileSync(compile('int needed(void);\nint needed(void) { return 1; }\n'), needed);
    const file = path.join(folder, 'needs.c');
    fs.writeFileSync(file, 'extern int needed(void);\nint uses(void) { return needed(); }\n');
    const library = path.join(folder, 'needs.so');
    const { status, stderr } = spawnSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-o', library, file, needed], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    fs.rmSync(needed);
    assert.throws(() => open().use(library), (error) => error instanceof errors.PackLoadError && /libneeded\.so/.test(error.message));
  });

  test('cannot be read', { skip: process.getuid?.() === 0 ? 'root reads every file' : false }, () => {
    const file = path.join(temporary(), 'unreadable.so');
    fs.copyFileSync(compile(source({})), file);
    fs.chmodSync(file, 0);
    assert.throws(() => open().use(file), (error) => error instanceof errors.PackLoadError && /cannot be read/.test(error.message));
  });
});

test('eight threads load eight packs, and each all of them, at the same time', { skip: noCompiler }, async () => {
  const names = Array.from({ length: 8 }, (_, n) => `task${n}`);
  const libraries = names.map((name) => compile('bad', { NAME: `"${name}"` }));
  const go = new Int32Array(new SharedArrayBuffer(4));
  const threads = names.map((_, first) => thread(`
    tell('ready');
    Atomics.wait(data.go, 0, 0);
    const pool = new WorkerPool({ maxThreads: 1 });
    for (let n = 0; n < 8; n++) pool.use(data.libraries[(data.first + n) % 8]);
    Promise.all(data.names.map((name) => pool.run(name))).then(() => pool.close()).then(() => tell('done'), (error) => tell(error.stack));
  `, { go, libraries, names, first }));
  for (const one of threads) assert.equal(await one.next(), 'ready');
  Atomics.store(go, 0, 1);
  Atomics.notify(go, 0);
  // A pack's function that is called twice ends the process.
  for (const one of threads) assert.equal(await one.next(), 'done');
  await Promise.all(threads.map(({ worker }) => worker.terminate()));
});

test('names that mean something in JavaScript are names of tasks', { skip: noCompiler }, async () => {
  const names = ['__proto__', 'constructor', 'then', 'toString', 'hasOwnProperty', 'run', 'a b', ' ', '漢字', '🦀', 'a/b', '"', "'", '\\', '0', '-1', 'native'];
  const pool = open();
  for (const name of names) pool.use(compile('bad', { NAME: JSON.stringify(name) }));
  for (const name of names) {
    assert.equal(await pool.run(name), undefined, name);
    assert.equal(await pool.run(`native:${name}`), undefined, name);
    assert.deepEqual(await pool.map(name, [1, 2]), [undefined, undefined], name);
  }
  for (const name of ['__proto__', 'valueOf', 'constructor']) await assert.rejects(open().run(name), errors.UnknownTaskError);
  const times = pool.stats({ tasks: true });
  assert.ok(names.every((name) => JSON.stringify(times).includes(JSON.stringify(name))));
  assert.equal(await pool.proxy().constructor(), undefined);
});

describe('wire forms that a task makes up', { skip: noCompiler }, () => {
  /** The task gives its input's bytes as the wire form of its result. */
  const wires = () => open({ maxThreads: 2 }).use(compile(source({
    name: '"as_wire"',
    run: `
      rw_reader reader = rw_read(input);
      rw_block bytes = rw_get_bytes(&reader);
      if (!rw_ok(&reader)) return rw_refuse(host, call, &reader);
      rw_value value = {bytes.data, bytes.len, NULL, 0};
      host->set_result(call, &value);
      return RW_OK;
    `,
  })));

  const ends = (run) => inTime(run.then(() => 'a value', (error) => {
    assert.match(error.code, /^ERR_RW_(MALFORMED_VALUE|UNSUPPORTED_VALUE|VALUE_TOO_LARGE|VALUE_TOO_DEEP)$/, error.stack);
    return 'refused';
  }), 'it is answered');

  test('counts that promise more than there is cost no memory', async () => {
    const pool = wires();
    const before = process.memoryUsage().rss;
    const promises = [0x88, 0x89, 0x8b, 0x8f, 0x90, 0x91].map((tag) => [tag, 255, 255, 255, 255]);
    promises.push([0x86, 0, 255, 255, 255, 255], [0x93, 4, 255, 255, 255, 255], [0x94, 4, 0, 0, 0, 0], [0xa0, 4, 0, 0, 0, 0], [0xa1, 0, 0, 0, 0]);
    for (const wire of promises) {
      for (const nested of [wire, [0x8b, 1, 0, 0, 0, ...wire], [0x90, 1, 0, 0, 0, 5, ...wire]]) {
        assert.equal(await ends(pool.run('as_wire', Uint8Array.from([1, ...nested]))), 'refused', String(nested));
      }
    }
    const levels = Uint8Array.from([1, ...Array.from({ length: 100_000 }, () => [0x8b, 1, 0, 0, 0]).flat(), 5]);
    assert.equal(await ends(pool.run('as_wire', levels)), 'refused');
    assert.ok(process.memoryUsage().rss - before < 200e6);
  });

  test('random ones, and good ones with some bytes changed, are values or refused', async () => {
    const pool = wires();
    let seed = 12345;
    const random = (below) => ((seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 8) % below;
    const good = Uint8Array.from([
      1, 0x8f, 4, 0, 0, 0, 0x88, 1, 0, 0, 0, 97, 0x8b, 3, 0, 0, 0, 5, 0x85, 0, 0, 0, 0, 0, 0, 240, 63, 0x83,
      0x88, 1, 0, 0, 0, 98, 0x90, 1, 0, 0, 0, 0x88, 1, 0, 0, 0, 99, 0x91, 2, 0, 0, 0, 1, 2,
      0x88, 1, 0, 0, 0, 100, 0x86, 1, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x88, 1, 0, 0, 0, 101, 0x93, 4, 2, 0, 0, 0, 9, 9,
    ]);
    assert.equal(await ends(pool.run('as_wire', good)), 'a value');
    const outcomes = { 'a value': 0, refused: 0 };
    const count = async (wire) => outcomes[await ends(pool.run('as_wire', wire))]++;
    for (let round = 0; round < 3_000; round++) {
      if (round % 3 === 0) {
        await count(Uint8Array.from({ length: 1 + random(40) }, (_, at) => (at === 0 ? 1 : random(256))));
        continue;
      }
      const changed = good.slice(0, round % 7 === 0 ? random(good.length) : good.length);
      for (let change = 0; change <= random(3); change++) if (changed.length > 0) changed[random(changed.length)] = random(256);
      await count(changed);
    }
    assert.ok(outcomes['a value'] > 100 && outcomes.refused > 1_000, JSON.stringify(outcomes));
    assert.equal(await pool.run('echo', 1), 1);
  });
});
