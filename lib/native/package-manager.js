'use strict';

/**
 * Which package manager has installed this package, and its commands, for advice: an error that tells a user of pnpm what to do
 * with npm helps nobody. Known by what each leaves in a project.
 */

const fs = require('node:fs');
const path = require('node:path');

/**
 * `run`: runs this package's command; `install`: installs what is missing, optional dependencies too; `omit`: by what those are
 * left out.
 */
const MANAGERS = {
  npm: {
    run: 'npx rust-workers',
    install: 'npm install --include=optional',
    omit: 'npm was told to omit optional dependencies (--omit=optional, --no-optional)',
  },
  pnpm: {
    run: 'pnpm exec rust-workers',
    install: 'pnpm install --force',
    omit: 'pnpm was told to leave optional dependencies out (--no-optional)',
  },
  yarn: {
    run: 'yarn rust-workers',
    install: 'yarn install',
    omit: 'supportedArchitectures in .yarnrc.yml does not name this platform',
  },
  bun: {
    run: 'bunx rust-workers',
    install: 'bun install --force',
    omit: 'Bun was told to omit optional dependencies (--omit=optional)',
  },
};

/** What each leaves in a folder, the surest first. */
const MARKS = [
  ['node_modules/.modules.yaml', 'pnpm'],
  ['node_modules/.yarn-state.yml', 'yarn'],
  ['node_modules/.yarn-integrity', 'yarn'],
  ['.pnp.cjs', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['node_modules/.package-lock.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['package-lock.json', 'npm'],
];

/** Also where this process may not look (--permission): then nothing is there. */
function isThere(file) {
  try {
    return fs.existsSync(file);
  } catch {
    return false;
  }
}

/** The name of the one whose marks stand nearest above a folder. */
function managerOf(root) {
  for (let folder = path.dirname(root), last; folder !== last; last = folder, folder = path.dirname(folder)) {
    const mark = MARKS.find(([file]) => isThere(path.join(folder, file)));
    if (mark !== undefined) return mark[1];
  }
  return undefined;
}

/**
 * @param {string} root the folder of this package
 * @param {object} env
 * @returns {{ name: string, run: string, install: string, omit: string }}
 */
function packageManager(root, env) {
  // Such as `pnpm/10.1.0 npm/? node/v20.20.2 linux x64`; set while a package manager runs this process.
  const [agent] = (env.npm_config_user_agent ?? '').split('/');
  const name = managerOf(root) ?? (Object.hasOwn(MANAGERS, agent) ? agent : 'npm');
  return { name, ...MANAGERS[name] };
}

module.exports = { packageManager };
