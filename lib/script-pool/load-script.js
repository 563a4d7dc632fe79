'use strict';

/** Loads a worker's script as Node itself would load a Worker's, and finds its exports. */

/**
 * @param {{ file?: string, url: string }} place the script's file, if it has one; and the URL by which Node imports it
 * @param {{ runAsMain(file: string): { exports: unknown } | undefined, importUrl(url: string): Promise<object> }} loader
 * @returns {unknown} its exports, or a promise of them
 */
function loadScript({ file, url }, { runAsMain, importUrl }) {
  const main = file === undefined ? undefined : runAsMain(file);
  return main === undefined ? importUrl(url) : main.exports;
}

const isThenable = (value) =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') && typeof value.then === 'function';

/** A namespace has no `then` of its own that matters: `import` has looked at it already. */
const isNamespace = (exported) => exported?.[Symbol.toStringTag] === 'Module';

/**
 * The exports once they are there: a script may export a promise, in whole or as its default.
 *
 * @param {unknown} exported the result of `loadScript`
 * @param {(exported: unknown) => void} then called at once where nothing is to be waited for
 * @param {(error: unknown) => void} failed
 */
function whenExported(exported, then, failed) {
  if (isThenable(exported) && !isNamespace(exported)) {
    Promise.resolve(exported).then((arrived) => whenExported(arrived, then, failed)).catch(failed);
    return;
  }
  const inner = exported?.default;
  if (!isThenable(inner)) return then(exported);
  Promise.resolve(inner)
    .then((value) => then({ ...exported, default: value }))
    .catch(failed);
}

/** An export; where its getter throws, a function that throws the same: the others can be called all the same. */
function read(holder, name) {
  try {
    return holder[name];
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/**
 * The functions of a script by name; '' is the one that handles tasks that name none.
 *
 * @param {unknown} exported
 * @returns {Map<string, Function>}
 */
function functionsOf(exported) {
  const functions = new Map();
  const add = (holder) => {
    for (const name of Object.keys(holder)) {
      const value = read(holder, name);
      if (typeof value === 'function' && !functions.has(name)) functions.set(name, value);
    }
  };
  if (typeof exported === 'function') functions.set('', exported);
  if ((typeof exported === 'object' && exported !== null) || typeof exported === 'function') {
    const inner = Object.hasOwn(exported, 'default') ? read(exported, 'default') : exported.default;
    // ESM's default export; or the exports of CommonJS, when it was imported.
    if (typeof inner === 'function') functions.set('', inner);
    add(exported);
    if (typeof inner === 'object' && inner !== null) add(inner);
    if (!functions.has('') && typeof inner?.default === 'function') functions.set('', inner.default);
  }
  return functions;
}

const HOOKS = ['setup', 'teardown', 'onError'];

function isPlain(value) {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * The hooks of a script: its export `worker`, where that is a plain object with one of them.
 *
 * @param {unknown} exported
 * @returns {object | undefined}
 */
function hooksOf(exported) {
  if ((typeof exported !== 'object' || exported === null) && typeof exported !== 'function') return undefined;
  const own = Object.hasOwn(exported, 'worker') ? read(exported, 'worker') : undefined;
  const hooks = own === undefined && exported.default !== undefined ? ofDefault(read(exported, 'default')) : own;
  return isPlain(hooks) && HOOKS.some((name) => typeof hooks[name] === 'function') ? hooks : undefined;
}

function ofDefault(inner) {
  const isHolder = (typeof inner === 'object' && inner !== null) || typeof inner === 'function';
  return isHolder && Object.hasOwn(inner, 'worker') ? read(inner, 'worker') : undefined;
}

module.exports = { functionsOf, hooksOf, loadScript, whenExported };
