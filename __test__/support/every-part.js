'use strict';

/** The package in its simplest use, for places where it might not work at all: realms, flags of Node's. */

/** The simplest use of each part of the package: a line each. `make` are the classes of the realm. */
async function everyPart(rw, say, make) {
  const path = require('node:path');
  const { once } = require('node:events');
  const { pathToFileURL } = require('node:url');
  const codeOf = (promise) => promise.then(() => 'nothing', (error) => error.code ?? error.name);

  const pool = new rw.WorkerPool({ maxThreads: 1 });
  const values = [new Uint8Array([1]), new ArrayBuffer(8), new Map([[1, 2]]), new RangeError('wrong'), { deep: [1n, -0] }];
  const [bytes, buffer, map, error, object] = await pool.run('echo', values);
  say('values', bytes[0], buffer.byteLength, map.get(1), error.message, object.deep.join());
  for (let i = 0; i < 20; i++) await pool.run('echo', { one: 1, two: [i] });
  const given = new Float64Array([3, 1, 2]);
  say('transfer', (await pool.run('sort', given, { transfer: [given.buffer] })).join(), given.length);
  const inside = new Uint8Array(3);
  say('transfer inside', (await pool.run('echo', { inside }, { transfer: [inside.buffer] })).inside.length, inside.length);
  const stop = new make.AbortController();
  const asleep = codeOf(pool.run('sleep', 60_000, { signal: stop.signal }));
  stop.abort();
  say('abort', await asleep);
  const { signal } = new make.AbortController();
  const source = async function* () { yield 5; yield 6; };
  say('map', (await pool.map('fibonacci', [1, 2, 3])).join(), (await pool.map('fibonacci', source(), { signal })).join());
  await pool.close();

  const { port1, port2 } = new rw.MessageChannel();
  const received = new Promise((resolve) => {
    const messages = [];
    port2.on('message', (message) => messages.push(message) === 3 && resolve(messages));
  });
  const moved = new ArrayBuffer(8);
  port1.postMessage({ plain: 1 });
  port1.postMessage(new (require('node:buffer').Blob)(['text']));
  port1.postMessage(moved, [moved]);
  const [plain, blob, memory] = await received;
  say('messages', plain.plain, blob.size, memory.byteLength, moved.byteLength);
  const event = new Promise((resolve) => port1.addEventListener('message', resolve, { once: true }));
  port1.start();
  const other = new rw.MessageChannel();
  port2.postMessage('hello', [other.port1]);
  const { data, ports } = await event;
  say('event', data, ports.length);
  const gone = new Promise((resolve) => other.port2.on('close', resolve));
  ports[0].close();
  await gone;
  for (const post of [() => port1.postMessage(Symbol('none')), () => port1.postMessage(1, [port1])]) {
    try {
      post();
    } catch ({ name }) {
      say(name);
    }
  }
  const closed = new Promise((resolve) => port2.addEventListener('close', ({ type }) => resolve(type)));
  port1.close();
  say(await closed);

  const mutex = new rw.Mutex();
  const guard = await mutex.lock();
  const second = mutex.lock();
  guard.release();
  (await second).release();
  const none = new rw.Semaphore(0);
  const late = new make.AbortController();
  const waiting = codeOf(none.acquire(1, { signal: late.signal }));
  late.abort();
  say('locks', await codeOf(none.acquire(1, { timeout: 5 })), await waiting);
  const shared = new rw.SharedBuffer(64);
  const woken = shared.waitAsync(0, 0);
  shared.notify(0);
  say('shared', await woken, rw.rustAtomics.add(new Int32Array(shared.buffer), 0, 2), shared.load(0));

  const handle = rw.share({ list: [1, { deep: 'x'.repeat(20_000) }], bytes: new Uint8Array([7]) });
  const way = new rw.MessageChannel();
  way.port1.postMessage({ handle });
  const there = (await way.port2.receive()).handle;
  way.port1.close();
  const { list } = there.value;
  say('share', there instanceof rw.SharedValue, Array.isArray(list), list[1].deep.length, there.value.bytes[0], there.copy().list.length);

  const script = path.resolve('__test__/fixtures/scripts/functions.js');
  for (const file of [script, new make.URL(pathToFileURL(script).href)]) {
    const scripts = new rw.WorkerPool(file, 1);
    const failure = await scripts.run('throwError').catch((reason) => reason);
    say('script', typeof failure.message);
    await scripts.close();
  }
  const worker = new rw.Worker(
    `const { parentPort, workerData } = require('./');
     parentPort.once('message', ({ mutex }) => parentPort.postMessage([workerData.mutex.tryLock() !== null, mutex.tryLock()]));`,
    { eval: true, workerData: { mutex } },
  );
  const ended = once(worker, 'exit');
  worker.postMessage({ mutex });
  const [answer] = await once(worker, 'message');
  say('worker', answer.join());
  await ended;
}

const LINES = [
  'values 1 8 2 wrong 1,0', 'transfer 1,2,3 0', 'transfer inside 3 0', 'abort ERR_RW_TASK_CANCELLED', 'map 1,1,2 5,8',
  'messages 1 4 8 0', 'event hello 1', 'DataCloneError', 'DataCloneError', 'close',
  'locks ERR_RW_LOCK_TIMEOUT ERR_RW_LOCK_ABORTED', 'shared ok 0 2', 'share true true 20000 7 2', 'script string', 'script string', 'worker true,',
];

module.exports = { LINES, everyPart };
