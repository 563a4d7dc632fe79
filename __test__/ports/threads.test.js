'use strict';

// Ports between threads: transferred, in chains, from plain Workers.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const nodeThreads = require('node:worker_threads');

const { Worker, MessageChannel, MessagePort, carry, receiveMessageOnPort } = require('rust-workers');
const { inTime } = require('../support/until');

const fixture = (name) => path.join(__dirname, 'fixtures', name);
const MESSAGES = Number(process.env.RW_TEST_MESSAGES ?? 200_000);

test(`${MESSAGES} messages through three hops in order, none lost, with ports and buffers among them`,
  { timeout: 600_000 }, async () => {
    const workers = [1, 2, 3].map(() => new Worker(fixture('hop.js')));
    const links = Array.from({ length: 4 }, () => new MessageChannel());
    for (const [i, worker] of workers.entries()) {
      const [from, to] = [links[i].port2, links[i + 1].port1];
      worker.postMessage({ from, to }, [from, to]);
    }
    const [inlet, outlet] = [links[0].port1, links[3].port2];
    let next = 0;
    let ports = 0;
    const done = new Promise((resolve, reject) => {
      outlet.on('message', (value) => {
        if (value instanceof MessagePort) {
          const first = receiveMessageOnPort(value).message;
          if (first !== `port ${next}`) reject(new Error(`a port with ${first} at ${next}`));
          value.close();
          ports++;
          return;
        }
        const number = typeof value === 'number' ? value : value.n;
        if (number !== next) reject(new Error(`${number} came instead of ${next}`));
        if (++next === MESSAGES) resolve();
      });
    });
    const closedOutlet = once(outlet, 'close');
    let sentPorts = 0;
    for (let n = 0; n < MESSAGES; n++) {
      if (n % 5000 === 17) {
        const { port1, port2 } = new MessageChannel();
        port1.postMessage(`port ${n}`);
        inlet.postMessage(port2, [port2]);
        sentPorts++;
      }
      if (n % 1000 === 3) inlet.postMessage({ n, bytes: new ArrayBuffer(2000), aside: new Blob(['x']) });
      else if (n % 7 === 0) inlet.postMessage({ n, text: 'small' });
      else inlet.postMessage(n);
      // So that an unbounded queue does not hold them all.
      if (n % 20_000 === 0) await new Promise(setImmediate);
    }
    await done;
    assert.equal(ports, sentPorts);
    inlet.close();
    await closedOutlet;
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

test('a port moves to and fro while messages are in flight: all arrive once, in order', async () => {
  const worker = new Worker(fixture('mover.js'));
  let { port1, port2 } = new MessageChannel();
  const all = [];
  let sent = 0;
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 150; i++) port1.postMessage(sent++);
    const most = 1 + ((round * 37) % 140);
    worker.postMessage({ port: port2, most }, [port2]);
    for (let i = 0; i < 50; i++) port1.postMessage(sent++);
    const [back] = await once(worker, 'message');
    all.push(...back.got);
    port2 = back.port;
    for (let i = 0; i < round % 9; i++) all.push(receiveMessageOnPort(port2).message);
  }
  port1.close();
  for await (const value of port2) all.push(value);
  assert.deepEqual(all, Array.from({ length: sent }, (_, i) => i));
  await worker.terminate();
});

test('the end of a thread closes its ports', async () => {
  const worker = new Worker(fixture('echo.js'));
  const { port1, port2 } = new MessageChannel();
  worker.postMessage({ port: port2 }, [port2]);
  port1.postMessage('there');
  assert.equal(await port1.receive(10_000), 'there');
  const closed = once(port1, 'close');
  await worker.terminate();
  await closed;
  await assert.rejects(port1.receive(), { code: 'ERR_RW_PORT_CLOSED' });
});

test('a port in the workerData or in a message of a Worker that never read it closes', async () => {
  const { port1, port2 } = new MessageChannel();
  const closed = once(port1, 'close');
  const worker = new Worker('while (true);', { eval: true });
  worker.postMessage(port2, [port2]);
  await once(worker, 'online');
  await worker.terminate();
  await inTime(closed, 'the port closes');
});

test('from a plain Worker of worker_threads, with one line more', async () => {
  const plain = new nodeThreads.Worker(fixture('echo.js'));
  const { port1, port2 } = new MessageChannel();
  plain.postMessage(...carry({ port: port2 }, [port2]));
  port1.postMessage({ hello: 'plain' });
  assert.deepEqual(await port1.receive(10_000), { hello: 'plain' });
  await plain.terminate();
});

test('a port in workerData', async () => {
  const { port1, port2 } = new MessageChannel();
  const code = `const { workerData } = require('rust-workers'); workerData.list[0].postMessage('from workerData');`;
  const worker = new Worker(code, { eval: true, workerData: { list: [port2] }, transferList: [port2] });
  assert.equal(await port1.receive(10_000), 'from workerData');
  await worker.terminate();
});
