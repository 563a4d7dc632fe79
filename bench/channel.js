'use strict';

/**
 * Our MessageChannel beside Node's, in the same run: `node bench/channel.js [rounds]`.
 *
 * Two threads, both directions. A round posts a burst and ends when the other thread has told, through a shared
 * counter, that its listener got the last of it; rounds of the two alternate, so that a busy machine slows both, and
 * medians are compared. Round trips are measured in a process of its own, pinned to one core where `taskset` exists.
 */

const { spawnSync } = require('node:child_process');
const nodeThreads = require('node:worker_threads');

const ours = require('..');

const { isMainThread, parentPort } = nodeThreads;

/** name, messages a round, a maker of values, whether the value is a buffer to transfer. */
const CASES = [
  { name: 'number', count: 100_000, make: () => 7 },
  { name: 'string of 20', count: 100_000, make: () => 'abcdefghijklmnopqrst' },
  { name: 'flat object', count: 50_000, make: () => ({ id: 1, name: 'name', ok: true }) },
  { name: 'string of 1 KiB', count: 30_000, make: () => 'x'.repeat(1024) },
  { name: 'Buffer of 64 KiB, copied', count: 1_000, make: () => Buffer.alloc(65_536, 1) },
  { name: 'ArrayBuffer of 1 MiB, transferred', count: 100, make: () => new ArrayBuffer(1 << 20), transfer: true },
  { name: 'SharedArrayBuffer, again', count: 30_000, make: () => new SharedArrayBuffer(64) },
  { name: 'nested object of 100 keys', count: 3_000, make: hundredKeys },
  { name: 'Map of 1,000', count: 300, make: () => new Map(Array.from({ length: 1000 }, (_, i) => [i, `value ${i}`])) },
];

function hundredKeys() {
  const object = {};
  for (let group = 0; group < 10; group++) {
    const inner = (object[`group${group}`] = {});
    for (let key = 0; key < 9; key++) inner[`key${key}`] = key % 3 === 0 ? `text ${key}` : key % 3 === 1 ? key * 1.5 : [key];
  }
  return object;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Posts a burst of a case. Values to be transferred are made before the clock starts. */
function prepare({ count, make, transfer }) {
  const values = transfer ? Array.from({ length: count }, make) : undefined;
  const value = transfer ? undefined : make();
  return (port) => {
    if (values === undefined) for (let i = 0; i < count; i++) port.postMessage(value);
    else for (const buffer of values) port.postMessage(buffer, [buffer]);
  };
}

/** Counts what comes through a port; wakes who waits for the last of a burst. */
function listen(port) {
  let left = 0;
  let done;
  port.on('message', () => {
    if (--left === 0) done();
  });
  return (count) => {
    left = count;
    return new Promise((resolve) => (done = resolve));
  };
}

if (!isMainThread) {
  const ready = (ports) => {
    const counters = ports.map(listen);
    let posting;
    parentPort.on('message', async ({ what, which, index, serve }) => {
      const port = ports[which];
      const one = CASES[index];
      if (what === 'count') {
        const all = counters[which](one.count);
        parentPort.postMessage('ready');
        await all;
        parentPort.postMessage('got');
      } else if (what === 'post') {
        posting = prepare(one);
        parentPort.postMessage('ready');
      } else if (what === 'go') {
        posting(port);
      } else if (what === 'serve') {
        port.removeAllListeners('message');
        parentPort.postMessage('ready');
        if (serve === 'sync') {
          for (;;) {
            const value = port.receiveSync();
            if (value === 'end') break;
            port.postMessage(value);
          }
        } else {
          port.on('message', (value) => port.postMessage(value));
        }
      }
    });
  };
  // The parent port of rust-workers is Node's, looked through for ports of ours.
  ours.parentPort.once('message', ({ ports }) => ready(ports));
}

const next = (worker) => new Promise((resolve) => worker.once('message', resolve));

function connect() {
  const worker = new nodeThreads.Worker(__filename);
  const channels = [new nodeThreads.MessageChannel(), new ours.MessageChannel()];
  const theirs = channels.map(({ port2 }) => port2);
  worker.postMessage(...ours.carry({ ports: theirs }, theirs));
  return { worker, ports: channels.map(({ port1 }) => port1) };
}

async function bursts(rounds) {
  const { worker, ports } = connect();
  const counters = ports.map(listen);
  console.log('messages a second, medians of', rounds, 'alternating rounds\n');
  console.log(`${'message'.padEnd(36)}${'way'.padEnd(6)}${'Node'.padStart(12)}${'ours'.padStart(12)}${'ratio'.padStart(8)}`);
  for (const [index, one] of CASES.entries()) {
    for (const way of ['there', 'back']) {
      const times = [[], []];
      for (let round = -1; round < rounds; round++) {
        for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
          const prepared = way === 'there' ? prepare(one) : undefined;
          const readied = next(worker);
          worker.postMessage({ what: way === 'there' ? 'count' : 'post', which, index });
          const all = way === 'there' ? undefined : counters[which](one.count);
          await readied;
          const started = performance.now();
          if (way === 'there') {
            const got = next(worker);
            prepared(ports[which]);
            await got;
          } else {
            worker.postMessage({ what: 'go', which, index });
            await all;
          }
          // The first round of each is for the compiler.
          if (round >= 0) times[which].push(performance.now() - started);
        }
      }
      const [node, our] = times.map((list) => (one.count / median(list)) * 1000);
      const cells = [node, our].map((rate) => Math.round(rate).toLocaleString('en').padStart(12)).join('');
      console.log(`${one.name.padEnd(36)}${way.padEnd(6)}${cells}${(our / node).toFixed(2).padStart(8)}`);
    }
  }
  await worker.terminate();
  ports.forEach((port) => port.close());
}

