'use strict';

/**
 * Where tenants' code can run, each as one shape:
 *
 *     open(threads) → { tenant(source), stop() }
 *     tenant(source) → { call(input), runaway(ms), close() }
 *
 * `call` gives the result, or a promise of it; `all`, where there is one, a promise of the results of many inputs. `runaway` calls it with undefined, stops it after these milliseconds, and gives how long it then
 * took until it had ended, in ms; the tenant may be of no use afterwards. `blocks`: calls run on the main thread.
 */

const path = require('node:path');
const vm = require('node:vm');
const { setTimeout: after } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');

const { emscripten, emscriptenWorker } = require('./emscripten');
const isolatedVm = require('./isolated-vm');
const { MEGABYTE, MEMORY_MB } = require('./memory');

const SCRIPT = path.join(__dirname, 'tenant-worker.js');

/**
 * Milliseconds from `stop()`, called after `ms`, until `running` has settled and, on a pool of one thread, another's task has its
 * result: a promise alone may be rejected long before the thread is free. A runaway that had ended by itself is a fault.
 */
async function untilSettled(running, ms, stop, another) {
  let ended;
  const settled = running.then(
    () => (ended = 'with a result'),
    (error) => (ended = error),
  );
  await after(ms);
  if (ended !== undefined) throw new Error(`the runaway ended by itself within ${ms} ms`, { cause: ended });
  const started = performance.now();
  stop();
  await settled;
  await another?.();
  return performance.now() - started;
}

/** @param {{ state?: boolean }} options `state`: what the first call of a tenant builds is there for the next one, as it is everywhere else */
function light(threads, { state = false } = {}) {
  const { WorkerPool } = require('../..');
  const pool = new WorkerPool({ maxThreads: threads });
  return {
    tenant(source) {
      const tenant = pool.light({ work: source }, { memory: MEMORY_MB * MEGABYTE, state });
      return {
        call: (input) => tenant.work(input),
        runaway(ms) {
          const abort = new AbortController();
          const running = tenant.run('work', undefined, { signal: abort.signal });
          return untilSettled(running, ms, () => abort.abort(), () => pool.run('noop'));
        },
        close: () => tenant.close(),
      };
    },
    stop: () => pool.destroy(),
  };
}

/** All that waits at once. */
function lightMap(threads) {
  const { WorkerPool } = require('../..');
  const pool = new WorkerPool({ maxThreads: threads });
  return {
    tenant(source) {
      const tenant = pool.light({ work: source }, { memory: MEMORY_MB * MEGABYTE });
      return { call: (input) => tenant.work(input), all: (inputs) => tenant.map('work', inputs), close: () => tenant.close() };
    },
    stop: () => pool.destroy(),
  };
}

const COPY = { arguments: { copy: true }, result: { copy: true } };

function isolateTenant(isolate, source, dispose) {
  const context = isolate.createContextSync();
  const work = context.evalSync(`(${source})`, { reference: true });
  return {
    call: (input) => work.apply(undefined, [input], COPY),
    runaway: (ms) => untilSettled(work.apply(undefined, [], COPY), ms, () => isolate.dispose()),
    close: () => (dispose ? !isolate.isDisposed && isolate.dispose() : context.release()),
  };
}

function isolates() {
  const { Isolate } = isolatedVm.load();
  return {
    tenant: (source) => isolateTenant(new Isolate({ memoryLimit: MEMORY_MB }), source, true),
    // A native loop of one that was disposed of goes on, and where the process ends meanwhile isolated-vm crashes (~IsolateEnvironment).
    stop: () => after(1_000),
  };
}

/** Tenants that share a heap, and its limit: one that is stopped ends them all. */
function isolateContexts() {
  const { Isolate } = isolatedVm.load();
  const isolate = new Isolate({ memoryLimit: 1024 });
  return { tenant: (source) => isolateTenant(isolate, source, false), stop: () => isolate.dispose() };
}

