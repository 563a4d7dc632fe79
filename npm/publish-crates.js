'use strict';

/**
 * Publishes the crates for tasks of one's own at crates.io, in the order in which they need each other. What is published already is
 * passed over, so that a release that broke off can be finished.
 *
 *     node npm/publish-crates.js
 *     node npm/publish-crates.js --dry-run    packs and compiles each as it would be published
 */

const { spawnSync } = require('node:child_process');
const os = require('node:os');

const { version } = require('../package.json');
const { ROOT } = require('./places');

const CRATES = ['rust-workers-abi', 'rust-workers-task-macros', 'rust-workers-task'];

function cargo(words, options = {}) {
  const { status, error } = spawnSync('cargo', words, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error) throw error;
  return status === 0;
}

/** Whether the registry has this version of a crate: asked outside of the workspace, where cargo would answer from its own. */
const isPublished = (crate) =>
  cargo(['info', '--quiet', '--registry', 'crates-io', `${crate}@${version}`], { cwd: os.tmpdir(), stdio: 'ignore' });

function publish() {
  for (const crate of CRATES) {
    if (isPublished(crate)) process.stdout.write(`${crate} ${version} is published already\n`);
    else if (!cargo(['publish', '--locked', '--package', crate])) return false;
  }
  return true;
}

/** All at once: cargo compiles each with those before it, though the registry does not have them. */
const tryOut = () => cargo(['publish', '--locked', '--dry-run', ...CRATES.flatMap((crate) => ['--package', crate])]);

if (!(process.argv.includes('--dry-run') ? tryOut() : publish())) process.exitCode = 1;
