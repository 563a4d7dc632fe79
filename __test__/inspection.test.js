'use strict';

// What the REPL and logs show of an object of ours: its state, in one line.

const assert = require('node:assert/strict');
const { after, test } = require('node:test');
const { inspect } = require('node:util');

const {
  Barrier, Condvar, MessageChannel, Mutex, RwLock, Semaphore, SharedBuffer, WorkerPool, share, task,
} = require('rust-workers');
const { busyPool, holdWorker, script, using } = require('./support/pools');
const { thread } = require('./support/thread');
const { until } = require('./support/until');

const pool = new WorkerPool({ name: 'mine', maxThreads: 2 });
after(() => pool.close());

/** Shows a value as it stands alone, within an object, and deep within one: each time in one line of its own. */
function show(value) {
  const shown = inspect(value);
  assert.doesNotMatch(shown, /\n/);
  assert.equal(inspect({ deep: value }, { breakLength: Infinity }), `{ deep: ${shown} }`);
  return shown;
}

test('pools: with threads, and with workers of a script; busy, and closed', async () => {
  assert.equal(show(pool), "WorkerPool { name: 'mine', maxThreads: 2, threads: 0, running: 0, queueSize: 0, closed: false }");
  const { pool: busy, free } = await busyPool();
  const queued = busy.run('echo', 1);
  assert.match(show(busy), /^WorkerPool \{ name: 'rust-workers', maxThreads: 1, threads: 1, running: 1, queueSize: 1, closed: false \}$/);
  free();
  await queued;
  await busy.close();
  assert.match(show(busy), /threads: 0, running: 0, queueSize: 0, closed: true \}$/);
  class Own extends WorkerPool {}
  await using(new Own(script('held.js'), { maxThreads: 1 }), async (scripts) => {
    const { open, task: held } = await holdWorker(scripts);
    assert.match(show(scripts), /^Own \{ name: 'rust-workers', maxThreads: 1, threads: 0, workers: 1, running: 1, queueSize: 0, closed: false \}$/);
    open();
    await held;
  });
  assert.doesNotThrow(() => inspect(WorkerPool.prototype));
});

test('scopes and caches of a pool', async () => {
  const scope = pool.scope({ join: 'settled' });
  assert.equal(show(scope), "Scope { join: 'settled', open: 0, closed: false }");
  await scope.close();
  assert.match(show(scope), /closed: true \}$/);
  await pool.run('echo', 1, { cache: 'key' });
  assert.equal(show(pool.cache), 'PoolCache { size: 1, max: 1000, ttl: Infinity, hits: 0, misses: 1 }');
});

test('a mutex: free, held here and there, waited for, and poisoned', async () => {
  const mutex = new Mutex();
  assert.equal(show(mutex), 'Mutex { locked: false, waiting: 0 }');
  const guard = mutex.lockSync();
  assert.equal(show(guard), 'MutexGuard { held: true }');
  const [waits, other] = [mutex.lock(), thread('Mutex.from(data).lockSync(); await told();', mutex)];
  await until(() => /waiting: 2/.test(inspect(mutex)), 'both wait');
  assert.equal(show(mutex), "Mutex { locked: true, holder: 'this thread', waiting: 2 }");
  guard.release();
  assert.equal(show(guard), 'MutexGuard { held: false }');
  (await waits).release();
  await until(() => inspect(mutex).includes(`holder: 'thread ${other.worker.threadId}', waiting: 0`), 'the other thread has it');
  const { ended } = thread("const mutex = Mutex.from(data); mutex.tryLock(); tell(require('node:util').inspect(mutex));", mutex);
  assert.match((await ended)[0], new RegExp(`^Mutex \\{ locked: true, holder: 'thread ${other.worker.threadId}', waiting: 0 \\}$`));
  await other.worker.terminate();
  assert.match(show(mutex), /^Mutex \{ locked: (true, holder: 'a thread that has ended'|false), waiting: 0(, poisoned: true)? \}$/);
  mutex.recover().release();
  assert.equal(show(mutex), 'Mutex { locked: false, waiting: 0 }');
  const ofMain = new Mutex();
  ofMain.lockSync();
  const seen = await thread("tell(require('node:util').inspect(Mutex.from(data)));", ofMain).ended;
  assert.deepEqual(seen, ["Mutex { locked: true, holder: 'the main thread', waiting: 0 }"]);
});