function nodeVm() {
  return {
    tenant(source) {
      const context = vm.createContext({});
      const work = new vm.Script(`work = (${source})`).runInContext(context);
      return {
        call: work,
        runaway(ms) {
          const started = performance.now();
          try {
            new vm.Script('work()').runInContext(context, { timeout: ms });
          } catch (error) {
            if (error.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
          }
          const late = performance.now() - started - ms;
          // Its timer may be a millisecond early.
          if (late < -1) throw new Error(`the runaway ended by itself within ${ms} ms`);
          return Math.max(late, 0);
        },
        close: () => undefined,
      };
    },
    stop: () => undefined,
  };
}

const NOTHING = { tenant: 'nothing', source: '() => 0' };

/** Tenants of a pool: a context of node:vm each, in the worker that comes to run it. */
function ofPool(run, forget, stop) {
  let tenants = 0;
  return {
    tenant(source) {
      const tenant = tenants++;
      return {
        call: (input) => run({ tenant, source, input }),
        async runaway(ms) {
          const abort = new AbortController();
          // A worker is there: what is stopped must not be a task that waits.
          await run(NOTHING);
          const running = run({ tenant, source }, { signal: abort.signal });
          return untilSettled(running, ms, () => abort.abort(), () => run(NOTHING));
        },
        close: () => forget({ tenant }),
      };
    },
    stop,
  };
}

function scriptPool(threads) {
  const { WorkerPool } = require('../..');
  const pool = new WorkerPool(SCRIPT, { maxThreads: threads, minThreads: threads, killTimeout: 0 });
  return ofPool((task, options) => pool.run('run', task, options), (task) => pool.run('forget', task), () => pool.destroy());
}

function piscina(threads) {
  const { Piscina } = require('piscina');
  const pool = new Piscina({ filename: SCRIPT, minThreads: threads, maxThreads: threads, concurrentTasksPerWorker: 64 });
  return ofPool(
    (task, options) => pool.run(task, { name: 'run', ...options }),
    (task) => pool.run(task, { name: 'forget' }),
    () => pool.destroy(),
  );
}

/** A Worker for each tenant: what ends alone, and has a limit of memory of its own. */
function workers() {
  return {
    tenant(source) {
      const worker = new Worker(SCRIPT, {
        workerData: { byHand: true },
        resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      });
      const waiting = new Map();
      let next = 0;
      worker.on('message', ({ id, output }) => {
        const resolve = waiting.get(id);
        waiting.delete(id);
        resolve(output);
      });
      const call = (input) =>
        new Promise((resolve) => {
          const id = next++;
          waiting.set(id, resolve);
          worker.postMessage({ id, tenant: 0, source, input });
        });
      return {
        call,
        async runaway(ms) {
          void call();
          await after(ms);
          const started = performance.now();
          await worker.terminate();
          return performance.now() - started;
        },
        close: () => worker.terminate(),
      };
    },
    stop: () => undefined,
  };
}

const ENGINES = {
  light: { name: 'rust-workers, light', open: light },
  lightMap: { name: 'rust-workers, light.map', open: lightMap },
  isolates: { name: 'isolated-vm, an isolate each', open: isolates, needs: 'isolated-vm', library: true },
  isolateContexts: { name: 'isolated-vm, contexts of one isolate', open: isolateContexts, needs: 'isolated-vm', library: true },
  emscripten: { name: 'quickjs-emscripten', open: emscripten, blocks: true, library: true },
  emscriptenWorker: { name: 'quickjs-emscripten in a Worker', open: emscriptenWorker, library: true },
  nodeVm: { name: 'node:vm, on the main thread', open: nodeVm, blocks: true },
  scriptPool: { name: 'rust-workers, a script with node:vm', open: scriptPool },
  piscina: { name: 'piscina with node:vm', open: piscina, library: true },
  workers: { name: 'a Worker each', open: workers },
};

module.exports = { ENGINES };
