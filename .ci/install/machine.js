'use strict';

/**
 * A machine as strangers have it: Node.js and a package manager, and neither Rust, nor a C compiler, nor Python; a home folder of
 * its own, and projects that start empty.
 */

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** What the start scripts of package managers call. */
const COMMANDS = ['sh', 'env', 'dirname', 'basename', 'sed', 'uname', 'readlink'];

function find(command) {
  const folder = process.env.PATH.split(path.delimiter).find((it) => fs.existsSync(path.join(it, command)));
  if (folder === undefined) throw new Error(`${command} is not on this machine`);
  return path.join(folder, command);
}

/** Ends of processes, for a test that waits. `code`: or the signal that has ended it; `timeout`: milliseconds, by default without a limit. */
function run(command, args, { cwd, env, timeout }) {
  const child = spawn(command, args, { cwd, env, timeout, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, stdout, stderr }));
  });
}

/**
 * @param {{ registry: string, node?: string }} options `node`: an executable
 */
function makeMachine({ registry, node = process.execPath }) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-machine-')));
  const bin = path.join(folder, 'bin');
  const home = path.join(folder, 'home');
  fs.mkdirSync(bin);
  fs.mkdirSync(home);
  fs.symlinkSync(node, path.join(bin, 'node'));
  for (const command of COMMANDS) fs.symlinkSync(find(command), path.join(bin, command));
  const env = {
    PATH: bin,
    HOME: home,
    npm_config_update_notifier: 'false',
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0',
    BUN_CONFIG_REGISTRY: registry,
    NO_COLOR: '1',
  };
  // For npm and pnpm; to publish, npm asks for some token.
  const { host } = new URL(registry);
  fs.writeFileSync(path.join(home, '.npmrc'), `registry=${registry}\n//${host}/:_authToken=any\n`);
  let count = 0;
  return {
    env,
    folder,
    /** An empty folder for a program. */
    project(files = {}) {
      const place = path.join(folder, `project-${(count += 1)}`);
      fs.mkdirSync(place);
      for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(place, name), text);
      return place;
    },
    run: (command, args, { cwd, more = {} }) => run(command, args, { cwd, env: { ...env, ...more } }),
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

module.exports = { find, makeMachine, run };
