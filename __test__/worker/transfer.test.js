'use strict';

/** Objects of ours in workerData, in messages both ways, in threads of threads, anywhere in a value. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const workerThreads = require('node:worker_threads');

const { MessageChannel, Worker, getEnvironmentData, setEnvironmentData } = require('rust-workers');
const { evaluate } = require('../support/child');
const { Baton, Counter } = require('./transferable');

const HEAD = `
  // First: workerData is made when the package is loaded, and these classes are no part of it.
  const { Baton, Counter } = require(${JSON.stringify(require.resolve('./transferable'))});
  const { Worker, parentPort, workerData, receiveMessageOnPort, getEnvironmentData } = require('rust-workers');`;

/** A thread whose script has the classes and the names of the package. */
const thread = (script, options) => new Worker(HEAD + script, { eval: true, ...options });

/** Sends a value to a thread that runs `body` with `value`, and gives what it returns back. */
async function there(value, body, transfer) {
  const worker = thread(`
    parentPort.once('message', (value) => {
      parentPort.postMessage((() => { ${body} })());
    });`);
  worker.postMessage(value, transfer);
  const [message] = await once(worker, 'message');
  return message;
}

describe('an object of ours', () => {
  test('in workerData', async () => {
    const counter = new Counter();
    const worker = thread(`parentPort.postMessage([workerData.counter instanceof Counter, workerData.counter.add(5)])`, {
      workerData: { counter },
    });
    assert.deepEqual((await once(worker, 'message'))[0], [true, 5]);
    assert.equal(counter.add(1), 6);
  });

  test('as workerData itself, and as a message itself', async () => {
    const counter = new Counter();
    const worker = thread('parentPort.postMessage(workerData);', { workerData: counter });
    const [back] = await once(worker, 'message');
    assert.ok(back instanceof Counter);
    back.add(3);
    assert.equal(counter.add(0), 3);
  });

  test('in messages both ways', async () => {
    const counter = new Counter();
    const back = await there({ counter }, 'value.counter.add(1); return { again: value.counter };');
    assert.ok(back.again instanceof Counter);
    assert.equal(back.again.add(1), 2);
    assert.equal(counter.add(0), 2);
  });

  test('at any depth: arrays, objects, instances, Maps and Sets, in their order', async () => {
    const counter = new Counter();
    class Holder {
      held = [new Map([['first', 1], ['it', counter], ['last', 2]]), new Set([0, counter, 9])];
      keyed = new Map([['a', 1], [counter, 'as a key'], ['b', 2]]);
    }
    const value = { holder: new Holder(), sparse: [, counter, , 'x'], named: Object.assign([1], { counter }) };
    const back = await there(value, `
      const { held: [map, set], keyed } = value.holder;
      return {
        map: [...map].map(([key, entry]) => [key, entry instanceof Counter || entry]),
        set: [...set].map((entry) => entry instanceof Counter || entry),
        keyed: [...keyed].map(([key, entry]) => [key instanceof Counter || key, entry]),
        holes: [0 in value.sparse, 2 in value.sparse, value.sparse.length, value.sparse[1] instanceof Counter],
        named: [value.named[0], value.named.counter instanceof Counter],
        plain: Object.getPrototypeOf(value.holder) === Object.prototype,
      };`);
    assert.deepEqual(back, {
      map: [['first', 1], ['it', true], ['last', 2]],
      set: [0, true, 9],
      keyed: [['a', 1], [true, 'as a key'], ['b', 2]],
      holes: [false, false, 4, true],
      named: [1, true],
      plain: true,
    });
  });

  test('stays one object, and cycles stay cycles', async () => {
    const counter = new Counter();
    const value = { counter, other: new Counter(), list: [counter] };
    value.self = value;
    value.list.push(value.list, value);
    const back = await there(value, `
      return [value.self === value, value.list[0] === value.counter, value.list[1] === value.list,
        value.list[2] === value, value.other !== value.counter];`);
    assert.deepEqual(back, [true, true, true, true, true]);
  });

  test('is found in large values, behind many others, and among many ways to the same', async () => {
    const rows = Array.from({ length: 5000 }, (_, id) => ({ id, tags: ['a', { id }] }));
    let twice = [];
    for (let i = 0; i < 60; i++) twice = [twice, twice]; // 2^60 ways to the innermost
    const body = 'return value.at(-1).counter.add(1)';
    assert.equal(await there([rows, twice, { counter: new Counter() }], body), 1);
    const plain = await there([rows, twice], 'return value[0].length');
    assert.equal(plain, 5000);
  });

  test('beside memory and dates that a later getter changes: they are as they were when met, as with Node', async () => {
    const make = (more) => {
      const resizable = new ArrayBuffer(24, { maxByteLength: 32 });
      const view = new Uint8Array([1, 2]);
      const date = new Date(5);
      return {
        ...more, resizable, view, memory: view.buffer, date,
        get late() { resizable.resize(8); view[0] = 9; date.setTime(9); return 1; },
      };
    };
    const tell = `return [value.resizable.byteLength, value.resizable.maxByteLength, [...value.view],
      value.view.buffer === value.memory, +value.date, value.late];`;
    const plain = new Function('value', tell)(structuredClone(make()));
    assert.deepEqual(await there(make({ counter: new Counter() }), tell), plain);
  });

  test('beside a DOMException, which Node carries from Node 22 on', async () => {
    const make = (more) => ({ get a() { return 1; }, ...more, error: new DOMException('m', 'AbortError') });
    const tell = 'return [value.error instanceof DOMException, value.error.name, value.error.message, value.error.code];';
    const plain = new Function('value', tell)(structuredClone(make()));
    const withGetter = Object.defineProperty(make({ counter: new Counter() }), 'late', { enumerable: true, get: () => 1 });
    assert.deepEqual(await there(withGetter, tell), plain);
  });

  test('beside an error whose message is computed, once', async () => {
    let count = 0;
    const error = Object.assign(new Error('m'), { stack: '' });
    error.message = { toString() { return `computed ${++count}`; } };
    const value = { counter: new Counter(), error, get late() { return 1; } };
    assert.equal(await there(value, 'return value.error.message'), 'computed 1');
    assert.equal(count, 1);
  });

  test('beside what Node refuses: nothing after it is read', () => {
    const gone = new ArrayBuffer(8, { maxByteLength: 8 });
    const outOfBounds = new Uint8Array(gone, 4);
    gone.resize(0);
    const detached = new ArrayBuffer(8);
    structuredClone(detached, { transfer: [detached] });
    for (const refused of [Object(Symbol('s')), new WeakMap(), [].values(), outOfBounds, detached]) {
      let count = 0;
      const { port1 } = new MessageChannel();
      const value = { counter: new Counter(), refused, get late() { return ++count; } };
      assert.throws(() => port1.postMessage(value, [new ArrayBuffer(1)]), { name: 'DataCloneError' });
      assert.equal(count, 0);
      port1.close();
    }
  });

  test('leaves the value of the sender as it was', async () => {
    const value = Object.freeze({ list: Object.freeze([new Counter()]), bytes: new Uint8Array([1, 2]) });
    const [counter] = value.list;
    assert.deepEqual(await there(value, 'return [value.bytes, value.list[0].add(2)]'), [new Uint8Array([1, 2]), 2]);
    assert.equal(value.list[0], counter);
  });

  test('beside what Node transfers and clones itself', async () => {
    const { port1, port2 } = new workerThreads.MessageChannel();
    const buffer = new ArrayBuffer(3);
    const value = { counter: new Counter(), port2, buffer, error: new RangeError('an error'), at: new Date(5) };
    const heard = once(port1, 'message');
    const back = await there(value, `
      value.port2.postMessage('from there');
      value.port2.close();
      return [value.buffer.byteLength, value.error instanceof RangeError, value.at.getTime(), value.counter.add(1)];`,
    [port2, buffer]);
    assert.deepEqual(back, [3, true, 5, 1]);
    assert.equal(buffer.byteLength, 0);
    assert.deepEqual(await heard, ['from there']);
  });

  test('a key __proto__ is a key', async () => {
    const value = JSON.parse('{ "__proto__": { "deep": 1 } }');
    value.counter = new Counter();
    const body = 'return [Object.hasOwn(value, "__proto__"), value.counter.add(1)]';
    assert.deepEqual(await there(value, body), [true, 1]);
  });

  test('through a thread of a thread', async () => {
    const counter = new Counter();
    const worker = thread(`
      const inner = new Worker(${JSON.stringify(`${HEAD}
        workerData.deep[0].add(10);
        parentPort.once('message', (counter) => { counter.add(100); parentPort.postMessage([counter]); });`)},
        { eval: true, workerData: { deep: [workerData] } });
      inner.postMessage(workerData);
      inner.on('message', (message) => parentPort.postMessage(message));`, { workerData: counter });
    const [[back]] = await once(worker, 'message');
    assert.equal(back.add(1), 111);
    assert.equal(counter.add(0), 111);
  });

  test('whatever way the message is taken: on, addEventListener, onmessage, receiveMessageOnPort', async () => {
    const ways = [
      `parentPort.addEventListener('message', ({ data }) => done(data), { once: true });`,
      `parentPort.onmessage = ({ data }) => done(data);`,
      `parentPort.once('message', done);`,
      `let got; while ((got = receiveMessageOnPort(parentPort)) === undefined); done(got.message);`,
      `require('node:events').once(require('node:worker_threads').parentPort, 'message').then(([m]) => done(m));`,
    ];
    for (const way of ways) {
      const worker = thread(`
        const done = ({ counter }) => { parentPort.postMessage(counter instanceof Counter); process.exit(); };
        ${way}`);
      worker.postMessage({ counter: new Counter() });
      assert.deepEqual(await once(worker, 'message'), [true], way);
    }
  });

  test('in the cause of an Error', async () => {
    const value = new RangeError('outer', { cause: new TypeError('inner', { cause: { counter: new Counter() } }) });
    const back = await there(value, `
      return [value.name, value.message, value.cause.name, value.cause.stack.includes('transfer.test.js'),
        value.cause.cause.counter.add(1)];`);
    assert.deepEqual(back, ['RangeError', 'outer', 'TypeError', true, 1]);
  });

  test('in environment data, as it is when a thread starts', async () => {
    const value = { counter: new Counter(), changed: 'no' };
    setEnvironmentData('value', value);
    value.changed = 'yes';
    value.more = [value.counter];
    const script = `
      const value = getEnvironmentData('value');
      const inner = workerData ? undefined : new Worker(SCRIPT, { eval: true, workerData: 'inner' });
      value.changed += workerData;
      const told = [value.changed, value.counter === value.more[0]];
      if (inner === undefined) parentPort.postMessage(told);
      else inner.once('message', (message) => parentPort.postMessage([...told, ...message]));`;
    try {
      const worker = thread(`const SCRIPT = ${JSON.stringify(`${HEAD}${script}`)};${script}`);
      const [message] = await once(worker, 'message');
      assert.deepEqual(message, ['yesundefined', true, 'yesinner', true]);
    } finally {
      setEnvironmentData('value', undefined);
    }
  });

  test('in environment data', async () => {
    const counter = new Counter();
    setEnvironmentData('counter', { counter });
    try {
      assert.equal(getEnvironmentData('counter').counter, counter);
      const [same, value] = (await once(thread(`
        const { counter } = getEnvironmentData('counter');
        parentPort.postMessage([counter === getEnvironmentData('counter').counter, counter.add(4)]);`), 'message'))[0];
      assert.equal(same, true);
      assert.equal(value, 4);
    } finally {
      setEnvironmentData('counter', undefined);
    }
    assert.equal(getEnvironmentData('counter'), undefined);
  });
});

