'use strict';

// Ports on their way: by a key that cannot be guessed, in a record that is checked, and let go of when they are lost.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const nodeThreads = require('node:worker_threads');

const { MessageChannel, MessagePort, carry, errors, receiveMessageOnPort } = require('rust-workers');
const { deserialize, serialize } = require('../../lib/transfer/serialization');
const { TRANSIT } = require('../../lib/constants');
const { binding } = require('../../lib/native');
const { endpointOf } = require('../../lib/ports/message-port');
const { inTime, until } = require('../support/until');

/** A record of a port as it stands in a message, and the port's other end. */
function recordOf() {
  const { port1, port2 } = new MessageChannel();
  return { port1, ...serialize({ port2 }, [port2]).post((bundle) => ({ bundle, record: bundle.records[0] })) };
}

const alive = setInterval(() => {}, 1000);
test.after(() => clearInterval(alive));

test('the key is 128 random bits, and claims once', () => {
  const [a, b] = [recordOf(), recordOf()];
  assert.match(a.record.content.key, /^[0-9a-f]{32}$/);
  assert.notEqual(a.record.content.key, b.record.content.key);
  a.port1.postMessage('there');
  const { port2 } = deserialize(a.bundle);
  assert.deepEqual(receiveMessageOnPort(port2), { message: 'there' });
  assert.equal(binding.claimPort(a.record.content.key), null);
  deserialize(b.bundle).port2.close();
  port2.close();
});

test('a guessed key claims nothing and closes nothing: what comes of it is a closed port', async () => {
  const { port1, bundle, record } = recordOf();
  const { key } = record.content;
  for (const guess of ['', '0', '2', key.slice(1), `${key}0`, `x${key.slice(1)}`, '0'.repeat(32)]) {
    const forged = { typeTag: 'MessagePort', content: { ...record.content, key: guess, fallback: undefined } };
    const { port } = deserialize({ value: { port: forged }, records: [forged] });
    assert.ok(port instanceof MessagePort);
    port.postMessage('nowhere');
    await once(port, 'close');
  }
  port1.postMessage('still there');
  const { port2 } = deserialize(bundle);
  assert.deepEqual(receiveMessageOnPort(port2), { message: 'still there' });
  port2.close();
});

test('a record in another form is a typed error, whatever is wrong with it', () => {
  const { port1, record } = recordOf();
  const { content } = record;
  const shared = new SharedArrayBuffer(8);
  const wrong = [
    undefined, null, 1, 'text', [], {},
    { ...content, key: 5 }, { ...content, key: undefined }, { ...content, key: { toString: () => content.key } },
    { ...content, options: undefined }, { ...content, options: { capacity: '1', keepBuffers: false } },
    { ...content, options: { capacity: -1, keepBuffers: false } }, { ...content, options: { capacity: 0 } },
    { ...content, kept: undefined }, { ...content, kept: [shared] }, { ...content, kept: [[0, new ArrayBuffer(1)]] },
    { ...content, kept: [['0', shared]] }, { ...content, introduced: NaN }, { ...content, introduced: '0' },
    { ...content, fallback: {} }, { ...content, fallback: null }, { ...content, lossPort: 5 },
  ];
  for (const bad of wrong) {
    const forged = { typeTag: 'MessagePort', content: bad };
    assert.throws(() => deserialize({ value: forged, records: [forged] }), errors.MalformedValueError);
  }
  // None of them has claimed it.
  assert.equal(binding.claimPort(content.key).id > 0, true);
  port1.close();
});

test("a user's value that looks like a wrapper, a bundle or a record is a value", async () => {
  const { port1, port2 } = new MessageChannel();
  const values = [
    { value: { value: 1, ports: undefined, shared: undefined }, records: [] },
    { value: 1, ports: [], shared: [[0, 1]] },
    { 'rust-workers.message': 1, records: [] },
    { typeTag: 'MessagePort', content: { key: '0'.repeat(32) } },
  ];
  const blob = new Blob(['x']);
  for (const value of values) {
    for (const posted of [value, { ...value, blob }]) {
      port1.postMessage(posted);
      const { message } = receiveMessageOnPort(port2);
      assert.deepEqual({ ...message, blob: undefined }, { ...posted, blob: undefined });
    }
  }
  port1.close();
});

test('a port whose message is lost lets the other end know, also when nothing else could tell', async () => {
  // The other end is here; the message is dropped with the port it waits at.
  for (const drop of ['close', 'other close']) {
    const carrier = new nodeThreads.MessageChannel();
    const { port1, port2 } = new MessageChannel();
    carrier.port1.postMessage(...carry({ port2 }, [port2]));
    const told = once(port1, 'close');
    // `close` drops what waits at once; the other way it is dropped when nobody can get at it any more.
    carrier.port2.close();
    if (drop === 'other close') carrier.port1.close();
    await inTime(told, 'the other end is told');
  }
});

