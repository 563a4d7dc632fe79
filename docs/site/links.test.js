/** The check of links finds what is broken. `.ci/docs` runs this. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { checkLinks } from './links.js';

test('a missing page, image and anchor are found; what is there, and other hosts, are not', (t) => {
  const site = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-links-'));
  t.after(() => fs.rmSync(site, { recursive: true }));
  fs.mkdirSync(path.join(site, 'docs'));
  const links = ['docs/a.html#here', 'docs/a.html#gone', 'docs/b.html', '#top', '#none', 'https://example.com/x'];
  fs.writeFileSync(
    path.join(site, 'index.html'),
    `<h1 id="top"></h1><img src="gone.png">${links.map((link) => `<a href="${link}">x</a>`).join('')}`,
  );
  fs.writeFileSync(path.join(site, 'docs', 'a.html'), '<a name="here"></a><a href="../index.html#top">up</a><a href="/">home</a>');
  assert.deepEqual(checkLinks(site), {
    checked: 8,
    broken: [
      'index.html: gone.png leads to no file',
      'index.html: docs/a.html#gone has no such anchor',
      'index.html: docs/b.html leads to no file',
      'index.html: #none has no such anchor',
    ],
  });
});
