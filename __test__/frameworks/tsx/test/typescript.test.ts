import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WorkerPool, errors } from 'rust-workers';

/** Whether `--import tsx` reaches Workers. */
const isReached = Number(process.versions.node.split('.')[0]) >= 22;

async function rendered(script: string): Promise<string> {
  const pool = new WorkerPool<typeof import('./task')>(new URL(script, import.meta.url), 1);
  pool.on('error', (error: Error) => assert.ok(error instanceof errors.ScriptLoadError || 'code' in error));
  try {
    return await pool.run('render', { number: 7 });
  } finally {
    await pool.close();
  }
}

test('a script in TypeScript', async () => {
  const result = rendered('./task.ts');
  if (isReached) assert.equal(await result, 'page 7 of worker 0');
  else await assert.rejects(result, { code: 'ERR_RW_SCRIPT_LOAD', message: /register\(\); export default await import/ });
});

test('a script that registers tsx itself', async () => {
  assert.equal(await rendered('./task-with-tsx.mjs'), 'page 7 of worker 0');
});
