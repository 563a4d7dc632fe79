'use strict';

/**
 * A registry of packages on a loopback port, for as long as a test runs: `npm publish` fills it, and package managers install from
 * it as from the real one. It has what was published to it and nothing else, unless it is told to send for the rest elsewhere. (verdaccio does this too; its own dependencies ask
 * for a tag that not every mirror has.)
 */

const { createHash } = require('node:crypto');
const http = require('node:http');

/** Some package managers do not take what was published less than a day ago. */
const LONG_AGO = '2020-01-01T00:00:00.000Z';

/** The words of the short form that installers ask for; npm 11 reads `libc` in it too. */
const acceptsShort = (request) => /vnd\.npm\.install-v1/.test(request.headers.accept ?? '');

function bodyOf(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
    request.on('end', () => resolve(Buffer.concat(chunks)));
  });
}

/**
 * @param {{ upstream?: string }} [options] `upstream`: the registry that has what this one has not, but for names of ours
 * @returns {Promise<{ url: string, packages: Map<string, object>, asked: string[], close(): Promise<void> }>} `packages`: what
 *   was published, as npm has sent it; `asked`: the paths of all requests
 */
async function startRegistry({ upstream } = {}) {
  const packages = new Map();
  const tarballs = new Map();
  const asked = [];
  let url;

  async function publish(request, response) {
    const { name, versions, 'dist-tags': tags, _attachments: attachments } = JSON.parse(await bodyOf(request));
    const known = packages.get(name) ?? { _id: name, name, 'dist-tags': {}, versions: {}, time: {} };
    for (const [version, manifest] of Object.entries(versions)) {
      const [[, { data }]] = Object.entries(attachments);
      const tarball = Buffer.from(data, 'base64');
      const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
      if (manifest.dist.integrity !== integrity) return response.writeHead(400).end('{"error":"the integrity is another"}');
      const file = `/${name}/-/${name}-${version}.tgz`;
      tarballs.set(file, tarball);
      known.versions[version] = { ...manifest, dist: { ...manifest.dist, tarball: `${url}${file.slice(1)}` } };
      known.time[version] = LONG_AGO;
    }
    Object.assign(known['dist-tags'], tags);
    packages.set(name, known);
    return response.writeHead(201).end('{"ok":true}');
  }

  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    asked.push(pathname);
    if (request.method === 'PUT') return void publish(request, response);
    const tarball = tarballs.get(pathname);
    if (tarball !== undefined) return void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball);
    const found = packages.get(decodeURIComponent(pathname.slice(1)));
    if (found === undefined && upstream !== undefined && !pathname.startsWith('/rust-workers')) {
      return void response.writeHead(302, { location: new URL(pathname.slice(1), upstream).href }).end();
    }
    if (found === undefined) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}');
    const type = acceptsShort(request) ? 'application/vnd.npm.install-v1+json' : 'application/json';
    return void response.writeHead(200, { 'content-type': type }).end(JSON.stringify(found));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${server.address().port}/`;
  const close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return { url, packages, asked, close };
}

module.exports = { startRegistry };
