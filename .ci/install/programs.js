'use strict';

/** What a newcomer writes first: programs that use native tasks, a script pool, a channel and shared memory, or light code, and print `works`. */

/** The script of the pools: it answers numbers, and what comes through a port. */
const SCRIPT = `'use strict';
exports.double = (n) => 2 * n;
exports.answer = (port) => {
  port.on('message', (text) => {
    port.postMessage(text.toUpperCase());
    port.close();
  });
  return 'listening';
};
`;

const body = (script) => `
async function main() {
  const pool = new WorkerPool({ maxThreads: 2 });
  const [digest, ...others] = await pool.map('sha256', [Buffer.from('a'), Buffer.from('b')]);
  assert.equal(Buffer.from(digest).toString('hex'), 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb');
  assert.equal(others.length, 1);

  const shared = new SharedBuffer(8);
  const cells = new Int32Array(shared.buffer);
  cells.set([3, 4]);
  assert.equal(await pool.run('sum', shared), 7);
  await assert.rejects(pool.run('panic', 'on purpose'), { code: 'ERR_RW_TASK_PANICKED' });
  await pool.close();

  const scripts = new WorkerPool(${script}, 2);
  assert.equal(await scripts.run('double', 21), 42);
  const { port1, port2 } = new MessageChannel();
  const answer = port1.receive(10_000);
  assert.equal(await scripts.run('answer', port2, { transfer: [port2] }), 'listening');
  port1.postMessage('hello');
  assert.equal(await answer, 'HELLO');
  await scripts.close();
  console.log('works');
}

main();
`;

const NAMES = '{ MessageChannel, SharedBuffer, WorkerPool }';

/** With the library of pool.light, without which the other programs work. */
const LIGHT = `'use strict';
const assert = require('node:assert/strict');
const { WorkerPool } = require('rust-workers');
async function main() {
  const pool = new WorkerPool({ maxThreads: 2 });
  const light = pool.light({ double: (n) => 2 * n, hangs: '() => { for (;;); }' }, { timeout: 100 });
  assert.equal(await light.double(21), 42);
  await assert.rejects(light.hangs(), { code: 'ERR_RW_TASK_TIMEOUT' });
  await pool.close();
  console.log('works');
}

main();
`;

const FILES = {
  'light.cjs': LIGHT,
  'script.cjs': SCRIPT,
  'program.cjs': `const assert = require('node:assert/strict');\nconst ${NAMES} = require('rust-workers');\n${body("'./script.cjs'")}`,
  'program.mjs':
    `import assert from 'node:assert/strict';\nimport ${NAMES} from 'rust-workers';\n` +
    body("new URL('./script.cjs', import.meta.url)"),
};

/** What a script's functions return is said where they are called. */
const typed = (text) => text.replaceAll('scripts.run(', 'scripts.run<unknown>(');

/** Compiled under strict, with the types of the package checked too. */
const TYPESCRIPT = {
  'typed.mts': typed(FILES['program.mjs']),
  'typed.cts': typed(
    `import assert = require('node:assert/strict');\nimport rw = require('rust-workers');\nconst ${NAMES} = rw;\n${body("'./script.cjs'")}`,
  ),
  'tsconfig.json': JSON.stringify({
    compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: false, types: ['node'] },
    include: ['typed.mts', 'typed.cts'],
  }),
};

/** Those that are run. */
const PROGRAMS = ['program.cjs', 'program.mjs', 'light.cjs'];

module.exports = { FILES, PROGRAMS, TYPESCRIPT };
