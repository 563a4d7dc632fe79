'use strict';

/**
 * Small projects outside of the repository, in which this package is what a user installs: the packed files, and not a link
 * to the clone. For .ci/types, .ci/frameworks and .ci/bundlers.
 *
 * Other packages are installed from npm once, into a folder of the temporary folder (or RW_PROJECTS_DIR), and used again.
 */

const { spawn, spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const PLACE = process.env.RW_PROJECTS_DIR ?? path.join(os.tmpdir(), 'rust-workers-projects');

/** Runs a command to its end; throws, with all that it printed, when it fails. */
function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed in ${options.cwd ?? '.'}:\n${stdout}${stderr}`);
  return stdout;
}

/**
 * Installs the packages of a package.json.
 *
 * @param {string} file the package.json
 * @returns {string} a folder whose node_modules has them
 */
function installed(file) {
  const text = fs.readFileSync(file, 'utf8');
  const name = path.relative(ROOT, path.dirname(file)).replaceAll(/\W+/g, '-').replace(/^[-_]+/, '');
  const folder = path.join(PLACE, `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`);
  if (!fs.existsSync(folder)) {
    // Under another name until it is whole: a run may be ended in the middle, or another may do the same.
    fs.mkdirSync(PLACE, { recursive: true });
    const draft = fs.mkdtempSync(`${folder}.draft-`);
    fs.writeFileSync(path.join(draft, 'package.json'), text);
    // The scripts of these packages only replace what npm has installed as optional packages anyway.
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'], { cwd: draft });
    try {
      fs.renameSync(draft, folder);
    } catch (error) {
      if (!fs.existsSync(folder)) throw error;
      fs.rmSync(draft, { recursive: true });
    }
  }
  return folder;
}

let unpacked;

/** The folder with what `npm pack` puts into the package: in a clone with this machine's addon. */
function packedPackage() {
  if (unpacked === undefined) {
    const folder = scratch('packed');
    run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT });
    const tarball = path.join(folder, fs.readdirSync(folder)[0]);
    run('tar', ['-xzf', tarball, '-C', folder]);
    unpacked = { tarball, folder: path.join(folder, 'package') };
  }
  return unpacked;
}

/**
 * Makes a project: a folder with the files of `from`, the packages of `packages`, and this package.
 *
 * @param {string} name
 * @param {{ from?: string, packages?: string, modules?: Record<string, string> }} parts `packages`: a folder from `installed`;
 *   `modules`: names in node_modules, and the folders that they are
 * @returns {string} the folder
 */
function project(name, { from, packages, modules = {} }) {
  const folder = scratch(name);
  if (from !== undefined) fs.cpSync(from, folder, { recursive: true });
  const nodeModules = path.join(folder, 'node_modules');
  if (packages !== undefined) {
    // Copied as links of files: programs that follow links must find this package beside the others.
    run('cp', ['-al', path.join(packages, 'node_modules'), nodeModules]);
  }
  for (const [module, target] of Object.entries(modules)) {
    fs.mkdirSync(path.dirname(path.join(nodeModules, module)), { recursive: true });
    fs.symlinkSync(target, path.join(nodeModules, module));
  }
  fs.cpSync(packedPackage().folder, path.join(nodeModules, 'rust-workers'), { recursive: true });
  return folder;
}

const scratched = [];
process.on('exit', () => {
  if (process.env.RW_KEEP_PROJECTS) return console.log(`The projects are kept: ${scratched.join(' ')}`);
  for (const folder of scratched) fs.rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that is removed when this process ends. On the file system of PLACE: so its packages can be linked. */
function scratch(name) {
  fs.mkdirSync(PLACE, { recursive: true });
  const folder = fs.mkdtempSync(path.join(PLACE, `run-${name.replace(/\W+/g, '-')}-`));
  scratched.push(folder);
  return folder;
}

/**
 * Runs a program to its end, or kills it when `limit` is over.
 *
 * @returns {Promise<{ status: number | null, output: string, took: number, isKilled: boolean }>} `output`: of both streams
 */
function execute(command, args, { limit, ...options }) {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    // Into a file: of an error in a program of one long line Node writes no more into a pipe than that takes at once.
    const written = path.join(scratch('output'), 'output');
    const file = fs.openSync(written, 'w');
    const child = spawn(command, args, { stdio: ['ignore', file, file], detached: true, ...options });
    fs.closeSync(file);
    let isKilled = false;
    const timer = setTimeout(() => {
      isKilled = true;
      // Its children too: they hold its output.
      process.kill(-child.pid, 'SIGKILL');
    }, limit);
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      const output = fs.readFileSync(written, 'utf8');
      resolve({ status, output, took: performance.now() - begin, isKilled });
    });
  });
}

/** Calls `work` for each item, `at` of them at a time. Returns the results in order. */
async function inTurns(items, at, work) {
  const results = [];
  let next = 0;
  const turn = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]);
    }
  };
  await Promise.all(Array.from({ length: at }, turn));
  return results;
}

/** The executables of Node to test with: this one, and the newest that .ci/nodes installs. */
function oldestAndNewest() {
  const listed = run(path.join(ROOT, '.ci', 'nodes'), ['--list']).trim().split(':');
  return [process.execPath, listed.at(-1)].map((file) => ({ file, version: run(file, ['--version']).trim() }));
}

module.exports = { PLACE, ROOT, execute, inTurns, installed, oldestAndNewest, packedPackage, project, run };
