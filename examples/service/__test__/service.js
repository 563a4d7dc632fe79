'use strict';

/** The service as a real process, for tests: started, asked, ended. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');

const MAIN = path.join(__dirname, '..', 'main.js');

class Service {
  /** What it has logged: one object a line. */
  log = [];
  output = '';
  port;

  #child;
  #watchers = new Set();
  #exit;

  constructor(env) {
    this.#child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exit = once(this.#child, 'close');
    let rest = '';
    this.#child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      this.log.push(...lines.map((line) => JSON.parse(line)));
      this.#look();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.output += text));
    this.#exit.then(() => this.#look());
  }

  #look() {
    for (const watcher of this.#watchers) watcher();
  }

  /** The first line of the log that fits, once it is there. */
  logged(fits) {
    return new Promise((resolve, reject) => {
      const watcher = () => {
        const line = this.log.find(fits);
        if (line === undefined && this.#child.exitCode === null && this.#child.signalCode === null) return;
        this.#watchers.delete(watcher);
        if (line !== undefined) resolve(line);
        else reject(new Error(`the service ended without that line: ${this.output}`));
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }

  kill(signal) {
    this.#child.kill(signal);
  }

  /** How it ended. */
  async ended() {
    const [code, signal] = await this.#exit;
    return { code, signal, output: this.output };
  }

  /** @returns {{ answer: Promise<{ status, headers, text }>, request: http.ClientRequest }} */
  ask(url, headers = {}) {
    const request = http.get({ port: this.port, path: url, headers, agent: false });
    const answer = once(request, 'response').then(async ([response]) => {
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part;
      return { status: response.statusCode, headers: response.headers, text };
    });
    return { request, answer };
  }

  get(url, headers) {
    return this.ask(url, headers).answer;
  }

  async json(url, headers) {
    return JSON.parse((await this.get(url, headers)).text);
  }

  /** The numbers of /metrics, by name. */
  async metrics() {
    const { text } = await this.get('/metrics');
    return parseMetrics(text);
  }

  /** Asks again until it is so: for what the service does after its answer. */
  async until(ask, isSo) {
    for (;;) {
      const found = await ask();
      if (isSo(found)) return found;
    }
  }
}

/** Reads the text format of Prometheus; a line that is none is an error. */
function parseMetrics(text) {
  const samples = new Map();
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-zA-Z_:][\w:]* \S/.test(line)) continue;
    const match = /^([a-zA-Z_:][\w:]*(?:\{[^}]*\})?) (\S+)$/.exec(line);
    if (match === null || (Number.isNaN(Number(match[2])) && !/^(nan|[+-]inf)$/i.test(match[2]))) throw new Error(`no metric: ${line}`);
    samples.set(match[1], Number(match[2]));
  }
  return samples;
}

async function start(t, env) {
  const service = new Service(env);
  t.after(() => service.kill('SIGKILL'));
  const { msg } = await service.logged((line) => line.msg.startsWith('Server listening'));
  service.port = Number(/:(\d+)$/.exec(msg)[1]);
  return service;
}

module.exports = { start };
