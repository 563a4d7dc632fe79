'use strict';

/** Light JavaScript beside the other ways to run the code of tenants: first results, memory, stopping, rules, computing. */

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { monitorEventLoopDelay } = require('node:perf_hooks');

const { ENGINES } = require('./light/engines');
const { COMPUTING, RULE, RUNAWAYS, order, rule } = require('./light/programs');
const { burst, median, quantile, times } = require('./harness/measure');

const THREADS = 2;
const ROUND_MS = 500;

const TENANTS = 1_000;
const TENANTS_PROGRAM = path.join(__dirname, 'light', 'tenants.js');

const IN_FLIGHT = 20_000;
/** Milliseconds that a runaway may run before it is stopped. */
const RUNAWAY_MS = 5;
/** Runaways of a round. Of what ends with a Worker, which takes tens of milliseconds to start, there are fewer. */
const KILLS = 50;
const SLOW_KILLS = 15;
const SLOW = ['workers', 'piscina', 'scriptPool'];

const rivals = (names, roundOf, threads = THREADS, options = undefined) =>
  names.map((key) => {
    const { open, name, needs, library } = ENGINES[key];
    return {
      name,
      needs,
      library,
      async open() {
        const engine = await open(threads, options);
        return { round: await roundOf(engine, key), stop: () => engine.stop() };
      },
    };
  });

function expect(found, wanted, what) {
  if (found !== wanted) throw new Error(`${what}: ${found} instead of ${wanted}`);
}

/** Microseconds from a source that was never seen until its first result; 2 warm threads or a warm module. */
async function firstResults(engine, key) {
  const count = key === 'workers' ? 5 : 200;
  const warm = engine.tenant(RULE);
  await warm.call(order(1));
  let made = 0;
  return async () => {
    const open = [];
    const all = await times(count, async () => {
      const index = made++;
      const tenant = engine.tenant(`${RULE} /* ${index} */`);
      expect(await tenant.call(order(index)), rule(order(index)), key);
      open.push(tenant);
    });
    for (const tenant of open) await tenant.close();
    return { value: median(all), 'p99, µs': quantile(all, 0.99) };
  };
}

/** A process for each round: only so it says what tenants cost. */
const resident = (engine, key) => () => {
  // 1,000 Workers are more than most machines have memory for.
  const count = key === 'workers' ? 25 : TENANTS;
  const args = ['--expose-gc', TENANTS_PROGRAM, key, String(count)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${key}: ${stderr}`);
  const { rss, before } = JSON.parse(stdout);
  const each = (rss - before) / (count - 1);
  return { value: before + each * (TENANTS - 1), 'KiB a tenant': each * 1024, 'with one tenant, MiB': before };
};

const stopping = (source, isNative) => (engine, key) => async () => {
  const all = [];
  const kills = isNative || SLOW.includes(key) ? SLOW_KILLS : KILLS;
  for (let i = 0; i < kills; i++) {
    const tenant = engine.tenant(source);
    await tenant.call('prepare');
    all.push(await tenant.runaway(RUNAWAY_MS));
    await tenant.close();
  }
  return { value: quantile(all, 0.99), 'median, ms': median(all), 'longest, ms': Math.max(...all) };
};

/** Bursts of rules: how many a second, and for how long the main thread's loop had no turn. */
async function throughput(engine, key) {
  const tenant = engine.tenant(RULE);
  const orders = Array.from({ length: IN_FLIGHT }, (_, index) => order(index));
  const wanted = orders.reduce((sum, one) => sum + rule(one), 0);
  return async () => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const before = performance.eventLoopUtilization();
    const started = performance.now();
    let [done, passed, next] = [0, 0, 0];
    do {
      next = 0;
      const outputs = await burst(IN_FLIGHT, () => tenant.call(orders[next++]));
      expect(outputs.reduce((sum, one) => sum + one, 0), wanted, key);
      done += IN_FLIGHT;
      passed = performance.now() - started;
      // The loop has a turn between bursts, wherever they run.
      await new Promise(setImmediate);
    } while (passed < ROUND_MS);
    delay.disable();
    const { active } = performance.eventLoopUtilization(before);
    return {
      value: done / (passed / 1000),
      'main thread, µs a result': (active * 1000) / done,
      'longest turn, ms': delay.max / 1e6,
    };
  };
}

const computing =
  ([source, wanted]) =>
  async (engine, key) => {
    const tenant = engine.tenant(source);
    return async () => {
      const all = await times(10, async () => expect(await tenant.call(), wanted, key));
      return median(all) / 1000;
    };
  };

const PEERS = ['isolates', 'emscripten', 'nodeVm', 'scriptPool', 'piscina', 'workers'];
const EVERY = ['light', 'isolates', 'isolateContexts', 'emscripten', 'nodeVm', 'scriptPool', 'piscina', 'workers'];

const contests = [
  {
    title: 'first result of a tenant that was never seen, on a warm pool',
    unit: 'µs',
    better: 'less',
    note: 'From the source of a rule until its result is here: a context of its own, compiled, called once. Two threads, or the main one.',
    rivals: rivals(EVERY, firstResults),
  },
  {
    title: 'memory of the process with 1,000 tenants',
    unit: 'MiB',
    better: 'less',
    rounds: 3,
    warmups: 0,
    note: 'Each tenant has a source of its own, has answered once and can answer again. Of Workers there are 25, and the sum is for 1,000.',
    rivals: rivals(EVERY, resident),
  },
  ...Object.entries(RUNAWAYS).map(([name, source], index) => ({
    title: `from the stop until it has ended, 99th percentile: ${name}`,
    unit: 'ms',
    better: 'less',
    rounds: 3,
    warmups: 0,
    note: `Stopped after ${RUNAWAY_MS} ms: by a signal where it runs elsewhere, and until its one thread has done a task of another; by a time limit on the main thread.`,
    rivals: rivals(['light', ...PEERS], stopping(source, index > 0), 1, { state: true }),
  })),
  {
    title: 'a rule of a microsecond, 20,000 in flight',
    unit: 'results/s',
    better: 'more',
    note: 'An object with three fields in, a number out. On the main thread, the loop has no turn until all are done. In its Worker quickjs-emscripten gets all that wait as one message.',
    rivals: rivals(['light', 'emscriptenWorker', ...PEERS], throughput),
  },
  ...Object.entries(COMPUTING).map(([name, program]) => ({
    title: `plain computing: ${name}`,
    unit: 'ms',
    better: 'less',
    note: 'Where V8 wins: it compiles to machine code, and light JavaScript is interpreted.',
    rivals: rivals(['light', ...PEERS], computing(program)),
  })),
].map((contest) => ({ ...contest, needs: 'light' }));

module.exports = { title: 'Light JavaScript', contests };
