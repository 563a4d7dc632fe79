'use strict';

/** Loads a worker's script as Node itself would load a Worker's, and finds what it exports. */

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { fileURLToPath } = require('node:url');

/** Whether `require` serves: it is quicker than `import`, and makes the script `require.main`. */
function isCommonJs(file) {
  const extension = path.extname(file);
  if (extension === '.cjs' || extension === '.cts') return true;
  return extension === '.js' && packageType(path.dirname(file)) !== 'module';
}

/** The `type` of the package a folder belongs to. */
function packageType(folder) {
  for (;;) {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type;
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return undefined;
    }
    const parent = path.dirname(folder);
    if (parent === folder || path.basename(folder) === 'node_modules') return undefined;
    folder = parent;
  }
}

/**
 * @param {string} url of the script
 * @returns {object | Promise<object>} what it exports
 */
function loadScript(url) {
  if (!url.startsWith('file:')) return import(url);
  const file = fileURLToPath(url);
  process.argv[1] = file;
  if (!isCommonJs(file)) return import(url);
  try {
    // As the main module, which it would be in a Worker of Node's.
    return Module._load(file, null, true);
  } catch (error) {
    // It is ESM after all, or waits at its top level.
    if (error.code === 'ERR_REQUIRE_ESM' || error.code === 'ERR_REQUIRE_ASYNC_MODULE') return import(url);
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
