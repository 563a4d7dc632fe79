'use strict';

/** The ends of the way to a Worker's thread: options as Node reads them, events, warnings where nobody can read, two copies. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const workerThreads = require('node:worker_threads');

const { MessageChannel, MessagePort, SharedBuffer, Worker } = require('rust-workers');
const { ROOT, evaluate, runNode } = require('../support/child');

const next = async (worker) => (await once(worker, 'message'))[0];

describe('options', () => {
  // From here options are looked at.
  new SharedBuffer(8);
  const SCRIPT = `require('node:worker_threads').parentPort.postMessage(require('node:worker_threads').workerData)`;

  /** Starts both, and compares what `tell` says of each. */
  async function compared(tell) {
    const [ours, nodes] = [await tell(Worker), await tell(workerThreads.Worker)];
    assert.deepEqual(ours, nodes);
    return ours;
  }

  test('each getter as often and in the order as Node reads it', async () => {
    const reads = await compared(async (Class) => {
      const log = [];
      const values = { eval: true, workerData: { a: 1 }, transferList: [new ArrayBuffer(1)], argv: ['x'] };
      const options = new Proxy(values, { get: (target, key) => (log.push(String(key)), target[key]) });
      const worker = new Class(SCRIPT, options);
      assert.deepEqual(await next(worker), { a: 1 });
      return log;
    });
    assert.ok(reads.includes('workerData'));
  });

  test('getters see the options themselves', async () => {
    class Options {
      #data = { private: true };
      eval = true;
      get workerData() { return this.#data; }
      get transferList() { return this.#data && []; }
    }
    await compared((Class) => next(new Class(SCRIPT, new Options())));
  });

  test('frozen, without a prototype, inherited, a function', async () => {
    for (const make of [
      () => Object.freeze({ eval: true, workerData: 'frozen', transferList: Object.freeze([]) }),
      () => ({ __proto__: null, eval: true, workerData: 'without' }),
      () => Object.create({ eval: true, workerData: 'inherited' }),
      () => Object.assign(() => {}, { eval: true, workerData: 'function' }),
    ]) await compared((Class) => next(new Class(SCRIPT, make())));
  });

  test('with an object of ours in all of them', async () => {
    const script = `const { parentPort, workerData, SharedBuffer } = require('rust-workers');
      parentPort.postMessage(workerData instanceof SharedBuffer)`;
    const workerData = new SharedBuffer(8);
    for (const options of [
      Object.freeze({ eval: true, workerData }),
      { __proto__: null, eval: true, workerData },
      Object.create({ eval: true, workerData }),
      { eval: true, get workerData() { return workerData; } },
    ]) assert.equal(await next(new Worker(script, options)), true);
  });

  test('a prototype that somebody has added to', async () => {
    for (const [key, value] of Object.entries({
      get: () => 'get', set: () => {}, value: 'value', writable: false, enumerable: false, configurable: false,
      workerData: 'polluted', eval: true, argv: ['polluted'], transferList: [], transfer: [],
    })) {
      const script = `
        const threads = require(process.argv[1]);
        const { SharedBuffer } = require('rust-workers');
        new SharedBuffer(8);
        Object.defineProperty(Object.prototype, ${JSON.stringify(key)}, {
          __proto__: null, configurable: true, writable: true, value: eval(${JSON.stringify(`(${
            typeof value === 'function' ? value : JSON.stringify(value)})`)}),
        });
        const say = (what) => require('fs').writeSync(1, what + '\\n');
        const file = ${JSON.stringify(require.resolve('./fixtures/tells-data'))};
        const script = 'require(' + JSON.stringify(file) + ')';
        for (const make of [() => ({ eval: true }), () => undefined, () => ({ __proto__: null, eval: true, workerData: 1 })]) {
          try {
            const worker = new threads.Worker(make() === undefined ? file : script, make());
            worker.on('message', (message) => say(JSON.stringify(message)));
            worker.postMessage({ plain: 1 }, []);
          } catch ({ name, code }) {
            say(name + code);
          }
        }`;
      const printed = await Promise.all(['rust-workers', 'node:worker_threads'].map(async (threads) => {
        const { stdout } = await runNode(['-e', script, threads]);
        return stdout.split('\n').sort();
      }));
      assert.deepEqual(printed[0], printed[1], key);
      assert.ok(printed[0].length > 1, key);
    }
  });

  test('a transferList is read as Node reads it: by index', async () => {
    await compared((Class) => {
      try {
        const { port2 } = Class === Worker ? new MessageChannel() : new workerThreads.MessageChannel();
        new Class('', { eval: true, workerData: port2, transferList: new Set([port2]) });
        return 'taken';
      } catch ({ name, message }) {
        return `${name}: ${message}`;
      }
    });
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(`require('rust-workers').workerData.postMessage('came')`, {
      eval: true, workerData: port2, transferList: { length: 1, 0: port2 },
    });
    assert.equal(await next(port1), 'came');
    port1.close();
    await worker.terminate();
  });
});

