'use strict';

/**
 * Functions of other modules than the pool's script, for tasks with the option `filename`, on the side of the pool's owner;
 * loaded-modules.js is the worker's. Such a function has a name that no script can export: the URL of its module and its own, each
 * after a NUL.
 */

const { binding } = require('../native');
const { locateScript } = require('./script-location');

class OtherModules {
  #pool;
  /** The URLs of absolute paths and of URLs, as they were given; a relative path depends on who calls. */
  #urls = new Map();
  /** The numbers of functions by the URL, and by their name. */
  #numbers = new Map();

  /** @param {import('./native-script-pool').NativeScriptPool} pool */
  constructor(pool) {
    this.#pool = pool;
  }

  /** @param {string | URL} filename as the pool's script is named */
  urlOf(filename) {
    const known = this.#urls.get(filename);
    if (known !== undefined) return known;
    const url = locateScript(filename, 'options.filename');
    // An object may change, and lives as long as it stands here.
    if (typeof filename === 'string' && (filename === url || filename.startsWith('/'))) this.#urls.set(filename, url);
    return url;
  }

  /** The number of the function of this name that the module of this URL exports. */
  numberOf(url, name) {
    let numbers = this.#numbers.get(url);
    if (numbers === undefined) this.#numbers.set(url, (numbers = new Map()));
    let number = numbers.get(name);
    if (number === undefined) {
      number = binding.scriptFunction(this.#pool.handle, `\0${url}\0${name}`);
      numbers.set(name, number);
    }
    return number;
  }
}

module.exports = { OtherModules };
