'use strict';

// Whose task a name is: `native:<name>` is the native one, in every pool; the script's export comes first where there is
// a script.

const assert = require('node:assert/strict');
const path = require('node:path');
const { after, test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { ScriptSubmitter } = require('../../lib/script-pool/submit');

const SCRIPT = path.join(__dirname, '..', 'fixtures', 'scripts', 'mapping.js');

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

/** A pool whose submitter says, and is asked, what the test wants. */
async function withExports(names, body) {
  const pool = new WorkerPool(SCRIPT, 1);
  const calls = [];
  const { run, runColliding } = ScriptSubmitter.prototype;
  const known = Object.getOwnPropertyDescriptor(ScriptSubmitter.prototype, 'exports');
  Object.defineProperty(ScriptSubmitter.prototype, 'exports', { configurable: true, get: () => names });
  ScriptSubmitter.prototype.run = (name, input, options, resolve) => {
    calls.push(name);
    resolve(`script ${name} ${input}`);
  };
  ScriptSubmitter.prototype.runColliding = (name, input, options, resolve, reject, runNative) => {
    calls.push(`? ${name}`);
    runNative();
  };
  try {
    await body(pool, calls);
  } finally {
    Object.assign(ScriptSubmitter.prototype, { run, runColliding });
    delete ScriptSubmitter.prototype.exports;
    if (known !== undefined) Object.defineProperty(ScriptSubmitter.prototype, 'exports', known);
    await pool.destroy();
  }
}

test("a name of both kinds: the script's, where it exports it", () =>
  withExports(new Set(['echo', 'render']), async (pool, calls) => {
    assert.equal(await pool.run('echo', 1), 'script echo 1');
    assert.equal(await pool.run('echo', 1, { priority: 1 }), 'script echo 1');
    assert.deepEqual(await pool.map('echo', [1, 2]), ['script echo 1', 'script echo 2']);
    assert.equal(await pool.run('render', 1), 'script render 1');
    // Exported or not, a name that is no native task's can only be the script's.
    assert.equal(await pool.run('other', 1), 'script other 1');
    // Not exported: the native one.
    assert.equal(await pool.run('fibonacci', 20), 6765);
    assert.deepEqual(await pool.map('fibonacci', [20]), [6765]);
    assert.equal(await pool.run('native:echo', 1), 1);
    assert.deepEqual(calls, ['echo', 'echo', 'echo', 'echo', 'render', 'other']);
  }));

test('a name of both kinds before it is known what the script exports: asked for each, also within a map', () =>
  withExports(undefined, async (pool, calls) => {
    assert.equal(await pool.run('echo', 1), 1);
    assert.deepEqual(await pool.map('echo', [1, 2]), [1, 2]);
    assert.deepEqual(await pool.map('echo', source(3)), [3]);
    assert.deepEqual(calls, ['? echo', '? echo', '? echo', '? echo']);
    assert.equal(await pool.run('native:echo', 1), 1);
    assert.equal(await pool.run('other', 1), 'script other 1');
    assert.equal(calls.length, 5);
  }));
