'use strict';

/** Modules beside the script that tasks name by `filename`, in a worker: each is loaded for the first task that needs it. */

const { functionsOf, whenExported } = require('./load-script');

/** As of a script. CommonJS that exports a function comes as the default export of a module; what that function has is exported too. */
function allFunctionsOf(exported) {
  const functions = functionsOf(exported);
  const inner = functions.get('');
  if (inner === undefined || inner === exported) return functions;
  for (const [name, run] of functionsOf(inner)) if (!functions.has(name)) functions.set(name, run);
  return functions;
}

class LoadedModules {
  /** By URL: a promise of the functions. */
  #modules = new Map();
  #importUrl;

  /** @param {(url: string) => Promise<object>} importUrl see runtime/bootstrap.js */
  constructor(importUrl) {
    this.#importUrl = importUrl;
  }

  /**
   * @param {string} name as other-modules.js makes it
   * @param {(run: Function) => void} found gets the function once its module is loaded, for the next tasks
   * @returns {Function} what the first tasks call
   */
  functionOf(name, found) {
    const [, url, own] = name.split('\0');
    return async (...given) => {
      const functions = await this.#load(url);
      const run = functions.get(own);
      if (run === undefined) {
        const { unknownFunction } = require('./unknown-function');
        throw unknownFunction(own, functions.keys(), `The module ${url}`);
      }
      found(run);
      return run(...given);
    };
  }

  #load(url) {
    let module = this.#modules.get(url);
    if (module === undefined) {
      module = this.#import(url);
      this.#modules.set(url, module);
      // The next task tries again.
      module.catch(() => this.#modules.delete(url));
    }
    return module;
  }

  async #import(url) {
    try {
      const loaded = await this.#importUrl(url);
      return await new Promise((resolve, reject) => {
        whenExported(loaded, (exported) => resolve(allFunctionsOf(exported)), reject);
      });
    } catch (error) {
      const { ScriptLoadError } = require('../errors');
      const { loadAdvice } = require('./load-advice');
      const message = `The module ${url} could not be loaded: ${error?.message ?? error}${loadAdvice(error, url)}`;
      throw new ScriptLoadError(message, { cause: error });
    }
  }
}

module.exports = { LoadedModules };