test('a readers-writer lock: readers, a writer, and a writer that waits for readers', async () => {
  const lock = new RwLock({ maxReaders: 4 });
  assert.equal(show(lock), 'RwLock { readers: [], maxReaders: 4, waiting: 0 }');
  const readers = [lock.readSync(), lock.readSync()];
  assert.equal(show(lock), "RwLock { readers: [ 'this thread', 'this thread' ], maxReaders: 4, waiting: 0 }");
  assert.equal(show(readers[0]), 'Guard { held: true }');
  const writes = lock.write();
  assert.match(show(lock), /^RwLock \{ nextWriter: 'this thread', readers: \[ 'this thread', 'this thread' \], maxReaders: 4, waiting: 1 \}$/);
  for (const reader of readers) reader.release();
  const writer = await writes;
  assert.equal(show(lock), "RwLock { writer: 'this thread', readers: [], maxReaders: 4, waiting: 0 }");
  writer.release();
});

test('semaphores, condition variables and barriers', async () => {
  const semaphore = new Semaphore(1, { max: 2 });
  const held = semaphore.acquireSync();
  const waits = semaphore.acquire();
  assert.equal(show(semaphore), 'Semaphore { available: 0, max: 2, waiting: 1 }');
  held.release();
  (await waits).release();
  assert.equal(show(new Semaphore(3)), 'Semaphore { available: 3, waiting: 0 }');
  const [mutex, condvar] = [new Mutex(), new Condvar()];
  const notified = condvar.wait(mutex.lockSync());
  assert.equal(show(condvar), 'Condvar { waiting: 1 }');
  condvar.notifyOne();
  await notified;
  assert.equal(show(condvar), 'Condvar { waiting: 0 }');
  const barrier = new Barrier(2);
  const arrived = barrier.wait();
  assert.equal(show(barrier), 'Barrier { parties: 2, arrived: 1 }');
  await Promise.all([arrived, barrier.wait()]);
  const broken = assert.rejects(barrier.wait({ timeout: 5 }));
  await broken;
  assert.equal(show(barrier), 'Barrier { parties: 2, arrived: 0, broken: true }');
});