describe('events', () => {
  test('a subclass and a listener see the message, and what they emit themselves is not looked at', async () => {
    const seen = [];
    class Special extends Worker {
      emit(name, ...args) {
        if (name === 'message') seen.push(args[0]);
        return super.emit(name, ...args);
      }
    }
    const worker = new Special(`const { parentPort, SharedBuffer } = require('rust-workers');
      parentPort.postMessage({ shared: new SharedBuffer(8) })`, { eval: true });
    await once(worker, 'message');
    const proxy = new Proxy({}, { get: () => assert.fail('looked at'), has: () => assert.fail('looked at') });
    worker.emit('message', proxy);
    assert.ok(seen[0].shared instanceof SharedBuffer);
    assert.equal(seen[1], proxy);
  });

  test('the ports of an event are those that came, ours among them', async () => {
    const worker = new Worker(`
      const { parentPort, MessagePort } = require('rust-workers');
      parentPort.addEventListener('message', ({ data, ports }) => {
        parentPort.postMessage([ports.length, ports[0] === data.nodes, ports[1] === data.ours,
          ports[1] instanceof MessagePort]);
        for (const port of ports) port.close();
      }, { once: true });`, { eval: true });
    const { port2: nodes } = new workerThreads.MessageChannel();
    const { port1, port2: ours } = new MessageChannel();
    worker.postMessage({ ours, nodes }, [nodes, ours]);
    assert.deepEqual(await next(worker), [2, true, true, true]);
    port1.close();
  });

  test('Node\'s own function posts objects of ours too', async () => {
    const worker = new Worker(`const { parentPort, SharedBuffer } = require('rust-workers');
      parentPort.once('message', (m) => parentPort.postMessage(m instanceof SharedBuffer))`, { eval: true });
    workerThreads.Worker.prototype.postMessage.call(worker, new SharedBuffer(8));
    assert.equal(await next(worker), true);
  });
});

