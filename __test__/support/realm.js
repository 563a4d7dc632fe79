'use strict';

/**
 * The package in a realm of its own, as test frameworks load it: its modules compiled in a `vm` context, Node's modules
 * and the addon from outside (Jest, vitest's vmThreads).
 */

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const ROOT = path.join(__dirname, '..', '..');

/** A page's own classes. They have the names of Node's classes, and Node knows nothing of them. */
const PAGE = `
  class EventTarget {
    #listeners = new Map();
    addEventListener(type, run) { this.#listeners.set(run, type); }
    removeEventListener(type, run) { this.#listeners.delete(run); }
    dispatchEvent(event) { for (const [run, type] of this.#listeners) if (type === event.type) run.call(this, event); return true; }
  }
  class Event { constructor(type) { this.type = type; } }
  class MessageEvent extends Event { constructor(type, init) { super(type); Object.assign(this, init); } }
  class DOMException { constructor(message, name) { this.message = message; this.name = name; } }
  class AbortSignal extends EventTarget { aborted = false; reason = undefined; }
  class AbortController {
    signal = new AbortSignal();
    abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
      Object.assign(this.signal, { aborted: true, reason });
      this.signal.dispatchEvent(new Event('abort'));
    }
  }
  class Blob {}
  class URL { constructor(href) { this.href = String(href); } }
  Object.assign(globalThis, { EventTarget, Event, MessageEvent, DOMException, AbortSignal, AbortController, Blob, URL });
`;

/** As Jest's: a copy, with the same functions, but for the one that would give Node's own modules. */
const copyOfProcess = () =>
  Object.assign(Object.create(Object.getPrototypeOf(process)), process, { getBuiltinModule: () => undefined });

/**
 * A realm as a framework makes it.
 *
 * @param {{ page?: boolean, globals?: object }} [options] `page`: with a page's classes, and without what pages in
 *   frameworks do not have; `globals` of the realm besides
 * @returns {{ context: object, load: (file?: string) => object }} `load` returns the package, loaded once in this realm
 */
function realm({ page = false, globals = {} } = {}) {
  const context = vm.createContext({ Buffer, process: copyOfProcess(), console, ...timers(), ...globals });
  context.global = context;
  if (page) vm.runInContext(PAGE, context);
  const modules = new Map();
  function load(file) {
    let module = modules.get(file);
    if (module === undefined) {
      module = { exports: {}, filename: file };
      modules.set(file, module);
      const source = `(function (exports, require, module, __filename, __dirname) { ${fs.readFileSync(file, 'utf8')}\n})`;
      const own = createRequire(file);
      const inRealm = (name) => {
        if (name === 'node:process' || name === 'process') return context.process;
        if (!name.startsWith('.') && !path.isAbsolute(name)) return own(name);
        const target = own.resolve(name);
        return target.endsWith('.js') ? load(target) : own(target);
      };
      inRealm.resolve = own.resolve;
      vm.runInContext(source, context, { filename: file }).call(
        module.exports, module.exports, inRealm, module, file, path.dirname(file),
      );
    }
    return module.exports;
  }
  return { context, load: (file = 'index.js') => load(path.join(ROOT, file)) };
}

/** A framework gives its realms timers of its own make. */
const timers = () => ({
  setTimeout: (...args) => setTimeout(...args),
  clearTimeout: (timer) => clearTimeout(timer),
  setImmediate: (...args) => setImmediate(...args),
});

module.exports = { realm };
