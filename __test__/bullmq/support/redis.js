'use strict';

/**
 * A real Redis for a test file: a server of its own on a free loopback port, with a folder of its own, ended with the test.
 *
 * The executable is RW_REDIS_SERVER, or the one in PATH, or that of Debian's package, which is downloaded and unpacked into a
 * folder for temporary files, with the libraries it depends on. Nothing is installed, and root is not needed.
 */

const { execFileSync, spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const PLACE = process.env.RW_REDIS_DIR ?? path.join(os.tmpdir(), 'rust-workers-redis');
const ROOT = path.join(PLACE, 'root');
/** Depended on by Debian's package, and not by the executable. */
const NOT_NEEDED = new Set(['adduser', 'libc6']);

const runs = (command, env = {}) => spawnSync(command, ['--version'], { env: { ...process.env, ...env } }).status === 0;

/** Where the unpacked libraries are: /usr/lib/<architecture>. */
function librariesOf(root) {
  const folder = path.join(root, 'usr', 'lib');
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return names.map((name) => path.join(folder, name)).join(path.delimiter);
}

function unpacked(root) {
  return { command: path.join(root, 'usr', 'bin', 'redis-server'), env: { LD_LIBRARY_PATH: librariesOf(root) } };
}

/** Downloads Debian's packages into a folder and unpacks them there. */
function download(folder) {
  const apt = (command, ...args) => execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const depends = apt('apt-cache', 'depends', 'redis-tools');
  const libraries = [...depends.matchAll(/^ {2}Depends: ([a-z0-9.+-]+)$/gm)].map(([, name]) => name);
  apt('apt-get', 'download', 'redis-server', 'redis-tools', ...libraries.filter((name) => !NOT_NEEDED.has(name)));
  for (const file of fs.readdirSync(folder)) if (file.endsWith('.deb')) apt('dpkg-deb', '-x', file, path.join(folder, 'root'));
}

/** Unpacks into a folder beside, which then takes its place: several tests may do so at a time. */
function fetchPackages() {
  fs.mkdirSync(PLACE, { recursive: true });
  const draft = fs.mkdtempSync(path.join(PLACE, 'draft-'));
  try {
    try {
      download(draft);
    } catch {
      // A fresh machine has no lists of packages.
      spawnSync('apt-get', ['update'], { stdio: 'ignore' });
      download(draft);
    }
    try {
      fs.renameSync(path.join(draft, 'root'), ROOT);
    } catch (error) {
      if (!fs.existsSync(ROOT)) throw error;
    }
  } catch (error) {
    throw new Error(
      'No redis-server was found: install one, or name it by RW_REDIS_SERVER. ' +
        `Debian's package could not be downloaded: ${error.stderr || error.message}`,
      { cause: error },
    );
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** @returns {{ command: string, env: object }} */
function findServer() {
  const named = process.env.RW_REDIS_SERVER;
  if (named) return { command: named, env: {} };
  if (runs('redis-server')) return { command: 'redis-server', env: {} };
  let found = unpacked(ROOT);
  if (!runs(found.command, found.env)) {
    fs.rmSync(ROOT, { recursive: true, force: true });
    fetchPackages();
    found = unpacked(ROOT);
  }
  return found;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a server; undefined where another program has taken the port in between. */
async function startOn(port, { command, env }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-redis-data-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject));
  let output = '';
  const ready = new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (output.includes('Ready to accept connections')) resolve(true);
    });
  });
  const stop = async () => {
    kill();
    await ended;
    process.off('exit', kill);
    fs.rmSync(folder, { recursive: true, force: true });
  };
  if (await Promise.race([ready, ended.then(() => false)])) return { port, pid: child.pid, stop };
  await stop();
  if (/Address already in use/.test(output)) return undefined;
  throw new Error(`redis-server did not start:\n${output}`);
}

/** @returns {Promise<{ connection: { host: string, port: number }, stop(): Promise<void> }>} */
async function startRedis() {
  const server = findServer();
  for (;;) {
    const started = await startOn(await freePort(), server);
    if (started !== undefined) return { connection: { host: '127.0.0.1', port: started.port }, stop: started.stop };
  }
}

module.exports = { startRedis };
