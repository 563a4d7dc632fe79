'use strict';

/**
 * Every code block of README.md and docs/ is run: it must end by itself with code 0, print nothing on stderr, and print
 * on stdout exactly what its `// → …` comments say. support/markdown.js says how a block is marked.
 *
 * Blocks that need other packages (the migration pages) run where RW_DOCS_PEERS names a folder with a node_modules that
 * has them: `.ci/docs` installs them.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { runNode } = require('../support/child');
const { ROOT, blocksOf, pages, read, runElsewhere } = require('./support/markdown');
const { isPrinted, printedBy, programsOf, toJavaScript, typeErrors } = require('./support/programs');

const PEERS = process.env.RW_DOCS_PEERS;
const PEER_POOLS = new Set(['piscina', 'tinypool', 'workerpool', 'poolifier']);
/** Milliseconds until a program that does not end is killed. */
const TIME_LIMIT = 30_000;
const LANGUAGES = new Set(['rust', 'toml', 'js', 'ts', 'sh', 'json', 'yaml', 'dockerfile', 'text', 'diff']);

const BLOCKS = pages().flatMap((page) => blocksOf(page));
const PROGRAMS = pages()
  .filter((page) => runElsewhere(page) === undefined)
  .flatMap((page) => programsOf(blocksOf(page)));

const atLeast = (wanted) => {
  const [major, minor = 0] = wanted.split('.').map(Number);
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number);
  return ourMajor > major || (ourMajor === major && ourMinor >= minor);
};

/** Why a program is not run here, or false. */
function skipped({ packages, node }) {
  if (packages.length > 0 && PEERS === undefined) return `needs ${packages.join(', ')}: run by .ci/docs`;
  if (node !== undefined && !atLeast(node)) return `needs Node ${node}`;
  return false;
}

describe('the code blocks', { concurrency: 2 }, () => {
  let folder;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-docs-'));
    const modules = path.join(folder, 'node_modules');
    fs.mkdirSync(modules);
    const link = (name, target) => fs.symlinkSync(target, path.join(modules, name), 'junction');
    link('rust-workers', ROOT);
    link('@types', path.join(ROOT, 'node_modules', '@types'));
    if (PEERS === undefined) return;
    for (const name of new Set(PROGRAMS.flatMap(({ packages }) => packages))) {
      link(name, path.join(PEERS, 'node_modules', name));
    }
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  for (const program of PROGRAMS) {
    test(program.title, { skip: skipped(program) }, async () => {
      const place = fs.mkdtempSync(path.join(folder, 'program-'));
      for (const [name, code] of program.files) {
        const file = path.join(place, name);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, code);
      }
      let main = path.join(place, program.main);
      if (program.ofTypeScript && program.node === undefined) {
        const source = program.files.get(program.main);
        main = main.replace(/ts$/, 'js');
        fs.writeFileSync(main, toJavaScript(source));
      }
      const { code, signal, stdout, stderr } = await runNode([main], { cwd: place, timeout: TIME_LIMIT });
      // A pool of a peer may forget to settle its `destroy()` (poolifier, on a busy machine): Node ends with 13 then.
      const hasPeer = program.packages.some((name) => PEER_POOLS.has(name));
      if (!(hasPeer && code === 13)) {
        assert.equal(stderr, '');
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, stdout);
      }
      const lines = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n');
      if (!isPrinted(program.expected, lines)) assert.deepEqual(lines, program.expected);
    });
  }

  test('those in TypeScript have the right types', () => {
    const place = fs.mkdtempSync(path.join(folder, 'types-'));
    const written = PROGRAMS.filter((program) => program.ofTypeScript && program.packages.length === 0).flatMap(
      (program) => {
        const inside = fs.mkdtempSync(path.join(place, 'program-'));
        return [...program.files]
          .filter(([name]) => /ts$/.test(name))
          .map(([name, code]) => {
            const file = path.join(inside, name);
            fs.writeFileSync(file, code);
            return file;
          });
      },
    );
    assert.ok(written.length > 0);
    assert.deepEqual(typeErrors(written), []);
  });
});

