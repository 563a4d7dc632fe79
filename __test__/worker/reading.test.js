'use strict';

/** How a value is read on its way out, ours beside Node's: each getter once and in its turn, no trap of a Proxy, any depth. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after, before, describe, test } = require('node:test');
const workerThreads = require('node:worker_threads');

const { MessageChannel, SharedBuffer, Worker, carry } = require('rust-workers');

const SCRIPT = `
  const { parentPort } = require('rust-workers');
  parentPort.on('messageerror', (error) => parentPort.postMessage('messageerror ' + error.name));
  parentPort.on('message', (value) => {
    let levels = 0;
    for (let at = value; typeof at === 'object' && at !== null; levels++) at = at.v ?? at[0] ?? at.get?.(1);
    parentPort.postMessage(levels);
  });`;

// From here messages are searched.
new SharedBuffer(8);
const start = () => [Worker, workerThreads.Worker].map((Class) => new Class(SCRIPT, { eval: true }));

/** Some that only get messages: nobody waits for their answers. */
let ours;
let nodes;
before(() => {
  [ours, nodes] = start();
});
after(() => Promise.all([ours.terminate(), nodes.terminate()]));

/** What `read` tells of a post of what `make` makes. */
function posts(make) {
  return [ours, nodes].map((worker) => {
    const log = [];
    let error;
    const { value, transfer } = make(log, worker === ours);
    try {
      worker.postMessage(value, typeof transfer === 'function' ? transfer() : transfer);
    } catch (thrown) {
      error = `${thrown.name}: ${thrown.message}`;
    }
    return { log, error };
  });
}

/** An object with getters that say so. */
const counting = (log, properties) => {
  const object = {};
  for (const [key, value] of Object.entries(properties)) {
    Object.defineProperty(object, key, { enumerable: true, get: () => (log.push(key), value) });
  }
  return object;
};

describe('getters', () => {
  const cases = {
    'in a plain message': (log) => ({ value: counting(log, { a: 1, b: { c: 2 } }) }),
    'that give getters': (log) => ({ value: counting(log, { a: counting(log, { b: counting(log, { c: 1 }) }), d: 2 }) }),
    'beside an object of ours': (log, isOurs) => ({
      value: { first: isOurs ? new SharedBuffer(8) : 1, second: counting(log, { a: 1, b: 2 }) },
    }),
    'that give an object of ours': (log, isOurs) => ({
      value: counting(log, { a: 1, shared: isOurs ? new SharedBuffer(8) : 1, b: 2 }),
    }),
    'of elements and of named properties of an array': (log) => {
      const array = [1, 2];
      Object.defineProperty(array, 1, { enumerable: true, get: () => log.push('element') });
      Object.defineProperty(array, 'named', { enumerable: true, get: () => log.push('named') });
      return { value: [array, counting(log, { last: 1 })] };
    },
    'in Maps and Sets, keys before values': (log) => ({
      value: new Map([[counting(log, { key: 1 }), counting(log, { entry: 1 })], [new Set([counting(log, { member: 1 })]), 1]]),
    }),
    'of an Error': (log, isOurs) => {
      const error = new Error('message', { cause: isOurs ? new SharedBuffer(8) : 1 });
      Object.defineProperty(error, 'name', { get: () => (log.push('name'), 'RangeError') });
      Object.defineProperty(error, 'message', { get: () => log.push('message') });
      Object.defineProperty(error, 'stack', { get: () => (log.push('stack'), 'stack') });
      return { value: [counting(log, { before: 1 }), error, counting(log, { after: 1 })] };
    },
    'one of which throws': (log) => {
      const value = counting(log, { a: 1, b: 2, c: 3 });
      return { value: { value, get then() { throw new TypeError('thrown'); }, last: counting(log, { d: 1 }) } };
    },
    'before and after what cannot be cloned': (log) => ({
      value: [counting(log, { a: 1 }), [() => {}], counting(log, { b: 1 })],
    }),
    'before and after a port that is not listed': (log, isOurs) => {
      const { port1, port2 } = isOurs ? new MessageChannel() : new workerThreads.MessageChannel();
      port1.close();
      return { value: [counting(log, { a: 1 }), port2, counting(log, { b: 1 })] };
    },
    'with a bad transfer list': (log) => {
      const buffer = new ArrayBuffer(4);
      return { value: counting(log, { a: 1 }), transfer: [buffer, buffer] };
    },
    'with a port of ours twice on the list': (log, isOurs) => {
      const { port2 } = isOurs ? new MessageChannel() : new workerThreads.MessageChannel();
      return { value: counting(log, { a: 1 }), transfer: [port2, port2] };
    },
    'of the transfer list itself': (log) => {
      const list = [];
      Object.defineProperty(list, 0, { get: () => (log.push('list'), new ArrayBuffer(4)) });
      return { value: counting(log, { a: 1 }), transfer: list };
    },
    'of the options': (log) => ({
      value: 1,
      transfer: { get transfer() { log.push('transfer'); return [new ArrayBuffer(2)]; } },
    }),
    'while an iterator gives the list': (log) => ({
      value: counting(log, { a: 1 }),
      transfer: (function* list() { log.push('began'); yield new ArrayBuffer(2); log.push('ended'); })(),
    }),
    'that take away what comes after': (log) => {
      const value = { get a() { log.push('a'); delete value.b; value.c = 'changed'; return 1; }, b: 1, c: 2 };
      return { value };
    },
  };
  for (const [what, make] of Object.entries(cases)) {
    test(what, () => {
      const [was, expected] = posts(make);
      assert.deepEqual(was, expected);
    });
  }

  test('what they give is what arrives', async () => {
    const echo = new Worker(`const { parentPort } = require('rust-workers');
      parentPort.on('message', (m) => parentPort.postMessage(m));`, { eval: true });
    let reads = 0;
    const shared = new SharedBuffer(8);
    const both = { get number() { return ++reads; }, get shared() { return shared; }, again: shared };
    echo.postMessage(both);
    const [back] = await once(echo, 'message');
    assert.deepEqual([back.number, reads], [1, 1]);
    assert.ok(back.shared instanceof SharedBuffer);
    assert.equal(back.again, back.shared);
    await echo.terminate();
  });

  test('carry reads them once', () => {
    let reads = 0;
    const [message] = carry({ get shared() { reads++; return new SharedBuffer(8); } });
    structuredClone(message);
    assert.equal(reads, 1);
  });
});

