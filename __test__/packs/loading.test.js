'use strict';

/** What `pool.use` takes and refuses; that a pack is loaded once, and whose its names are. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { Worker } = require('node:worker_threads');

const { WorkerPool, errors } = require('rust-workers');
const { compile, noCompiler, temporary } = require('../support/packs');
const { until } = require('../support/until');
const { triple } = require('../../lib/native/triple');

const pools = [];
const open = (...given) => {
  const pool = new WorkerPool(...given);
  pools.push(pool);
  return pool;
};
after(() => Promise.all(pools.map((pool) => pool.destroy())));

/** The error of `use`, after which the pool must be as it was. */
function refused(pack, pool = open({ maxThreads: 1 })) {
  let error;
  const before = Object.keys(pool.proxy());
  assert.throws(() => pool.use(pack), (thrown) => (error = thrown) !== undefined);
  assert.deepEqual(Object.keys(pool.proxy()), before);
  return error;
}

/** A library that is refused in these words, which name it; twice in the same. */
function loadsNot(library, message, Class = errors.PackLoadError) {
  for (let time = 0; time < 2; time++) {
    const error = refused(library);
    assert.equal(error.constructor, Class, error.stack);
    assert.match(error.message, message);
    assert.ok(error.message.includes(library), error.message);
  }
}

describe('what is no pack', { skip: noCompiler }, () => {
  test('a file that is not there, a directory, a device', () => {
    loadsNot(path.join(temporary(), 'nothing.so'), /there is no such file/);
    loadsNot(temporary(), /it is a directory/);
    loadsNot('/dev/null', /it is no regular file/);
    loadsNot(path.join(__filename, 'below.so'), /cannot be read/);
  });

  test('a file that is no library', () => {
    const file = path.join(temporary(), 'text.so');
    for (const contents of ['\x01\x02', `\x7fELF${'\0'.repeat(20)}`]) {
      fs.writeFileSync(file, contents, 'latin1');
      loadsNot(file, /no library that this process can open|it is a file for/);
    }
    // What else is called by its name: mistakes.test.js.
    fs.writeFileSync(file, '#!/bin/sh\n');
    loadsNot(file, /it is a text/);
    loadsNot(process.execPath, /no library that this process can open/);
  });

  test('a library of another machine', () => {
    const library = compile('outcomes');
    const bytes = fs.readFileSync(library);
    bytes[18] = 0xf3;
    fs.writeFileSync(library, bytes);
    loadsNot(library, /no library that this process can open|it is a file for another kind of CPU/);
  });

  test('a library that was cut off anywhere', { skip: process.platform !== 'linux' }, () => {
    const whole = fs.readFileSync(compile('outcomes'));
    const file = path.join(temporary(), 'cut.so');
    for (let part = 1; part < 16; part++) {
      const cut = `${file}.${part}`;
      fs.writeFileSync(cut, whole.subarray(0, (whole.length * part) / 64));
      loadsNot(cut, /ends too early|no library that this process can open/);
    }
  });

  test('a library without the function', () => {
    loadsNot(compile('int other_function(void);\nint other_function(void) { return 1; }\n'), /does not export the function 'rust_workers_pack'/);
  });

  test('a library that needs what is not there', () => {
    const source = 'extern int is_nowhere(void);\nint uses_it(void);\nint uses_it(void) { return is_nowhere(); }\n';
    loadsNot(compile(source), /is_nowhere/);
  });
});

