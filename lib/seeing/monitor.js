'use strict';

/**
 * A page that shows a pool while it works: what `pool.monitor()` opens.
 *
 * It is a server of this package alone: three files, and a stream of events. It answers GET and HEAD, only to names under which
 * nobody else can have a page (`isOwnName`): a site that a browser has open could otherwise point a name of its own at this server
 * and read what it says (DNS rebinding). It listens on the loopback address unless it is told otherwise.
 *
 * Nothing is recorded while nobody looks.
 */

const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');

const { InvalidArgTypeError, InvalidArgValueError, PoolClosedError } = require('../errors');
const { showState } = require('../inspection');
const { clearTimeout, setTimeout } = require('../runtime/clock');
const { describe, validateInteger, validateOptions, validateString } = require('../validators');
const { Frames } = require('./frames');

const OPTIONS = new Set(['allowedHosts', 'host', 'port']);

const LOOPBACK = '127.0.0.1';
/** Milliseconds between two frames. */
const EVERY = 500;
/** Pages that may look at the same time. */
const VIEWERS = 50;
/** A page that is so many bytes late misses frames. */
const LATE = 1024 * 1024;

/** The files, by path. */
const FILES = {
  __proto__: null,
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
};
const EVENTS = '/events';

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

class Monitor {
  static {
    showState(this, (it) => ({ url: it.#url, pages: it.#viewers.size, closed: it.#closed !== undefined }));
  }

  #watched;
  #allowed;
  #server;
  #url;
  /** Responses of pages that look. */
  #viewers = new Set();
  /** While somebody looks. */
  #frames;
  #timer;
  #closed;

  constructor(watched, { host, allowedHosts }) {
    this.#watched = watched;
    this.#allowed = new Set([host, ...allowedHosts].map((name) => name.toLowerCase()));
    this.#server = http.createServer((request, response) => this.#answer(request, response));
    // A page that is open keeps no process alive.
    this.#server.on('connection', (socket) => socket.unref());
    watched.watchers.add(this);
  }

  /** Where the page is. */
  get url() {
    return this.#url;
  }

  /** @internal */
  listen(port, host) {
    return new Promise((resolve, reject) => {
      const server = this.#server;
      server.once('error', (error) => {
        this.#watched?.watchers.delete(this);
        reject(error);
      });
      server.listen({ port, host }, () => {
        server.unref();
        const { address, family, port: bound } = server.address();
        const shown = net.isIP(host) === 0 ? host : reachable(address);
        this.#url = `http://${family === 'IPv6' && net.isIP(host) !== 0 ? `[${shown}]` : shown}:${bound}/`;
        server.removeAllListeners('error');
        server.on('error', () => {});
        resolve(this);
      });
    });
  }

  #answer(request, response) {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const { method } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return refuse(response, 405, 'Only GET and HEAD.');
    }
    if (!isOwnName(request.headers.host, this.#allowed)) {
      return refuse(response, 403, 'This host name is not allowed: give it in allowedHosts, pool.monitor({ allowedHosts: [name] }).');
    }
    const place = request.url.split('?', 1)[0];
    if (place === EVENTS) return this.#view(method, response);
    const file = FILES[place];
    if (file === undefined) return refuse(response, 404, 'There is nothing here.');
    const [name, type] = file;
    const body = fs.readFileSync(`${__dirname}${path.sep}page${path.sep}${name}`);
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length });
    response.end(method === 'HEAD' ? undefined : body);
  }

  #view(method, response) {
    if (this.#viewers.size >= VIEWERS) return refuse(response, 503, `${VIEWERS} pages look already.`);
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    if (method === 'HEAD') return response.end();
    response.write('retry: 1000\n\n');
    this.#viewers.add(response);
    response.on('error', () => {});
    response.on('close', () => {
      this.#viewers.delete(response);
      if (this.#viewers.size === 0) this.#rest();
    });
    if (this.#frames === undefined) {
      this.#frames = new Frames(this.#watched);
      this.#tell();
    }
  }

  /** Tells all pages, and again after a time. */
  #tell() {
    this.#send(this.#frames.next());
    this.#timer = setTimeout(() => this.#tell(), EVERY);
    this.#timer.unref?.();
  }

  #send(frame) {
    const text = `data: ${JSON.stringify(frame)}\n\n`;
    for (const viewer of this.#viewers) if (viewer.writableLength < LATE) viewer.write(text);
  }

  /** Nobody looks. */
  #rest() {
    clearTimeout(this.#timer);
    this.#frames?.close();
    this.#frames = undefined;
  }

  /** The pool closes: the pages are told, and the server ends. */
  poolCloses() {
    if (this.#frames !== undefined) this.#send(this.#frames.last());
    this.close();
  }

  /** Ends the server; resolves when it has ended. */
  close() {
    this.#closed ??= new Promise((resolve) => {
      this.#watched.watchers.delete(this);
      this.#rest();
      this.#server.close(() => resolve());
      for (const viewer of this.#viewers) viewer.end();
      this.#server.closeIdleConnections();
      // What does not end by itself.
      setTimeout(() => this.#server.closeAllConnections(), 100).unref?.();
      this.#watched = undefined;
    });
    return this.#closed;
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }
}

function refuse(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/** An address at which this machine reaches a server that listens on all. */
function reachable(address) {
  if (address === '0.0.0.0') return LOOPBACK;
  return address === '::' ? '::1' : address;
}

/**
 * Whether a Host header is a name that no other site can have: an address, `localhost`, or a name that was allowed.
 *
 * @param {string | undefined} header
 * @param {Set<string>} allowed in lower case
 */
function isOwnName(header, allowed) {
  if (header === undefined) return false;
  const [, name] = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(header.toLowerCase()) ?? [];
  if (name === undefined || name === '') return false;
  if (name === 'localhost' || name.endsWith('.localhost') || allowed.has(name)) return true;
  return name.startsWith('[') ? net.isIPv6(name.slice(1, -1)) : net.isIPv4(name);
}

/**
 * @param {object} watched the pool, as `WorkerPool` gives it
 * @param {{ port?: number, host?: string, allowedHosts?: string[] }} [options]
 * @returns {Promise<Monitor>}
 */
async function openMonitor(watched, options = {}) {
  const { port = 0, host = LOOPBACK, allowedHosts = [] } = validateOptions(options, 'options', OPTIONS);
  validateInteger(port, 'options.port', 0, 65_535);
  validateString(host, 'options.host');
  // Node would listen on all addresses, as it does without one.
  if (host === '') throw new InvalidArgValueError(`The "options.host" property must not be empty: for all addresses of this machine it is '0.0.0.0' or '::'`);
  if (!Array.isArray(allowedHosts) || !allowedHosts.every((name) => typeof name === 'string')) {
    throw new InvalidArgTypeError(`The "options.allowedHosts" property must be an array of strings. Received ${describe(allowedHosts)}`);
  }
  if (watched.pool.closed) throw new PoolClosedError('the pool is closed: there is nothing to show');
  return new Monitor(watched, { host, allowedHosts }).listen(port, host);
}

module.exports = { isOwnName, openMonitor };
