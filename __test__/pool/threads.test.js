'use strict';

// What the operating system knows of a pool's threads: how many there are unless options say it, their names, their priority.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const { describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');

const { quietly, runProgram } = require('../support/child');
const { Gate, script, using } = require('../support/pools');
const { until } = require('../support/until');

const SCRIPT = script('own-thread.js');
const LINUX = process.platform === 'linux' ? false : 'the system tells this by /proc on Linux only';

/** The threads of this process whose name begins so: name and nice value of each. */
function threadsNamed(start) {
  const found = [];
  for (const id of fs.readdirSync('/proc/self/task')) {
    let stat;
    try {
      stat = fs.readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    } catch {
      // It has ended just now.
      continue;
    }
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (name.startsWith(start)) found.push({ name, nice: Number(fields[16]) });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Runs `body` while all of a pool's native threads run a task each. */
async function withBusyThreads(pool, count, body) {
  const stop = new AbortController();
  const tasks = Array.from({ length: count }, () => pool.run('native:sleep', 60_000, { signal: stop.signal }));
  await until(() => pool.stats().running === count, 'all threads are busy');
  try {
    return await body();
  } finally {
    stop.abort();
    await Promise.allSettled(tasks);
  }
}

/** Runs `body` while all workers of a pool with the script own-thread.js run a task each. */
async function withBusyWorkers(pool, count, body) {
  const gate = new Gate();
  const tasks = Array.from({ length: count }, () => pool.run('held', gate.cells));
  await until(() => gate.begun === count, 'all workers are busy');
  try {
    return await body();
  } finally {
    gate.open();
    await Promise.all(tasks);
  }
}

describe('names', { skip: LINUX }, () => {
  test('native threads are named after their pool', () =>
    using(new WorkerPool({ name: 'of-this-pool', maxThreads: 3 }), (pool) =>
      withBusyThreads(pool, 3, () => {
        assert.deepEqual(threadsNamed('of-this-pool').map(({ name }) => name), ['of-this-pool-0', 'of-this-pool-1', 'of-this-pool-2']);
      })));

  test("so are script workers' threads, before the script is loaded", () =>
    using(new WorkerPool(SCRIPT, { name: 'scripts', maxThreads: 2 }), async (pool) => {
      await withBusyWorkers(pool, 2, () => {
        assert.deepEqual(threadsNamed('scripts').map(({ name }) => name), ['scripts-js0', 'scripts-js1']);
      });
      assert.match((await pool.run('self')).name, /^scripts-js[01]$/);
      assert.match((await pool.run('atLoad')).name, /^scripts-js[01]$/);
    }));

  test('the number stays where the system cuts the name, and the pool keeps its own', async () => {
    const names = [['a-pool-with-a-long-name', 'a-pool-with-a', 'a-pool-with'], ['ääääääää', 'ääääää', 'äääää'], ['', '', '']];
    for (const [name, native, js] of names) {
      await using(new WorkerPool(SCRIPT, { name, maxThreads: 1 }), async (pool) => {
        assert.equal((await pool.run('self')).name, `${js}-js0`);
        await withBusyThreads(pool, 1, () => {
          assert.deepEqual(threadsNamed(`${native}-0`).map((thread) => thread.name), [`${native}-0`]);
        });
        assert.equal(pool.options.name, name);
      });
    }
  });
});

describe('niceIncrement', { skip: LINUX }, () => {
  test('makes native threads nicer, each by as much, whoever starts it; and no other thread', () =>
    using(new WorkerPool({ name: 'nice', maxThreads: 3, niceIncrement: 5 }), (pool) =>
      withBusyThreads(pool, 3, () => {
        const before = os.getPriority();
        assert.deepEqual(threadsNamed('nice-').map(({ nice }) => nice), [before + 5, before + 5, before + 5]);
        assert.equal(pool.options.niceIncrement, 5);
      })));

  test('makes script workers nicer before they load the script, and native threads of the same pool', () =>
    using(new WorkerPool(SCRIPT, { name: 'nice', maxThreads: 2, niceIncrement: 2 }), async (pool) => {
      const before = os.getPriority();
      await withBusyWorkers(pool, 2, () => {
        assert.deepEqual(threadsNamed('nice-js').map(({ nice }) => nice), [before + 2, before + 2]);
      });
      assert.equal((await pool.run('atLoad')).nice, before + 2);
      await withBusyThreads(pool, 1, () => assert.deepEqual(threadsNamed('nice-0'), [{ name: 'nice-0', nice: before + 2 }]));
      assert.equal(os.getPriority(), before);
    }));

  test('without it threads have the priority of the one that starts them', () =>
    using(new WorkerPool(SCRIPT, { name: 'plain', maxThreads: 1 }), async (pool) => {
      assert.equal((await pool.run('self')).nice, os.getPriority());
      await withBusyThreads(pool, 1, () => assert.equal(threadsNamed('plain-0')[0].nice, os.getPriority()));
      assert.equal(pool.options.niceIncrement, 0);
    }));

  test('adds to the priority that the process has, down to the lowest', async () => {
    const program = async ({ load, say }, file) => {
      const { WorkerPool } = load();
      for (const niceIncrement of [1, 19]) {
        const pool = new WorkerPool(file, { maxThreads: 1, niceIncrement });
        say((await pool.run('self')).nice);
        await pool.close();
      }
    };
    const outcome = await runProgram(process.execPath, program, { args: [SCRIPT], under: ['nice', '-n', '7'] });
    assert.deepEqual(outcome, quietly(os.getPriority() + 8, 19));
  });
});

test('a niceIncrement that no thread can have is refused, and a negative one with what to do', () => {
  const cases = [
    [-1, 'ERR_RW_OUT_OF_RANGE', /\(-1\) must not be negative: that would raise the priority.*privileges.*from 0 to 19/],
    [20, 'ERR_RW_OUT_OF_RANGE', /"options.niceIncrement".*between 0 and 19.*Received 20/],
    [0.5, 'ERR_RW_OUT_OF_RANGE', /between 0 and 19/],
    [NaN, 'ERR_RW_OUT_OF_RANGE', /between 0 and 19/],
    ['5', 'ERR_RW_INVALID_ARG_TYPE', /"options.niceIncrement".*Received '5'/],
    [null, 'ERR_RW_INVALID_ARG_TYPE', /Received null/],
  ];
  for (const [niceIncrement, code, message] of cases) {
    assert.throws(() => new WorkerPool({ niceIncrement }), { code, message });
    assert.throws(() => new WorkerPool(SCRIPT, { niceIncrement, minThreads: 1 }), { code, message });
  }
});

describe('the size of a pool whose options do not say it', () => {
  /** Prints how many threads there may be and who said so, of a native pool and of one with a script. */
  const sizes = async ({ load, say }, file) => {
    const { WorkerPool } = load();
    for (const pool of [new WorkerPool(), new WorkerPool(file, {}), new WorkerPool({ maxThreads: 7 }), new WorkerPool(file, 7)]) {
      const { maxThreads, maxThreadsFrom } = pool.stats();
      say(maxThreads === pool.options.maxThreads ? maxThreads : 'the options say otherwise', maxThreadsFrom);
      await pool.close();
    }
  };
  const run = (options) => runProgram(process.execPath, sizes, { args: [SCRIPT], ...options });

  test('is what RUST_WORKERS_THREADS says', async () => {
    const said = ['5 environment', '5 environment', '7 option', '7 option'];
    assert.deepEqual(await run({ env: { RUST_WORKERS_THREADS: '5' } }), quietly(...said));
  });

  test('goes by the CPUs that the process may use', { skip: LINUX }, async () => {
    const cpus = os.availableParallelism();
    for (const RUST_WORKERS_THREADS of [undefined, '']) {
      const said = [`${cpus} cpus`, `${cpus} cpus`, '7 option', '7 option'];
      assert.deepEqual(await run({ env: { RUST_WORKERS_THREADS } }), quietly(...said));
    }
    const one = ['1 cpus', '1 cpus', '7 option', '7 option'];
    assert.deepEqual(await run({ under: ['taskset', '-c', '0'], env: { RUST_WORKERS_THREADS: undefined } }), quietly(...one));
  });

  test("goes by the container's quota, which Node 20 does not look at", async (t) => {
    const group = `/sys/fs/cgroup/cpu/rust-workers-${process.pid}`;
    try {
      fs.mkdirSync(group);
      fs.writeFileSync(`${group}/cpu.cfs_quota_us`, '100000');
    } catch (error) {
      return t.skip(`a group of processes with a quota cannot be made here: ${error.message}`);
    }
    try {
      const under = ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'];
      const one = ['1 cpus', '1 cpus', '7 option', '7 option'];
      assert.deepEqual(await run({ under, env: { RUST_WORKERS_THREADS: undefined } }), quietly(...one));
    } finally {
      fs.rmdirSync(group);
    }
    return undefined;
  });

  test('RUST_WORKERS_THREADS that is no number of threads is an error that names it', async () => {
    const refused = async ({ load, say }, file) => {
      const { WorkerPool } = load();
      for (const make of [() => new WorkerPool(), () => new WorkerPool(file, {})]) {
        try {
          make();
          say('accepted');
        } catch (error) {
          say(error.code, error.message);
        }
      }
      // It does not matter where the options say it.
      await new WorkerPool(file, { maxThreads: 1, minThreads: 1 }).close();
    };
    for (const value of ['0', '-1', '1025', '2.5', 'four', ' 2', '1e2', '99999999999']) {
      const { code, stdout } = await runProgram(process.execPath, refused, { args: [SCRIPT], env: { RUST_WORKERS_THREADS: value } });
      assert.equal(code, 0);
      const lines = stdout.trimEnd().split('\n');
      assert.equal(lines.length, 2);
      for (const line of lines) {
        assert.match(line, /^ERR_RW_INVALID_ARG_VALUE The environment variable RUST_WORKERS_THREADS must be an integer between 1 and 1024/);
        assert.ok(line.includes(`It is '${value}'; correct it, or unset it`), line);
      }
    }
  });

  test('below minThreads it is an error that says who said it', async () => {
    const tooFew = ({ load, say }) => {
      try {
        new (load().WorkerPool)({ minThreads: 9 });
      } catch (error) {
        say(error.code, error.message);
      }
    };
    const by = async (env, under) => (await runProgram(process.execPath, tooFew, { env, under })).stdout;
    assert.match(await by({ RUST_WORKERS_THREADS: '8' }), /^ERR_RW_OUT_OF_RANGE.*\(9\).*\(8, of the environment variable RUST_WORKERS_THREADS\)/);
    if (spawnSync('taskset', ['-c', '0', 'true']).status === 0) {
      const under = ['taskset', '-c', '0'];
      assert.match(await by({ RUST_WORKERS_THREADS: undefined }, under), /\(1, the number of CPUs that this process may use/);
    }
    assert.throws(() => new WorkerPool({ minThreads: 3, maxThreads: 2 }), /\(3\) must not be above "options.maxThreads" \(2\)$/);
  });
});
