'use strict';

/**
 * The package managers, from npm where each is a package, and how each is told the same things. `bin`: the commands that it
 * has on a machine, and the file that is each.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const PLACE = process.env.RW_MANAGERS_DIR || path.join(os.tmpdir(), 'rust-workers-managers');

/** The versions that were tried. npm 11 is what has run this, as a rule; 12 does not start on Node.js 20. */
const PACKAGES = {
  'npm-10': 'npm@10.9.9',
  'npm-11': 'npm@11.19.1',
  'npm-12': 'npm@12.2.1',
  'pnpm-10': 'pnpm@10.34.8',
  'pnpm-12': '@pnpm/exe.linux-x64@12.21.0',
  yarn: '@yarnpkg/cli-dist@4.18.1',
  bun: '@oven/bun-linux-x64@1.4.5',
};

/** Installs what is missing of them, and removes nothing. */
function getManagers() {
  const manifest = path.join(PLACE, 'package.json');
  const dependencies = Object.fromEntries(Object.entries(PACKAGES).map(([name, spec]) => [name, `npm:${spec}`]));
  const text = JSON.stringify({ private: true, dependencies });
  if (fs.existsSync(manifest) && fs.readFileSync(manifest, 'utf8') === text && fs.existsSync(path.join(PLACE, 'node_modules'))) return;
  fs.mkdirSync(PLACE, { recursive: true });
  fs.writeFileSync(manifest, text);
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'], {
    cwd: PLACE,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const file = (...parts) => path.join(PLACE, 'node_modules', ...parts);

const npm = (name, oldestNode) => ({
  name,
  oldestNode,
  bin: { npm: file(name, 'bin', 'npm-cli.js'), npx: file(name, 'bin', 'npx-cli.js') },
  add: 'npm install --ignore-scripts rust-workers',
  node: 'node',
  again: 'npm ci --ignore-scripts --offline',
  omit: 'npm ci --omit=optional',
  run: 'npx rust-workers',
  isQuiet: ({ stderr }) => stderr === '',
});

const pnpm = (name, command) => ({
  name,
  bin: { pnpm: command },
  add: 'pnpm add rust-workers',
  node: 'node',
  again: 'pnpm install --frozen-lockfile --offline',
  omit: 'pnpm install --frozen-lockfile --no-optional',
  run: 'pnpm exec rust-workers',
  isQuiet: ({ stdout, stderr }) => !/WARN|Ignored build scripts/.test(stdout + stderr),
});

const yarn = (name, linker) => ({
  name,
  bin: { yarn: file('yarn', 'bin', 'yarn.js') },
  // Plug'n'Play has a setting of its own for programs that are ES modules.
  files: { '.yarnrc.yml': `nodeLinker: ${linker}\n${linker === 'pnp' ? 'pnpEnableEsmLoader: true\n' : ''}`, 'yarn.lock': '' },
  add: 'yarn add rust-workers',
  node: linker === 'pnp' ? 'yarn node' : 'node',
  again: 'yarn install --immutable',
  run: 'yarn rust-workers',
  // YN0092 is about the setting above.
  isQuiet: ({ stdout, stderr }) => stderr === '' && (linker === 'pnp' ? /YN0092/ : /with warnings/).test(stdout) === (linker === 'pnp'),
});

const MANAGERS = [
  npm('npm-10'),
  npm('npm-11'),
  npm('npm-12', 22),
  pnpm('pnpm-10', file('pnpm-10', 'bin', 'pnpm.cjs')),
  pnpm('pnpm-12', file('pnpm-12', 'pnpm')),
  yarn('yarn with node_modules', 'node-modules'),
  yarn("yarn with Plug'n'Play", 'pnp'),
  {
    name: 'bun',
    bin: { bun: file('bun', 'bin', 'bun'), bunx: file('bun', 'bin', 'bun') },
    add: 'bun add rust-workers',
    node: 'node',
    again: 'bun install --frozen-lockfile',
    omit: 'bun install --omit=optional',
    run: 'bunx rust-workers',
    isQuiet: ({ stdout, stderr }) => !/warn|error|blocked/i.test(stdout + stderr),
  },
];

/** Puts the commands of a manager on a machine. */
function putOn(bin, manager) {
  for (const [name, target] of Object.entries(manager.bin)) {
    const command = path.join(bin, name);
    if (target.endsWith('js')) fs.writeFileSync(command, `#!/bin/sh\nexec node ${target} "$@"\n`, { mode: 0o755 });
    else fs.symlinkSync(target, command);
  }
}

module.exports = { MANAGERS, getManagers, putOn };