async function trips(rounds) {
  const { worker, ports } = connect();
  const COUNT = 1000;
  const serve = async (which, how) => {
    const readied = next(worker);
    worker.postMessage({ what: 'serve', which, serve: how });
    await readied;
  };
  await serve(0, 'loop');
  await serve(1, 'loop');
  const onLoop = (port) =>
    new Promise((resolve) => {
      let left = COUNT;
      port.on('message', () => {
        if (--left > 0) return port.postMessage(left);
        port.removeAllListeners('message');
        resolve();
      });
      port.postMessage(left);
    });
  const times = { node: [], loop: [], sync: [] };
  const clock = async (list, run) => {
    const started = performance.now();
    await run();
    list.push(((performance.now() - started) / COUNT) * 1000);
  };
  for (let round = 0; round < rounds; round++) {
    await clock(times.node, () => onLoop(ports[0]));
    await clock(times.loop, () => onLoop(ports[1]));
  }
  await serve(1, 'sync');
  for (let round = 0; round < rounds; round++) {
    await clock(times.sync, () => {
      for (let i = 0; i < COUNT; i++) {
        ports[1].postMessage(i);
        ports[1].receiveSync();
      }
    });
  }
  ports[1].postMessage('end');
  const [node, loop, sync] = [times.node, times.loop, times.sync].map(median);
  console.log(`Node ${node.toFixed(1)} µs, ours on the event loop ${loop.toFixed(1)} µs (${(node / loop).toFixed(2)}), ` +
    `ours by receiveSync ${sync.toFixed(1)} µs (${(node / sync).toFixed(2)})`);
  await worker.terminate();
  ports.forEach((port) => port.close());
}

/** 1,000,000 numbers to a reader that does not read: what they take. */
function memory() {
  const rss = () => {
    globalThis.gc?.();
    return process.memoryUsage.rss() / 1048576;
  };
  for (const [name, channel] of [['Node', new nodeThreads.MessageChannel()], ['ours', new ours.MessageChannel()]]) {
    const before = rss();
    for (let i = 0; i < 1_000_000; i++) channel.port1.postMessage({ id: i, name: 'name' });
    console.log(`${name}: ${(rss() - before).toFixed(0)} MiB for 1,000,000 small objects nobody reads`);
    channel.port1.close();
  }
  const { port1, port2 } = new ours.MessageChannel({ capacity: 1000 });
  const before = rss();
  let refused = 0;
  for (let i = 0; i < 1_000_000; i++) if (!port1.trySend({ id: i, name: 'name' })) refused++;
  console.log(`ours, capacity 1,000: ${(rss() - before).toFixed(0)} MiB, ${refused} refused`);
  port2.close();
}

if (isMainThread) {
  const [what = 'all', rounds = '9'] = process.argv.slice(2);
  const again = (before, ...args) => {
    const [command, ...rest] = [...before, process.execPath, ...args];
    return spawnSync(command, rest, { stdio: 'inherit' }).status === 0;
  };
  if (what === 'all') {
    bursts(Number(rounds)).then(() => {
      console.log('\nround trip, one at a time');
      console.log('pinned to one core: ');
      if (!again(['taskset', '-c', '0'], __filename, 'trips', rounds)) console.log('(no taskset here)');
      console.log('free: ');
      again([], __filename, 'trips', rounds);
      console.log('\nmemory');
      again([], '--expose-gc', __filename, 'memory');
    });
  } else if (what === 'bursts') bursts(Number(rounds));
  else if (what === 'trips') trips(Number(rounds));
  else memory();
}
