'use strict';

// What goes wrong most often says what to do, in the words of who made the mistake.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, describe, test } = require('node:test');

const { WorkerPool } = require('..');
const { onEachNode } = require('./support/child');
const { script } = require('./support/pools');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rw-advice-'));
after(() => fs.rmSync(folder, { recursive: true }));
const write = (name, text) => {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
};

const functions = script('functions.js');

/** A failure of `body` with a pool of this script; without, one of native tasks. */
async function failure(file, body) {
  const pool = file === undefined ? new WorkerPool({ maxThreads: 1 }) : new WorkerPool(file, { maxThreads: 1 });
  try {
    await body(pool);
  } catch (error) {
    return error;
  } finally {
    await pool.destroy();
  }
  return assert.fail('it did not fail');
}

async function says(code, message, file, body) {
  const error = await failure(file, body);
  assert.equal(error.code, code);
  assert.match(error.message, message);
}

describe('what stands in the place of a name', () => {
  const code = 'ERR_RW_UNKNOWN_TASK';
  test('an object, a function, nothing', async () => {
    const options = (pool) => pool.run({ filename: 'x' });
    await says(code, /^The "task" argument must be the name of a task.* Received an instance of Object\. .*runTask\(input\)/, functions, options);
    await says(code, /^The "task" argument .* Received an instance of Object\. The native tasks are: noop, /, undefined, options);
    for (const file of [functions, undefined]) {
      await says(code, /Received function work\. Export the function from a script/, file, (pool) => pool.run(function work() {}));
      await says(code, /Received undefined/, file, (pool) => pool.map(undefined, []));
    }
  });

  test('a misspelt one, before and after the script is loaded', async () => {
    await says(code, /exports no function 'ehco'; did you mean 'echo'\? It exports: held, echo, /, functions, (pool) => pool.run('ehco'));
    const warm = async (pool) => (await pool.run('count', { index: 0 }), pool.run('ehco'));
    await says(code, /^The script exports no function 'ehco'; did you mean 'echo'\?/, functions, warm);
    await says(code, /^There is no task 'Sha265'; did you mean 'sha256'\? The native tasks are: /, undefined, (pool) => pool.run('Sha265'));
  });

  test('a function of a pool without a script; a script that exports none', async () => {
    const run = (pool) => pool.run('countPrimes');
    await says(code, /^There is no task 'countPrimes'\. .* give the pool its script: new WorkerPool\(script, options\)$/, undefined, run);
    const none = write('none.cjs', 'exports.number = 1;');
    await says(code, /exports no function at all\. Export it: `export const countPrimes = .*exports\.countPrimes = /, none, run);
    await says(code, /exports no function at all\. Export one: `export default /, none, (pool) => pool.runTask(1));
  });
});

test('a second input, and a limit of no time', async () => {
  await says('ERR_RW_INVALID_ARG_TYPE', /^The "options" argument must be an object\. Received 2\. A task has one input: /, functions,
    (pool) => pool.run('echo', 1, 2));
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const held = failure(functions, (pool) => pool.run('held', cells, { timeout: 0 }));
  const error = await held;
  assert.equal(error.message, "task 'held' took longer than 0 ms. For no limit, leave `timeout` out");
});

test('arguments of a pool that would go unheard', () => {
  const code = 'ERR_RW_INVALID_ARG_TYPE';
  const forms = /new WorkerPool\(script, size\), new WorkerPool\(script, options\) and new WorkerPool\(options\)$/;
  for (const given of [[undefined, { maxThreads: 1 }], [{ maxThreads: 1 }, functions], [functions, 1, { maxQueue: 1 }]]) {
    assert.throws(() => new WorkerPool(...given), (error) => {
      assert.equal(error.code, code);
      assert.match(error.message, forms);
      return true;
    });
  }
});

test('options of other packages', () => {
  const hints = {
    closeTimeout: /pool\.close\(\{ timeout \}\)/, taskQueue: /priority/, queueStrategy: /priority/, workerType: /always threads/,
    forkOpts: /threads/, timeout: /option of each task/, max: /'maxThreads'/, min: /'minThreads'/, size: /'maxThreads'/,
    threads: /'maxThreads'/, filename: /first argument/,
  };
  for (const [name, message] of Object.entries(hints)) {
    assert.throws(() => new WorkerPool(functions, { [name]: 1 }), { code: 'ERR_RW_INVALID_ARG_VALUE', message });
  }
  assert.throws(() => new WorkerPool('https://example.org/x.mjs', 1), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /not https:$/ });
});

describe('a worker that ends, with no stack of ours', () => {
  const scripts = {
    'a file that is not there': ['gone.mjs', undefined, /working directory, then from the folder .*new URL\('\.\/gone\.mjs', import\.meta\.url\)$/],
    'a folder': ['.', undefined, /This is a folder/],
    'a module that does not parse': ['odd.mjs', 'const odd = ;', /Unexpected token ';'\. To see where: node --check .*odd\.mjs$/],
    'an await without end': ['awaits.mjs', 'await new Promise(() => {});', /exited with code 13\. A top-level await, .* was never settled$/],
    'an exit': ['exits.mjs', 'process.exit(4);', /exited with code 4\. Leave process\.exit\(\) out while it is loaded$/],
  };
  for (const [what, [name, text, message]] of Object.entries(scripts)) {
    test(what, async () => {
      const file = text === undefined ? path.join(folder, name) : write(name, text);
      const error = await failure(file, (pool) => pool.run('work'));
      assert.equal(error.code, 'ERR_RW_SCRIPT_LOAD');
      assert.match(error.message, /^The script file:/);
      assert.match(error.message, message);
      assert.equal(error.stack, `ScriptLoadError: ${error.message}`);
    });
  }

  test('in a task', async () => {
    const error = await failure(functions, (pool) => pool.run('exit', 3));
    assert.match(error.message, /^Worker 0 exited with code \d+ while the task ran\. .* throw an error or return instead$/);
    assert.equal(error.stack, `WorkerExitedError: ${error.message}`);
  });
});

onEachNode('what nobody handles', (run) => {
  test('is printed without a line of ours', async () => {
    const { code, stderr } = await run(({ load }) => {
      const { WorkerPool } = load();
      new WorkerPool('./gone.mjs', { maxThreads: 1 }).run('work');
    });
    assert.equal(code, 1);
    assert.match(stderr, /ScriptLoadError: The script /);
    assert.doesNotMatch(stderr, /new ScriptLoadError|worker-exit-errors|rest\.js/);
  });

  test('an error that a worker throws when it is idle says how to hear of it', async () => {
    const { code, stdout } = await run(async ({ load, say }) => {
      const { WorkerPool } = load();
      const warned = new Promise((resolve) => process.once('warning', resolve));
      const source = "export const work = () => void setTimeout(() => { throw new Error('later'); }, 1);";
      const pool = new WorkerPool(new URL(`data:text/javascript,${encodeURIComponent(source)}`), 1);
      await pool.run('work');
      // An idle pool does not keep the process alive.
      const alive = setInterval(() => {}, 1_000);
      const { name, message } = await warned;
      clearInterval(alive);
      say(name, message);
      await pool.close();
    });
    assert.equal(code, 0);
    assert.match(stdout, /RustWorkersWarning A worker of the pool failed: Error: later[\s\S]*Listen to the pool's 'error', and await in a task /);
  });
});
