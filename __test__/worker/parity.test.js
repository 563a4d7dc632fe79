'use strict';

/** Nothing of the running Node's worker_threads is missing, whatever that Node has. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const workerThreads = require('node:worker_threads');

const rustWorkers = require('rust-workers');
const { evaluate, runNode } = require('../support/child');

/** Those that are ours; everything else has to be the very thing that Node has. */
const OURS = new Set([
  'MessageChannel',
  'MessagePort',
  'Worker',
  'getEnvironmentData',
  'moveMessagePortToContext',
  'receiveMessageOnPort',
  'setEnvironmentData',
]);

describe('names', () => {
  test('every export of worker_threads is an export here', () => {
    const missing = Object.keys(workerThreads).filter((name) => !Object.hasOwn(rustWorkers, name));
    assert.deepEqual(missing, []);
  });

  test('what is not replaced is the same thing', () => {
    for (const name of Object.keys(workerThreads)) {
      if (OURS.has(name)) assert.equal(typeof rustWorkers[name], 'function', name);
      else assert.equal(rustWorkers[name], workerThreads[name], name);
    }
  });

  test('import has them too, also a name that only this Node has', async () => {
    const face = await import('rust-workers');
    const missing = Object.keys(workerThreads).filter((name) => !Object.hasOwn(face, name));
    assert.deepEqual(missing, []);
    assert.equal(face.Worker, rustWorkers.Worker);
    assert.equal(face.SHARE_ENV, workerThreads.SHARE_ENV);
  });

  test('importing a name that this Node lacks fails as it does with worker_threads', async () => {
    const importing = (name, from) => runNode(['--input-type=module', '-e', `import { ${name} } from '${from}'`]);
    for (const from of ['node:worker_threads', 'rust-workers']) {
      const { code, stderr } = await importing('ofNoNode', from);
      assert.equal(code, 1);
      assert.match(stderr, /SyntaxError: .*does not provide an export named 'ofNoNode'/);
      assert.equal((await importing('isMainThread', from)).code, 0);
    }
  });

  test('a name that a newer Node adds is there by itself', async () => {
    const script = `
      require('node:worker_threads').ofTheFuture = () => 'new';
      require('node:module').syncBuiltinESMExports();
      console.log(require('rust-workers').ofTheFuture());`;
    assert.deepEqual(await evaluate(script), { stdout: 'new\n', stderr: '' });
  });

  test('the same inside a thread of Worker, and of a Worker of worker_threads', async () => {
    const script = `
      const node = require('node:worker_threads');
      const ours = require('rust-workers');
      const data = (module) => ({
        threadId: module.threadId, isMainThread: module.isMainThread, workerData: module.workerData,
        limits: module.resourceLimits, key: module.getEnvironmentData('a key'), port: module.parentPort !== null,
      });
      ours.parentPort.postMessage({
        missing: Object.keys(node).filter((name) => !Object.hasOwn(ours, name)),
        same: node.parentPort === ours.parentPort,
        node: data(node),
        ours: data(ours),
      });`;
    rustWorkers.setEnvironmentData('a key', ['set']);
    for (const Worker of [rustWorkers.Worker, workerThreads.Worker]) {
      const options = { eval: true, workerData: { deep: [1] }, resourceLimits: { maxOldGenerationSizeMb: 64 } };
      const worker = new Worker(script, options);
      const exit = once(worker, 'exit');
      const { threadId } = worker;
      const [message] = await once(worker, 'message');
      assert.deepEqual(message.missing, []);
      assert.ok(message.same);
      assert.deepEqual(message.ours, message.node);
      assert.equal(message.ours.threadId, threadId);
      assert.equal(message.ours.isMainThread, false);
      assert.deepEqual(message.ours.workerData, { deep: [1] });
      assert.deepEqual(message.ours.key, ['set']);
      assert.equal(message.ours.limits.maxOldGenerationSizeMb, 64);
      await exit;
    }
    rustWorkers.setEnvironmentData('a key', undefined);
  });
});

describe('Worker', () => {
  test('has every member of the prototype of Node\'s', () => {
    const { prototype } = rustWorkers.Worker;
    const missing = Reflect.ownKeys(workerThreads.Worker.prototype).filter((key) => !(key in prototype));
    assert.deepEqual(missing, []);
    assert.equal(rustWorkers.Worker.name, 'Worker');
    assert.equal(rustWorkers.Worker.length, workerThreads.Worker.length);
  });

  test('has every own property of an object of Node\'s', async () => {
    const ours = new rustWorkers.Worker('', { eval: true });
    const node = new workerThreads.Worker('', { eval: true });
    const keys = (object) => Reflect.ownKeys(object).map(String).sort();
    assert.deepEqual(keys(ours), keys(node));
    await Promise.all([once(ours, 'exit'), once(node, 'exit')]);
  });

  test('instanceof holds for both classes, whoever made the Worker', async () => {
    class Special extends rustWorkers.Worker {}
    const workers = [rustWorkers.Worker, workerThreads.Worker, Special].map((Class) => new Class('', { eval: true }));
    for (const worker of workers) {
      assert.ok(worker instanceof rustWorkers.Worker);
      assert.ok(worker instanceof workerThreads.Worker);
    }
    assert.deepEqual(workers.map((worker) => worker instanceof Special), [false, false, true]);
    assert.ok(!({} instanceof rustWorkers.Worker));
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
  });

  test('refuses what Node refuses, in the same words', () => {
    const attempts = [
      [],
      [7],
      ['not-relative.js'],
      ['./x.js', { argv: 7 }],
      ['./x.js', { execArgv: 'no array' }],
      ['./x.js', { execArgv: ['--expose-gc-please'] }],
      ['./x.js', { env: 7 }],
      ['./x.js', { workerData: () => {} }],
      ['./x.js', { name: 7 }],
      [new URL('http://example.com/x.js')],
      ['', { eval: true, transferList: [{}] }],
      ['./x.js', null],
    ];
    const refusal = (Class, args) => {
      try {
        new Class(...args).terminate();
        return 'taken';
      } catch ({ name, code, message }) {
        return { name, code, message };
      }
    };
    for (const args of attempts) {
      const node = refusal(workerThreads.Worker, args);
      assert.notEqual(node, 'taken', JSON.stringify(args));
      assert.deepEqual(refusal(rustWorkers.Worker, args), node);
    }
    assert.throws(() => rustWorkers.Worker('./x.js'), TypeError);
  });
});

test('a program that puts ours into worker_threads works', async () => {
  const script = `
    const node = require('node:worker_threads');
    Object.assign(node, require('rust-workers'));
    const { port1, port2 } = new node.MessageChannel();
    node.setEnvironmentData('key', 'set');
    port1.postMessage(node.getEnvironmentData('key'));
    console.log(node.receiveMessageOnPort(port2));
    new node.Worker('', { eval: true }).on('exit', console.log);`;
  assert.deepEqual(await evaluate(script), { stdout: "{ message: 'set' }\n0\n", stderr: '' });
});
