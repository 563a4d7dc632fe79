'use strict';

// Flags of Node's that change the language, or what programs may do: the package loads and works under each.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('./support/child');
const { LINES, everyPart } = require('./support/every-part');

const FLAGS = [
  ['--frozen-intrinsics', '--disable-warning=ExperimentalWarning'],
  ['--pending-deprecation', '--throw-deprecation'],
  ['--disallow-code-generation-from-strings'],
  ['--disable-proto=delete'],
  ['--disable-proto=throw'],
  ['--preserve-symlinks', '--preserve-symlinks-main'],
  ['--no-experimental-global-customevent'],
  ['--no-experimental-global-webcrypto'],
  ['--no-experimental-global-navigator'],
  ['--no-experimental-fetch'],
  ['--no-experimental-websocket'],
  ['--unhandled-rejections=strict', '--trace-uncaught'],
  ['--enable-source-maps'],
  ['--no-opt'],
];

const program = `async ({ load, say }) => {
  await (${everyPart})(load(), say, globalThis);
}`;

onEachNode('flags', (run) => {
  test('--frozen-intrinsics: what a script throws has its class', async () => {
    const { stdout } = await run(async ({ load, say }) => {
      const pool = new (load().WorkerPool)(require('node:path').resolve('__test__/fixtures/scripts/functions.js'), 1);
      for (const value of [new TypeError('t'), new RangeError('r', { cause: new URIError('u') })]) {
        const thrown = await pool.run('reject', value).catch((error) => error);
        say(thrown instanceof value.constructor, Object.hasOwn(thrown, 'name'), thrown.cause instanceof URIError);
      }
      await pool.close();
    }, { execArgv: FLAGS[0] });
    assert.equal(stdout, 'true false false\ntrue false true\n');
  });

  for (const flags of FLAGS) {
    test(flags[0], async (t) => {
      const probe = await run(({ say }) => say('known'), { execArgv: flags });
      if (probe.stdout !== 'known\n') return t.skip('this Node has no such flag');
      assert.deepEqual(await run(program, { execArgv: flags }), quietly(...LINES));
    });

    test(`${flags[0]}, by NODE_OPTIONS, for Workers too`, async (t) => {
      const options = { env: { NODE_OPTIONS: flags.join(' ') } };
      const probe = await run(({ say }) => say('known'), options);
      if (probe.stdout !== 'known\n') return t.skip('this Node does not take it there');
      assert.deepEqual(await run(program, options), quietly(...LINES));
    });
  }
});