describe('an object that moves', () => {
  // On Node 20 a TypeError.
  const NOT_LISTED = { name: /^(DataCloneError|TypeError)$/, message: /not listed in transferList/ };

  test('has to be on the transfer list', () => {
    const baton = new Baton('kept');
    const worker = thread('');
    assert.throws(() => worker.postMessage({ deep: [baton] }), NOT_LISTED);
    assert.throws(() => thread('', { workerData: baton }), NOT_LISTED);
    assert.deepEqual(baton.events, []);
  });

  test('moves, in both forms of the list and in workerData', async () => {
    for (const list of [(baton) => [baton], (baton) => ({ transfer: new Set([baton]) })]) {
      const baton = new Baton('first');
      assert.equal(await there({ baton }, 'return value.baton.label', list(baton)), 'first');
      assert.deepEqual(baton.events, ['packed', 'moved']);
    }
    const baton = new Baton('second');
    const worker = thread('parentPort.postMessage(workerData.label)', { workerData: baton, transferList: [baton] });
    assert.deepEqual(await once(worker, 'message'), ['second']);
    assert.deepEqual(baton.events, ['packed', 'moved']);
  });

  test('moves when it is only on the list', async () => {
    const baton = new Baton('listed');
    assert.equal(await there('text', 'return value', [baton]), 'text');
    assert.deepEqual(baton.events, ['packed', 'moved']);
  });

  test('comes back from a thread', async () => {
    const baton = new Baton('round');
    const worker = thread(`parentPort.once('message', (baton) => parentPort.postMessage({ baton }, [baton]))`);
    worker.postMessage(baton, [baton]);
    const [back] = await once(worker, 'message');
    assert.ok(back.baton instanceof Baton);
    assert.equal(back.baton.label, 'round');
  });

  test('stays when the message cannot leave', () => {
    const baton = new Baton('stays');
    const worker = thread('');
    assert.throws(() => worker.postMessage({ baton, bad: () => {} }, [baton]), { name: 'DataCloneError' });
    assert.deepEqual(baton.events, ['packed', 'kept']);
    // One of the two is packed before the one that refuses, in whatever order.
    const gone = new Baton('gone');
    gone.events.push('moved');
    const two = [new Baton('before'), new Baton('after')];
    const value = [two[0], gone, two[1]];
    assert.throws(() => worker.postMessage(value, value), /has left/);
    assert.deepEqual(two.flatMap(({ events }) => events), ['packed', 'kept']);
    const options = { eval: true, workerData: { baton, bad: Symbol('bad') }, transferList: [baton] };
    assert.throws(() => new Worker('', options), { name: 'DataCloneError' });
    assert.equal(baton.events.at(-1), 'kept');
  });

  test('that cannot be made there is a messageerror, on both sides', async () => {
    const unreadable = new Baton('unreadable');
    const worker = thread(`
      parentPort.on('messageerror', (error) => {
        const baton = new Baton('unreadable');
        parentPort.postMessage(baton, [baton]);
        parentPort.postMessage(error.message);
      });
      parentPort.on('message', () => {});`);
    const failed = once(worker, 'messageerror');
    worker.postMessage(unreadable, [unreadable]);
    assert.match((await failed)[0].message, /cannot be taken up/);
    assert.match((await once(worker, 'message'))[0], /cannot be taken up/);
    await worker.terminate();
  });
});