test('nothing stays behind of ports that were lost after their other end had closed', async () => {
  const lost = async (post) => {
    const carrier = new nodeThreads.MessageChannel();
    const { port1, port2 } = new MessageChannel();
    post(carrier, port1, port2);
    carrier.port2.close();
    await once(carrier.port1, 'close');
    // One that is lost later is seen to be.
    const later = new nodeThreads.MessageChannel();
    const witness = new MessageChannel();
    const closed = once(witness.port1, 'close');
    later.port1.postMessage(...carry({ port: witness.port2 }, [witness.port2]));
    later.port2.close();
    await closed;
  };
  const keys = [];
  const send = (carrier, port) => {
    const [message, list] = carry({ port }, [port]);
    keys.push(JSON.stringify(message).match(/"key":"([0-9a-f]{32})"/)[1]);
    carrier.port1.postMessage(message, list);
  };
  // Closed before it leaves; closed while it is on its way; with and without messages.
  await lost((carrier, port1, port2) => (port1.postMessage(1), port1.close(), send(carrier, port2)));
  await lost((carrier, port1, port2) => (port1.postMessage(1), send(carrier, port2), port1.close()));
  await lost((carrier, port1, port2) => (port1.postMessage(new Blob([])), send(carrier, port2), port1.close()));
  assert.equal(keys.length, 3);
  for (const key of keys) assert.equal(binding.claimPort(key), null);
});

test('a port that was closed by the listener of the last message hears of the loss of its other end', async () => {
  const carrier = new nodeThreads.MessageChannel();
  const { port1, port2 } = new MessageChannel();
  port2.postMessage(new Blob([]));
  port2.postMessage(new Blob([]));
  const [message, list] = carry({ port2 }, [port2]);
  carrier.port1.postMessage(message, list);
  const { peerId } = endpointOf(port1);
  let shown = 0;
  port1.on('message', () => ++shown === 2 && port1.close());
  await once(port1, 'close');
  assert.equal(binding.portTransit(peerId), TRANSIT.DEPOSITED);
  carrier.port2.close();
  await until(() => binding.portTransit(peerId) !== TRANSIT.DEPOSITED, 'the lost port is let go of');
});

test('a port whose other end closes while it is on its way arrives, with what waits in it', async () => {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage('before');
  const carried = serialize({ port2 }, [port2]).post((bundle) => bundle);
  const closed = once(port1, 'close');
  port1.close();
  await closed;
  const there = deserialize(carried).port2;
  assert.equal(await there.receive(), 'before');
  await assert.rejects(there.receive(), errors.PortClosedError);
});

test('a port posted through its own other end: both close, and nobody is left to wait', async () => {
  const { port1, port2 } = new MessageChannel();
  const warned = once(process, 'warning');
  const both = [once(port1, 'close'), once(port2, 'close')];
  port1.postMessage('lost too', [port2]);
  await Promise.all(both);
  assert.match((await warned)[0].message, /posted to itself/);
});

/** Ways in which a port is lost: none of them is told apart by its other end. Each returns when it has come about. */
const losses = {
  async 'a channel that has closed'(port, { MessageChannel: Channel }) {
    const carrier = new Channel();
    const closed = once(carrier.port1, 'close');
    carrier.port1.close();
    carrier.port1.postMessage(port, [port]);
    await closed;
  },
  async 'a channel that closes later'(port, { MessageChannel: Channel }) {
    const carrier = new Channel();
    const closed = once(carrier.port1, 'close');
    carrier.port1.postMessage(port, [port]);
    setImmediate(() => carrier.port2.close());
    await closed;
  },
  async 'a worker that is terminated'(port, { Worker }) {
    const worker = new Worker('for (;;);', { eval: true });
    worker.postMessage(port, [port]);
    await once(worker, 'online');
    await worker.terminate();
  },
};

for (const [how, lose] of Object.entries(losses)) {
  test(`a port is lost by ${how} after it has posted what only Node carries: the other end reads that, and closes`, async () => {
    for (const late of [false, true]) {
      for (const lib of [nodeThreads, require('rust-workers')]) {
        const { port1, port2 } = new lib.MessageChannel();
        const payloads = [new Blob(['x']), new Uint8Array(2000), 1, new Blob(['y'])];
        for (const payload of payloads) port1.postMessage(payload, payload instanceof Uint8Array ? [payload.buffer] : []);
        const closed = once(port2, 'close');
        let count = 0;
        const listen = () => port2.on('message', () => count++);
        if (!late) listen();
        await lose(port1, lib);
        if (late) listen();
        await closed;
        assert.equal(count, payloads.length);
      }
    }
  });
}

