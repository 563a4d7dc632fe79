'use strict';

// lib/runtime/clock.js and v8-timers.js: how Node's timers are told. What becomes of limits where they are not
// Node's is tested in ../clock.test.js.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('timers', (run) => {
  test('of Node prove that they are', async () => {
    const end = await run(({ say }) => {
      const { areReal, clearTimeout, findTimers, setTimeout } = require('./lib/runtime/clock');
      const timers = require('node:timers');
      say(areReal(timers), findTimers() !== undefined, setTimeout === timers.setTimeout);
      const timer = setTimeout(() => {}, 1);
      say(timer._destroyed);
      clearTimeout(timer);
      say(timer._destroyed);
    });
    assert.deepEqual(end, quietly('true true true', 'false', 'true'));
  });

  test('that do not say that they have ended count as false, and those of V8 serve', async () => {
    const end = await run(({ say }) => {
      const timers = require('node:timers');
      for (const name of ['setTimeout', 'setImmediate']) {
        const { [name]: make } = timers;
        timers[name] = (...given) => {
          const timer = make(...given);
          return { close: () => timer.close?.() };
        };
      }
      const clock = require('./lib/runtime/clock');
      say(clock.findTimers() === undefined, clock.setTimeout === require('./lib/runtime/v8-timers').setTimeout);
      const began = clock.now();
      clock.setTimeout(() => say('due', clock.now() - began > 18), 20);
      clock.setImmediate(() => say('next turn'));
    });
    assert.deepEqual(end, quietly('true true', 'next turn', 'due true'));
  });

  test('of another runtime are taken as they are', async () => {
    const end = await run(({ say }) => {
      Object.defineProperty(process.versions, 'bun', { value: '1.0.0' });
      say(require('./lib/runtime/clock').areReal({}));
    });
    assert.deepEqual(end, quietly('true'));
  });
});
