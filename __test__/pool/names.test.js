'use strict';

// Whose task a name is: `native:<name>` is the native one, in every pool; the script's export comes first where there is
// a script.

const assert = require('node:assert/strict');
const { after, test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { script: scriptPath, using } = require('../support/pools');

const SCRIPT = scriptPath('mapping.js');

const native = new WorkerPool({ maxThreads: 1 });
const script = new WorkerPool(SCRIPT, 1);
after(() => Promise.all([native.close(), script.close()]));

async function* source(...values) {
  yield* values;
}

test('native:<name> names the native task, by run and map, in every pool', async () => {
  for (const pool of [native, script]) {
    assert.equal(await pool.run('native:fibonacci', 20), 6765);
    assert.equal(await pool.run('native:fibonacci', 20, { priority: 1 }), 6765);
    assert.deepEqual(await pool.run('native:echo', { a: 1 }), { a: 1 });
    assert.deepEqual(await pool.map('native:fibonacci', [1, 2, 3]), [1, 1, 2]);
    assert.deepEqual(await pool.map('native:fibonacci', source(1, 2, 3)), [1, 1, 2]);
    const error = await pool.run('native:fibonacci', 'x').catch((thrown) => thrown);
    assert.equal(error.task, 'fibonacci');
  }
});

test('a native:<name> that does not exist is nobody’s, also where a script exports whatever it likes', async () => {
  for (const pool of [native, script]) {
    for (const name of ['native:', 'native:nope', 'native:native:echo']) {
      await assert.rejects(pool.run(name, 1), { code: 'ERR_RW_UNKNOWN_TASK' });
      await assert.rejects(pool.map(name, [1]), { code: 'ERR_RW_UNKNOWN_TASK' });
    }
  }
  for (const name of [undefined, 5, Symbol('echo'), {}, null]) {
    await assert.rejects(script.run(name, 1), { code: 'ERR_RW_UNKNOWN_TASK' });
  }
});

/** A script with functions of these names, each of which tells that it was called; slow to load, where that matters. */
const telling = (names, time = 0) =>
  `data:text/javascript,${encodeURIComponent(`
    await new Promise((resolve) => setTimeout(resolve, ${time}));
    ${names.map((name) => `export const ${name} = (input) => ['script ${name}', input];`).join('\n')}`)}`;

const withScript = (text, body) => using(new WorkerPool(text, { maxThreads: 1 }), body);

for (const known of [true, false]) {
  const when = known ? 'known' : 'not known yet';
  test(`a name of both kinds is the script's where it exports it; what it exports is ${when}`, () =>
    withScript(telling(['echo', 'render'], known ? 0 : 50), async (pool) => {
      if (known) await pool.run('render', 0);
      const seen = await Promise.all([
        pool.run('echo', 1),
        pool.run('echo', { a: 1 }, { priority: 1, timeout: 10_000 }),
        pool.map('echo', [1, 2]),
        pool.map('echo', source(3)),
        pool.run('render', 1),
        // Not exported: the native one.
        pool.run('fibonacci', 20),
        pool.map('fibonacci', [20]),
        pool.run('native:echo', 1),
        pool.run('other', 1).catch(({ code }) => code),
      ]);
      assert.deepEqual(seen, [
        ['script echo', 1], ['script echo', { a: 1 }], [['script echo', 1], ['script echo', 2]], [['script echo', 3]],
        ['script render', 1], 6765, [6765], 1, 'ERR_RW_UNKNOWN_TASK',
      ]);
    }));
}

test('while it is not known what the script exports, the input is taken at the call, and the call can end', () =>
  withScript(telling(['echo'], 100), async (pool) => {
    const input = { list: [1] };
    const bytes = new Uint8Array(3);
    const stop = new AbortController();
    const runs = [
      pool.run('echo', input), pool.run('crc32', bytes, { transfer: [bytes.buffer] }),
      pool.run('echo', 1, { signal: stop.signal }).catch(({ name }) => name),
      pool.run('echo', 1, { timeout: 5 }).catch(({ name }) => name),
      pool.run('echo', () => {}).catch(({ name }) => name),
    ];
    input.list.push(2);
    stop.abort();
    assert.equal(bytes.byteLength, 0);
    assert.deepEqual(await Promise.all(runs), [
      ['script echo', { list: [1] }], 0xff41d912, 'AbortError', 'TimeoutError', 'DataCloneError',
    ]);
  }));

test('an input that waits for the exports is what it would be without waiting', () =>
  withScript(telling(['echo'], 50), async (pool) => {
    const inputs = () => [
      Buffer.from('abc'), { b: Buffer.from('abc'), c: Buffer.alloc(100_000, 1) }, new Float64Array([1, -0, NaN]).subarray(1),
      new Map([[new Date(5), new Set([1n])]]), [1, , 3], null, undefined, 'text', new RangeError('a'), /x/g,
    ];
    const given = inputs();
    const before = given.map((input) => pool.run('echo', input));
    const natives = given.slice(0, 3).map((input) => pool.run('sha256', { data: input.b ?? input }));
    given[1].c.fill(2);
    const early = await Promise.all(before);
    assert.deepEqual(early, await Promise.all(inputs().map((input) => pool.run('echo', input))));
    assert.deepEqual(
      await Promise.all(natives),
      await Promise.all(inputs().slice(0, 3).map((input) => pool.run('sha256', { data: input.b ?? input }))),
    );
  }));

test('a Buffer for a native task is one when it had to wait for the exports', () =>
  withScript(telling(['render'], 50), async (pool) => {
    const seen = await Promise.all([pool.run('echo', Buffer.from('abc')), pool.run('echo', { b: Buffer.alloc(100_000) })]);
    assert.ok(Buffer.isBuffer(seen[0]) && Buffer.isBuffer(seen[1].b));
  }));

test('a pool that closes before it knows finishes what it accepted; a name may be that of a script that does not load', async () => {
  const pool = new WorkerPool(telling(['echo'], 50), { maxThreads: 1 });
  const runs = [pool.run('echo', 1), pool.run('fibonacci', 10)];
  const closed = pool.close();
  await assert.rejects(pool.run('echo', 1), { code: 'ERR_RW_POOL_CLOSED' });
  assert.deepEqual(await Promise.all(runs), [['script echo', 1], 55]);
  await closed;
  await withScript("data:text/javascript,throw new Error('broken')", async (broken) => {
    broken.on('error', () => {});
    await assert.rejects(broken.run('fibonacci', 10), { code: 'ERR_RW_SCRIPT_LOAD' });
    assert.equal(await broken.run('native:fibonacci', 10), 55);
    await assert.rejects(broken.run('render', 10), { code: 'ERR_RW_SCRIPT_LOAD' });
  });
});

for (const how of ['close', 'destroy']) {
  test(`the getter of an option ends the pool by ${how}: a task that would wait for the exports is refused`, async () => {
    for (const name of ['echo', 'native:echo', 'other', 'render']) {
      const pool = new WorkerPool(telling(['render'], 20), { maxThreads: 1 });
      let ending;
      const run = pool.run(name, 1, {
        get priority() {
          ending = pool[how]();
          return 0;
        },
      });
      await assert.rejects(run, { code: 'ERR_RW_POOL_CLOSED' }, name);
      await ending;
    }
  });
}
