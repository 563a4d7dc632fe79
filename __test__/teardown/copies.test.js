'use strict';

// More than one copy of the package's JavaScript in one environment, as test frameworks make them: the addon may stay
// while the modules are loaded anew, or be loaded anew too, or serve several realms.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');
const { triple } = require('../../lib/native/triple');

const ROOT = path.join(__dirname, '..', '..');

let folder;
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-copies-'));
  for (const name of ['one', 'two', 'newer']) {
    for (const part of ['lib', 'index.js', 'package.json', `rust-workers.${triple()}.node`]) {
      fs.cpSync(path.join(ROOT, part), path.join(folder, name, part), { recursive: true });
    }
  }
  // In an installed copy the bundle would go before the file that is changed here.
  fs.rmSync(path.join(folder, 'newer', 'lib', 'bundle'), { recursive: true, force: true });
  const version = path.join(folder, 'newer', 'lib', 'native', 'version.js');
  fs.writeFileSync(version, fs.readFileSync(version, 'utf8').replace(/'\d+\.\d+\.\d+'/, "'999.0.0'"));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** How things of one copy get on in another. */
async function meet({ say, after, once }, folder, others) {
  const [one, two] = ['one', others].map((name) => require(`${folder}/${name}`));
  // Copies of different versions do not meet: what then comes never is not waited for.
  const limit = others === 'newer' ? 300 : 20_000;
  const soon = (promise) => Promise.race([promise.catch((error) => error.code ?? error.name), after(limit).then(() => 'never')]);
  const mutex = new one.Mutex();
  const guard = await mutex.lock();
  const same = two.Mutex.from(mutex);
  say('held for both:', same.tryLock() === null);
  const waiting = same.lock();
  guard.release();
  const granted = await soon(waiting);
  say('lock:', granted.held ?? granted);
  granted.release?.();
  const shared = new one.SharedBuffer(8);
  const woken = shared.waitAsync(0, 0);
  say('wait:', two.SharedBuffer.from(shared.buffer).notify(0), await soon(woken));

  const { port1, port2 } = new one.MessageChannel();
  const way = new two.MessageChannel();
  let port;
  try {
    way.port1.postMessage(port1, [port1]);
    port = await way.port2.receive(limit);
    port2.postMessage('hello');
    say('port:', await port.receive(limit));
  } catch (error) {
    say('port:', error.code ?? error.name);
  }
  way.port1.close();
  port2.close();

  // What stands in the cells of a lock is known to one version only.
  if (others === 'newer') process.exit();
  const worker = new two.Worker(
    `const { parentPort } = require(${JSON.stringify(`${folder}/${others}`)});
     parentPort.once('message', async ({ mutex }) => {
       const guard = await mutex.lock();
       parentPort.postMessage('held');
       parentPort.once('message', () => guard.release());
     });`,
    { eval: true },
  );
  const ended = once(worker, 'exit');
  worker.postMessage({ mutex });
  await once(worker, 'message');
  const later = soon(mutex.lock());
  worker.postMessage('release it');
  say('lock of a Worker:', (await later).held ?? (await later));
  await ended;
  process.exit();
}