test('a message that cannot be read costs no other message its shared memory', async () => {
  const { Worker } = require('rust-workers');
  const worker = new Worker(`
    const { parentPort } = require('rust-workers');
    parentPort.once('message', ({ port }) => {
      const seen = [];
      port.on('message', ({ memory }) => { seen.push(memory?.byteLength); if (memory === undefined) parentPort.postMessage(seen); });
      port.on('messageerror', () => seen.push('messageerror'));
    });`, { eval: true, resourceLimits: { stackSizeMb: 0.3 } });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage({ port: port2 }, [port2]);
  const memory = new SharedArrayBuffer(8);
  let deep = 0;
  for (let i = 0; i < 2400; i++) deep = [deep];
  for (const message of [{ memory }, { memory, deep }, { memory }, { memory }, {}]) port1.postMessage(message);
  const [[first, , ...rest]] = await once(worker, 'message');
  assert.deepEqual([first, ...rest], [8, 8, 8, undefined]);
  port1.close();
  await worker.terminate();
});

test('what a getter posts pushes out no shared memory that the message around it refers to', () => {
  const { port1, port2 } = new MessageChannel();
  const memory = new SharedArrayBuffer(8);
  const others = Array.from({ length: 20 }, () => new SharedArrayBuffer(4));
  for (let i = 0; i < 3; i++) port1.postMessage({ memory });
  port1.postMessage({ memory, get x() { for (const other of [...others, ...others, ...others]) port1.postMessage({ memory: other }); return 1; } });
  const sizes = [];
  for (let got; (got = receiveMessageOnPort(port2)) !== undefined;) sizes.push(got.message.memory.byteLength);
  assert.deepEqual(sizes, [8, 8, 8, ...Array(60).fill(4), 8]);
  port1.close();
});

test('shared memory that the other end has kept is no number for a native task', async () => {
  const { WorkerPool, SharedBuffer } = require('rust-workers');
  const pool = new WorkerPool({ maxThreads: 1 });
  const message = /native task, which takes plain values and bytes only/;
  for (const make of [() => new SharedArrayBuffer(24), () => new Int32Array(new SharedArrayBuffer(24)), () => new SharedBuffer(24)]) {
    const { port1, port2 } = new MessageChannel();
    const [mine, theirs] = [make(), make()];
    for (let i = 0; i < 3; i++) {
      port1.postMessage(mine);
      port2.postMessage(theirs);
      receiveMessageOnPort(port2);
      receiveMessageOnPort(port1);
    }
    const run = pool.run('echo', { port: port2 }, { transfer: [port2] });
    assert.throws(() => port1.postMessage({ mine }), { name: 'DataCloneError', message });
    port1.postMessage('plain');
    assert.equal(await port1.receive(), 'plain');
    port1.close();
    await run;
  }
  // The other end does not know that a Worker gave its port to a task.
  const { Worker } = require('rust-workers');
  const worker = new Worker(`
    const { parentPort, WorkerPool } = require('rust-workers');
    parentPort.once('message', async ({ port }) => {
      const own = new SharedArrayBuffer(64);
      for (let i = 0; i < 3; i++) { port.postMessage(own); await port.receive(); }
      const pool = new WorkerPool({ maxThreads: 1 });
      const run = pool.run('echo', { port }, { transfer: [port] }).then(() => 'done', (error) => error.message);
      parentPort.postMessage('given');
      parentPort.postMessage(await run);
      await pool.close();
    });`, { eval: true });
  const { port1, port2 } = new MessageChannel();
  const mine = new SharedArrayBuffer(24);
  worker.postMessage({ port: port2 }, [port2]);
  for (let i = 0; i < 3; i++) {
    await port1.receive();
    port1.postMessage(mine);
  }
  assert.deepEqual(await once(worker, 'message'), ['given']);
  // The answer may come together with the close.
  const answer = once(worker, 'message');
  port1.postMessage({ mine });
  await assert.rejects(port1.receive(), { code: 'ERR_RW_PORT_CLOSED' });
  assert.match((await answer)[0], /only a JavaScript thread can receive/);
  await worker.terminate();
  await pool.close();
});

test('the other end keeps the last few of what was introduced, whatever else failed to be posted', () => {
  const { Kept, Introductions } = require('../../lib/ports/shared-memory');
  const kept = new Kept();
  const sender = new Introductions(0);
  const bad = new SharedArrayBuffer(4);
  for (let i = 0; i < 100; i++) {
    const memory = new SharedArrayBuffer(4);
    sender.numberOf(memory);
    sender.numberOf(memory);
    const pairs = sender.introduce();
    kept.add(pairs);
    sender.confirm(pairs);
    assert.equal(kept.get(sender.numberOf(memory)), memory);
    for (let k = 0; k < i % 20; k++) {
      sender.numberOf(bad);
      sender.introduce();
    }
  }
  assert.ok(kept.pairs().length <= 16, `${kept.pairs().length}`);
});

