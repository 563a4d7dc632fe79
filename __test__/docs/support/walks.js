'use strict';

/**
 * Walks: parts of a page that a reader follows step by step in an empty folder, with files to write and commands to type. `.ci/packs`
 * takes them from the pages and does the same, so a page cannot say what does not work.
 *
 *     <!-- walk: a C task -->       a walk begins, in an empty folder with nothing but an `npm init`
 *     <!-- walk: end -->            prose and programs follow that belong to no walk; the next walk, too, ends this one
 *
 * In a walk a block is a file, if its first line names it in a comment (`// src/lib.rs`, `# Cargo.toml`), or the line above the
 * block does (`<!-- file: tsconfig.json -->`). A block of `sh` is commands, of which `cd` counts for what follows. A block of
 * `text` under them is what the last of them prints, `…` for any text; a program that `node` runs prints what its `// →` say.
 */

const path = require('node:path');

const { blocksOf, pages, read } = require('./markdown');
const { printedBy } = require('./programs');

const FILE = /^(?:\/\/|#|\/\*) ([\w./-]+\.\w+)(?: \*\/)?(?:$|[:,] )/;

/** The lines of a shell block as commands: without comments, and a line that ends with a backslash goes on. */
function commandsOf(code) {
  return code
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)#\s.*$/, '').trim())
    .filter(Boolean);
}

function stepsOf(block) {
  const { language, code, file, page, line } = block;
  const where = `${page}:${line}`;
  if (language === 'sh') return commandsOf(code).map((command) => ({ where, command }));
  if (language === 'text' && file === undefined) return [{ where, printed: code.split('\n') }];
  const name = file ?? FILE.exec(code.split('\n', 1)[0])?.[1];
  if (name === undefined) throw new Error(`${where}: in a walk a block names its file in its first line, or is commands`);
  if (path.isAbsolute(name) || name.split('/').includes('..')) throw new Error(`${where}: ${name} is outside of the walk`);
  return [{ where, file: name, text: `${code}\n`, prints: printedBy(code) }];
}

/**
 * @param {string} page path from the root
 * @param {string} [text]
 * @returns {Array<{ title: string, steps: Array<{ where: string, command?: string, file?: string, text?: string, prints?: string[],
 *   printed?: string[] }> }>}
 */
function walksOf(page, text = read(page)) {
  const walks = new Map();
  for (const block of blocksOf(page, text)) {
    if (block.walk === undefined) continue;
    const steps = walks.get(block.walk) ?? [];
    walks.set(block.walk, [...steps, ...stepsOf(block)]);
  }
  return Array.from(walks, ([title, steps]) => ({ title: `${page}: ${title}`, steps }));
}

const allWalks = () => pages().flatMap((page) => walksOf(page));

module.exports = { allWalks, walksOf };
