'use strict';

/**
 * Packs: libraries with native tasks (src/packs). `pool.use(pack)` gives a pool their names.
 *
 * A library is loaded once for the process, for all its threads, and stays. Which names a pool has is a matter of its object alone:
 * so two pools may use packs with the same names, and each thread that opens a pool by its name (`WorkerPool.open`) uses the pack itself.
 */

const path = require('node:path');
const { URL, fileURLToPath } = require('node:url');

const { InvalidArgTypeError, InvalidArgValueError, PackLoadError, errorFromCode } = require('../errors');
const { binding } = require('../native');
const { triple } = require('../native/triple');
const { BUILT_IN } = require('./native-task-facts');
const { describe, validateOptions, validateString } = require('../validators');

const PACK = new Set(['name', 'path']);

const isUrl = (value) => value instanceof URL || (typeof value === 'object' && value !== null && typeof value.href === 'string');

/**
 * @param {unknown} given a path, a file: URL, or an object with both for each platform
 * @param {string} [name] of the argument, for errors
 * @returns {import('./native-task-facts').LoadedPack}
 */
function loadPack(given, name = 'pack') {
  const loaded = binding.loadPack(locate(given, name));
  if (loaded.error !== undefined) throw errorFromCode(...loaded.error);
  return loaded;
}

/** The absolute path of a pack's library. */
function locate(given, name) {
  if (typeof given === 'string' || isUrl(given)) return pathOf(given, name);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrongType(name, given);
  const { name: ownName, path: place } = validateOptions(given, name, PACK);
  validateString(ownName, `${name}.name`);
  if (typeof place === 'string' || isUrl(place)) return pathOf(place, `${name}.path`);
  if (typeof place !== 'object' || place === null || Array.isArray(place)) {
    throw new InvalidArgTypeError(
      `The "${name}.path" argument must be the path of a library, or an object with one for each platform: { '${triple()}': path }. ` +
        `Received ${describe(place)}`,
    );
  }
  const key = [triple(), `${process.platform}-${process.arch}`].find((platform) => Object.hasOwn(place, platform));
  if (key === undefined) {
    const has = Object.keys(place).join(', ');
    throw new PackLoadError(
      `the pack '${ownName}' has no library for this platform, ${triple()}${has === '' ? '' : `; it has ${has}`}. Build it here, and give its path`,
    );
  }
  const own = place[key];
  if (typeof own !== 'string' && !isUrl(own)) throw wrongType(`${name}.path['${key}']`, own);
  return pathOf(own, `${name}.path['${key}']`);
}

function wrongType(name, given) {
  return new InvalidArgTypeError(
    `The "${name}" argument must be the path or the file: URL of a library, or an object { name, path }. Received ${describe(given)}`,
  );
}

/** A path from the working directory, or a URL. */
function pathOf(given, name) {
  if (given === '' || (typeof given === 'string' && given.includes('\0'))) {
    throw new InvalidArgValueError(`The "${name}" argument must be the path of a library. Received ${describe(given)}`);
  }
  if (typeof given === 'string' && !/^[a-z][a-z\d+.-]+:\/\//i.test(given)) return path.resolve(given);
  const url = new URL(isUrl(given) ? given.href : given);
  if (url.protocol !== 'file:') {
    throw new InvalidArgValueError(`The "${name}" argument must be a path, or a file: URL; not ${url.protocol}`);
  }
  return fileURLToPath(url);
}

/**
 * The option `packs` of a pool.
 *
 * @returns {string[]} the paths of the libraries, which are loaded
 */
function packsOption(given) {
  if (!Array.isArray(given)) {
    throw new InvalidArgTypeError(`The "options.packs" argument must be an array of packs, as pool.use takes them. Received ${describe(given)}`);
  }
  return [...given].map((pack, index) => loadPack(pack, `options.packs[${index}]`).path);
}

/** The native tasks of a pool with these libraries. */
const tasksWith = (paths) => paths.reduce((tasks, file) => tasks.with(loadPack(file)), BUILT_IN);

module.exports = { loadPack, packsOption, tasksWith };
