'use strict';

// Scripts in TypeScript: where Node removes types by itself they are scripts like others; where it does not, the error says what to do.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');

const { WorkerPool, errors } = require('rust-workers');
const { using } = require('../support/pools');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rw-typescript-'));
after(() => fs.rmSync(folder, { recursive: true }));
const write = (name, text) => {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
};

write('factor.ts', 'export const factor: number = 2;');
write('package.json', '{ "type": "module" }');
const esm = write('task.ts', `
  import { factor } from './factor.ts';
  import type { Anything } from './types-only.ts';
  interface Input { n: number }
  export const double = ({ n }: Input): number => n * factor;
  export default (value: Anything): string => String(value satisfies unknown);
`);
const cjs = write('task.cts', 'const n: number = 3; module.exports = { triple: (x: number): number => x * n };');
const withEnum = write('enum.ts', 'export enum Kind { One = 1 } export const kind = (): Kind => Kind.One;');

/** 'strip' where Node removes types, undefined on the older ones. */
const strips = Boolean(process.features.typescript);

describe('where Node removes types', { skip: strips ? false : 'this Node does not' }, () => {
  test('an ES module, which imports TypeScript', async () => {
    await using(new WorkerPool(pathToFileURL(esm), 1), async (pool) => {
      assert.equal(await pool.run('double', { n: 21 }), 42);
      assert.equal(await pool.runTask(5), '5');
    });
  });

  test('CommonJS', async () => {
    await using(new WorkerPool(cjs, 1), async (pool) => assert.equal(await pool.run('triple', 2), 6));
  });

  test('what is more than types is refused, with advice', async () => {
    await using(new WorkerPool(withEnum, 1), async (pool) => {
      pool.on('error', () => {});
      await assert.rejects(pool.run('kind'), (error) => {
        assert.ok(error instanceof errors.ScriptLoadError);
        assert.match(error.message, /enum is not supported.*compile it to JavaScript, or start with --import tsx/s);
        return true;
      });
    });
  });
});

describe('where it does not', { skip: strips ? 'this Node does' : false }, () => {
  for (const file of [esm, cjs]) {
    test(`${path.extname(file)}: the error says what to do`, async () => {
      await using(new WorkerPool(file, 1), async (pool) => {
        pool.on('error', () => {});
        await assert.rejects(pool.run('double', 1), (error) => {
          assert.ok(error instanceof errors.ScriptLoadError);
          assert.equal(error.cause.code, 'ERR_UNKNOWN_FILE_EXTENSION');
          assert.match(error.message, /Unknown file extension.*use Node\.js 22\.18 or later, compile it to JavaScript, or, with tsx/s);
          return true;
        });
      });
    });
  }
});
