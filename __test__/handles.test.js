'use strict';

// What we leave behind: handles that would keep a process (what Jest's --detectOpenHandles tells of), and realms that would
// never be collected (its --detectLeaks).

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('./support/child');

onEachNode('what is left', (run) => {
  test('nothing holds the event loop but what is under way', async () => {
    const end = await run(async ({ say }) => {
      const { createHook } = require('node:async_hooks');
      // A Worker's output goes there, and both are made when they are first read.
      void [process.stdout, process.stderr];
      // As Jest has it: whatever was begun and not ended counts, if it does not say that it holds nothing.
      const open = new Map();
      createHook({
        init(id, type, _, resource) {
          if (type === 'PROMISE' || type === 'TIMERWRAP') return;
          const reference = new WeakRef(resource);
          const holds = 'hasRef' in resource ? () => reference.deref()?.hasRef() ?? false : () => true;
          open.set(id, { type, holds });
        },
        destroy: (id) => open.delete(id),
      }).enable();
      const resources = process.getActiveResourcesInfo().length;
      const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      const show = async (when) => {
        await turn();
        await turn();
        const held = [...open.values()].filter(({ holds }) => holds()).map(({ type }) => type);
        say(when, [...new Set(held)].sort().join() || 'nothing', process.getActiveResourcesInfo().length - resources);
      };

      const rw = require('./');
      await show('required:');
      const pool = new rw.WorkerPool({ maxThreads: 1 });
      await pool.run('echo', { some: 'object' });
      await show('idle pool:');
      const stop = new AbortController();
      const run = pool.run('sleep', 60_000, { signal: stop.signal }).catch(() => {});
      await show('busy pool:');
      stop.abort();
      await run;
      // Answered by the one thread, so it has let go of the task before, and told so.
      await pool.run('noop');
      await show('idle again:');
      const mutex = new rw.Mutex();
      const guard = await mutex.lock();
      const waiting = mutex.lock();
      await show('a lock that is waited for:');
      guard.release();
      (await waiting).release();
      const cells = new rw.SharedBuffer(8);
      const woken = cells.waitAsync(0, 0);
      await show('a cell that is waited for:');
      cells.notify(0);
      await woken;
      await show('neither:');
      const { port1, port2 } = new rw.MessageChannel();
      await show('ports:');
      const listener = () => {};
      port2.on('message', listener);
      await show('a port with a listener:');
      // `removeAllListeners` leaves Node's ports as they are, and so ours.
      port2.off('message', listener);
      port1.postMessage(new Blob([]));
      await show('without:');
      port1.close();
      const scripts = new rw.WorkerPool('./__test__/fixtures/scripts/functions.js', 1);
      await scripts.run('throwError').catch(() => {});
      await show('idle pool of scripts:');
    });
    assert.deepEqual(
      end,
      quietly(
        'required: nothing 0', 'idle pool: nothing 0', 'busy pool: rust-workers mailbox 1',
        'idle again: nothing 0', 'a lock that is waited for: rust-workers mailbox 1',
        'a cell that is waited for: rust-workers mailbox 0', 'neither: nothing 0', 'ports: nothing 0',
        'a port with a listener: MESSAGEPORT,rust-workers mailbox 0', 'without: nothing 0',
        'idle pool of scripts: nothing 0',
      ),
    );
  });

  for (const [what, use] of [
    ['that has only required us', () => {}],
    ['that ran native tasks', async (rw) => {
      const pool = new rw.WorkerPool({ maxThreads: 1 });
      await pool.run('echo', { some: 'object' });
      await pool.run('panic', 'boom').catch(() => {});
      await pool.close();
    }],
    ['that forgot a pool', async (rw) => {
      await new rw.WorkerPool({ maxThreads: 1 }).run('fibonacci', 5);
    }],
    ['that ran a script', async (rw) => {
      const pool = new rw.WorkerPool('./__test__/fixtures/scripts/functions.js', 1);
      await pool.run('throwError').catch(() => {});
      await pool.close();
    }],
    ['that used ports', async (rw) => {
      const { port1, port2 } = new rw.MessageChannel();
      port2.on('message', () => {});
      port1.postMessage(new Blob(['text']));
      await port1.receive(5).catch(() => {});
      const closed = new Promise((resolve) => port2.on('close', resolve));
      port1.close();
      await closed;
    }],
    ['that waited for locks and cells', async (rw) => {
      const mutex = new rw.Mutex();
      const guard = await mutex.lock();
      const waiting = mutex.lock();
      guard.release();
      (await waiting).release();
      await new rw.Semaphore(0).acquire(1, { timeout: 5 }).catch(() => {});
      const cells = new rw.SharedBuffer(8);
      await cells.waitAsync(0, 0, 5);
      cells.wait(0, 0, 5);
    }],
    ['that started a Worker', async (rw) => {
      const worker = new rw.Worker(`require('node:worker_threads').parentPort.postMessage(1)`, { eval: true });
      await new Promise((resolve) => worker.on('exit', resolve));
    }],
  ]) {
    test(`a realm ${what} is collected`, async () => {
      const program = `async ({ say, until }) => {
        const { realm } = require('./__test__/support/realm');
        const vm = require('node:vm');
        require('node:v8').setFlagsFromString('--expose-gc');
        const collect = vm.runInNewContext('gc');
        const ended = async () => {
          const { context, load } = realm();
          await (${use})(load());
          return new WeakRef(context);
        };
        // The first one makes what hangs on the binding.
        const references = [await ended(), await ended()];
        const isCollected = (reference) => reference.deref() === undefined;
        await until(() => (collect(), references.every(isCollected)), 'the realms are collected');
        say('collected');
        process.exit();
      }`;
      assert.deepEqual(await run(program), quietly('collected'));
    });
  }

  test('a pool that a realm forgot is closed after the realm is gone', async () => {
    const end = await run(async ({ say, until }) => {
      const fs = require('node:fs');
      const { realm } = require('./__test__/support/realm');
      require('node:v8').setFlagsFromString('--expose-gc');
      const collect = require('node:vm').runInNewContext('gc');
      const threads = () => (fs.existsSync('/proc/self/task') ? fs.readdirSync('/proc/self/task').length : 0);
      let before = 0;
      const ended = async () => {
        const { WorkerPool } = realm().load();
        before = threads();
        const pool = new WorkerPool({ maxThreads: 4, minThreads: 4 });
        const stop = new AbortController();
        const asleep = pool.map('sleep', new Array(4).fill(60_000), { signal: stop.signal }).catch(() => {});
        // A thread is started for a task that finds none idle.
        await until(() => pool.stats().running === 4, 'each thread has a task');
        stop.abort();
        await asleep;
        return threads() - before;
      };
      const more = await ended();
      await until(() => (collect(), threads() <= before), 'its threads end');
      say(more === 4 || before === 0);
    });
    assert.deepEqual(end, quietly('true'));
  });
});
