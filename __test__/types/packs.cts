/** The types of packs: what is declared of them. Nothing here runs. */

import rustWorkers = require('rust-workers');
import type { NativePack } from 'rust-workers';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

const { WorkerPool } = rustWorkers;

declare module 'rust-workers' {
  interface TaskMap {
    doubleOfTypes: { input: number; output: number };
    areaOfTypes: { input: { width: number; height: number }; output: Uint8Array };
  }
}

async function using(pack: NativePack) {
  const pool = new WorkerPool({ packs: ['./a.so', new URL('file:///b.so'), pack], limits: { tasks: { doubleOfTypes: 1 } } });
  expect<Equal<typeof used, typeof pool>>();
  const used = pool.use('./c.so').use(new URL('file:///d.so')).use(pack);
  pool.use({ name: 'mine', path: { 'linux-x64-gnu': './x.so', 'darwin-arm64': new URL('file:///y.dylib') } });
  // @ts-expect-error: a path is needed
  pool.use({ name: 'mine' });
  // @ts-expect-error: a number is no pack
  pool.use(7);

  const doubled = await pool.run('doubleOfTypes', 2);
  expect<Equal<typeof doubled, number>>();
  const prefixed = await pool.run('native:areaOfTypes', { width: 1, height: 2 });
  expect<Equal<typeof prefixed, Uint8Array>>();
  const all = await pool.map('doubleOfTypes', [1, 2]);
  expect<Equal<typeof all, number[]>>();
  const byProxy = await pool.proxy().doubleOfTypes(2);
  expect<Equal<typeof byProxy, number>>();
  // @ts-expect-error: a text is not its input
  await pool.run('doubleOfTypes', 'x');
  // @ts-expect-error: nor is half of it
  await pool.run('areaOfTypes', { width: 1 });
  // @ts-expect-error: nobody has declared it
  await pool.run('undeclaredOfTypes', 1);
}

export = { using };
