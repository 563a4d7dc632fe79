'use strict';

/** What the pages must tell: every error code, and every name that a user may come across. */

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const { describe, test } = require('node:test');

const rw = require('rust-workers');

const { stalePlots, wantedPages } = require('../../docs/figures/make');
const { CODES } = require('../../lib/errors');
const { pages, prose, read } = require('./support/markdown');

const TEXT = pages().map(read).join('\n');

describe('the page of errors', () => {
  const sections = new Map(
    read('docs/errors.md')
      .split(/^### /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf('\n')), section]),
  );

  for (const code of CODES) {
    test(`has ${code}: its class, what happened, and what to do`, () => {
      const section = sections.get(code);
      assert.ok(section !== undefined, `docs/errors.md has no section "### ${code}"`);
      const [, Class] = Object.entries(rw.errors).find(([, { code: own }]) => own === code);
      assert.match(section, new RegExp(`^\`errors\\.${Class.name}\`\\. .{10}`, 'm'));
      assert.match(section, /^\*\*What to do:\*\* .{10}/m);
    });
  }

  test('has no code that does not exist', () => {
    assert.deepEqual([...sections.keys()].sort(), [...CODES].sort());
    const told = new Set(TEXT.match(/\bERR_RW_[A-Z_]*[A-Z]\b/g));
    assert.deepEqual([...told].filter((code) => !CODES.includes(code)), []);
  });
});

describe('the pages tell of', () => {
  const told = (names) => names.filter((name) => !new RegExp(`\\b${name}\\b`).test(TEXT));
  /** Those of Node's emitters are told of by Node. */
  const methods = (Class) =>
    Object.getOwnPropertyNames(Class.prototype).filter((name) => name !== 'constructor' && !(name in EventEmitter.prototype));
  const own = Object.keys(rw).filter((name) => !(name in require('node:worker_threads')));

  test('every name of the package', () => {
    assert.ok(own.length > 8, own.join());
    assert.deepEqual(told(own.filter((name) => name !== 'default')), []);
  });

  for (const name of ['WorkerPool', 'SharedBuffer', 'SharedValue', 'Mutex', 'RwLock', 'Semaphore', 'Condvar', 'Barrier']) {
    test(`every method of ${name}`, () => assert.deepEqual(told(methods(rw[name])), []));
  }

  test('every option and every counter of a pool', async () => {
    const pool = new rw.WorkerPool();
    assert.deepEqual(told([...Object.keys(pool.options), ...Object.keys(pool.stats())]), []);
    await pool.close();
  });

  test('every native task', () => {
    const names = require('../../lib/native').binding.nativeTasks().map(({ name }) => name);
    assert.ok(names.length > 15);
    assert.deepEqual(told(names), []);
  });

  test('every option and event that the types have', () => {
    const types = read('index.d.ts');
    const names = (of) => {
      const [, body] = new RegExp(`^export interface ${of}\\b[^{]*{\n([\\s\\S]*?)^}`, 'm').exec(types);
      return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name);
    };
    for (const of of ['ScriptPoolOptions', 'RunOptions', 'ScriptRunOptions', 'PoolStats', 'WorkerPoolEvents']) {
      const found = names(of);
      assert.ok(found.length >= 3, of);
      assert.deepEqual(told(found), [], of);
    }
  });
});

test('docs/README.md, which is the side bar of the site too, lists every page', () => {
  const index = read('docs/README.md');
  const missing = pages().filter((page) => {
    const name = page.replace(/^docs\//, '');
    return page.startsWith('docs/') && name !== 'README.md' && !index.includes(`](${name})`);
  });
  assert.deepEqual(missing, []);
});

test('README.md has at most 800 words, and a table of contents that names its sections', () => {
  const readme = read('README.md');
  const words = prose(readme)
    .replace(/\]\([^)]*\)/g, ']')
    .split(/[\s|]+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  assert.ok(words.length <= 800, `${words.length} words`);
  const sections = [...readme.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  const contents = [...readme.slice(0, readme.indexOf('\n## ')).matchAll(/\[([^\]]*)\]\(#/g)].map(([, title]) => title);
  assert.deepEqual(contents, sections);
});

test('figures and tables are those of bench/results: node docs/figures/make.js brings them up to date', () => {
  for (const [file, text] of wantedPages()) assert.equal(read(file), text, file);
});

test('so are the plots', () => assert.deepEqual(stalePlots(), []));