describe('plain messages', () => {
  test('are handed to Node as they are while there is no object of ours, and are not read here', async () => {
    const script = `
      const { Worker } = require('rust-workers');
      let reads = 0;
      const worker = new Worker("require('rust-workers').parentPort.once('message', () => {})", { eval: true });
      worker.postMessage({ get once() { return ++reads; } });
      console.log(reads);`;
    assert.deepEqual(await evaluate(script), { stdout: '1\n', stderr: '' });
  });

  test('get Node\'s answer also when there is one', async () => {
    new Counter();
    const ours = thread('');
    const node = new workerThreads.Worker('', { eval: true });
    const answer = (worker, args) => {
      try {
        return worker.postMessage(...args);
      } catch ({ name, code, message }) {
        return { name, code, message };
      }
    };
    const { port1 } = new workerThreads.MessageChannel();
    const attempts = [[], [() => {}], [1, 7], [1, 'list'], [1, [{}]], [{ port1 }], [1, { transfer: 7 }], [1, [new ArrayBuffer(1), null]]];
    for (const args of attempts) assert.deepEqual(answer(ours, args), answer(node, args));
    port1.close();
    await Promise.all([ours.terminate(), node.terminate()]);
  });

  test('with the mark of ours as a user\'s key is no concern of a thread that did not get it from us', async () => {
    const worker = thread(`parentPort.once('message', (value) => parentPort.postMessage(Object.keys(value)))`);
    worker.postMessage({ 'rust-workers.message': undefined, records: 1 });
    assert.deepEqual((await once(worker, 'message'))[0], ['rust-workers.message', 'records']);
  });

  test('ports of Node are not concerned', async () => {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage({ plain: 1 });
    assert.deepEqual((await once(port2, 'message'))[0], { plain: 1 });
    port1.close();
  });
});