onEachNode('copies of the package in several folders', (run) => {
  test('of one version: ports, waits and locks meet, Workers that load only the other too', async () => {
    assert.deepEqual(
      await run(meet, { args: [folder, 'two'] }),
      quietly('held for both: true', 'lock: true', 'wait: 1 ok', 'port: hello', 'lock of a Worker: true'),
    );
  });

  test('of two versions: each is for itself, and what goes wrong is an error', async () => {
    const { code, signal, stdout, stderr } = await run(meet, { args: [folder, 'newer'] });
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
    assert.match(stdout, /^held for both: true\n/);
    assert.match(stdout, /\nport: (?!hello)\w+\n/);
  });

  test('each works by itself beside the other', async () => {
    const end = await run(
      async ({ say }, folder) => {
        const copies = ['one', 'two', 'newer'].map((name) => require(`${folder}/${name}`));
        const pools = copies.map(({ WorkerPool }) => new WorkerPool({ maxThreads: 1 }));
        say(...(await Promise.all(pools.map((pool, i) => pool.run('fibonacci', 10 + i)))));
        await Promise.all(pools.map((pool) => pool.close()));
        for (const { Mutex, Semaphore } of copies) {
          const mutex = new Mutex();
          const guard = await mutex.lock();
          const waiting = mutex.lock();
          guard.release();
          say((await waiting).held, await new Semaphore(0).acquire(1, { timeout: 5 }).catch(({ code }) => code));
        }
      },
      { args: [folder] },
    );
    assert.deepEqual(end, quietly('55 89 144', ...Array(3).fill('true ERR_RW_LOCK_TIMEOUT')));
  });
});

