'use strict';

/** The Markdown pages of the repository that users read, and the code blocks in them. */

const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..', '..');

/** README.md and every page under docs/, as paths from the root. */
function pages() {
  const under = (folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const place = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : under(place);
        return entry.name.endsWith('.md') ? [place] : [];
      });
  return ['README.md', ...under('docs')];
}

const read = (page) => fs.readFileSync(path.join(ROOT, page), 'utf8');

/**
 * A comment right above a block says how the test runs it:
 *
 *     <!-- run: continues -->              the program of the block above goes on here
 *     <!-- run: with piscina -->           needs that package; `.ci/docs` installs it
 *     <!-- run: on node 22.18 -->          needs that version of Node or a later one
 *     <!-- run: not, because … -->         is not run
 */
const MARKER = /^<!-- run: (.*) -->$/;

/** Begins or ends a walk; names the file that the block under it is (walks.js). */
const WALK = /^<!-- walk: (.*) -->$/;
const FILE = /^<!-- file: (\S+) -->$/;

function parseMarker(words, where) {
  if (words === 'continues') return { continues: true };
  const [, packages] = /^with (.+)$/.exec(words) ?? [];
  if (packages) return { packages: packages.split(', ') };
  const [, node] = /^on node (\d+(?:\.\d+)?)$/.exec(words) ?? [];
  if (node) return { node };
  const [, reason] = /^not, because (.{10,})$/.exec(words) ?? [];
  if (reason) return { reason };
  throw new Error(`${where}: no such marker: ${words}`);
}

/**
 * The fenced code blocks of a page.
 *
 * @param {string} page path from the root
 * @param {string} [text] its text
 * @returns {Array<{ page: string, line: number, language: string, code: string, continues?: boolean,
 *   packages?: string[], node?: string, reason?: string, walk?: string, file?: string }>} `walk`: the walk that it belongs to
 */
function blocksOf(page, text = read(page)) {
  const blocks = [];
  let open;
  let markers = {};
  let walk;
  for (const [index, line] of text.split('\n').entries()) {
    const where = `${page}:${index + 1}`;
    if (open !== undefined) {
      if (line === '```') {
        blocks.push({ ...open, code: open.lines.join('\n') });
        open = undefined;
        markers = {};
      } else {
        open.lines.push(line);
      }
      continue;
    }
    const [, begun] = WALK.exec(line) ?? [];
    if (begun !== undefined) walk = begun === 'end' ? undefined : begun;
    const [, words] = MARKER.exec(line) ?? [];
    const [, file] = FILE.exec(line) ?? [];
    if (file !== undefined) markers = { ...markers, file };
    else if (words !== undefined) markers = { ...markers, ...parseMarker(words, where) };
    else if (/^\s*(```|~~~)/.test(line)) {
      const [, language] = /^```(\w+)$/.exec(line) ?? [];
      if (language === undefined) throw new Error(`${where}: a block begins with three backticks and its language`);
      open = { page, line: index + 1, language, lines: [], walk, ...markers };
    } else if (line !== '' && Object.keys(markers).length > 0) {
      throw new Error(`${where}: a marker stands right above its block`);
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block does not end`);
  return blocks;
}

/** `<!-- programs: run by __test__/… -->` on a page says that another test runs its programs, since they need more than Node. */
const RUN_ELSEWHERE = /^<!-- programs: run by (\S+) -->$/m;

/** The test that runs the programs of a page, when this one does not. */
function runElsewhere(page, text = read(page)) {
  return RUN_ELSEWHERE.exec(text)?.[1];
}

/** The text without its code blocks and comments. */
function prose(text) {
  return text.replace(/^```[\s\S]*?^```$/gm, '').replace(/<!--[\s\S]*?-->/g, '');
}

module.exports = { ROOT, blocksOf, pages, prose, read, runElsewhere };