test('ports and channels: open, with messages under way, and closed', () => {
  const channel = new MessageChannel({ capacity: 3 });
  channel.port1.postMessage('x');
  assert.equal(
    inspect(channel),
    'MessageChannel { port1: MessagePort { active: true, refed: false, waiting: 0, backlog: 1, capacity: 3 }, ' +
      'port2: MessagePort { active: true, refed: false, waiting: 1, backlog: 0, capacity: 3 } }',
  );
  channel.port1.on('message', () => {});
  assert.match(show(channel.port1), /^MessagePort \{ active: true, refed: true, /);
  channel.port1.close();
  assert.equal(show(channel.port1), 'MessagePort { active: false }');
  const { port1, port2 } = new MessageChannel();
  assert.equal(show(port2), 'MessagePort { active: true, refed: false, waiting: 0, backlog: 0 }');
  port1.close();
});

test('shared memory and shared values', () => {
  assert.equal(show(new SharedBuffer(64)), 'SharedBuffer { byteLength: 64 }');
  const growable = new SharedBuffer(8, { maxByteLength: 32 });
  growable.grow(16);
  assert.equal(show(growable), 'SharedBuffer { byteLength: 16, maxByteLength: 32 }');
  assert.match(show(share({ a: [1, 2] })), /^SharedValue \{ byteLength: \d+, value: \{ a: \[ 1, 2 \] \} \}$/);
  assert.match(inspect(share('text')), /^SharedValue \{ byteLength: \d+, value: 'text' \}$/);
});

test('the running task, here and in a worker of a script', async () => {
  assert.equal(show(task), 'Task {}');
  await using(new WorkerPool(script('inspects.js'), 1), async (scripts) => {
    assert.equal(await scripts.run('shown'), 'Task { workerId: 0, running: true, cancelled: false }');
    const withDeadline = await scripts.run('shown', null, { deadline: 20_000 });
    assert.match(withDeadline, /^Task \{ workerId: 0, running: true, cancelled: false, deadline: \d{4}-\d\d-\d\dT[\d:.]+Z \}$/);
    assert.equal(await scripts.run('shownLater'), 'Task { workerId: 0 }');
  });
});

test('what is not whole is shown without throwing', () => {
  for (const Class of [Mutex, RwLock, Semaphore, Condvar, Barrier, SharedBuffer, MessageChannel, WorkerPool]) {
    assert.equal(typeof inspect(Class.prototype), 'string');
    assert.equal(typeof inspect(Object.create(Class.prototype)), 'string');
  }
  const mutex = new Mutex();
  assert.equal(typeof inspect(Object.setPrototypeOf({ buffer: mutex.buffer, byteOffset: 8 }, Mutex.prototype)), 'string');
});

/** Objects of all kinds, while they are at work and when they have ended. */
async function* everyObject() {
  const native = new WorkerPool({ maxThreads: 1 });
  const scripts = new WorkerPool(script('identity.js'), 1);
  const opened = WorkerPool.open('inspection');
  const stream = native.stream('echo', [1, 2, 3]);
  const parts = scripts.iterate('parts', 1);
  const transform = native.transform('echo');
  const [trace, monitor] = [native.trace(), await native.monitor()];
  const scope = native.scope({ deadline: 60_000 });
  const all = [native, scripts, opened, stream, parts, transform, trace, monitor, scope, native.cache, native.proxy(), scripts.proxy(), task];
  all.push(new Mutex(), new RwLock(), new Semaphore(1), new Condvar(), new Barrier(1), new SharedBuffer(8), new MessageChannel());
  yield* all;
  await Promise.all([stream.next(), parts.next()]);
  assert.match(show(stream), /^TaskStream \{ task: 'echo', read: 3, underWay: \d, ready: \d, ended: false \}$/);
  assert.match(show(parts), /^PartIterator \{ task: 'parts', received: 1, ready: 0, ended: (true|false) \}$/);
  assert.equal(show(transform), "TaskTransform { task: 'echo', given: 0, writable: true, readable: true, destroyed: false }");
  assert.equal(show(trace), "Trace { pool: 'rust-workers', recording: true, dropped: 0 }");
  assert.match(show(monitor), /^Monitor \{ url: 'http:\/\/127\.0\.0\.1:\d+\/', pages: 0, closed: false \}$/);
  yield* all;
  await Promise.all([stream.return(), parts.return(), scope.close()]);
  transform.destroy();
  await Promise.all([native.destroy(), scripts.destroy(), opened.destroy()]);
  assert.match(show(stream), /ended: true \}$/);
  assert.match(show(parts), /ended: true \}$/);
  assert.match(show(transform), /destroyed: true \}$/);
  assert.match(show(trace), /recording: false/);
  assert.match(show(monitor), /closed: true \}$/);
  yield* all;
}

test('whatever it is, and however deep it stands, it is shown in one line', async () => {
  for await (const object of everyObject()) {
    for (const depth of [0, 2, null]) {
      const shown = inspect({ in: { an: { other: object } } }, { depth: depth === null ? null : 2, breakLength: Infinity, compact: 10 });
      assert.doesNotMatch(shown, /\n|\[Object\]/);
      assert.doesNotMatch(inspect(object, { depth: depth ?? Infinity, breakLength: 10 }), /\n/);
    }
  }
});

test('a realm in which every look fails is no reason to throw', async () => {
  const { prototype } = Object;
  const hostile = ['task', 'name', 'url', 'depth', 'state'];
  const fail = { configurable: true, get: () => assert.fail('it was looked at'), set: () => assert.fail('it was set') };
  for await (const object of everyObject()) {
    for (const key of hostile) Object.defineProperty(prototype, key, fail);
    const shown = [];
    try {
      shown.push(inspect(object));
    } catch (error) {
      shown.push(error);
    } finally {
      for (const key of hostile) delete prototype[key];
    }
    for (const line of shown) assert.ok(typeof line === 'string' && !line.includes('\n'), inspect(line));
  }
});