describe('where nobody can read', () => {
  const head = `
    const rw = require('rust-workers');
    process.on('warning', ({ name, message }) => console.log(name, message));
    const { port1, port2 } = new rw.MessageChannel();
    const plain = "const { parentPort } = require('node:worker_threads');";`;

  test('a thread without the package that was sent a port: a warning says what to do', async () => {
    const { stdout } = await evaluate(`${head}
      const worker = new rw.Worker(plain + "parentPort.on('message', (m) => parentPort.postMessage(Object.keys(m)))", {
        eval: true,
      });
      worker.postMessage({ port: port2 }, [port2]);
      worker.on('message', ([key]) => { console.log(key); worker.terminate(); });`);
    const [key, warning, ...more] = stdout.trimEnd().split('\n');
    assert.match(key, /^rust-workers must be loaded in this thread to read this/);
    assert.match(warning, /^RustWorkersWarning Worker 1 was sent .* Take parentPort from 'rust-workers'/);
    assert.deepEqual(more, []);
  });

  test('one that speaks and lives on: while it lives, once', async () => {
    const { stdout } = await evaluate(`${head}
      const worker = new rw.Worker(plain + "parentPort.on('message', () => parentPort.postMessage(1))", { eval: true });
      for (let i = 0; i < 3; i++) worker.postMessage(new rw.SharedBuffer(8));
      process.on('warning', () => { console.log(worker.threadId); worker.terminate(); });`);
    assert.match(stdout, /^RustWorkersWarning Worker 1 .*\n1\n$/);
  });

  test('one that loads the package late gets what comes then, without a warning', async () => {
    const { stdout, stderr } = await evaluate(`${head}
      const worker = new rw.Worker(plain + \`
        const { workerData } = require('node:worker_threads');
        parentPort.postMessage('ready');
        setTimeout(() => {
          const { parentPort, SharedBuffer, workerData } = require('rust-workers');
          parentPort.on('message', (m) => { parentPort.postMessage([workerData, m].map((it) => it instanceof SharedBuffer)); });
        }, 50);\`, { eval: true, workerData: new rw.SharedBuffer(8) });
      worker.on('message', (message) => {
        console.log(String(message));
        if (message !== 'ready') worker.terminate();
      });
      worker.postMessage(new rw.SharedBuffer(8));`);
    assert.deepEqual([stdout, stderr], ['ready\ntrue,true\n', '']);
  });

  test('one that was stopped before it could load anything: no warning', async () => {
    const { stdout } = await evaluate(`${head}
      const worker = new rw.Worker('', { eval: true });
      worker.postMessage({ port: port2 }, [port2]);
      worker.terminate().then(() => console.log('ended'));`);
    assert.equal(stdout, 'ended\n');
  });

  test('a parent with a Worker of worker_threads: the thread is warned', async () => {
    const { stdout } = await evaluate(`${head}
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(\`
        const { parentPort, SharedBuffer } = require('rust-workers');
        process.on('warning', ({ name, message }) => { parentPort.postMessage(name + ' ' + message); process.exit(); });
        parentPort.postMessage(new SharedBuffer(8));
        setInterval(() => {}, 1000);\`, { eval: true });
      worker.on('message', (message) => { if (typeof message === 'string') console.log(message); });`);
    assert.match(stdout, /^RustWorkersWarning Worker 1 posted .* start the thread with Worker of 'rust-workers'/);
  });
});

