'use strict';

// The memory outlives every use, and no wait keeps a thread or the process from ending. In processes of their own: a
// fault here is a crash or a hang.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { test } = require('node:test');

const WORKER_PREFIX = `
  const { SharedBuffer, WorkerPool, rustAtomics } = require(${JSON.stringify(require.resolve('../..'))});
  const { parentPort, workerData } = require('node:worker_threads');
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));`;

const PREFIX = `${WORKER_PREFIX}
  const { Worker } = require('node:worker_threads');
  const worker = (body, workerData) =>
    new Worker(${JSON.stringify(WORKER_PREFIX)} + '(async () => {' + body + '})();', { eval: true, workerData });
  const next = (emitter, event = 'message') => new Promise((resolve) => emitter.once(event, resolve));`;

/** Runs a program to its end: its output, and milliseconds from the word 'go' in it to the process's end. */
function run(program, flags) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags, '-e', `${PREFIX} (async () => { ${program} })();`]);
    let output = '';
    let went;
    const note = (chunk) => {
      output += chunk;
      if (went === undefined && output.includes('go')) went = performance.now();
    };
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    const killer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    child.on('close', (status, signal) => {
      clearTimeout(killer);
      resolve({ status, signal, output, took: performance.now() - went });
    });
  });
}

/** Ends by itself, without a crash, and says what it should. */
async function ends(program, { within, says = '', flags = [] } = {}) {
  const { status, signal, output, took } = await run(program, flags);
  assert.deepEqual({ status, signal }, { status: 0, signal: null }, output);
  assert.ok(output.includes(says), output);
  if (within !== undefined) assert.ok(took < within, `took ${took} ms: ${output}`);
}

/** What an end may take: the 100 ms promised, and what a loaded machine adds to starting and joining threads. */
const SOON = 400;

test('a thread blocked in wait is terminated at once', async () => {
  await ends(`
    const shared = new SharedBuffer(8);
    for (const wait of ['shared.wait(0, 0)', 'rustAtomics.wait(shared.as("int32").array, 0, 0)']) {
      const thread = worker('const shared = SharedBuffer.from(workerData); parentPort.postMessage(1); ' + wait, shared.buffer);
      await next(thread);
      await sleep(120);
      const started = performance.now();
      await thread.terminate();
      const took = performance.now() - started;
      if (took > 100) console.log('slow', took);
      await sleep(5);
      if (shared.notify(0) !== 0) console.log('a waiter was left behind');
    }
    console.log('done');`, { says: 'done' });
});

test('terminate takes less than 100 ms, time and again', async () => {
  await ends(`
    const shared = new SharedBuffer(8);
    const times = [];
    for (let i = 0; i < 8; i++) {
      const thread = worker('parentPort.postMessage(1); SharedBuffer.from(workerData).wait(0, 0)', shared.buffer);
      await next(thread);
      await sleep(30 + i * 7);
      const started = performance.now();
      await thread.terminate();
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    console.log(times[4] < 100 ? 'quick' : 'slow: ' + times);`, { says: 'quick' });
});

test('the process exits while a thread is blocked in wait, by process.exit() and by an error', async () => {
  for (const end of ['process.exit(0)', 'process.exitCode = 0; thread.unref()']) {
    await ends(`
      const shared = new SharedBuffer(8);
      const thread = worker('parentPort.postMessage(1); SharedBuffer.from(workerData).wait(0, 0)', shared.buffer);
      await next(thread);
      await sleep(60);
      require('node:fs').writeSync(1, 'go');
      ${end};`, { within: SOON, says: 'go' });
  }
});

test('a pending waitAsync keeps the process alive until it is woken or late, and not longer', async () => {
  await ends(`
    const shared = new SharedBuffer(8);
    const thread = worker('await sleep(300); SharedBuffer.from(workerData).notify(0);', shared.buffer);
    thread.unref();
    console.log(await shared.waitAsync(0, 0));
    console.log(await shared.waitAsync(0, 0, 100));
    require('node:fs').writeSync(1, 'go');`, { within: SOON, says: 'ok\ntimed-out\n' });
});

test('a notifier that was started keeps nothing alive', async () => {
  for (const end of ['', 'process.exit(0)']) {
    await ends(`
      const shared = new SharedBuffer(8);
      const pool = new WorkerPool({ maxThreads: 1 });
      console.log(await pool.run('atomicNotify', { buffer: shared }));
      await sleep(200);
      require('node:fs').writeSync(1, 'go');
      ${end}`, { within: SOON, says: '0\ngo' });
  }
});