describe('the other blocks', () => {
  test('are of a known language', () => {
    const unknown = BLOCKS.filter(({ language }) => !LANGUAGES.has(language));
    assert.deepEqual(unknown.map(({ page, line, language }) => `${page}:${line} ${language}`), []);
  });

  test('that are not run are few, and say why', () => {
    const reasons = BLOCKS.filter(({ reason }) => reason !== undefined).map(({ page, line }) => `${page}:${line}`);
    assert.ok(reasons.length <= 4, reasons.join('\n'));
  });

  test('of pages that are run elsewhere are run there', () => {
    for (const page of pages()) {
      const file = runElsewhere(page);
      if (file === undefined) continue;
      assert.ok(read(file).includes(path.basename(page)), `${file} does not name ${page}`);
    }
  });

  test('of JSON are JSON', () => {
    for (const { page, line, language, code } of BLOCKS) {
      if (language === 'json') assert.doesNotThrow(() => JSON.parse(code), `${page}:${line}`);
    }
  });

  test('of a shell call commands that exist', () => {
    const { scripts, bin = {} } = JSON.parse(read('package.json'));
    const tools = new Set(['npm', 'npx', 'pnpm', 'yarn', 'node', 'docker', 'git', 'cargo', 'deno', 'bun', 'bunx', 'curl', 'cd']);
    const wrong = [];
    for (const { page, line, language, code, reason } of BLOCKS) {
      if (language !== 'sh' || reason !== undefined) continue;
      for (const command of code.split(/\n|&&/).map((text) => text.replace(/#.*/, '').trim())) {
        if (command === '') continue;
        const [tool, first, second] = command.replace(/^(\w+=\S+ )+/, '').split(/\s+/);
        const complain = (why) => wrong.push(`${page}:${line} ${command}: ${why}`);
        if (tool.startsWith('.ci/')) {
          if (!fs.existsSync(path.join(ROOT, tool))) complain('no such file');
        } else if (!tools.has(tool)) complain('no such command');
        else if (tool === 'npm' && first === 'run' && !(second in scripts)) complain('no such script');
        else if (tool === 'npm' && first === 'test' && !('test' in scripts)) complain('no such script');
        else if (tool === 'npx' && first === 'rust-workers' && !('rust-workers' in bin)) complain('no such bin');
        else if (tool === 'node' && /\//.test(first) && !fs.existsSync(path.join(ROOT, first))) complain('no such file');
      }
    }
    assert.deepEqual(wrong, []);
  });
});

describe('the reader of blocks', () => {
  const page = (...lines) => programsOf(blocksOf('a.md', lines.join('\n')));

  test('joins what continues, and keeps the files that stand above', () => {
    const [program, ...others] = page(
      '```js', '// work.js', 'module.exports = 1;', '```',
      '```js', "import './work.js';", 'console.log(1); // → 1', '```',
      'Text.', '<!-- run: continues -->', '```js', 'console.log(2); // → 2…', '```',
    );
    assert.deepEqual(others, []);
    assert.deepEqual([...program.files.keys()], ['work.js', 'block-5.mjs']);
    assert.deepEqual(program.expected, ['1', '2…']);
    assert.ok(isPrinted(program.expected, ['1', '2.5 ms']));
    assert.ok(!isPrinted(program.expected, ['1', '3']));
    assert.ok(!isPrinted(program.expected, ['1', '2', '3']));
  });

  test('refuses markers that it does not know, files that nobody uses, and blocks without a language', () => {
    assert.throws(() => page('<!-- run: maybe -->', '```js', '1', '```'), /no such marker: maybe/);
    assert.throws(() => page('<!-- run: continues -->', 'Text.', '```js', '1', '```'), /right above its block/);
    assert.throws(() => page('```js', '// work.js', '1', '```'), /no program of the page uses work\.js/);
    assert.throws(() => page('```', '1', '```'), /its language/);
    assert.throws(() => page('```js', '1'), /does not end/);
  });

  test('finds the test that runs the programs of a page', () => {
    const text = '# Title\n\n<!-- programs: run by __test__/x/docs.test.js -->\n\nText.';
    assert.equal(runElsewhere('a.md', text), '__test__/x/docs.test.js');
    assert.equal(runElsewhere('a.md', '# Title'), undefined);
  });

  test('finds what is printed', () => {
    assert.deepEqual(printedBy('log(1); // → [ 1 ]\n// → two\n// three'), ['[ 1 ]', 'two']);
  });
});
