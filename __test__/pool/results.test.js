'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { test, describe } = require('node:test');

const { MessageChannel, WorkerPool } = require('../..');
const { using } = require('../support/pools');

const SIZES = [8, 4096, (1 << 20) - 8, 1 << 20, 3 << 20];

const withPool = (use) => using(new WorkerPool({ maxThreads: 1 }), use);

describe('results are ordinary ArrayBuffers, whatever their size', () => {
  const makers = {
    'sort of a view': (pool, size) => pool.run('sort', new Float64Array(size / 8).map((_, i) => -i)),
    'sort in options': (pool, size) => pool.run('sort', { data: new Float64Array(size / 8) }),
    'sort of a part of a buffer': (pool, size) => pool.run('sort', new Float64Array(new ArrayBuffer(size + 8), 8)),
    'fill of what was given away': (pool, size) => {
      const data = new Uint8Array(size);
      return pool.run('fill', { data, value: 7 }, { transfer: [data.buffer] });
    },
    echo: (pool, size) => pool.run('echo', new Uint8Array(size)),
    'echo within an object': async (pool, size) => (await pool.run('echo', { block: new Uint8Array(size) })).block,
    map: async (pool, size) => (await pool.map('sort', [new Uint8Array(size), new Uint8Array(8)]))[0],
  };
  for (const [name, make] of Object.entries(makers)) {
    test(`${name}: transferred on by structuredClone, a port and a run`, () => withPool(async (pool) => {
      for (const size of SIZES) {
        const cloned = await make(pool, size);
        assert.equal(cloned.byteLength, size);
        assert.equal(structuredClone(cloned, { transfer: [cloned.buffer] }).byteLength, size);
        assert.equal(cloned.byteLength, 0, 'it has moved');

        const posted = await make(pool, size);
        const { port1, port2 } = new MessageChannel();
        port1.postMessage(posted, [posted.buffer]);
        assert.equal((await port2.receive()).byteLength, size);
        assert.equal(posted.byteLength, 0);
        port1.close();

        const passed = await make(pool, size);
        assert.equal((await pool.run('echo', passed, { transfer: [passed.buffer] })).byteLength, size);
        assert.equal(passed.byteLength, 0);
      }
    }));
  }

  test('the input of a task that works in place is left alone', () => withPool(async (pool) => {
    for (const size of SIZES) {
      const input = new Float64Array(size / 8).map((_, i) => -i);
      const before = input.slice();
      const sorted = await pool.run('sort', input);
      assert.notEqual(sorted.buffer, input.buffer);
      assert.deepEqual(input, before);
      assert.deepEqual(sorted, before.sort());
    }
  }));

  test('a list that Rust made', () => withPool(async (pool) => {
    const primes = await pool.run('primes', { limit: 5_000_000, list: true });
    assert.equal(structuredClone(primes, { transfer: [primes.buffer] }).length, 348_513);
    assert.equal(primes.length, 0);
  }));

  test('a list of transfers goes as Node has it, when a getter gives away one of them', () => withPool(async (pool) => {
    const trial = async (clone) => {
      const [own, gone] = [new ArrayBuffer(8), new ArrayBuffer(8)];
      const input = { own: new Uint8Array(own), get late() { structuredClone(gone, { transfer: [gone] }); return 1; } };
      const came = await clone(input, { transfer: [own, gone] }).then(({ late }) => late, ({ name }) => name);
      return [came, own.byteLength, gone.byteLength];
    };
    const right = await trial(async (value, options) => structuredClone(value, options));
    assert.deepEqual(await trial((value, options) => pool.run('echo', value, options)), right);
  }));
});

describe('memory that is not to be had', { skip: process.platform !== 'linux' }, () => {
  /** What a program prints under a limit of its address space, in KiB. */
  const under = (kib, program) => {
    const script = `
      const { WorkerPool } = require(${JSON.stringify(require.resolve('../..'))});
      const pool = new WorkerPool({ maxThreads: 1 });
      const code = (promise) => promise.then((value) => typeof value, (error) => error.code);
      (async () => { ${program}; console.log(await code(pool.run('echo', 'alive'))); await pool.close(); })();`;
    return execFileSync('/bin/sh', ['-c', `ulimit -v ${kib}; exec "$0" -e "$1"`, process.execPath, script], { encoding: 'utf8' })
      .trim().split('\n');
  };

  test('a wire that asks for far more than its length is refused', () => {
    const seen = under(4_000_000, `console.log(await code(pool.run('echo', new Array(2e8))));
      console.log(await code(pool.run('echo', { holes: new Array(1e8) })));
      console.log(await code(pool.map('echo', [new Array(1e8)])));`);
    assert.deepEqual(seen, ['ERR_RW_VALUE_TOO_LARGE', 'ERR_RW_VALUE_TOO_LARGE', 'ERR_RW_VALUE_TOO_LARGE', 'string']);
  });

  test('a result there is no memory for is an error of that task alone', () => {
    const seen = under(2_500_000, "console.log(await code(pool.run('primes', { limit: 2 ** 32 - 1, list: true })));");
    assert.deepEqual(seen, ['ERR_RW_VALUE_TOO_LARGE', 'string']);
  });
});
