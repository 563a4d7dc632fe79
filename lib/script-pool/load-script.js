'use strict';

/** Loads a worker's script as Node itself would load a Worker's, and finds what it exports. */

// What 'node:module' exports, without what else that loads.
const Module = module.constructor;

/**
 * @param {{ script: string, file?: string, commonJs: boolean }} place the script's URL; its file, if it has one; and
 *   whether `require` serves
 * @param {(url: string) => Promise<object>} importUrl `import`, which a module that came compiled has not
 * @returns {object | Promise<object>} what it exports
 */
function loadScript({ script, file, commonJs }, importUrl) {
  if (file === undefined) return importUrl(script);
  process.argv[1] = file;
  if (!commonJs) return importUrl(script);
  try {
    // As the main module, which it would be in a Worker of Node's.
    return Module._load(file, null, true);
  } catch (error) {
    // It is ESM after all, or waits at its top level.
    if (error.code === 'ERR_REQUIRE_ESM' || error.code === 'ERR_REQUIRE_ASYNC_MODULE') return importUrl(script);
    throw error;
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
      if (typeof holder[name] === 'function' && !functions.has(name)) functions.set(name, holder[name]);
    }
  };
  if (typeof exported === 'function') functions.set('', exported);
  if ((typeof exported === 'object' && exported !== null) || typeof exported === 'function') {
    const inner = exported.default;
    // ESM's default export; or the exports of CommonJS, when it was imported.
    if (typeof inner === 'function') functions.set('', inner);
    add(exported);
    if (typeof inner === 'object' && inner !== null) add(inner);
    if (!functions.has('') && typeof inner?.default === 'function') functions.set('', inner.default);
  }
  return functions;
}

module.exports = { functionsOf, loadScript };