test('a Proxy does not notice', () => {
  const [was, expected] = posts((log) => {
    const noisy = new Proxy({}, { get: (_, trap) => () => { log.push(trap); throw new Error(trap); } });
    return { value: { proxy: new Proxy({}, noisy), list: [1] } };
  });
  assert.deepEqual(was, expected);
  assert.deepEqual(was.log, []);
});

test('setters and names on the prototypes do not notice', async () => {
  const heard = [];
  const shared = new SharedBuffer(8);
  const worker = new Worker(SCRIPT, { eval: true });
  const names = ['it', 'value', 'records', 'get', 'set', 'content', 'typeTag'];
  for (const name of names) {
    Object.defineProperty(Object.prototype, name, {
      __proto__: null, configurable: true, get() { return undefined; }, set(value) { heard.push([name, value]); },
    });
  }
  try {
    worker.postMessage([JSON.parse('{"it":1,"set":2}'), shared]);
  } finally {
    for (const name of names) delete Object.prototype[name];
  }
  assert.deepEqual(heard, []);
  assert.equal((await once(worker, 'message'))[0], 2);
  await worker.terminate();
});

test('what merely inherits from an object of ours is plain', async () => {
  const worker = new Worker(SCRIPT, { eval: true });
  worker.postMessage({ v: Object.create(new SharedBuffer(8)) });
  assert.deepEqual(await once(worker, 'message'), [2]);
  await worker.terminate();
});

describe('depth', () => {
  let deep;
  before(() => {
    deep = start();
  });
  after(() => Promise.all(deep.map((worker) => worker.terminate())));
  const levels = {
    objects: (v) => ({ v }),
    arrays: (v) => [v],
    maps: (v) => new Map([[1, v]]),
    instances: (v) => Object.assign(Object.create({}), { v }),
  };
  for (const [what, wrap] of Object.entries(levels)) {
    for (const depth of [1000, 5000, 20_000]) {
      test(`${depth} ${what}, with an object of ours and without`, async () => {
        const nest = (value) => {
          for (let i = 0; i < depth; i++) value = wrap(value);
          return value;
        };
        const answers = [];
        const [mine, plain] = deep;
        for (const [worker, inner] of [[plain, 1], [mine, 1], [mine, new SharedBuffer(8)]]) {
          try {
            worker.postMessage(nest(inner));
            const [answer] = await once(worker, 'message');
            answers.push(answer === depth + 1 ? depth : answer);
          } catch (error) {
            answers.push(`threw ${error.name}: ${error.message}`);
          }
        }
        assert.deepEqual(answers.slice(1), [answers[0], answers[0]]);
      });
    }
  }
});
