'use strict';

// lib/runtime/own-event-target.js: the event targets of Bun and Deno, side by side with Node's own.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const nodes = require('../../lib/runtime/node-ports');
const own = require('../../lib/runtime/own-event-target');
const { DISPATCH } = require('../../lib/runtime/port-symbols');

/** A target of Node's, or of ours, that records how many listeners it is told to have. */
function targetOf({ NodeEventTarget, NEW_LISTENER, REMOVE_LISTENER, createEvent }, log) {
  class Target extends NodeEventTarget {
    [NEW_LISTENER](size, type, ...rest) {
      if (type === 'message') log.push(`+${size}`);
      return super[NEW_LISTENER](size, type, ...rest);
    }

    [REMOVE_LISTENER](size, type, ...rest) {
      if (type === 'message') log.push(`-${size}`);
      return super[REMOVE_LISTENER](size, type, ...rest);
    }
  }
  const target = new Target();
  // As a port's: a MessageEvent.
  if (nodes.createEvent === createEvent) {
    const symbol = Object.getOwnPropertySymbols(MessagePort.prototype).find(({ description }) => description === 'kCreateEvent');
    target[symbol] = createEvent;
  }
  return target;
}

/** What both do by the same steps. */
function same(steps) {
  const logs = [nodes, own].map((parts) => {
    const log = [];
    const target = targetOf(parts, log);
    steps(target, (...words) => log.push(words.join(' ')), (value) => target[DISPATCH](value, 'message', undefined));
    return log;
  });
  assert.ok(logs[0].length > 0);
  assert.deepEqual(logs[1], logs[0]);
}

describe('an event target of ours is as Node has it', () => {
  test('listeners of every kind, in order, with their `this`', () => same((target, say, send) => {
    target.on('message', function (value) {
      say('on', value, this === target);
    });
    target.addEventListener('message', function (event) {
      say('event', event.data, event.type, event.target === target, event.currentTarget === target, this === target);
    });
    target.once('message', (value) => say('once', value));
    const object = { handleEvent: (event) => say('object', event.data) };
    target.addEventListener('message', object);
    send(1);
    send(2);
    say(target.listenerCount('message'), target.eventNames().join());
  }));

  test('a listener that is there counts once, however it is added again', () => same((target, say, send) => {
    const listener = () => say('called');
    target.on('message', listener);
    target.on('message', listener);
    target.addEventListener('message', listener);
    target.addEventListener('message', listener, true);
    send(1);
    target.off('message', listener);
    target.off('message', listener);
    say(target.listenerCount('message'));
    target.removeEventListener('message', listener, { capture: true });
    send(2);
  }));

  test('once, signals, and null', () => same((target, say, send) => {
    const controller = new AbortController();
    target.addEventListener('message', () => say('until aborted'), { signal: controller.signal });
    target.addEventListener('message', () => say('once'), { once: true });
    target.addEventListener('message', () => say('never'), { signal: AbortSignal.abort() });
    send(1);
    controller.abort();
    send(2);
  }));

  test('listeners that remove and add others', () => same((target, say, send) => {
    const second = () => say('second');
    target.on('message', () => {
      say('first');
      target.off('message', second);
      target.on('message', () => say('late'));
    });
    target.on('message', second);
    send(1);
  }));

  test('an event that is stopped goes no further', () => same((target, say, send) => {
    target.addEventListener('message', (event) => {
      say('stops');
      event.stopImmediatePropagation();
    });
    target.addEventListener('message', () => say('not this one'));
    target.on('message', () => say('nor this one'));
    send(1);
  }));

  test('emit, dispatchEvent, removeAllListeners', () => same((target, say) => {
    target.on('other', (value) => say('other', value instanceof Event, value?.type ?? value));
    target.addEventListener('other', (event) => say('event', event.type));
    say(target.emit('other', 5), target.emit('nobody'));
    say(target.dispatchEvent(new Event('other')));
    say(target.removeAllListeners('other') === target, target.listenerCount('other'));
  }));
});

describe('ports of this kind', () => {
  test('inherit from the runtime\'s class, and have `onmessage`', () => {
    const port = Object.assign(Object.create(own.portPrototype), {});
    const state = new own.NodeEventTarget();
    for (const key of Reflect.ownKeys(state)) port[key] = state[key];
    assert.ok(port instanceof MessagePort);
    const seen = [];
    const first = ({ data }) => seen.push(['first', data]);
    assert.equal(port.onmessage, null);
    port.onmessage = first;
    port.on('message', (value) => seen.push(['on', value]));
    assert.equal(port.onmessage, first);
    // It keeps the place of the one before.
    port.onmessage = ({ data }) => seen.push(['second', data]);
    port[DISPATCH](1, 'message', undefined);
    port.onmessage = 'no function';
    port[DISPATCH](2, 'message', undefined);
    // As on every runtime, an object stands there and is not called.
    const object = { handleEvent: () => seen.push(['object']) };
    port.onmessage = object;
    assert.equal(port.onmessage, object);
    port[DISPATCH](3, 'message', undefined);
    port.onmessage = null;
    assert.deepEqual(seen, [['second', 1], ['on', 1], ['on', 2], ['on', 3]]);
  });

  test('an error of a listener is an uncaught exception, and costs no other its event', async () => {
    const target = new own.NodeEventTarget();
    const errors = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const both = new Promise((resolve) => {
      process.on('uncaughtException', (error) => errors.push(error.message) === 2 && resolve());
    });
    let reached = false;
    target.on('message', () => {
      throw new Error('thrown');
    });
    target.on('message', () => Promise.reject(new Error('rejected')));
    target.on('message', () => (reached = true));
    target[DISPATCH](1, 'message', undefined);
    await both;
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
    assert.deepEqual(errors, ['thrown', 'rejected']);
    assert.equal(reached, true);
  });

  test('an object of the runtime\'s becomes one', () => {
    const object = { own: true };
    const changes = [];
    own.becomeOwn(object, (size, type, wasAdded) => changes.push([size, type, wasAdded]));
    const seen = [];
    const listener = (value) => seen.push(value);
    object.on('message', listener);
    object.emit('message', 7);
    object.off('message', listener);
    assert.deepEqual([seen, changes, Object.keys(object)], [[7], [[1, 'message', true], [0, 'message', false]], ['own']]);
  });
});
