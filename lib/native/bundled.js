'use strict';

/**
 * Why this package does not work as part of a bundle, and what to set in the bundler. Its addon, and what its workers run, must
 * be files of their own; inside of a bundle some of it would work, and fail later. A part alone (rust-workers/bullmq) would have
 * errors of its own, which are none of the package's.
 *
 * It requires nothing that it needs: where esbuild makes an ES module of it, no module of Node's can be required.
 */

const MESSAGE = `rust-workers was bundled into this program. It cannot be: its addon and the code of its workers must stay files.
Mark rust-workers external, so that the program takes it from node_modules:
  - esbuild: --external:rust-workers, or packages: 'external'
  - webpack, Rspack: externals: { 'rust-workers': 'node-commonjs rust-workers' }, and the same for 'rust-workers/bullmq' if used
  - Rollup: external: [/^rust-workers/]
  - Vite: ssr: { external: ['rust-workers'] }; of a library: build: { rollupOptions: { external: [/^rust-workers/, /^node:/] } }
  - Next.js: serverExternalPackages: ['rust-workers']
  - another bundler: its option for external packages; or let npm install rust-workers where the program runs`;

/** Whether this very file lies where a package in this folder has it. */
function isFolderOfPackage(folder) {
  if (typeof folder !== 'string' || !/^(?:\/|\\\\|[A-Za-z]:)/.test(folder)) return false;
  try {
    return require('node:fs').existsSync(`${folder}/lib/native/bundled.js`);
  } catch {
    // In such an ES module of esbuild.
    return false;
  }
}

/**
 * @param {string | undefined} folder where the package believes it is
 * @throws {Error} when its files are not there: of the code that a missing addon has
 */
function refuseToBeBundled(folder) {
  if (isFolderOfPackage(folder)) return;
  throw Object.assign(new Error(MESSAGE), { name: 'BindingNotFoundError', code: 'ERR_RW_BINDING_NOT_FOUND' });
}

module.exports = { refuseToBeBundled };
