'use strict';

// A misspelt option would silently remove a limit: every call that takes options refuses names that it does not know.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');

const { MessageChannel, Mutex, RwLock, Semaphore, Condvar, Barrier, SharedBuffer, WorkerPool } = require('rust-workers');
const { script } = require('./support/pools');

let native;
let scripts;
let ports;
before(() => {
  native = new WorkerPool({ maxThreads: 1 });
  scripts = new WorkerPool(script('functions.js'), 1);
  ports = new MessageChannel({ capacity: 1 });
});
after(() => {
  ports.port1.close();
  return Promise.all([native.destroy(), scripts.destroy()]);
});

/** name -> how it is called with a bag of options, and an option that it has. */
const CALLS = {
  'new WorkerPool()': [(bag) => new WorkerPool(bag), 'maxThreads'],
  'new WorkerPool(script)': [(bag) => new WorkerPool(script('functions.js'), bag), 'killTimeout'],
  'options.recycle': [(recycle) => new WorkerPool(script('functions.js'), { recycle }), 'afterTasks'],
  'options.resourceLimits': [(resourceLimits) => new WorkerPool(script('functions.js'), { resourceLimits }), 'maxOldGenerationSizeMb'],
  'options.cache': [(cache) => new WorkerPool({ cache }), 'ttl'],
  'run, native': [(bag) => native.run('echo', 1, bag), 'timeout'],
  'run, script': [(bag) => scripts.run('add', { a: 1, b: 2 }, bag), 'onProgress'],
  'run with dedupe, native': [(bag) => native.run('echo', 1, { dedupe: 'x', ...bag }), 'priority'],
  'run with dedupe, script': [(bag) => scripts.run('add', { a: 1, b: 2 }, { dedupe: 'x', ...bag }), 'retries'],
  'runSync, native': [(bag) => native.runSync('echo', 1, bag), 'deadline'],
  'runSync, script': [(bag) => scripts.runSync('add', { a: 1, b: 2 }, bag), 'runTimeout'],
  'runTask': [(bag) => scripts.runTask(1, bag), 'onProgress'],
  'map, native': [(bag) => native.map('echo', [1], bag), 'settle'],
  'map, script': [(bag) => scripts.map('add', [{ a: 1, b: 2 }], bag), 'settle'],
  'stream, native': [(bag) => native.stream('echo', [1], bag), 'concurrency'],
  'stream, script': [(bag) => scripts.stream('add', [{ a: 1, b: 2 }], bag), 'ordered'],
  'transform, native': [(bag) => native.transform('echo', bag), 'highWaterMark'],
  'transform, script': [(bag) => scripts.transform('add', bag), 'ordered'],
  iterate: [(bag) => scripts.iterate('add', { a: 1, b: 2 }, bag), 'signal'],
  'proxy, native': [(bag) => native.proxy(bag), 'timeout'],
  'proxy, script': [(bag) => scripts.proxy(bag), 'onProgress'],
  'proxy().method.with': [(bag) => native.proxy().echo.with(bag)(1), 'priority'],
  scope: [(bag) => native.scope(bag), 'deadline'],
  'scope().run': [(bag) => native.scope((scope) => scope.run('echo', 1, bag)), 'timeout'],
  stats: [(bag) => native.stats(bag), 'tasks'],
  resize: [(bag) => native.resize(bag), 'maxThreads'],
  close: [(bag) => native.close(bag), 'force'],
  'new MessageChannel': [(bag) => new MessageChannel(bag), 'capacity'],
  receive: [(bag) => ports.port1.receive(bag), 'signal'],
  send: [(bag) => ports.port1.send(1, bag), 'transfer'],
  trySend: [(bag) => ports.port1.trySend(1, bag), 'transfer'],
  'new SharedBuffer': [(bag) => new SharedBuffer(8, bag), 'maxByteLength'],
  'new RwLock': [(bag) => new RwLock(bag), 'maxReaders'],
  'RwLock.create': [(bag) => RwLock.create(new SharedArrayBuffer(4096), 0, bag), 'maxReaders'],
  'new Semaphore': [(bag) => new Semaphore(1, bag), 'max'],
  'Semaphore.create': [(bag) => Semaphore.create(new SharedArrayBuffer(64), 0, 1, bag), 'max'],
  'mutex.lock': [(bag) => new Mutex().lock(bag), 'timeout'],
  'mutex.lockSync': [(bag) => new Mutex().lockSync(bag), 'timeout'],
  'rwLock.read': [(bag) => new RwLock().read(bag), 'signal'],
  'rwLock.readSync': [(bag) => new RwLock().readSync(bag), 'timeout'],
  'rwLock.write': [(bag) => new RwLock().write(bag), 'signal'],
  'rwLock.writeSync': [(bag) => new RwLock().writeSync(bag), 'timeout'],
  'semaphore.acquire': [(bag) => new Semaphore(1).acquire(1, bag), 'signal'],
  'semaphore.acquireSync': [(bag) => new Semaphore(1).acquireSync(1, bag), 'timeout'],
  'condvar.wait': [(bag) => new Condvar().wait(new Mutex().lockSync(), bag), 'signal'],
  'condvar.waitSync': [(bag) => new Condvar().waitSync(new Mutex().lockSync(), bag), 'timeout'],
  'barrier.wait': [(bag) => new Barrier(1).wait(bag), 'signal'],
  'barrier.waitSync': [(bag) => new Barrier(1).waitSync(bag), 'timeout'],
};

