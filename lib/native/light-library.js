'use strict';

/**
 * Where the library of `pool.light` is: the interpreter (packs/light), a native pack beside the addon.
 *
 * It looks, in this order, at the file that `RUST_WORKERS_LIGHT` names (then at no other); at `rust-workers-light.<triple>.node` beside
 * package.json, where `rust-workers build` puts it; and in the package of this platform, `rust-workers-<triple>`.
 */

const fs = require('node:fs');
const path = require('node:path');

const { BindingNotFoundError } = require('../errors');
const { lightFileOf, packageOf } = require('./platforms');
const { triple } = require('./triple');

const ROOT = path.join(__dirname, '..', '..');

/** The folder of the platform's package; undefined where it is not installed. */
function packageFolder() {
  try {
    return path.dirname(require.resolve(`${packageOf(triple())}/package.json`, { paths: [ROOT] }));
  } catch {
    return undefined;
  }
}

/**
 * @param {object} [env] the variables, for tests
 * @returns {string} the library's path
 * @throws {BindingNotFoundError} with `attempts`: where it is not
 */
function lightLibrary(env = process.env) {
  const file = lightFileOf(triple());
  const folder = packageFolder();
  const named = env.RUST_WORKERS_LIGHT;
  const places = named ? [path.resolve(named)] : [path.join(ROOT, file), ...(folder === undefined ? [] : [path.join(folder, file)])];
  const found = places.find((place) => fs.existsSync(place));
  if (found !== undefined) return found;
  throw new BindingNotFoundError(
    `the library of pool.light is not there: no ${places.join(', nor ')}. Build it with \`npx rust-workers build\` ` +
      '(in a clone: node lib/install/ensure.js --light), or name it in RUST_WORKERS_LIGHT',
    { attempts: places },
  );
}

module.exports = { lightLibrary };
