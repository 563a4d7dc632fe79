'use strict';

/**
 * Makes a clone ready to run: packages, binary and bundle as package-lock.json and the sources say. `npm test`, `npm
 * run demo` and `npm run bench` begin with it, so that they work right after `git clone`. With `--light` the library of `pool.light`
 * too: the demo, which does not use it, need not wait for it.
 *
 * There is no install script that could have done it. Quiet when there is nothing to do.
 */

const fs = require('node:fs');
const path = require('node:path');

const { build, buildLight, log, runAsCommand, BuildError } = require('./build');
const { ensureBundle } = require('./bundle');
const { runNpm } = require('./npm');
const { ROOT, LIGHT, isLightReady, isReady } = require('./paths');

/** The `packages` table of a lockfile, or undefined when there is none to read. */
function lockedPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * Whether every locked package is installed in its locked version, by npm's own record of what it installed.
 */
function packagesAreCurrent() {
  const wanted = lockedPackages('package-lock.json') ?? {};
  const installed = lockedPackages('node_modules/.package-lock.json');
  if (installed === undefined) return false;
  return Object.entries(wanted)
    .filter(([place, { optional }]) => place !== '' && !optional)
    .every(
      ([place, { version }]) =>
        installed[place]?.version === version && fs.existsSync(path.join(ROOT, place)),
    );
}

function installPackages() {
  log('installing the development packages');
  // The tools' install scripts are not needed; NODE_ENV=production must not leave the tools out.
  const args = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const { status, error } = runNpm(args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  if (error) throw new BuildError(`npm could not be run: ${error.message}`);
  if (status !== 0) throw new BuildError('npm ci failed; its words are above');
}

function ensure({ light }) {
  if (!packagesAreCurrent()) installPackages();
  if (!process.env.RUST_WORKERS_BINARY) {
    if (!isReady()) build();
    // What was built once is kept as new as its sources.
    if ((light || fs.existsSync(LIGHT.file)) && !isLightReady()) buildLight();
  }
  ensureBundle();
}

if (require.main === module) runAsCommand(() => ensure({ light: process.argv.includes('--light') }));
