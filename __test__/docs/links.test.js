'use strict';

/**
 * Links in the pages that the package has. Who reads them in node_modules or at npm has the files of the package and no others: a
 * relative link leads to one of these, and a link to another file of the repository is absolute.
 */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');

const { ROOT, prose, read } = require('./support/markdown');

const REPOSITORY = 'https://github.com/rust-workers/rust-workers/blob/main/';

/** The files that npm would pack, as paths from the root. */
function packedFiles() {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  // A list of one, and from npm 12 on an object with one property.
  return new Set(Object.values(JSON.parse(output))[0].files.map((file) => file.path));
}

/** Where the links and images of a page lead. */
function linksOf(text) {
  const written = prose(text);
  const inHtml = [...written.matchAll(/<\w+ [^>]*?\b(?:href|src|srcset)="([^"]+)"/g)];
  return [...written.matchAll(/\]\(\s*<?([^)\s>]+)/g), ...written.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)/gm), ...inHtml].map(
    ([, link]) => link,
  );
}

/** Why a link of a page leads nowhere, or undefined. `exists` says whether the repository has a file or folder. */
function complaint(page, link, packed, exists) {
  const [place] = link.split('#');
  if (place.startsWith(REPOSITORY)) {
    const file = place.slice(REPOSITORY.length);
    return exists(file) ? undefined : `${page}: the repository has no ${file}`;
  }
  if (place === '' || /^[a-z]+:/.test(place)) return undefined;
  const file = path.posix.join(path.posix.dirname(page), place);
  if (packed.has(file)) return undefined;
  return `${page}: ${link} is no file of the package; write ${REPOSITORY}${file}`;
}

describe('the pages of the package', () => {
  let packed;
  let shipped;
  before(() => {
    packed = packedFiles();
    shipped = [...packed].filter((file) => file.endsWith('.md'));
  });

  test('are README.md, those of docs/, and others', () => {
    assert.ok(shipped.includes('README.md') && shipped.includes('docs/errors.md') && shipped.length > 20, shipped.join());
  });

  test('link to files of the package, and absolutely to others of the repository', () => {
    const exists = (file) => fs.existsSync(path.join(ROOT, file));
    const links = shipped.flatMap((page) => linksOf(read(page)).map((link) => [page, link]));
    assert.ok(links.length > 100, `${links.length} links`);
    assert.deepEqual(links.map(([page, link]) => complaint(page, link, packed, exists)).filter(Boolean), []);
  });
});

test('a link that leads nowhere is found', () => {
  const packed = new Set(['README.md', 'docs/a.md', 'docs/figures/a.svg']);
  const exists = (file) => file === 'bench/README.md';
  const text = [
    '[a](docs/a.md#part) [b](#part) [c](bench/README.md) ![d](docs/figures/a.svg) [e](https://nodejs.org)',
    `[f](${REPOSITORY}bench/README.md) [g](${REPOSITORY}bench/GONE.md) <img src="docs/gone.svg">`,
    '[h]: docs/gone.md',
    '```sh',
    '[i](docs/code.md)',
    '```',
  ].join('\n');
  const found = linksOf(text).map((link) => complaint('README.md', link, packed, exists)).filter(Boolean);
  assert.deepEqual(found.map((line) => line.replace(/;.*/, '')).sort(), [
    'README.md: bench/README.md is no file of the package',
    'README.md: docs/gone.md is no file of the package',
    'README.md: docs/gone.svg is no file of the package',
    'README.md: the repository has no bench/GONE.md',
  ]);
  assert.equal(complaint('docs/a.md', '../README.md', packed, exists), undefined);
});
