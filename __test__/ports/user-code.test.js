'use strict';

// Whatever listeners do, every other message arrives; what they throw is an uncaught exception, as at Node's ports.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { getEventListeners } = require('node:events');
const { test } = require('node:test');

const { MessageChannel } = require('rust-workers');
const { runNode } = require('../support/child');

/**
 * What a program logs that runs in a process of its own over `library`, uncaught exceptions with it. The program is given
 * the library, `log`, `closed(port)` and `turns(count)`.
 */
async function logOf(library, program) {
  const code = `
    const t = require(${JSON.stringify(library)});
    const log = [];
    process.on('uncaughtException', (error) => log.push('uncaught ' + (error?.message ?? error)));
    process.on('exit', () => console.log(JSON.stringify(log)));
    const closed = (port) => new Promise((resolve) => port.once('close', resolve));
    const { turns } = require(${JSON.stringify(require.resolve('../support/until'))});
    (${program})(t, (...line) => log.push(line.join(' ')), closed, turns);`;
  const { code: exit, signal, stdout, stderr } = await runNode(['-e', code], { cwd: __dirname });
  assert.deepEqual([exit, signal, stderr], [0, null, '']);
  return JSON.parse(stdout);
}

/** What a program logs over Node's ports, and that it logs the same over ours. */
async function alikeLog(program) {
  const [expected, found] = await Promise.all([logOf('node:worker_threads', program), logOf('rust-workers', program)]);
  assert.deepEqual(found, expected);
  return expected;
}

const listeners = {
  'a listener throws': (port, log) => port.on('message', (n) => { log(n); throw new Error(`e${n}`); }),
  'onmessage throws': (port, log) => (port.onmessage = ({ data }) => { log(data); throw new Error(`e${data}`); }),
  'an async listener rejects': (port, log) => port.on('message', async (n) => { log(n); await null; throw new Error(`e${n}`); }),
  'a listener throws nothing': (port, log) => port.on('message', (n) => { log(n); throw undefined; }),
  'a result has a then that throws when it is read': (port, log) =>
    port.on('message', (n) => ({ get then() { log('read', n); throw new Error(`e${n}`); } })),
  'a result has a then that throws when it is called': (port, log) =>
    port.on('message', (n) => ({ then(...given) { log(given.length, this.n, typeof given[0], typeof given[1]); throw new Error(`e${n}`); }, n })),
  'a result has a then that rejects': (port) => port.on('message', (n) => ({ then: (_, reject) => reject(new Error(`e${n}`)) })),
  'handleEvent throws when it is read': (port, log) => {
    let asked = -1;
    port.addEventListener('message', { get handleEvent() { if (++asked > 0) throw new Error(`asked ${asked}`); return () => {}; } });
    port.on('message', (n) => log(n));
  },
  'two of three throw': (port, log) => {
    port.on('message', (n) => { throw new Error(`first ${n}`); });
    port.on('message', (n) => log(n));
    port.addEventListener('message', ({ data }) => { throw new Error(`last ${data}`); });
  },
  'a tick throws': (port, log) =>
    port.on('message', (n) => { log(n); process.nextTick(() => { throw new Error(`tick ${n}`); }); }),
  'a microtask throws': (port, log) =>
    port.on('message', (n) => { log(n); queueMicrotask(() => { throw new Error(`microtask ${n}`); }); }),
};

for (const [name, listen] of Object.entries(listeners)) {
  test(`${name}: the rest arrives`, async () => {
    const log = await alikeLog(`async (t, log, closed, turns) => {
      const { port1, port2 } = new t.MessageChannel();
      (${listen})(port2, log);
      port2.on('close', () => { log('close'); throw new Error('close listener'); });
      for (let n = 0; n < 5; n++) port1.postMessage(n);
      const ended = closed(port2);
      // Node gives one message a turn after an exception.
      await turns(50);
      port1.close();
      await ended;
      log('end');
    }`);
    assert.ok(log.length > 5);
  });
}

test('the error of a listener is thrown in the async context of the port', async () => {
  const log = await alikeLog(`async (t, log, closed, turns) => {
    const { AsyncLocalStorage } = require('node:async_hooks');
    const storage = new AsyncLocalStorage();
    process.prependListener('uncaughtException', () => log('in', storage.getStore()));
    const { port1, port2 } = storage.run('the port', () => new t.MessageChannel());
    port2.on('message', () => { throw new Error('told'); });
    port1.postMessage(1);
    const ended = closed(port2);
    await turns(50);
    port1.close();
    await ended;
  }`);
  assert.deepEqual(log, ['in the port', 'uncaught told']);
  assert.equal(new AsyncLocalStorage().getStore(), undefined);
});

test('another Event, MessageEvent, DOMException and structuredClone in the globals change nothing', async () => {
  const log = await alikeLog(`async (t, log, closed) => {
    for (const name of ['Event', 'MessageEvent', 'DOMException', 'CustomEvent', 'EventTarget', 'AbortSignal', 'performance']) {
      Object.defineProperty(globalThis, name, { value: class { constructor() { throw new Error('another ' + name); } } });
    }
    globalThis.structuredClone = undefined;
    const { port1, port2 } = new t.MessageChannel();
    const inner = new t.MessageChannel();
    port2.addEventListener('message', (event) => log(typeof event.data, event.type, event.ports.length, event.constructor.name));
    port1.postMessage(1);
    port1.postMessage(inner.port1, [inner.port1]);
    for (const list of [[port1], [inner.port1], [inner.port2, inner.port2]]) {
      try { port1.postMessage(1, list); } catch (error) { log(error.name, error.code, error.message); }
    }
    port2.addEventListener('close', (event) => log(event.type, event.constructor.name, event.target === port2));
    port1.close();
    await closed(port2);
    inner.port2.close();
  }`);
  assert.equal(log.length, 6);
});

test('one signal for many receives: one listener, and one abort ends them all', async () => {
  const control = new AbortController();
  const { signal } = control;
  const channels = Array.from({ length: 20 }, () => new MessageChannel());
  const waiting = channels.flatMap(({ port1 }) => [port1.receive({ signal }), port1.receive({ signal, timeout: 60_000 })]);
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  channels[0].port2.postMessage('in time');
  assert.equal(await waiting[0], 'in time');
  const reason = new Error('told');
  control.abort(reason);
  for (const one of await Promise.allSettled(waiting.slice(1))) assert.equal(one.reason, reason);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  await assert.rejects(channels[0].port1.receive({ signal }), reason);
  // And all that were served leave no listener either.
  const other = new AbortController();
  const served = channels.map(({ port1 }) => port1.receive({ signal: other.signal }));
  for (const { port2 } of channels) port2.postMessage(1);
  assert.deepEqual(await Promise.all(served), channels.map(() => 1));
  assert.equal(getEventListeners(other.signal, 'abort').length, 0);
  for (const { port1 } of channels) port1.close();
});

test('send and trySend read a value once, when there is room', async () => {
  const { port1, port2 } = new MessageChannel({ capacity: 1 });
  port1.postMessage(0);
  let reads = 0;
  const value = { get a() { return ++reads; } };
  assert.equal(port1.trySend(value), false);
  const sent = port1.send(value);
  assert.equal(reads, 0);
  assert.equal(await port2.receive(), 0);
  await sent;
  assert.deepEqual(await port2.receive(), { a: 1 });
  // A getter takes the last place.
  assert.equal(port1.trySend({ get b() { port1.postMessage('first'); return ++reads; } }), true);
  assert.equal(await port2.receive(), 'first');
  assert.deepEqual(await port2.receive(), { b: 2 });
  port1.close();
});