/** What a call throws, or rejects with; a stream does so when it is read. */
async function failureOf(call, bag) {
  try {
    const value = await call(bag);
    if (typeof value?.[Symbol.asyncIterator] === 'function') for await (const part of value) void part;
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a name that does not exist', () => {
  for (const [name, [call, option]] of Object.entries(CALLS)) {
    test(`${name}: is refused, and nothing is done`, async () => {
      const tasks = native.stats().submitted + scripts.stats().submitted;
      const error = await failureOf(call, { wobbleQuux: 1 });
      assert.equal(error?.code, 'ERR_RW_INVALID_ARG_VALUE', `${name} accepted it`);
      assert.match(error.message, /^unknown option 'wobbleQuux'( in "[\w.]+")?; the (only option is|options are) '/);
      // Also as undefined: it is the name that is wrong.
      assert.equal((await failureOf(call, { wobbleQuux: undefined }))?.code, 'ERR_RW_INVALID_ARG_VALUE');
      assert.equal(native.stats().submitted + scripts.stats().submitted, tasks);
    });

    test(`${name}: one letter is missing, or is in another case`, async () => {
      const short = option.slice(0, -1);
      for (const misspelt of option.length > 3 ? [short, option.toUpperCase()] : [option.toUpperCase()]) {
        const { message } = await failureOf(call, { [misspelt]: 1 });
        assert.ok(message.includes(`'${option}'`), `${name}: ${message}`);
        assert.match(message, new RegExp(`^unknown option '${misspelt}'`));
      }
    });
  }
});

test('what is inherited, or a symbol, is no mistake', async () => {
  class Options {
    get wobbleQuux() {
      return 1;
    }
  }
  assert.equal(await native.run('echo', 1, Object.assign(new Options(), { [Symbol('x')]: 1 })), 1);
  assert.equal(await scripts.run('add', { a: 1, b: 2 }, Object.create({ wobbleQuux: 1 })), 3);
});

test("a PoolWorker for BullMQ refuses what looks like an option of ours, and passes BullMQ's own on", () => {
  const { poolWorkerOptions } = require('../lib/bullmq/options');
  for (const [misspelt, option] of [['closePol', 'closePool'], ['timeOut', 'timeout'], ['busyDelays', 'busyDelay']]) {
    assert.throws(() => poolWorkerOptions({ [misspelt]: 1 }), { message: `unknown option '${misspelt}'; did you mean '${option}'?` });
  }
  const own = { connection: {}, drainDelay: 5, name: 'x', autorun: false, lockDuration: 1, limiter: {}, metrics: {}, prefix: 'a' };
  assert.deepEqual(poolWorkerOptions({ ...own, timeout: 5 }), { processor: { timeout: 5 }, worker: own, closePool: false });
});
