'use strict';

/**
 * quickjs-emscripten: on the thread that calls it, and in a Worker, so that the main thread is free. There the calls of one turn are one message,
 * and their results one: a message for each costs several times what a rule does.
 */

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const { MEGABYTE, MEMORY_MB } = require('./memory');

async function emscripten() {
  const { getQuickJS } = require('quickjs-emscripten');
  const module = await getQuickJS();
  return {
    tenant(source) {
      const runtime = module.newRuntime({ memoryLimitBytes: MEMORY_MB * MEGABYTE });
      const context = runtime.newContext();
      const value = (result) => context.unwrapResult(result);
      // As JSON: a handle for each property costs more than the parser.
      const work = value(context.evalCode(`((work) => (json) => JSON.stringify(work(JSON.parse(json))))(${source})`));
      const plain = value(context.evalCode(`(${source})`));
      return {
        call(input) {
          const json = context.newString(input === undefined ? 'null' : JSON.stringify(input));
          const result = value(context.callFunction(work, context.undefined, json));
          const output = context.getString(result);
          result.dispose();
          json.dispose();
          return JSON.parse(output);
        },
        runaway(ms) {
          const until = performance.now() + ms;
          runtime.setInterruptHandler(() => performance.now() > until);
          const result = context.callFunction(plain, context.undefined, context.undefined);
          const late = performance.now() - until;
          const error = result.error && context.dump(result.error).message;
          result.dispose();
          runtime.removeInterruptHandler();
          // What ends its native loop and then has a result was not stopped: the time it took is all the same what others wait.
          if (late < 0) throw new Error(`the runaway ended by itself within ${ms} ms`, { cause: error });
          return late;
        },
        close() {
          for (const handle of [work, plain, context, runtime]) handle.dispose();
        },
      };
    },
    stop: () => undefined,
  };
}

function emscriptenWorker() {
  const worker = new Worker(__filename, { workerData: { emscripten: true } });
  const waiting = new Map();
  let [tenants, messages, calls] = [0, 0, undefined];
  worker.on('message', ({ message, outputs }) => {
    const resolvers = waiting.get(message);
    waiting.delete(message);
    outputs.forEach((output, index) => resolvers[index](output));
  });
  function send() {
    waiting.set(messages, calls.resolvers);
    worker.postMessage({ message: messages++, calls: calls.given });
    calls = undefined;
  }
  return {
    tenant(source) {
      const tenant = tenants++;
      worker.postMessage({ tenant, source });
      return {
        call(input) {
          if (calls === undefined) {
            calls = { given: [], resolvers: [] };
            queueMicrotask(send);
          }
          calls.given.push([tenant, input]);
          return new Promise((resolve) => calls.resolvers.push(resolve));
        },
        close: () => undefined,
      };
    },
    stop: () => worker.terminate(),
  };
}

async function serve() {
  // What comes before it is there waits in the port.
  const engine = await emscripten();
  const tenants = new Map();
  parentPort.on('message', ({ tenant, source, message, calls }) => {
    if (source !== undefined) tenants.set(tenant, engine.tenant(source));
    else parentPort.postMessage({ message, outputs: calls.map(([called, input]) => tenants.get(called).call(input)) });
  });
}

if (!isMainThread && workerData?.emscripten) serve();

module.exports = { emscripten, emscriptenWorker };
