'use strict';

// lib/runtime/port-refusals.js: Node's own errors for ports in messages.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode("Node's refusals of ports", (run) => {
  test('are the errors that Node throws for its own ports', async () => {
    const end = await run(({ say }) => {
      const { MessageChannel, markAsUntransferable } = require('node:worker_threads');
      const refusals = require('./lib/runtime/port-refusals');
      const thrownBy = (post) => {
        try {
          post();
          return undefined;
        } catch (error) {
          return error;
        }
      };
      const alike = (one, other) => ['name', 'message', 'code'].every((key) => one?.[key] === other?.[key]);
      const { port1, port2 } = new MessageChannel();
      const { port1: detached } = new MessageChannel();
      const { port1: marked } = new MessageChannel();
      port1.postMessage(0, [detached]);
      markAsUntransferable(marked);
      say(alike(refusals.notListed(false), thrownBy(() => port1.postMessage(port2))));
      say(refusals.notListed(false) instanceof Error);
      say(alike(refusals.notListed(true), thrownBy(() => port1.postMessage(detached))), refusals.notListed(true).name);
      say(alike(refusals.duplicate(), thrownBy(() => port1.postMessage(0, [port2, port2]))), refusals.duplicate().name);
      say(alike(refusals.untransferable(), thrownBy(() => port1.postMessage(0, [marked]))));
      const ours = {};
      say(refusals.isMarkedAsUntransferable(ours));
      markAsUntransferable(ours);
      say(refusals.isMarkedAsUntransferable(ours));
      const { port, close } = refusals.unlisted(false);
      say(thrownBy(() => port1.postMessage({ get read() { return say('read'); } }, [port1])) !== undefined);
      say(alike(thrownBy(() => port1.postMessage(port)), refusals.notListed(false)));
      close();
      for (const each of [port1, marked]) each.close();
    });
    assert.deepEqual(
      end,
      quietly(
        // Node 20 throws a TypeError for a port that is not listed.
        'true', 'true', 'true DataCloneError', 'true DataCloneError', 'true', 'false', 'true', 'true', 'true',
      ),
    );
  });

  test('are errors of ours where Node refuses nothing', async () => {
    const end = await run(({ say }) => {
      const { MessagePort } = require('node:worker_threads');
      MessagePort.prototype.postMessage = () => {};
      const { duplicate, notListed } = require('./lib/runtime/port-refusals');
      for (const { name, message } of [notListed(false), duplicate()]) say(name, message);
    });
    assert.deepEqual(
      end,
      quietly(
        'DataCloneError A port in the message is not on the transfer list',
        'DataCloneError The transfer list contains a port twice',
      ),
    );
  });
});
