'use strict';

/** Which function of the script a task calls. */

const { binding } = require('../native');
const { functionsOf } = require('./load-script');

/** Stands for "emit it as a message" among the functions. */
const MESSAGE = Symbol('message');

/** The functions that the owner of the pool calls by numbers. */
class ScriptFunctions {
  /** Those that were called before, by number. */
  numbered = [];

  #script;
  #functions;
  /** Loads modules beside the script; and those that were. Made for the first task that names one. */
  #importUrl;
  #modules;

  /**
   * @param {unknown} exported
   * @param {string} script its URL
   * @param {(url: string) => Promise<object>} importUrl see runtime/bootstrap.js
   */
  constructor(exported, script, importUrl) {
    this.#functions = functionsOf(exported);
    this.#script = script;
    this.#importUrl = importUrl;
  }

  names() {
    return this.#functions.keys();
  }

  /** The function of a number that was not called before; MESSAGE where the script exports none as its default. */
  find(number) {
    const name = number === 0 ? '' : binding.scriptFunctionName(number);
    const found = this.#functions.get(name);
    if (found !== undefined) return (this.numbered[number] = found);
    if (name === '') return (this.numbered[number] = MESSAGE);
    if (name.startsWith('\0')) return (this.numbered[number] = this.#ofOtherModule(name, number));
    const error = this.unknown(name);
    return () => {
      throw error;
    };
  }

  #ofOtherModule(name, number) {
    if (this.#modules === undefined) {
      const { LoadedModules } = require('./loaded-modules');
      this.#modules = new LoadedModules(this.#importUrl);
    }
    return this.#modules.functionOf(name, (run) => (this.numbered[number] = run));
  }

  /** The error of a task that names a function which the script does not have. */
  unknown(name) {
    const { unknownFunction } = require('./unknown-function');
    return unknownFunction(name, this.#functions.keys(), `The script ${this.#script}`);
  }
}

module.exports = { MESSAGE, ScriptFunctions };