onEachNode('copies of the package in one environment', (run) => {
  for (const [what, withAddon] of [['which share the addon', false], ['with the addon loaded anew', true]]) {
    test(`${what}: the promises of each settle`, async () => {
      const end = await run(
        async ({ load, say }, anew) => {
          const copies = [];
          for (let i = 0; i < 3; i++) {
            copies.push(load());
            for (const name of Object.keys(require.cache)) {
              if (anew || !name.endsWith('.node')) delete require.cache[name];
            }
          }
          const pools = copies.map(({ WorkerPool }) => new WorkerPool({ maxThreads: 1 }));
          const runs = pools.map((pool, i) => pool.run('sleep', 50 - i).then(() => pool.run('echo', ['copy', i])));
          for (const answer of await Promise.all(runs)) say(...answer);
          const errors = pools.map((pool) => pool.run('panic', 'boom').catch((error) => error));
          (await Promise.all(errors)).forEach((error, i) => {
            say(copies.map(({ errors: { TaskPanickedError } }) => error instanceof TaskPanickedError).indexOf(true) === i);
          });
          say(new Set(copies.map(({ WorkerPool }) => WorkerPool)).size);
          for (const pool of pools) await pool.close();
        },
        { args: [withAddon] },
      );
      assert.deepEqual(end, quietly('copy 0', 'copy 1', 'copy 2', 'true', 'true', 'true', '3'));
    });
  }

  test('an object of one is an object for the other', async () => {
    const end = await run(async ({ load, say }) => {
      const one = load();
      const [shared, mutex, { port1, port2 }] = [new one.SharedBuffer(32), new one.Mutex(), new one.MessageChannel()];
      const view = shared.as('int32', 16);
      for (const name of Object.keys(require.cache)) if (!name.endsWith('.node')) delete require.cache[name];
      const two = load();
      const pool = new two.WorkerPool({ maxThreads: 1 });
      say(one.SharedBuffer !== two.SharedBuffer, two.SharedBuffer.from(shared).buffer === shared.buffer);
      await pool.run('atomicAdd', { buffer: shared, value: 5 });
      await pool.run('atomicAdd', { buffer: view, value: 7 });
      say(shared.load(0), view.load(0), await pool.run('sum', view), await pool.run('atomicNotify', { buffer: view }));
      say((await pool.run('sort', view)) === view, view.load(3), (await pool.run('sha256', shared)).length);
      say((await pool.run('fill', { data: shared, value: 3 })) === shared, shared.load(0));

      // What a thread receives is made by the copy that was loaded last.
      const way = new two.MessageChannel();
      way.port1.postMessage({ shared, mutex, view, port1 }, [port1]);
      const came = await way.port2.receive();
      say(came.shared instanceof one.SharedBuffer, came.shared instanceof two.SharedBuffer, came.mutex instanceof one.Mutex);
      say(came.port1 instanceof one.MessagePort, came.mutex instanceof one.Semaphore, {} instanceof one.SharedBuffer);
      class Sub extends two.SharedBuffer {}
      say(shared instanceof two.SharedBuffer, shared instanceof Sub, new Sub(8) instanceof one.SharedBuffer);
      say(Object.create(two.SharedBuffer.prototype) instanceof two.SharedBuffer);
      way.port1.close();

      const guard = await mutex.lock();
      say(await new two.Condvar().wait(guard, { timeout: 1 }), guard.held);
      const looksSo = { get held() { return true; } };
      say(...[looksSo, null, new one.Semaphore(1).tryAcquire()].map((it) => {
        try { return new two.Condvar().waitSync(it); } catch ({ code }) { return code; }
      }));
      guard.release();
      const moved = two.moveMessagePortToContext(port2, require('node:vm').createContext());
      moved.start();
      moved.onmessage = ({ data }) => { say(data); process.exit(); };
      came.port1.postMessage('to the context');
    });
    assert.deepEqual(end, quietly(
      'true true', '5 7 7 0', 'true 7 32', 'true 3', 'true true true', 'true false false', 'true false true', 'true',
      'false true', Array(3).fill('ERR_RW_INVALID_ARG_TYPE').join(' '), 'to the context',
    ));
  });

  test("a script's `move` may be of another copy than its worker", async () => {
    const end = await run(async ({ load, say }) => {
      const { WorkerPool } = load();
      const name = JSON.stringify(Object.keys(require.cache).find((file) => file.endsWith('index.js')));
      const script = `data:text/javascript,${encodeURIComponent(`
        import { createRequire } from 'node:module';
        const require = createRequire(${name});
        require(${name});
        for (const file of Object.keys(require.cache)) if (!file.endsWith('.node')) delete require.cache[file];
        const { move } = require(${name});
        const { memory } = { memory: new WebAssembly.Memory({ initial: 1 }) };
        export default () => move([new Uint8Array([1, 2]), new Uint8Array(memory.buffer, 0, 2)]);`)}`;
      const pool = new WorkerPool(new URL(script), { maxThreads: 1 });
      say((await pool.runTask()).map(({ length }) => length));
      await pool.close();
    });
    assert.deepEqual(end, quietly('2,2'));
  });

  test('values of other realms cross, and what a realm loads itself works in it', async () => {
    const end = await run(async ({ load, say }) => {
      const vm = require('node:vm');
      const { isDeepStrictEqual } = require('node:util');
      const { WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 1 });
      const foreign = vm.runInNewContext(`({
        date: new Date(5), map: new Map([[1, new Set([2])]]), list: [1, , 3], bytes: new Uint8Array([1, 2]),
        buffer: new ArrayBuffer(3), big: 10n ** 30n, error: new RangeError('foreign', { cause: 'none' }), nothing: null,
      })`);
      const echoed = await pool.run('echo', foreign);
      say(echoed.date instanceof Date, echoed.map.get(1) instanceof Set, echoed.list.length, echoed.bytes.join());
      say(echoed.buffer.byteLength, echoed.big, echoed.error instanceof RangeError, echoed.error.message, echoed.nothing);
      say(isDeepStrictEqual(Object.keys(echoed), Object.keys(foreign)));
      say(await pool.run('sort', vm.runInNewContext('new Float64Array([3, 1, 2])')));
      say(await pool.map('fibonacci', vm.runInNewContext('[10, 11]')));
      const given = vm.runInNewContext('new Uint8Array([9, 8, 7])');
      say((await pool.run('sort', given, { transfer: [given.buffer] })).join(), given.length);
      say(await pool.run('fibonacci', 12, vm.runInNewContext('({ priority: 3, timeout: 5000 })')));
      await pool.close();
    });
    assert.deepEqual(
      end,
      quietly('true true 3 1,2', `3 ${10n ** 30n} true foreign `, 'true', '1,2,3', '55,89', '7,8,9 0', '144'),
    );
  });
});
