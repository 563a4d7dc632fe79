'use strict';

const { ROOT, Thread, assert, once, rejection, rw, script } = require('../support');

const { BroadcastChannel, MessageChannel, Mutex, SharedBuffer, Worker } = rw;

/** A Worker that runs a text with the package as `rw`. */
const evaluated = (text, options) =>
  new Worker(`const rw = require(${JSON.stringify(ROOT)}); ${text}`, { eval: true, ...options });

module.exports = {
  area: 'worker_threads',
  checks: {
    'every name of worker_threads': async () => {
      const native = require('node:worker_threads');
      for (const name of Object.keys(native)) assert.ok(name in rw, name);
      assert.equal(rw.isMainThread, true);
      assert.equal(rw.parentPort, null);
    },
    'Worker: messages both ways, exit code': async () => {
      const worker = evaluated("rw.parentPort.once('message', (m) => { rw.parentPort.postMessage([m, rw.threadId]); process.exit(4); });");
      worker.postMessage({ plain: true });
      const exited = once(worker, 'exit');
      const [[message, id]] = await once(worker, 'message');
      assert.deepEqual(message, { plain: true });
      assert.ok(id > 0);
      assert.deepEqual(await exited, [4]);
    },
    'workerData with objects of ours': async () => {
      const { port1, port2 } = new MessageChannel();
      const workerData = { shared: new SharedBuffer(8), mutex: new Mutex(), port: port2, plain: [1] };
      const worker = evaluated(`
        const { shared, mutex, port, plain } = rw.workerData;
        const guard = mutex.lockSync();
        shared.store(0, 42);
        guard.release();
        port.postMessage(['ready', plain, shared instanceof rw.SharedBuffer]);
        port.close();
      `, { workerData, transferList: [port2] });
      const exited = once(worker, 'exit');
      const [message] = await once(port1, 'message');
      assert.deepEqual(message, ['ready', [1], true]);
      assert.equal(workerData.shared.load(0), 42);
      await exited;
    },
    'objects of ours in messages, both ways': async () => {
      const worker = evaluated(`
        rw.parentPort.once('message', ({ shared, port }) => {
          shared.store(0, 7);
          port.postMessage('by our port');
          const { port1, port2 } = new rw.MessageChannel();
          rw.parentPort.postMessage({ port: port2, shared }, [port2]);
          port1.postMessage('back');
          port1.once('message', () => process.exit(0));
        });
      `);
      const { port1, port2 } = new MessageChannel();
      const shared = new SharedBuffer(8);
      const first = once(port1, 'message');
      const second = once(worker, 'message');
      worker.postMessage({ shared, port: port2 }, [port2]);
      assert.deepEqual(await first, ['by our port']);
      const [{ port, shared: same }] = await second;
      assert.equal(await port.receive(), 'back');
      assert.equal(same.load(0), 7);
      const ended = once(worker, 'exit');
      port.postMessage('end');
      await ended;
      port.close();
      port1.close();
    },
    'environment data with objects of ours': async () => {
      const shared = new SharedBuffer(8);
      rw.setEnvironmentData('of ours', { shared });
      rw.setEnvironmentData('plain', [1, 2]);
      assert.equal(rw.getEnvironmentData('of ours').shared, shared);
      const worker = evaluated(`
        rw.getEnvironmentData('of ours').shared.store(0, 5);
        rw.parentPort.postMessage(rw.getEnvironmentData('plain'));
      `);
      const exited = once(worker, 'exit');
      assert.deepEqual(await once(worker, 'message'), [[1, 2]]);
      await exited;
      assert.equal(shared.load(0), 5);
    },
    'receiveMessageOnPort, for ports of the runtime too': async () => {
      const native = new (require('node:worker_threads').MessageChannel)();
      native.port1.postMessage('x');
      assert.deepEqual(rw.receiveMessageOnPort(native.port2), { message: 'x' });
      native.port1.close();
    },
    'BroadcastChannel': async () => {
      const channel = new BroadcastChannel('rust-workers-check');
      const worker = evaluated("const c = new rw.BroadcastChannel('rust-workers-check'); c.postMessage('to all'); c.close();");
      const exited = once(worker, 'exit');
      const { data } = await new Promise((resolve) => (channel.onmessage = resolve));
      assert.equal(data, 'to all');
      channel.close();
      await exited;
    },
    'an uncaught error in a Worker': async () => {
      const worker = evaluated("setTimeout(() => { throw new RangeError('in the thread'); }, 1);");
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      const [error] = await new Promise((resolve) => worker.once('error', (...given) => resolve(given)));
      assert.equal(error.message, 'in the thread');
      await exited;
    },
    'a message of ours that nobody reads': async () => {
      const worker = evaluated("rw.parentPort.postMessage('here'); setTimeout(() => {}, 1e6);");
      const { port1, port2 } = new MessageChannel();
      await once(worker, 'message');
      const closed = once(port1, 'close');
      port1.ref();
      worker.postMessage({ port: port2 }, [port2]);
      await worker.terminate();
      await closed;
    },
    'moveMessagePortToContext': async () => {
      const context = require('node:vm').createContext();
      const { port1, port2 } = new MessageChannel();
      const moved = rw.moveMessagePortToContext(port2, context);
      const received = new Promise((resolve) => {
        moved.onmessage = ({ data }) => resolve(data);
      });
      moved.start?.();
      moved.ref?.();
      port1.postMessage('to the context');
      assert.equal(await received, 'to the context');
      port1.close();
    },
    'marks: uncloneable, untransferable': async () => {
      const { port1, port2 } = new MessageChannel();
      const nameOf = (run) => {
        try {
          run();
        } catch (error) {
          return error.name;
        }
        return 'nothing';
      };
      if (rw.markAsUncloneable !== undefined) {
        const marked = { a: 1 };
        rw.markAsUncloneable(marked);
        assert.equal(nameOf(() => port1.postMessage(marked)), 'DataCloneError');
      }
      const buffer = new ArrayBuffer(8);
      rw.markAsUntransferable(buffer);
      nameOf(() => port1.postMessage(buffer, [buffer]));
      assert.equal(buffer.byteLength, 8);
      port1.close();
      port2.close();
    },
    'marks: uncloneable, inside of a message': async () => {
      // Node 20 has no such mark.
      if (rw.markAsUncloneable === undefined) return;
      const { port1, port2 } = new MessageChannel();
      const marked = { a: 1 };
      rw.markAsUncloneable(marked);
      assert.throws(() => port1.postMessage({ marked }), { name: 'DataCloneError' });
      port1.close();
      port2.close();
    },
    'options: argv, env, stdout, name': async () => {
      const worker = evaluated("process.stdout.write('printed'); rw.parentPort.postMessage([process.argv.slice(2), process.env.OURS]);", {
        argv: ['one'], env: { OURS: 'set' }, stdout: true, name: 'named',
      });
      let printed = '';
      worker.stdout.on('data', (text) => (printed += text));
      const exited = once(worker, 'exit');
      assert.deepEqual(await once(worker, 'message'), [[['one'], 'set']]);
      await exited;
      assert.equal(printed, 'printed');
    },
    'messages that came before the package was loaded': async () => {
      const worker = new Worker(`
        const { parentPort } = require('node:worker_threads');
        parentPort.postMessage('running');
        setTimeout(() => {
          const rw = require(${JSON.stringify(ROOT)});
          const lost = setTimeout(() => rw.parentPort.postMessage('nothing came'), 5000);
          rw.parentPort.once('message', ({ shared }) => {
            clearTimeout(lost);
            rw.parentPort.postMessage(shared instanceof rw.SharedBuffer);
          });
        }, 200);
      `, { eval: true });
      await once(worker, 'message');
      const answer = once(worker, 'message');
      worker.postMessage({ shared: new SharedBuffer(8) });
      assert.deepEqual(await answer, [true]);
      await worker.terminate();
    },
    'carry, to a plain Worker': async () => {
      const { Worker: Plain } = require('node:worker_threads');
      const worker = new Plain(`
        const rw = require(${JSON.stringify(ROOT)});
        rw.parentPort.once('message', ({ port }) => {
          port.postMessage('carried');
          port.close();
        });
      `, { eval: true });
      const { port1, port2 } = new MessageChannel();
      const exited = once(worker, 'exit');
      worker.postMessage(...rw.carry({ port: port2 }, [port2]));
      assert.equal(await port1.receive(), 'carried');
      await exited;
    },
    'a thread that never loads the package is warned of': async () => {
      const warned = new Promise((resolve) => process.on('warning', resolve));
      const worker = new Worker(`
        const { parentPort } = require('node:worker_threads');
        parentPort.once('message', (value) => parentPort.postMessage('got it'));
        setTimeout(() => {}, 1200);
      `, { eval: true });
      worker.postMessage({ mutex: new Mutex() });
      const warning = await warned;
      assert.equal(warning.name, 'RustWorkersWarning');
      await worker.terminate();
    },
    'receiveMessageOnPort, for parentPort': async () => {
      const worker = evaluated(`
        let received;
        while ((received = rw.receiveMessageOnPort(rw.parentPort)) === undefined);
        rw.parentPort.postMessage(received);
      `);
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      const answer = once(worker, 'message');
      worker.postMessage('without a listener');
      assert.deepEqual(await answer, [{ message: 'without a listener' }]);
      await exited;
    },
    'an ESM Worker with our parentPort and workerData': async () => {
      const shared = new SharedBuffer(8);
      const worker = new Worker(script('esm-thread.mjs'), { workerData: { shared } });
      const exited = once(worker, 'exit');
      worker.postMessage({ add: shared });
      assert.deepEqual(await once(worker, 'message'), [[1, true]]);
      await exited;
    },
    'listeners of every style on parentPort': async () => {
      const worker = evaluated(`
        const seen = [];
        const { parentPort } = rw;
        parentPort.on('message', (v) => seen.push(['on', v]));
        parentPort.addEventListener('message', ({ data }) => seen.push(['event', data]));
        parentPort.onmessage = ({ data }) => {
          seen.push(['onmessage', data]);
          parentPort.postMessage(seen);
          parentPort.onmessage = null;
          parentPort.removeAllListeners('message');
          parentPort.unref();
        };
        parentPort.onmessage === null && seen.push('no handler');
        require('node:worker_threads').parentPort === parentPort || seen.push('another port');
      `);
      worker.postMessage(1);
      const exited = once(worker, 'exit');
      assert.deepEqual(await once(worker, 'message'), [[['on', 1], ['event', 1], ['onmessage', 1]]]);
      await exited;
    },
    'a Worker has pools of its own': async () => {
      const thread = new Thread();
      const result = await thread.run(async ({ WorkerPool }) => {
        const pool = new WorkerPool({ maxThreads: 1 });
        const value = await pool.run('fibonacci', 15);
        await pool.close();
        return value;
      });
      assert.equal(result, 610);
      await thread.end();
    },
    'a Worker has a script pool of its own': async () => {
      const thread = new Thread();
      const result = await thread.run(async ({ WorkerPool }, file) => {
        const pool = new WorkerPool(file, 1);
        const value = await pool.run('double', 4);
        await pool.close();
        return value;
      }, [script('functions.cjs')]);
      assert.equal(result, 8);
      await thread.end();
    },
    'bad messages are errors of the call': async () => {
      const thread = new Thread();
      const { port1, port2 } = new MessageChannel();
      let name = 'nothing';
      try {
        thread.worker.postMessage({ port: port2 });
      } catch (error) {
        ({ name } = error);
      }
      assert.match(name, /^(DataCloneError|TypeError)$/);
      port1.postMessage('still here');
      assert.equal(await port2.receive(), 'still here');
      port1.close();
      await thread.end();
      assert.equal((await rejection(Promise.reject(new Error('x')))).message, 'x');
    },
  },
};
