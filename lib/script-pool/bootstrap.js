'use strict';

/**
 * The first file of a script pool's worker: puts Node's own things in place, loads the script, and starts work.
 *
 * Our modules come compiled from the thread that owns the pool (compiled.js). They are put where `require` looks for
 * modules that were loaded before, so whoever requires one of them, by whatever way, gets this one.
 */

const { Script } = require('node:vm');
const workerThreads = require('node:worker_threads');

// What 'node:module' exports, without what else that loads.
const Module = module.constructor;

/** A `require` for our own modules, that takes those which came compiled. */
function requireCompiled({ files, ids, ends, memory, native, addon }) {
  const numbers = new Map(ids.map((id, i) => [id, i]));
  const part = (i) => Buffer.from(memory, i === 0 ? 0 : ends[i - 1], ends[i] - (i === 0 ? 0 : ends[i - 1]));

  function load(number) {
    const file = files[number];
    const loaded = Module._cache[file];
    if (loaded !== undefined) return loaded.exports;
    const source = part(2 * number).latin1Slice();
    const script = new Script(source, { filename: file, cachedData: part(2 * number + 1) });
    const made = put(file);
    const run = script.runInThisContext();
    const id = file.endsWith('index.js') ? `${ids[number]}/` : ids[number];
    run.call(made.exports, made.exports, requireFrom(made, id), made, file, made.path);
    made.loaded = true;
    return made.exports;
  }

  function put(file) {
    const made = new Module(file, module);
    made.filename = file;
    made.paths = module.paths;
    Module._cache[file] = made;
    return made;
  }

  /** The addon need not be looked for. */
  function loadAddon() {
    const made = put(addon);
    Module._extensions['.node'](made, addon);
    made.loaded = true;
    const holder = put(native);
    holder.exports = { binding: made.exports, file: addon };
    holder.loaded = true;
  }

  /** Our folders hold no folders, so names are quickly made into what they are as seen from lib. */
  function requireFrom(requirer, id) {
    const folder = id.slice(0, id.indexOf('/') + 1);
    return (name) => {
      let number;
      if (name.startsWith('./')) number = numbers.get(folder + name.slice(2));
      else if (name.startsWith('../')) number = numbers.get(name.slice(3));
      return number === undefined ? requirer.require(name) : load(number);
    };
  }

  loadAddon();
  return requireFrom(module, 'script-pool/bootstrap');
}

const setup = workerThreads.workerData;
const { control } = setup;
// The first message there is, if it has come in time.
const compiled = workerThreads.receiveMessageOnPort(control)?.message[1] ?? null;
const ours = compiled === null ? require : requireCompiled(compiled);

ours('../transferable-types');
const [isBundle, workerData] = setup.workerData;
// The script sees its own.
workerThreads.workerData = isBundle ? ours('../transfer/serialization').deserialize(workerData) : workerData;
Module.syncBuiltinESMExports();

// Before the script can take the function.
if (workerThreads.markAsUncloneable !== undefined) ours('../transfer/uncloneable');

const { loadScript, whenExported } = ours('./load-script');
const { Runner } = ours('./runner');

const runner = new Runner(setup, workerThreads.parentPort);
const start = (exported) => runner.start(exported);
const failed = (error) => runner.failedToLoad(error);
let exported;
try {
  exported = loadScript(setup, (url) => import(url));
} catch (error) {
  failed(error);
  // As in any other Worker.
  throw error;
}
// Not `await`: a script that is loaded at once starts at once.
whenExported(exported, start, failed);
