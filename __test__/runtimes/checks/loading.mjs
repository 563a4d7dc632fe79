// Loaded by `import`, so that the check is what it says.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import * as everything from '../../../lib/index.mjs';
import rw, { MessageChannel, Mutex, SharedBuffer, WorkerPool, isMainThread } from '../../../lib/index.mjs';

const require = createRequire(import.meta.url);

export const area = 'loading';

export const checks = {
  'import and require are one package': async () => {
    const required = require('../../..');
    assert.equal(required.WorkerPool, WorkerPool);
    assert.equal(rw?.SharedBuffer ?? SharedBuffer, SharedBuffer);
    assert.equal(isMainThread, true);
    for (const name of Object.keys(required)) assert.ok(name in everything, name);
  },
  'a pool, a lock and a channel by import': async () => {
    const pool = new WorkerPool();
    assert.equal(await pool.run('fibonacci', 10), 55);
    await pool.close();
    const guard = await new Mutex().lock();
    guard.release();
    const { port1, port2 } = new MessageChannel();
    port1.postMessage('x');
    assert.equal(await port2.receive(), 'x');
    port1.close();
  },
  'a script by URL, and by a file: string': async () => {
    for (const script of [new URL('../scripts/module.mjs', import.meta.url), import.meta.resolve('../scripts/module.mjs')]) {
      const pool = new WorkerPool(script, 1);
      assert.equal(await pool.run('half', 4), 2);
      await pool.close();
    }
  },
  'the modules come from the bundle': async () => {
    const bundle = require('../../../lib/bundle');
    assert.equal(bundle.isFresh(), true);
    assert.equal(bundle.load('main').WorkerPool, WorkerPool);
  },
};