describe('the classes of this package', () => {
  const { Barrier, Condvar, MessageChannel: Channel, Mutex, RwLock, Semaphore, SharedBuffer } = require('rust-workers');

  test('a SharedBuffer and its views', async () => {
    const shared = new SharedBuffer(64);
    const cells = shared.as('bigInt64', 8, 2);
    const body = `
      value.shared.add(0, 7);
      value.cells.add(1, 40n);
      return { ...value, names: [value.shared.constructor.name, value.cells.type, value.cells.byteOffset] };`;
    const back = await there({ shared, cells }, body);
    assert.ok(back.shared instanceof SharedBuffer);
    assert.deepEqual(back.names, ['SharedBuffer', 'bigInt64', 8]);
    assert.equal(shared.load(0), 7);
    assert.equal(back.cells.load(1), 40n);
    assert.equal(cells.load(1), 40n);
  });

  test('a Mutex in workerData keeps two threads apart', async () => {
    const mutex = new Mutex();
    const shared = new SharedBuffer(4);
    // Not atomic, so that it is the lock which makes the sum right.
    const count = `
      const { mutex, shared } = workerData;
      const cells = new Int32Array(shared.buffer);
      for (let i = 0; i < 2000; i++) {
        const guard = mutex.lockSync();
        cells[0] = cells[0] + 1;
        guard.release();
      }`;
    const workers = [1, 2].map(() => thread(count, { workerData: { mutex, shared } }));
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
    assert.equal(shared.load(0), 4000);
  });

  test('every kind of lock arrives as what it is, over the same memory', async () => {
    const locks = [new Mutex(), new RwLock(), new Semaphore(1), new Condvar(), new Barrier(2)];
    const names = await there(locks, 'return value.map((lock) => lock.constructor.name)');
    assert.deepEqual(names, ['Mutex', 'RwLock', 'Semaphore', 'Condvar', 'Barrier']);
    const back = await there(locks, 'return value');
    for (const [i, lock] of back.entries()) assert.equal(lock.byteOffset, locks[i].byteOffset);
  });

  test('a port of ours moves, in messages and in workerData', async () => {
    const { port1, port2 } = new Channel();
    const worker = thread(`
      workerData.port.once('message', (value) => workerData.port.postMessage(['got', value]));`,
    { workerData: { port: port2 }, transferList: [port2] });
    port1.postMessage({ hello: 1 });
    assert.deepEqual((await once(port1, 'message'))[0], ['got', { hello: 1 }]);
    port1.close();
    await worker.terminate();
  });
});
