'use strict';

/** A channel of ours and one of Node's to the same worker, so that both have the same threads. */

const path = require('node:path');
const { MessageChannel: NodeMessageChannel, Worker } = require('node:worker_threads');

const ours = require('../../..');
const { listen, prepare } = require('./bursts');
const cases = require('./cases');

const OURS = 0;
const NODE = 1;

class Link {
  #worker = new Worker(path.join(__dirname, 'worker.js'));
  #counters;
  ports;

  constructor() {
    const channels = [new ours.MessageChannel(), new NodeMessageChannel()];
    const there = channels.map(({ port2 }) => port2);
    this.#worker.postMessage(...ours.carry({ ports: there }, there));
    this.ports = channels.map(({ port1 }) => port1);
    this.#counters = this.ports.map(listen);
  }

  tell(what, which, index) {
    this.#worker.postMessage({ what, which, index });
  }

  answer() {
    return new Promise((resolve) => this.#worker.once('message', resolve));
  }

  /** Messages a second, from the first post until the worker's listener has had the last. */
  async there(which, index) {
    const post = prepare(cases[index]);
    const ready = this.answer();
    this.tell('count', which, index);
    await ready;
    const started = performance.now();
    const got = this.answer();
    post(this.ports[which]);
    await got;
    return (cases[index].count / (performance.now() - started)) * 1000;
  }

  /** Messages a second, from the moment the worker should post until the listener here has had the last. */
  async back(which, index) {
    const ready = this.answer();
    this.tell('prepare', which, index);
    await ready;
    const all = this.#counters[which](cases[index].count);
    const started = performance.now();
    this.tell('post', which, index);
    await all;
    return (cases[index].count / (performance.now() - started)) * 1000;
  }

  /** From here on the worker answers each message, in its event loop or in place. */
  async serve(which, how) {
    this.ports[which].removeAllListeners('message');
    const ready = this.answer();
    this.tell(how, which);
    await ready;
  }

  /** Microseconds a round trip, between two event loops. */
  trips(which, count) {
    const port = this.ports[which];
    const started = performance.now();
    return new Promise((resolve) => {
      let left = count;
      port.on('message', () => {
        if (--left > 0) return port.postMessage(left);
        port.removeAllListeners('message');
        resolve(((performance.now() - started) / count) * 1000);
      });
      port.postMessage(left);
    });
  }

  /** Microseconds a round trip, both ends blocking. */
  tripsInPlace(count) {
    const port = this.ports[OURS];
    const started = performance.now();
    for (let i = 0; i < count; i++) {
      port.postMessage(i);
      port.receiveSync();
    }
    return ((performance.now() - started) / count) * 1000;
  }

  async close() {
    await this.#worker.terminate();
    this.ports.forEach((port) => port.close());
  }
}

module.exports = { Link, OURS, NODE, cases };