test('postMessage says, as Node does, when nobody will get it', async () => {
  for (const { MessageChannel: Channel } of [nodeThreads, require('rust-workers')]) {
    const { port1, port2 } = new Channel();
    port1.postMessage(1);
    port1.close();
    await until(() => port2.postMessage('probe') === false, 'the close is known');
    const carried = new Channel();
    const given = [1, new Blob([]), [carried.port1]].map((value) => port2.postMessage(value, Array.isArray(value) ? value : []));
    assert.deepEqual(given, [false, false, false]);
    port2.close();
  }
});

test('what cannot be made in another context is a messageerror there, and costs no other message', async () => {
  const vm = require('node:vm');
  const { Mutex, SharedBuffer, moveMessagePortToContext } = require('rust-workers');
  const { port1, port2 } = new MessageChannel();
  const moved = moveMessagePortToContext(port2, vm.createContext({}));
  const seen = [];
  const done = new Promise((resolve) => {
    moved.onmessage = ({ data }) => (data === 'end' ? resolve() : seen.push(data));
    moved.onmessageerror = () => seen.push('messageerror');
  });
  moved.start();
  for (const value of [1, new SharedBuffer(8), { lock: new Mutex() }, 2, 'end']) port1.postMessage(value);
  await done;
  assert.deepEqual(seen, [1, 'messageerror', 'messageerror', 2]);
  port1.close();
});

test('a thread that is blocked sees that the other end is lost', async () => {
  const { Worker } = require('rust-workers');
  const losing = new MessageChannel();
  const blocked = new Worker(`
    const { parentPort, workerData } = require('rust-workers');
    let code;
    try { workerData.port.receiveSync(10_000); } catch (error) { code = error.code; }
    parentPort.postMessage(code);`, { eval: true, workerData: { port: losing.port1 }, transferList: [losing.port1] });
  const dying = new Worker('does not parse', { eval: true, workerData: { port: losing.port2 }, transferList: [losing.port2] });
  dying.on('error', () => {});
  assert.deepEqual(await once(blocked, 'message'), ['ERR_RW_PORT_CLOSED']);
  // This one too.
  for (const payload of [undefined, 1, new Blob(['x'])]) {
    const { port1, port2 } = new MessageChannel();
    if (payload !== undefined) port2.postMessage(payload);
    new Worker('does not parse', { eval: true, workerData: { port: port2 }, transferList: [port2] }).on('error', () => {});
    if (payload !== undefined) port1.receiveSync();
    assert.throws(() => port1.receiveSync(10_000), { code: 'ERR_RW_PORT_CLOSED' });
  }
});

test('a port that a thread has posted on within itself is lost with it, also after what only Node carries', async () => {
  const { Worker } = require('rust-workers');
  const { port1, port2 } = new MessageChannel();
  port2.postMessage(new Blob(['x']));
  const worker = new Worker(`
    const { MessageChannel, parentPort } = require('rust-workers');
    parentPort.once('message', ({ port }) => {
      const own = new MessageChannel();
      own.port1.postMessage(port, [port]);
    });`, { eval: true });
  worker.postMessage({ port: port2 }, [port2]);
  await once(worker, 'exit');
  const closed = once(port1, 'close');
  assert.ok((await port1.receive()) instanceof Blob);
  await closed;
});

test('a loss is seen by whoever reads by hand what only Node carries', async () => {
  for (const read of [(port) => receiveMessageOnPort(port), (port) => port.receiveSync(1_000)]) {
    const { port1, port2 } = new MessageChannel();
    const carrier = new MessageChannel();
    const closed = once(port1, 'close');
    port2.postMessage(new Blob(['x']));
    carrier.port1.postMessage(port2, [port2]);
    const lost = once(carrier.port1, 'close');
    carrier.port2.close();
    await lost;
    read(port1);
    await closed;
    assert.equal(port1.postMessage(1), undefined);
  }
});

test('what was taken before its turn moves along with the port', () => {
  const { nodeTransferablesIn } = require('../../lib/transfer/search');
  const { port1, bundle, record } = recordOf();
  port1.postMessage(new Blob(['late']));
  // As if it had been looked for the loss in the moment in which the other end was claimed and posted.
  record.content.early = nodeThreads.receiveMessageOnPort(record.content.fallback);
  assert.deepEqual(nodeTransferablesIn(record.content.early.message), []);
  const { port2 } = deserialize(bundle);
  const again = serialize({ port2 }, [port2]).post((sent) => sent);
  const moved = deserialize(again).port2;
  assert.ok(receiveMessageOnPort(moved).message instanceof Blob);
  moved.close();
});
