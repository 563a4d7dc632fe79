'use strict';

// User code that throws, wherever it is called: it harms itself only.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after, test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { WorkerPool, errors } = require('rust-workers');
const { binding } = require('../../lib/native');
const { onEachNode, quietly } = require('../support/child');
const { script } = require('../support/pools');
const { until } = require('../support/until');

const odd = new WorkerPool(script('odd.js'), { maxThreads: 1 });
after(() => odd.close());

const outcomes = {
  twice: 1,
  'then throws after': 1,
  'then throws': 'then throws',
  getter: 'then getter',
  'rejects first': 'first',
  nested: 'inner',
};
for (const [how, right] of Object.entries(outcomes)) {
  test(`a thenable as the language takes it: ${how}`, async () => {
    const seen = await odd.run('settles', how).catch(({ message }) => message);
    assert.equal(seen, right);
    assert.deepEqual(await odd.runTask({ next: 1 }), { next: 1 }, 'the worker goes on');
  });
}

test('each option of a run is read once', async () => {
  const given = { priority: 1, signal: new AbortController().signal, timeout: 60_000, transfer: 'auto', parallel: false, name: undefined };
  const reads = [];
  const options = {};
  for (const name of Object.keys(given)) {
    Object.defineProperty(options, name, { enumerable: true, get: () => (reads.push(name), given[name]) });
  }
  assert.deepEqual(await odd.runTask({ next: 1 }, options), { next: 1 });
  assert.deepEqual(reads.sort(), Object.keys(given).sort());
});

test('a submission that fails half-way leaves no task behind, whichever way its input goes', async () => {
  const pool = new WorkerPool(script('odd.js'), { maxThreads: 1 });
  await pool.runTask({ next: 1 });
  const { submitScript } = binding;
  // As where the stack is used up.
  const failure = new Error('half-way');
  binding.submitScript = () => {
    throw failure;
  };
  try {
    for (const input of [1, { next: 1 }, new Blob([])]) {
      await assert.rejects(pool.runTask(input), failure);
      await assert.rejects(pool.runTask(input, { timeout: 60_000 }), failure);
    }
  } finally {
    binding.submitScript = submitScript;
  }
  // It would tell of tasks that nobody has answered.
  await pool.close();
});

test('a result whose getter throws; one that posts and reports while it is read', async () => {
  await assert.rejects(odd.run('resultGetter'), { name: 'RangeError', message: 'result getter' });
  const said = once(odd, 'message');
  const reports = [];
  const answer = await odd.run('reenter', 0, { onProgress: (report) => reports.push(report) });
  assert.deepEqual(answer, { value: 1, last: [1, { two: 2 }] });
  assert.deepEqual([(await said)[0], reports], ['while it was read', ['and reported']]);
});

test('a port of the result that was closed on its way', async () => {
  const outcome = await odd.run('portGone').then(({ port }) => port, (error) => error);
  if (outcome instanceof Error) assert.ok(['DataCloneError', 'PortClosedError'].includes(outcome.name), outcome.name);
  else outcome.close();
  assert.equal(await odd.runTask(1), 1);
});

onEachNode('what throws on the owner’s side', (run) => {
  test('onProgress: each error is told, and everything arrives', async () => {
    const end = await run(async ({ load, say, until: untilIt }) => {
      const { WorkerPool } = load();
      const told = [];
      process.on('uncaughtException', ({ message }) => told.push(message));
      const pool = new WorkerPool('./__test__/fixtures/scripts/odd.js', { maxThreads: 1 });
      const kinds = ['plain', 'instance', 'shared', 'bytes'];
      let reports = 0;
      const onProgress = () => {
        reports++;
        throw new Error('mine');
      };
      const runs = Array.from({ length: 20 }, () => pool.run('steps', { count: 3, kinds }, { onProgress }));
      const answers = await Promise.all(runs);
      await untilIt(() => told.length >= 60, 'the errors are told');
      await pool.close();
      say(answers.length, reports, told.length, new Set(told).size);
    });
    assert.deepEqual(end, quietly('20 60 60 1'));
  });

  test('every event of a pool: what waits goes on, and the pool closes', async () => {
    const end = await run(async ({ load, say, until: untilIt }) => {
      const { WorkerPool } = load();
      const told = new Set();
      process.on('uncaughtException', ({ message }) => told.add(message));
      const pool = new WorkerPool('./__test__/fixtures/scripts/odd.js', { maxThreads: 1, maxQueue: 2 });
      for (const event of ['workerCreate', 'workerDestroy', 'message', 'error', 'drain', 'needsDrain', 'close']) {
        pool.on(event, () => {
          throw new Error(event);
        });
      }
      await pool.run('reenter');
      const exit = pool.run('exit', 2).catch(({ code }) => code);
      const rest = [pool.runTask(1), pool.runTask(2)];
      say(await exit, ...(await Promise.all(rest)));
      await pool.close();
      await untilIt(() => told.has('close'), 'the last event');
      say([...told].sort().join());
    });
    assert.deepEqual(
      end,
      quietly('ERR_RW_WORKER_EXITED 1 2', 'close,drain,message,needsDrain,workerCreate,workerDestroy'),
    );
  });
});

