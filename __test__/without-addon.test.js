'use strict';

// Where addons may not be loaded, or none is there: what is Node's own works, what is ours says what to do.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const { onEachNode, quietly } = require('./support/child');

/** The flags of the permission model that let Workers be started, but no addon be loaded. */
const PERMISSION = ['--allow-worker', '--disable-warning=ExperimentalWarning', '--disable-warning=SecurityWarning'];

const WAYS = {
  'under --no-addons': { execArgv: ['--no-addons'], advice: '--no-addons' },
  'under the permission model': { mayRead: '*', advice: '--allow-addons' },
  'under the permission model, without the folders above': { mayRead: path.join(__dirname, '..', '*'), advice: '--allow-addons' },
  'when no file is there': { env: { RUST_WORKERS_BINARY: '/there/is/none.node' }, advice: 'RUST_WORKERS_BINARY' },
};

async function program({ say, load, once }, advice) {
  const nodes = require('node:worker_threads');
  const rw = load();
  const names = Object.keys(nodes).filter((name) => rw[name] !== nodes[name]);
  say(names.join());

  const outcome = (use) => {
    try {
      use();
      return 'nothing';
    } catch (error) {
      const { code, message, stack } = error;
      const isOurs = error instanceof rw.errors.BindingNotFoundError;
      return isOurs && message.includes(advice) && stack.includes('at use') ? code : stack;
    }
  };
  class Derived extends rw.WorkerPool {}
  const uses = {
    pool: function use() { new rw.WorkerPool(); },
    scripts: function use() { new rw.WorkerPool('./some.js', 2); },
    derived: function use() { new Derived(); },
    mutex: function use() { new rw.Mutex(); },
    from: function use() { rw.Semaphore.from(new SharedArrayBuffer(16)); },
    shared: function use() { new rw.SharedBuffer(8); },
    atomics: function use() { rw.rustAtomics.add(new Int32Array(1), 0, 1); },
    task: function use() { return rw.task.signal; },
    move: function use() { rw.move(new ArrayBuffer(1)); },
    carry: function use() { rw.carry({}); },
    capacity: function use() { new rw.MessageChannel({ capacity: 1 }); },
    receive: function use() { new rw.MessageChannel().port1.receive(); },
  };
  for (const [name, use] of Object.entries(uses)) say(name, outcome(use));
  // To look at them is no use.
  say(typeof rw.WorkerPool, rw.WorkerPool.name, {} instanceof rw.Mutex, typeof rw.task, (await rw.task) === rw.task);
  say(typeof require('node:util').inspect(rw, { depth: 3 }));

  const { port1, port2 } = new rw.MessageChannel();
  port1.postMessage({ plain: 1 });
  say(rw.receiveMessageOnPort(port2).message.plain, port1 instanceof rw.MessagePort);
  port1.close();
  rw.setEnvironmentData('key', 'value');
  const worker = new rw.Worker(
    `const { isMainThread, getEnvironmentData, parentPort, workerData } = require('./');
     parentPort.once('message', (message) => parentPort.postMessage([isMainThread, getEnvironmentData('key'), workerData, message]));`,
    { eval: true, workerData: 'data' },
  );
  const ended = once(worker, 'exit');
  worker.postMessage('hello');
  say((await once(worker, 'message'))[0].join());
  await ended;

  const { default: face, ...named } = await import(require('node:url').pathToFileURL('./lib/index.mjs').href);
  say(face === rw, Object.keys(named).length === Object.keys(rw).length);
}

onEachNode('without the addon', (run) => {
  for (const [when, { execArgv, mayRead, env, advice }] of Object.entries(WAYS)) {
    test(when, async (t) => {
      let flags = execArgv;
      if (mayRead !== undefined) {
        const { stdout } = await run(({ say }) => say(process.versions.node.split('.')[0], process.allowedNodeEnvironmentFlags.has('--disable-warning')));
        const [major, canDisable] = stdout.trim().split(' ');
        if (canDisable !== 'true') return t.skip('this Node cannot be told not to warn');
        flags = [Number(major) < 23 ? '--experimental-permission' : '--permission', `--allow-fs-read=${mayRead}`, ...PERMISSION];
      }
      const end = await run(program, { execArgv: flags, env, args: [advice] });
      const refused = [
        'pool', 'scripts', 'derived', 'mutex', 'from', 'shared', 'atomics', 'task', 'move', 'carry', 'capacity', 'receive',
      ];
      assert.deepEqual(
        { ...end, stderr: end.stderr.replace(/^\(Use `node --trace-warnings.*\n/gm, '') },
        quietly(
          'MessageChannel', ...refused.map((name) => `${name} ERR_RW_BINDING_NOT_FOUND`),
          'function WorkerPool false object true', 'string', '1 true', 'false,value,data,hello', 'true true',
        ),
      );
    });
  }
});
