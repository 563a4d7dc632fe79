'use strict';

/**
 * Shared memory: what an operation costs beside V8's bare Atomics, a wake between JavaScript and Rust beside one between
 * two JavaScript threads, and the parallel sort beside Float64Array.prototype.sort.
 *
 *     node bench/shared.js [rounds]
 *
 * Every figure is the median of rounds in which the candidates take turns.
 */

const { availableParallelism } = require('node:os');
const { Worker } = require('node:worker_threads');

const { SharedBuffer, WorkerPool, rustAtomics } = require('..');

const ROUNDS = Number(process.argv[2] ?? 7);

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/** Medians of `measure` of each candidate, which returns nanoseconds. */
async function alternate(candidates, rounds = ROUNDS) {
  const times = new Map(Object.keys(candidates).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(candidates)) times.get(name).push(await measure());
  }
  return new Map([...times].map(([name, list]) => [name, median(list)]));
}

function print(title, medians, unit, scale = 1) {
  const [first] = medians.values();
  console.log(`\n${title}`);
  for (const [name, time] of medians) {
    console.log(`  ${name.padEnd(44)} ${(time / scale).toFixed(2).padStart(10)} ${unit}  ${(time / first).toFixed(2)}x`);
  }
}

async function operations() {
  const shared = new SharedBuffer(64);
  const view = shared.as('int32');
  const array = new Int32Array(shared.buffer);
  const count = 5e6;
  const timed = (work, n = count) => () => {
    const start = process.hrtime.bigint();
    work(n);
    return Number(process.hrtime.bigint() - start) / n;
  };
  print(
    'One operation, uncontended',
    await alternate({
      'Atomics.add': timed((n) => { for (let i = 0; i < n; i++) Atomics.add(array, 3, 1); }),
      'SharedBuffer.add': timed((n) => { for (let i = 0; i < n; i++) shared.add(3, 1); }),
      'AtomicView.add': timed((n) => { for (let i = 0; i < n; i++) view.add(3, 1); }),
      'rustAtomics.add (a native call)': timed((n) => { for (let i = 0; i < n; i++) rustAtomics.add(array, 3, 1); }, count / 20),
      'SharedBuffer.notify, nobody waits': timed((n) => { for (let i = 0; i < n; i++) shared.notify(3, 1); }, count / 20),
      'Atomics.notify, nobody waits': timed((n) => { for (let i = 0; i < n; i++) Atomics.notify(array, 3, 1); }, count / 20),
    }),
    'ns',
  );
  print(
    'One load',
    await alternate({
      'Atomics.load': timed((n) => { let sum = 0; for (let i = 0; i < n; i++) sum += Atomics.load(array, 3); return sum; }),
      'SharedBuffer.load': timed((n) => { let sum = 0; for (let i = 0; i < n; i++) sum += shared.load(3); return sum; }),
    }),
    'ns',
  );
}

async function wakes() {
  const rounds = 5_000;
  const shared = new SharedBuffer(64);
  const array = new Int32Array(shared.buffer);
  const pool = new WorkerPool({ maxThreads: 1 });
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const array = new Int32Array(workerData);
     parentPort.on('message', (rounds) => {
       for (let i = 0; i < rounds; i++) {
         let found;
         while (((found = Atomics.load(array, 8)) & 1) === 0) Atomics.wait(array, 8, found);
         Atomics.add(array, 8, 1);
         Atomics.notify(array, 8, 1);
       }
     });`,
    { eval: true, workerData: shared.buffer },
  );
  const medians = await alternate({
    'JS <-> JS, Atomics.wait': () => {
      worker.postMessage(rounds);
      const first = Atomics.load(array, 8);
      let start;
      for (let i = 0; i < rounds; i++) {
        // The first round pays for the other side's start.
        if (i === 1) start = process.hrtime.bigint();
        Atomics.add(array, 8, 1);
        Atomics.notify(array, 8, 1);
        while (Atomics.load(array, 8) === first + 2 * i + 1) Atomics.wait(array, 8, first + 2 * i + 1);
      }
      return Number(process.hrtime.bigint() - start) / (rounds - 1);
    },
    'JS <-> Rust, SharedBuffer.wait': async () => {
      const other = pool.run('atomicPingPong', { buffer: shared, rounds });
      const first = shared.load(0);
      let start;
      for (let i = 0; i < rounds; i++) {
        if (i === 1) start = process.hrtime.bigint();
        shared.add(0, 1);
        shared.notify(0, 1);
        while (shared.load(0) === first + 2 * i + 1) shared.wait(0, first + 2 * i + 1);
      }
      const time = Number(process.hrtime.bigint() - start) / (rounds - 1);
      await other;
      return time;
    },
  });
  print('Round trip of two wakes', medians, 'us', 1000);
  await worker.terminate();
  await pool.close();
}

async function sorting() {
  const count = 10_000_000;
  const pool = new WorkerPool();
  const shared = new SharedBuffer(count * 8).as('float64');
  const source = Float64Array.from({ length: count }, () => Math.random() * 2 - 1);
  const plain = new Float64Array(count);
  const timed = (prepare, work) => async () => {
    prepare();
    const start = process.hrtime.bigint();
    await work();
    return Number(process.hrtime.bigint() - start);
  };
  await pool.run('sort', new SharedBuffer(8e6).as('float64'), { parallel: true });
  const medians = await alternate(
    {
      'Float64Array.prototype.sort': timed(() => plain.set(source), () => plain.sort()),
      "run('sort', shared)": timed(() => shared.array.set(source), () => pool.run('sort', shared)),
      "run('sort', shared, { parallel: true })": timed(
        () => shared.array.set(source),
        () => pool.run('sort', shared, { parallel: true }),
      ),
    },
    Math.min(ROUNDS, 5),
  );
  print(`Sort of 10 million float64, ${availableParallelism()} CPUs`, medians, 'ms', 1e6);
  const [native, , parallel] = medians.values();
  const same = Buffer.from(plain.buffer).equals(Buffer.from(shared.buffer));
  console.log(`  ${(native / parallel).toFixed(1)} times as fast; same bits: ${same}`);
  await pool.close();
}

(async () => {
  console.log(`Node.js ${process.version}, ${ROUNDS} rounds, medians`);
  await operations();
  await wakes();
  await sorting();
})();
