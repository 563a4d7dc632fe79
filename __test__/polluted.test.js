'use strict';

// Accessors on the prototypes of the language, put there by the program: what the package keeps for itself does not go to them.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('./support/child');

/** Uses of every part, each with the answer `true`. */
async function everything({ load, say }, holder, names) {
  const { Barrier, Condvar, MessageChannel, Mutex, SharedBuffer, Worker, WorkerPool, share } = load();
  const file = JSON.stringify(Object.keys(require.cache).find((name) => name.endsWith('index.js')));
  const own = (error, key) => Object.getOwnPropertyDescriptor(error, key)?.value;
  const bag = (options) => Object.assign({ __proto__: null }, options);
  const thrown = (run) => { try { return run(); } catch (error) { return error; } };
  const pool = new WorkerPool({ maxThreads: 1, maxQueue: 0 });
  // Node loads its own part of it late, and is not up to this either.
  void globalThis.Response;
  const prototype = { Array, Object }[holder].prototype;
  for (const name of names) {
    Object.defineProperty(prototype, name, { __proto__: null, configurable: true, get() {}, set() {} });
  }
  const results = {
    async channel() {
      const { port1, port2 } = new MessageChannel();
      const received = [0, 0, 0];
      let count = 0;
      const closed = new Promise((resolve) => port2.on('close', resolve));
      port2.on('message', (message) => {
        received[count++] = message;
        if (count === 3) port1.close();
      });
      for (const value of [[1, 2], new SharedBuffer(8), new Blob([])]) port1.postMessage(value);
      await closed;
      return received[0].length === 2 && received[1] instanceof SharedBuffer;
    },
    async receive() {
      const { port1, port2 } = new MessageChannel();
      const both = Promise.all([port2.receive(), port2.receive()]);
      port1.postMessage(1);
      port1.postMessage(2);
      const [first, second] = await both;
      port1.close();
      return first === 1 && second === 2;
    },
    async errors() {
      const stop = new AbortController();
      const running = pool.run('sleep', 60_000, bag({ signal: stop.signal })).catch((error) => error);
      const full = await pool.run('echo', [5]).catch((error) => error);
      stop.abort();
      if (own(await running, 'code') !== 'ERR_RW_TASK_CANCELLED') return running;
      // Its thread counts as free once it has let go of it.
      while (pool.stats().running > 0) await new Promise(setImmediate);
      const late = await pool.run('sleep', 1000, bag({ signal: AbortSignal.abort(7) })).catch((error) => error);
      return own(full, 'code') === 'ERR_RW_QUEUE_FULL' && own(full, 'input')[0] === 5 && own(full, 'task') === 'echo' &&
        own(late, 'cause') === 7 && own(thrown(() => new Mutex(1)), 'code') === 'ERR_RW_INVALID_ARG_TYPE';
    },
    async options() {
      const misspelt = await pool.run('noop', undefined, bag({ timeuot: 1 })).catch((error) => error);
      return /timeout/.test(own(misspelt, 'message'));
    },
    async locks() {
      const [mutex, condvar] = [new Mutex(), new Condvar()];
      const guard = await mutex.lock();
      const woken = await condvar.wait(guard, bag({ timeout: 1 }));
      guard.release();
      return woken === false && (await new Barrier(1).wait()).leader;
    },
    async shared() {
      const { port1, port2 } = new MessageChannel();
      const bytes = new Uint8Array([1]);
      port1.postMessage({ handle: share({ list: [1, , { text: 'x'.repeat(9000) }], bytes, map: 5 }) });
      const { handle } = await port2.receive();
      const refused = thrown(() => share({ a: [new Map()] }));
      port1.close();
      const { list, bytes: view } = handle.value;
      const copy = handle.copy();
      return list.length === 3 && !Object.hasOwn(list, 1) && list[2].text.length === 9000 && view[0] === 1 && copy.map === 5 &&
        copy.list[2].text.length === 9000 && own(refused, 'code') === 'ERR_RW_UNSUPPORTED_VALUE';
    },
    async worker() {
      const worker = new Worker(`const { parentPort, workerData } = require(${file});
        parentPort.on('message', (m) => parentPort.postMessage([m[0], workerData, 1]));`,
        bag({ eval: true, workerData: { a: new Mutex() } }));
      worker.postMessage([new SharedBuffer(8)]);
      const [shared, { a }] = await new Promise((resolve) => worker.on('message', resolve));
      await worker.terminate();
      return shared instanceof SharedBuffer && a instanceof Mutex;
    },
    async script() {
      const scripts = new WorkerPool(new URL('data:text/javascript,export const same = (x) => x'), 1);
      const same = await scripts.run('same', { list: [1, 2], deep: { list: [3] } });
      const mapped = await scripts.map('same', [1, 2, 3]);
      await scripts.close();
      return same.list.length === 2 && mapped.length === 3;
    },
    async maps() {
      for (const count of [3, 9_500, 140_000]) {
        const inputs = Array.from({ length: count }, (_, n) => n + 1);
        for (const [task, first] of [['echo', 1], ['noop', undefined]]) {
          const outputs = await pool.map(task, inputs);
          if (outputs.length !== count || !Object.hasOwn(outputs, 0) || outputs[0] !== first) return `${task} of ${count}`;
        }
      }
      return true;
    },
    async native() {
      const [primes, sorted] = [await pool.run('primes', { limit: 10, list: true }), await pool.run('sort', new Float64Array([2, 1]))];
      await pool.close();
      return primes.length === 4 && sorted[0] === 1 && pool.stats().completed > 0;
    },
  };
  for (const name of Object.keys(results)) {
    const result = await results[name]().catch((error) => error.stack);
    if (result !== true) say(`${name}: ${result}`);
  }
  process.exit();
}