/** A script that listens, with a handler of its own for what its listeners throw; for a bare Worker and for a pool. */
const LISTENING = (add) => `data:text/javascript,${encodeURIComponent(`
  import { parentPort } from 'node:worker_threads';
  process.on('uncaughtException', () => {});
  process.on('unhandledRejection', () => {});
  const handle = (n) => {
    if (n === 'bad') throw new Error('cannot');
    parentPort.postMessage(n);
  };
  ${add}
`)}`;
const styles = {
  'on, sync': "parentPort.on('message', handle);",
  'on, async': "parentPort.on('message', async (n) => { await null; handle(n); });",
  onmessage: 'parentPort.onmessage = ({ data }) => handle(data);',
  addEventListener: "parentPort.addEventListener('message', ({ data }) => handle(data));",
  handleEvent: "parentPort.addEventListener('message', { handleEvent({ data }) { handle(data); } });",
  'two listeners, one throws': `
    parentPort.on('message', () => { throw new Error('always'); });
    parentPort.on('message', (n) => handle(n === 'bad' ? 'fine' : n));`,
};
for (const [style, add] of Object.entries(styles)) {
  test(`a script that handles what its listener throws: ${style}`, async () => {
    const inputs = [1, 'bad', 2, 3];
    const worker = new Worker(new URL(LISTENING(add)));
    const answers = [];
    worker.on('message', (n) => answers.push(n));
    for (const n of inputs) worker.postMessage(n);
    const wanted = style.startsWith('two') ? 4 : 3;
    await until(() => answers.length === wanted, 'the answers of the bare Worker');
    await worker.terminate();

    const pool = new WorkerPool(LISTENING(add), { maxThreads: 1 });
    const seen = await Promise.all(inputs.map((n) => pool.runTask(n).catch(({ message }) => message)));
    assert.deepEqual(seen.filter((n) => n !== 'cannot'), answers);
    assert.equal(seen[1], style.startsWith('two') ? 'fine' : 'cannot');
    assert.equal(pool.stats().workers, 1);
    await pool.close();
  });
}

test('a listener that is taken off again, and one that listens once', async () => {
  const add = `
    const listener = (n) => { parentPort.postMessage(['first', n]); parentPort.off('message', listener); parentPort.once('message', (m) => { parentPort.postMessage(['once', m]); parentPort.on('message', (k) => parentPort.postMessage(['then', k])); }); };
    parentPort.on('message', listener); parentPort.on('message', listener);`;
  const pool = new WorkerPool(LISTENING(add), { maxThreads: 1 });
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map((n) => pool.runTask(n))), [
    ['first', 1], ['once', 2], ['then', 3], ['then', 4],
  ]);
  await pool.close();
});

test('options that Node’s Worker refuses: the error, then the pool closes', async () => {
  const refused = {
    execArgv: { execArgv: ['--max-old-space-size=100'] },
    workerData: { workerData: { log() {} } },
    env: { env: { NODE_OPTIONS: '--no-such-flag' } },
    argv: { argv: 5 },
    stdin: { stdin: 'neither' },
  };
  for (const [what, options] of Object.entries(refused)) {
    const pool = new WorkerPool(script('odd.js'), { maxThreads: 2, ...options });
    const runs = [pool.runTask(1), pool.runTask(new (class {})()), pool.run('size', new ArrayBuffer(5_000))];
    for (const run of runs) {
      const outcome = await run.then(() => 'ran', (error) => error);
      assert.ok(outcome === 'ran' ? what === 'stdin' : outcome instanceof Error, what);
    }
    await pool.close();
    const { submitted, completed, failed, cancelled } = pool.stats();
    assert.equal(submitted, completed + failed + cancelled, what);
    // With a size of its own workers are started at once, so it is the constructor that tells.
    if (['execArgv', 'env', 'workerData'].includes(what)) {
      assert.throws(() => new WorkerPool(script('odd.js'), { maxThreads: 1, minThreads: 1, ...options }), what);
    }
  }
});

test('errors.UnknownTaskError: a name that the script does not export is known without a worker', async () => {
  await odd.runTask(1);
  for (let i = 0; i < 50; i++) await assert.rejects(odd.run(`no such ${i}`), errors.UnknownTaskError);
});