test('a worker that has a notifier of its own is terminated', async () => {
  await ends(`
    const thread = worker(\`
      const pool = new WorkerPool({ maxThreads: 1 });
      await pool.run('atomicNotify', { buffer: new SharedBuffer(8) });
      parentPort.postMessage(1);
      setInterval(() => {}, 1000);\`);
    await next(thread);
    await sleep(100);
    const started = performance.now();
    await thread.terminate();
    console.log(performance.now() - started < 1000 ? 'done' : 'slow');`, { says: 'done' });
});

const LOADS = [
  ["'sort', new SharedBuffer(16e6).as('float64', 0, 2e6)", 'a sort'],
  ["'sort', new SharedBuffer(16e6).as('float64'), { parallel: true }", 'a parallel sort'],
  ["'atomicAdd', { buffer: new SharedBuffer(8), count: 1e12 }", 'endless adds'],
  ["'atomicAdd', { buffer: new SharedBuffer(8), count: 1e12 }, { parallel: true }", 'endless adds in parallel'],
  ["'atomicWait', { buffer: new SharedBuffer(8), value: 0 }", 'a wait'],
  ["'sha256', new SharedBuffer(2e8)", 'a hash'],
];

for (const [load, what] of LOADS) {
  test(`the worker that made the memory is terminated in the middle of ${what}`, { timeout: 40_000 }, async () => {
    await ends(`
      for (let i = 0; i < 4; i++) {
        const thread = worker(\`
          const pool = new WorkerPool({ maxThreads: 3 });
          for (let n = 0; n < 4; n++) pool.run(${load}).catch(() => {});
          setTimeout(() => parentPort.postMessage(1), 5);\`);
        await next(thread);
        await sleep(i * 3);
        const started = performance.now();
        await thread.terminate();
        const took = performance.now() - started;
        if (took > 1500) console.log('slow', took);
      }
      console.log('done');`, { says: 'done' });
  });
}

test('memory of a worker that is gone lives on in the tasks of another thread', async () => {
  await ends(`
    const pool = new WorkerPool({ maxThreads: 2 });
    for (let i = 0; i < 5; i++) {
      const thread = worker('const shared = new SharedBuffer(8e6); const view = shared.as("uint32"); view.array.fill(3);' +
        'parentPort.postMessage(shared.buffer);' +
        'const pool = new WorkerPool({ maxThreads: 1 }); await pool.run("sum", view); await pool.close();');
      const buffer = await next(thread);
      const runs = [1, 2, 3, 4].map(() => pool.run('sum', new Uint32Array(buffer), { parallel: true }));
      await thread.terminate();
      for (const sum of await Promise.all(runs)) if (sum !== 6e6) console.log('wrong', sum);
    }
    await pool.close();
    console.log('done');`, { says: 'done' });
});

test('what nobody refers to any more is collected, once no task uses it', async () => {
  await ends(`
    const pool = new WorkerPool({ maxThreads: 2 });
    const alive = new Set();
    const registry = new FinalizationRegistry((i) => alive.delete(i));
    const use = async (i) => {
      const shared = new SharedBuffer(1e6);
      registry.register(shared.buffer, i);
      alive.add(i);
      shared.notify(0);
      shared.wait(0, 0, 1);
      await pool.run('sum', shared);
      await shared.waitAsync(0, 0, 1);
    };
    for (let i = 0; i < 20; i++) await use(i);
    for (let i = 0; i < 50 && alive.size > 2; i++) { globalThis.gc(); await sleep(5); }
    console.log(alive.size <= 2 ? 'done' : 'left: ' + alive.size);
    await pool.close();`, { says: 'done', flags: ['--expose-gc'] });
});

test('a wrapper that is collected while its memory is in use harms nothing', async () => {
  await ends(`
    const pool = new WorkerPool({ maxThreads: 2 });
    const start = () => pool.run('sum', new SharedBuffer(4e7).as('uint8'));
    const sums = Array.from({ length: 6 }, start);
    for (let i = 0; i < 20; i++) { globalThis.gc(); await sleep(1); }
    console.log((await Promise.all(sums)).join());
    await pool.close();`, { says: '0,0,0,0,0,0', flags: ['--expose-gc'] });
});

test('a waiter whose wrapper is collected is still met', async () => {
  await ends(`
    const buffer = new SharedArrayBuffer(8);
    const waiting = SharedBuffer.from(buffer).waitAsync(0, 0, 5000);
    for (let i = 0; i < 20; i++) { globalThis.gc(); await sleep(2); }
    console.log(SharedBuffer.from(buffer).notify(0), await waiting);`, { says: '1 ok', flags: ['--expose-gc'] });
});
