'use strict';

// lib/runtime/port-symbols.js, node-ports.js and closed-port.js: Node's ports from inside.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode("Node's ports", (run) => {
  test('have the names that ours need', async () => {
    const end = await run(async ({ say, once, start }) => {
      const { DISPATCH, RECEIVED_PORTS, publicPortOf } = require('./lib/runtime/port-symbols');
      const { MessageChannel, MessagePort } = require('node:worker_threads');
      const ports = require('./lib/runtime/node-ports');
      for (const name of ['NEW_LISTENER', 'REMOVE_LISTENER']) say(typeof ports[name]);
      say(ports.createEvent.call(new ports.NodeEventTarget(), 1, 'message').data, ports.Event === Event);
      const { port1, port2 } = new MessageChannel();
      const { port1: sent } = new MessageChannel();
      let dispatched;
      const { [DISPATCH]: dispatch } = port2;
      port2[DISPATCH] = function (data, type, event) {
        dispatched = [data, type, this[RECEIVED_PORTS]?.length];
        return dispatch.call(this, data, type, event);
      };
      port1.postMessage('a value', [sent]);
      const [value] = await once(port2.on('message', () => {}), 'message');
      say(value, ...dispatched);
      port1.close();
      const worker = start(() => {});
      say(publicPortOf(worker) instanceof MessagePort);
      await once(worker, 'exit');
    });
    assert.deepEqual(end, quietly('symbol', 'symbol', '1 true', 'a value a value message 1', 'true'));
  });

  test('say whether they are open, and what is wrong with a transfer list', async () => {
    const end = await run(async ({ say, once }) => {
      const { isOpen, refusalOfList } = require('./lib/runtime/node-ports');
      const { MessageChannel } = require('node:worker_threads');
      const { port1, port2 } = new MessageChannel();
      say(isOpen(port1), isOpen(port2));
      const buffer = new ArrayBuffer(8);
      say(refusalOfList([buffer, port1]) === undefined, buffer.byteLength, isOpen(port1));
      say(refusalOfList([buffer, buffer]).error.name, refusalOfList([{}])?.error.name ?? 'nothing');
      port2.ref();
      port1.close();
      await once(port2, 'close');
      say(isOpen(port1), isOpen(port2), refusalOfList([port1]).error.name);
    });
    assert.deepEqual(end.stdout.split('\n').slice(0, 2), ['true true', 'true 8 true']);
    assert.match(end.stdout, /^DataCloneError \w+$/m);
    assert.match(end.stdout, /^false false DataCloneError$/m);
  });

  test('that are closed clone, refuse and detach all the same', async () => {
    const end = await run(({ say }) => {
      const { closedPort } = require('./lib/runtime/closed-port');
      const port = closedPort();
      const buffer = new ArrayBuffer(8);
      port.postMessage({ get read() { return say('read'); } }, [buffer]);
      say(buffer.byteLength, closedPort() === port);
      try {
        port.postMessage(() => {});
      } catch (error) {
        say(error.name);
      }
    });
    assert.deepEqual(end, quietly('read', '0 true', 'DataCloneError'));
  });

  test('without one of these names there is an error that names it', async () => {
    const end = await run(({ load, say }) => {
      const { prototype } = EventTarget;
      const [name] = Object.getOwnPropertySymbols(prototype).filter(({ description }) => description === 'kNewListener');
      delete prototype[name];
      try {
        void load().MessageChannel;
      } catch ({ code, message }) {
        say(code, message.replace(process.version, ''));
      }
    });
    assert.deepEqual(end, quietly('ERR_RW_INTERNAL Node.js  has no kNewListener, which ports need; please report this'));
  });
});