describe('two copies of the package', () => {
  /** A second copy, of the same version or another. Copies of one version use one binary; others have each their own. */
  const copy = (isOtherVersion) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-copy-'));
    fs.cpSync(path.join(ROOT, 'lib'), path.join(folder, 'lib'), { recursive: true });
    for (const name of fs.readdirSync(ROOT)) {
      if (name === 'index.js' || name === 'package.json') fs.copyFileSync(path.join(ROOT, name), path.join(folder, name));
      if (name.endsWith('.node')) fs.copyFileSync(path.join(ROOT, name), path.join(folder, name));
    }
    if (isOtherVersion) {
      // It would go before the file that is changed here.
      fs.rmSync(path.join(folder, 'lib', 'bundle'), { recursive: true, force: true });
      const file = path.join(folder, 'lib', 'native', 'version.js');
      fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/VERSION: '.*'/, "VERSION: '99.0.0'"));
    }
    return folder;
  };
  const withCopy = async (isOtherVersion, run) => {
    const folder = copy(isOtherVersion);
    try {
      await run(`const a = require(${JSON.stringify(ROOT)}); const b = require(${JSON.stringify(folder)});`, folder);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  };
  /** A thread that tells what came, by the copy at `folder`. */
  const telling = (folder) => `
    const { parentPort, SharedBuffer, MessagePort } = require(${JSON.stringify(folder)});
    parentPort.on('message', (m) => parentPort.postMessage(
      m instanceof SharedBuffer ? 'shared ' + m.load(0) : m instanceof MessagePort ? 'port' : typeof m));
    parentPort.on('messageerror', ({ code, message }) => parentPort.postMessage(code + ' ' + message));`;

  test('of one version they meet', async () => {
    await withCopy(false, async (head, folder) => {
      const { stdout, stderr } = await evaluate(`${head}
        const shared = new a.SharedBuffer(8);
        shared.store(0, 5);
        const { port1, port2 } = new a.MessageChannel();
        for (const [Worker, folder] of [[a.Worker, ${JSON.stringify(folder)}], [b.Worker, ${JSON.stringify(ROOT)}]]) {
          const worker = new Worker('(' + String((telling) => eval(telling)) + ')(' + JSON.stringify(telling(folder)) + ')', { eval: true });
          worker.on('message', (message) => { console.log(message); worker.terminate(); });
          worker.postMessage(shared);
        }
        function telling(folder) { return ${JSON.stringify(telling('FOLDER'))}.replace('"FOLDER"', JSON.stringify(folder)); }`);
      assert.deepEqual([stdout, stderr], ['shared 5\nshared 5\n', '']);
    });
  });

  test('of two versions, an object of the other is an error that says what to do', async () => {
    await withCopy(true, async (head, folder) => {
      const { stdout, stderr } = await evaluate(`${head}
        const objects = [new a.SharedBuffer(8), new a.Mutex(), new a.MessageChannel().port2];
        const worker = new b.Worker('', { eval: true });
        const { port1 } = new b.MessageChannel();
        (async () => {
        const attempt = (run) => { try { run(); console.log('taken'); } catch ({ code }) { console.log(code); } };
        for (const object of objects) {
          attempt(() => worker.postMessage({ object }, object instanceof a.MessagePort ? [object] : []));
          attempt(() => port1.postMessage({ object }, object instanceof a.MessagePort ? [object] : []));
          attempt(() => b.carry({ object }, []));
          attempt(() => new b.Worker('', { eval: true, workerData: object, transferList: [] }));
        }
        attempt(() => b.SharedBuffer.from(objects[0]));
        if (objects[0] instanceof b.SharedBuffer || objects[1] instanceof b.Mutex) console.log('taken for its own');
        const pool = new b.WorkerPool();
        for (const object of objects) await pool.run('echo', { object }).catch(({ code }) => console.log(code));
        worker.terminate();
        process.exit();
        })();`);
      assert.equal(stderr, '');
      assert.deepEqual(stdout.trimEnd().split('\n'), Array(16).fill('ERR_RW_OTHER_COPY'));
      void folder;
    });
  });

  test('of two versions, in threads of their own: a messageerror', { skip: process.platform !== 'linux' }, async () => {
    await withCopy(true, async (head, folder) => {
      const { stdout, stderr } = await evaluate(`const a = require(${JSON.stringify(ROOT)});
        const worker = new a.Worker(${JSON.stringify(telling(folder))}, { eval: true });
        worker.on('message', (message) => { console.log(message); if (message === 'object') worker.terminate(); });
        worker.postMessage(new a.SharedBuffer(8));
        worker.postMessage({ plain: 1 });`);
      const [error, plain] = stdout.trimEnd().split('\n');
      assert.match(error, /^ERR_RW_OTHER_COPY a message holds a SharedBuffer .* let both use one/);
      assert.equal(plain, 'object');
      void stderr;
    });
  });

  test('of two versions in one thread, each looks after its own', async () => {
    await withCopy(true, async (head, folder) => {
      for (const [parent, order] of [[ROOT, [ROOT, folder]], [folder, [ROOT, folder]], [ROOT, [folder, ROOT]]]) {
        const { stdout, stderr } = await evaluate(`const p = require(${JSON.stringify(parent)});
          const worker = new p.Worker(\`
            for (const folder of ${JSON.stringify(order)}) require(folder);
            const { parentPort, SharedBuffer } = require(${JSON.stringify(parent)});
            parentPort.on('message', (m) => { m.add(0, 1); parentPort.postMessage(m instanceof SharedBuffer && m); });\`,
            { eval: true });
          const shared = new p.SharedBuffer(8);
          worker.on('message', (m) => { console.log(m instanceof p.SharedBuffer, shared.load(0)); worker.terminate(); });
          worker.postMessage(shared);`);
        assert.deepEqual([stdout, stderr], ['true 1\n', '']);
      }
    });
  });
});