describe('a pack that is wrong', { skip: noCompiler }, () => {
  const ways = {
    'another version': [{ ABI: 7 }, /version 7 of the interface, and this rust-workers has version 1/, errors.PackVersionError],
    'it refuses': [{ RESULT: 'NULL', MESSAGE: '"no GPU here"' }, /it refused: no GPU here/],
    'it refuses in silence': [{ RESULT: 'NULL' }, /it refused, without saying why/],
    'it refuses in no UTF-8': [{ RESULT: 'NULL', MESSAGE: '"\\xff"' }, /its message is no UTF-8/],
    'a table at an odd address': [{ RESULT: '(const rw_pack *)((const char *)&pack + 1)' }, /odd address/],
    'a small table': [{ SIZE: 12 }, /says that it has 12 bytes/],
    'no tasks': [{ COUNT: 0 }, /has 0 tasks/],
    'too many tasks': [{ COUNT: 'SIZE_MAX' }, /has \d+ tasks, where/],
    'no list': [{ TASKS: 'NULL' }, /list of tasks is null/],
    'a task that is null': [{ COUNT: 2, SECOND: 'NULL' }, /its task 1 is null/],
    'a task twice': [{ COUNT: 2 }, /two tasks named 'one'/],
    'a small task': [{ TASK_SIZE: 8 }, /its task 0 says that it has 8 bytes/],
    'no function': [{ RUN: 'NULL' }, /task 'one' has no function/],
    'unknown flags': [{ FLAGS: 0x80 }, /flags 0x80, of which some are unknown/],
    'no name': [{ NAME: 'NULL' }, /the name of its task 0 is empty/],
    'an empty name': [{ NAME: '""' }, /the name of its task 0 is empty/],
    'a name with a prefix': [{ NAME: '"native:echo"' }, /the name of its task 0 has a colon/],
    'a name with a tab': [{ NAME: '"a\\tb"' }, /the name of its task 0 has characters/],
    'a name in Latin-1': [{ NAME: '"\\xe9"' }, /the name of its task 0 is no UTF-8/],
    'a long name': [{ NAME: JSON.stringify('x'.repeat(201)) }, /the name of its task 0 is too long/],
    'a pack without a name': [{ PACK: 'NULL' }, /the pack's name is empty/],
    'a very long text': [{ TAKES: JSON.stringify('x'.repeat(4001)) }, /what its task 'one' takes is longer/],
  };
  for (const [way, [defines, message, Class]] of Object.entries(ways)) {
    test(way, () => loadsNot(compile('bad', defines), message, Class));
  }
});

describe('arguments', { skip: noCompiler }, () => {
  test('a path, a URL, and objects with a library for each platform', async () => {
    const library = compile('outcomes');
    const forms = [
      library,
      path.relative(process.cwd(), library),
      pathToFileURL(library),
      pathToFileURL(library).href,
      { name: 'outcomes', path: library },
      { name: 'outcomes', path: pathToFileURL(library) },
      { name: 'outcomes', path: { [triple()]: library, 'plan9-x64': 'nowhere' } },
      { name: 'outcomes', path: { [`${process.platform}-${process.arch}`]: library } },
    ];
    for (const form of forms) assert.equal(await open({ maxThreads: 1 }).use(form).run('plus_one', 1), 2);
  });

  test('what is none of these is refused by its type', () => {
    for (const wrong of [undefined, null, 7, true, [], Symbol('x'), () => {}, { name: 'x', path: 7 }, { name: 'x', path: [] }, { path: 'x' }, { name: 7, path: 'x' }, { name: 'x', path: { [triple()]: 7 } }]) {
      assert.ok(refused(wrong) instanceof errors.InvalidArgTypeError);
    }
    for (const wrong of ['', 'a\0b', new URL('https://example.com/pack.so'), 'https://example.com/pack.so', { name: 'x', path: 'x', types: 'y' }, { name: 'x', path: '' }]) {
      assert.ok(refused(wrong) instanceof errors.InvalidArgValueError);
    }
    const error = refused({ name: 'far', path: { 'plan9-x64': 'x' } });
    assert.ok(error instanceof errors.PackLoadError);
    assert.match(error.message, /the pack 'far' has no library for this platform, .*; it has plan9-x64/);
  });

  test('a closed pool uses no more', async () => {
    const pool = new WorkerPool({ maxThreads: 1 });
    await pool.close();
    assert.throws(() => pool.use(compile('outcomes')), errors.PoolClosedError);
  });
});

describe('names', { skip: noCompiler }, () => {
  test('are those of the pool that uses the pack', async () => {
    const library = compile('bad', { NAME: '"only_here"' });
    const pool = open({ maxThreads: 1 });
    const other = open({ maxThreads: 1 });
    await assert.rejects(pool.map('only_here', [1]), errors.UnknownTaskError);
    await assert.rejects(pool.run('only_here'), errors.UnknownTaskError);
    pool.use(library);
    assert.equal(await pool.run('only_here'), undefined);
    await assert.rejects(other.run('only_here'), { code: 'ERR_RW_UNKNOWN_TASK' });
    await assert.rejects(pool.run('only_her'), /only_here/);
    assert.ok('only_here' in pool.proxy() && !('only_here' in other.proxy()));
  });

  test('that a built-in task or another pack has are refused, with all of the pack', async () => {
    const builtIn = refused(compile('bad', { NAME: '"echo"' }));
    assert.ok(builtIn instanceof errors.TaskExistsError);
    assert.equal(builtIn.task, 'echo');
    assert.match(builtIn.message, /has a task 'echo', and this pool has a built-in task of that name/);

    const first = compile('outcomes');
    const second = compile('outcomes');
    const pool = open({ maxThreads: 1 }).use(first);
    const error = refused(second, pool);
    assert.ok(error instanceof errors.TaskExistsError);
    assert.ok(error.message.includes(first) && error.message.includes(second), error.message);
    assert.equal(await pool.run('plus_one', 1), 2);
    const apart = open({ maxThreads: 1 }).use(second);
    assert.equal(await apart.run('plus_one', 2), 3);
  });

  test('the same pack again is the same, also by other links', async () => {
    const library = compile('outcomes');
    const [symbolic, hard] = [`${library}.symbolic.so`, `${library}.hard.so`];
    fs.symlinkSync(library, symbolic);
    fs.linkSync(library, hard);
    const pool = open({ maxThreads: 1 });
    for (const one of [library, library, symbolic, hard, hard]) assert.equal(pool.use(one), pool);
    assert.equal(Object.keys(pool.proxy()).filter((name) => name === 'plus_one').length, 1);
    assert.equal(await pool.run('plus_one', 1), 2);
  });

  test('eight threads load one pack at the same time', async () => {
    const library = compile('bad', { NAME: '"loaded_once"' });
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { WorkerPool } = require(workerData.main);
      const go = new Int32Array(workerData.go);
      parentPort.postMessage('ready');
      Atomics.wait(go, 0, 0);
      const pool = new WorkerPool({ maxThreads: 1 }).use(workerData.library);
      pool.run('loaded_once').then(() => pool.close()).then(() => parentPort.postMessage('done'));
    `;
    const go = new Int32Array(new SharedArrayBuffer(4));
    const workerData = { main: require.resolve('rust-workers'), library, go: go.buffer };
    const workers = Array.from({ length: 8 }, () => new Worker(code, { eval: true, workerData }));
    const said = (worker, what) => new Promise((resolve, reject) => {
      worker.on('message', (message) => message === what && resolve());
      worker.on('error', reject);
    });
    const done = workers.map((worker) => said(worker, 'done'));
    await Promise.all(workers.map((worker) => said(worker, 'ready')));
    Atomics.store(go, 0, 1);
    Atomics.notify(go, 0);
    // A pack's function that is called twice ends the process.
    await Promise.all(done);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });
});

describe('the option packs', { skip: noCompiler }, () => {
  test('gives the tasks from the beginning, and limits may name them', async () => {
    const [work, outcomes] = [compile('work'), compile('outcomes')];
    const pool = open({ maxThreads: 2, packs: [work, { name: 'outcomes', path: outcomes }], limits: { tasks: { sleeps: 1 } } });
    assert.deepEqual(pool.options.packs, [work, outcomes].map((file) => fs.realpathSync(file)));
    assert.equal(await pool.run('plus_one', 1), 2);
    const both = Promise.all([pool.run('sleeps', 300), pool.run('sleeps', 300)]);
    await until(() => pool.stats().running === 1, 'the first runs');
    assert.equal(await pool.run('plus_one', 2), 3);
    assert.deepEqual([pool.stats().running, pool.queueSize], [1, 1], 'the second waits for the first');
    await both;
    assert.equal(open({ maxThreads: 1 }).options.packs, undefined);
    const opened = WorkerPool.open('packs by option', { packs: [outcomes] });
    pools.push(opened);
    assert.equal(await opened.run('plus_one', 3), 4);
    assert.equal(await open(file(), { maxThreads: 1, packs: [outcomes], limits: { tasks: { 'native:plus_one': 1 } } }).run('plus_one', 4), 5);
  });

  test('what it cannot be', () => {
    const outcomes = compile('outcomes');
    for (const packs of ['x.so', {}, 7]) assert.throws(() => new WorkerPool({ packs }), errors.InvalidArgTypeError);
    assert.throws(() => new WorkerPool({ packs: [7] }), /"options.packs\[0\]" argument must be the path/);
    assert.throws(() => new WorkerPool({ packs: ['nowhere.so'] }), errors.PackLoadError);
    assert.throws(() => new WorkerPool({ packs: [outcomes, compile('outcomes')] }), errors.TaskExistsError);
    assert.throws(() => new WorkerPool({ packs: [outcomes], limits: { tasks: { plus_on: 1 } } }), /there is no native task of that name.*plus_one/);
  });
});

/** A script that exports something else. */
function file() {
  const name = path.join(temporary(), 'other.cjs');
  fs.writeFileSync(name, 'exports.other = () => 1;');
  return name;
}

describe('every kind of pool and call', { skip: noCompiler }, () => {
  let library;
  const lib = () => (library ??= compile('outcomes'));

  test('map, forEach, stream, transform, scopes, proxies, runSync', async () => {
    const pool = open({ maxThreads: 2 }).use(lib());
    assert.deepEqual(await pool.map('plus_one', [1, 2, 3]), [2, 3, 4]);
    assert.equal(await pool.forEach('plus_one', [1, 2, 3]), 3);
    const streamed = [];
    for await (const output of pool.stream('plus_one', [1, 2, 3])) streamed.push(output);
    assert.deepEqual(streamed, [2, 3, 4]);
    assert.equal(await pool.scope((scope) => scope.run('plus_one', 5)), 6);
    assert.equal(await pool.proxy().plus_one(6), 7);
    assert.equal(pool.runSync('plus_one', 7), 8);
    assert.throws(() => pool.runSync('fails_named'), { name: 'RangeError', code: 'E_FAR' });
    assert.equal(await pool.run('plus_one', 8, { dedupe: 'x', priority: 3, key: 'k' }), 9);
    const times = pool.stats({ tasks: true });
    assert.ok(JSON.stringify(times).includes('plus_one'), 'its times have its name');
  });

  test('deterministic pools and such that are opened by name', async () => {
    const steps = open({ maxThreads: 1, deterministic: 7 }).use(lib());
    assert.deepEqual(await steps.map('plus_one', [1, 2]), [2, 3]);
    const one = WorkerPool.open('packs of a test', { maxThreads: 1 });
    const other = WorkerPool.open('packs of a test');
    pools.push(one, other);
    one.use(lib());
    assert.equal(await one.run('plus_one', 1), 2);
    await assert.rejects(other.run('plus_one', 1), errors.UnknownTaskError);
    assert.equal(await other.use(lib()).run('plus_one', 1), 2);
  });

  test('a pool with a script: its export comes first, and native: names the task', async () => {
    const file = path.join(temporary(), 'functions.cjs');
    fs.writeFileSync(file, "exports.plus_one = (n) => n + 100; exports.own = () => 'own';");
    const pool = open(file, { maxThreads: 1 }).use(lib());
    assert.equal(await pool.run('plus_one', 1), 101);
    assert.equal(await pool.run('native:plus_one', 1), 2);
    assert.equal(await pool.run('own'), 'own');
    assert.deepEqual(await pool.map('native:plus_one', [1, 2]), [2, 3]);
    assert.equal(await pool.run('nothing'), undefined);
  });

  test("a script's own pool and its task.pool", async () => {
    const file = path.join(temporary(), 'nested.cjs');
    fs.writeFileSync(file, `
      const { WorkerPool, task } = require(${JSON.stringify(require.resolve('rust-workers'))});
      const own = new WorkerPool({ maxThreads: 1 }).use(${JSON.stringify(lib())});
      exports.asksOwn = (n) => own.run('plus_one', n);
      exports.asksOwner = (n) => task.pool.run('plus_one', n);
      exports.failsThere = () => task.pool.run('fails_named');
      exports.blocks = (n) => task.pool.runSync('plus_one', n);
    `);
    const pool = open(file, { maxThreads: 1 }).use(lib());
    assert.equal(await pool.run('asksOwn', 1), 2);
    assert.equal(await pool.run('asksOwner', 2), 3);
    assert.equal(await pool.run('blocks', 3), 4);
    await assert.rejects(pool.run('failsThere'), (error) => error instanceof RangeError && error.code === 'E_FAR');
  });
});