/** A pool with a script and no other is made before; its first values come after. */
async function scriptAlone({ load, say }, holder, names) {
  const scripts = new (load().WorkerPool)(new URL('data:text/javascript,export const same = (x) => x'), 1);
  const prototype = { Array, Object }[holder].prototype;
  for (const name of names) {
    Object.defineProperty(prototype, name, { __proto__: null, configurable: true, get() {}, set() {} });
  }
  const same = await scripts.run('same', { list: [1, 2], text: 'a', deep: { map: new Map([[1, 2]]) } });
  await scripts.close();
  if (same.list.length !== 2 || same.text !== 'a' || same.deep.map.get(1) !== 2) say('not the same');
  process.exit();
}

onEachNode('accessors on prototypes', (run) => {
  for (const names of [['0'], ['1'], ['2']]) {
    test(`Array.prototype: ${names}, after a pool with a script was made`, async () => {
      assert.deepEqual(await run(scriptAlone, { args: ['Array', names] }), quietly());
    });
  }

  const cases = {
    Array: [['0']],
    Object: [
      ['code', 'message', 'name', 'cause', 'task', 'input', 'exitCode', 'errors'],
      ['handle', 'peerId', 'end1', 'end2', 'pool', 'ended', 'isOver', 'error', 'left', 'ports'],
      ['buffer', 'byteOffset', 'cells', 'bundle', 'copy', 'transferList', 'list', 'ids', 'numbers', 'forms', 'wire', 'call'],
      ['memory', 'bytes', 'value', 'shape', 'shapes', 'tree', 'place', 'root', 'keys', 'places', 'steps', 'next'],
      ['ran', 'orphans', 'number', 'load', 'key', 'stoppable', 'workerId', 'afterTasks', 'maxMemory', 'afterMs', 'typeTag'],
    ],
  };
  for (const [holder, lists] of Object.entries(cases)) {
    for (const names of lists) {
      test(`${holder}.prototype: ${names.join(', ')}`, async () => {
        assert.deepEqual(await run(everything, { args: [holder, names] }), quietly());
      });
    }
  }
});
