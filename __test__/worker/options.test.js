'use strict';

/** Every option of Worker does in ours what it does in Node's. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { text } = require('node:stream/consumers');
const { pathToFileURL } = require('node:url');

const { MessageChannel, SHARE_ENV, Worker, threadName } = require('rust-workers');

/** What a script posts first. */
async function answer(script, options) {
  const worker = new Worker(`const { parentPort } = require('rust-workers');\n${script}`, { eval: true, ...options });
  // Listened to at once: both may come in the same turn.
  const [[message]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return message;
}

describe('where the code is', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-worker-'));
  const script = path.join(folder, 'says-where.js');
  fs.writeFileSync(script, `require('node:worker_threads').parentPort.postMessage(__filename);`);
  const said = async (worker) => (await once(worker, 'message'))[0];
  test.after?.(() => fs.rmSync(folder, { recursive: true, force: true }));

  test('an absolute path and a file URL', async () => {
    assert.equal(await said(new Worker(script)), fs.realpathSync(script));
    assert.equal(await said(new Worker(pathToFileURL(script))), fs.realpathSync(script));
  });

  test('a relative path is relative to the working directory', async () => {
    const relative = `.${path.sep}${path.relative(process.cwd(), script)}`;
    assert.equal(await said(new Worker(relative)), fs.realpathSync(script));
    const worker = new Worker('./says-where.js');
    const [error] = await once(worker, 'error');
    assert.equal(error.code, 'MODULE_NOT_FOUND');
  });

  test('an ES module, by path and as a data: URL', async () => {
    const code = `import { parentPort, isMainThread, Worker } from 'rust-workers';
      parentPort.postMessage([isMainThread, Worker.name]);`;
    const file = path.join(__dirname, 'esm-worker.mjs');
    fs.writeFileSync(file, code);
    try {
      assert.deepEqual(await said(new Worker(file)), [false, 'Worker']);
    } finally {
      fs.rmSync(file);
    }
    const url = `data:text/javascript,import { parentPort } from 'node:worker_threads'; parentPort.postMessage(1)`;
    assert.equal(await said(new Worker(new URL(url))), 1);
  });
});

describe('options', () => {
  test('argv', async () => {
    assert.deepEqual(await answer('parentPort.postMessage(process.argv.slice(2))', { argv: ['a', 1] }), ['a', '1']);
  });

  test('env: a copy, one of its own, or shared', async () => {
    const script = `process.env.RW_CHANGED = 'by the worker'; parentPort.postMessage(process.env.RW_GIVEN);`;
    const binary = process.env.RUST_WORKERS_BINARY;
    process.env.RW_GIVEN = 'here';
    try {
      assert.equal(await answer(script), 'here');
      assert.equal(process.env.RW_CHANGED, undefined);
      const env = { RW_GIVEN: 'own', ...(binary && { RUST_WORKERS_BINARY: binary }) };
      assert.equal(await answer(script, { env }), 'own');
      assert.equal(process.env.RW_CHANGED, undefined);
      assert.equal(await answer(script, { env: SHARE_ENV }), 'here');
      assert.equal(process.env.RW_CHANGED, 'by the worker');
    } finally {
      delete process.env.RW_GIVEN;
      delete process.env.RW_CHANGED;
    }
  });

  test('execArgv', async () => {
    const script = 'parentPort.postMessage(process.execArgv)';
    assert.deepEqual(await answer(script, { execArgv: ['--no-deprecation'] }), ['--no-deprecation']);
    assert.deepEqual(await answer(script), process.execArgv);
  });

  test('stdin, stdout and stderr', async () => {
    const script = `process.stdin.pipe(process.stdout); console.error('to stderr');`;
    const worker = new Worker(script, { eval: true, stdin: true, stdout: true, stderr: true });
    worker.stdin.end('through the worker');
    const [out, err] = await Promise.all([text(worker.stdout), text(worker.stderr), once(worker, 'exit')]);
    assert.equal(out, 'through the worker');
    assert.equal(err, 'to stderr\n');
    const plain = new Worker('', { eval: true });
    assert.equal(plain.stdin, null);
    await once(plain, 'exit');
  });

  test('workerData is cloned, with cycles; inherited options count', async () => {
    const workerData = { list: [1, new Map([['k', new Date(0)]])] };
    workerData.self = workerData;
    const script = `
      const { workerData } = require('rust-workers');
      parentPort.postMessage([workerData.self === workerData, workerData.list])`;
    const expected = [true, [1, new Map([['k', new Date(0)]])]];
    assert.deepEqual(await answer(script, { workerData }), expected);

    const inheriting = Object.create({ eval: true, workerData: 'inherited' });
    const worker = new Worker(`
      const { parentPort, workerData } = require('rust-workers');
      parentPort.postMessage(workerData)`, inheriting);
    assert.deepEqual(await once(worker, 'message'), ['inherited']);
  });

  test('transferList', async () => {
    const { port1, port2 } = new MessageChannel();
    const buffer = new ArrayBuffer(8);
    const options = { workerData: { port2, buffer }, transferList: [port2, buffer] };
    const script = `
      const { workerData } = require('rust-workers');
      workerData.port2.postMessage('by the port');
      workerData.port2.close();
      parentPort.postMessage(workerData.buffer.byteLength)`;
    const heard = once(port1, 'message');
    assert.equal(await answer(script, options), 8);
    assert.equal(buffer.byteLength, 0);
    assert.deepEqual(await heard, ['by the port']);
    assert.throws(() => new Worker('', { eval: true, workerData: new MessageChannel().port1 }));
  });

  test('resourceLimits', async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 2 };
    const worker = new Worker('const all = []; for (;;) all.push({ a: [1, 2, 3] });', {
      eval: true,
      resourceLimits,
    });
    const { codeRangeSizeMb, ...limits } = worker.resourceLimits;
    assert.equal(typeof codeRangeSizeMb, 'number');
    assert.deepEqual(limits, resourceLimits);
    const [error] = await once(worker, 'error');
    assert.equal(error.code, 'ERR_WORKER_OUT_OF_MEMORY');
    assert.deepEqual(worker.resourceLimits, {});
  });

  test('name', { skip: threadName === undefined && 'this Node tells no threadName' }, async () => {
    const script = `parentPort.postMessage(require('rust-workers').threadName)`;
    assert.equal(await answer(script, { name: 'by name' }), 'by name');
  });

  test('trackUnmanagedFds', async () => {
    const script = `
      const fs = require('node:fs');
      parentPort.postMessage(fs.openSync(process.execPath, 'r'));`;
    const isOpen = (fd) => {
      try {
        return fs.fstatSync(fd).isFile();
      } catch {
        return false;
      }
    };
    const closed = await answer(script, { trackUnmanagedFds: true });
    assert.equal(isOpen(closed), false);
    const left = await answer(script, { trackUnmanagedFds: false });
    assert.equal(isOpen(left), true);
    fs.closeSync(left);
  });
});
