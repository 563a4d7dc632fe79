/**
 * Builds the static site into target/site:
 *
 *     npm run docs
 *
 * The pages are the Markdown files of the repository; typedoc makes the API reference of index.d.ts; VitePress makes HTML
 * of both. Their packages are this folder's own, as its lockfile says.
 */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SITE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.join(SITE, '..', '..');
const TARGET = path.join(ROOT, 'target');
/** Where the pages are put together. */
const PAGES = path.join(TARGET, 'site-pages');
/** Pages that stand outside of docs/. */
const OTHERS = ['README.md', 'DESIGN.md', 'CHANGELOG.md', 'bench/README.md', 'examples/service/README.md'];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: SITE, stdio: 'inherit', shell: process.platform === 'win32' });
  if (error !== undefined || status !== 0) {
    throw new Error(`${[path.basename(command), ...args].join(' ')} failed: ${error?.message ?? `exit code ${status}`}`);
  }
}

function installPackages() {
  const installed = path.join(SITE, 'node_modules', '.package-lock.json');
  const lock = path.join(SITE, 'package-lock.json');
  const wanted = Object.entries(JSON.parse(fs.readFileSync(lock, 'utf8')).packages).filter(
    ([place, { optional }]) => place !== '' && !optional,
  );
  const found = fs.existsSync(installed) ? JSON.parse(fs.readFileSync(installed, 'utf8')).packages : {};
  if (wanted.every(([place, { version }]) => found[place]?.version === version)) return;
  // esbuild's install script only checks its binary, which is a package of its own.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** The package does not have every page, so some links name the repository; the site has these pages. */
const onSite = (text) =>
  text.replace(/\(https:\/\/github\.com\/rust-workers\/rust-workers\/blob\/main\/([\w./-]+\.md)/g, (link, page) =>
    OTHERS.includes(page) ? `(/${page}` : link,
  );

/** README.md is a folder's page on GitHub, index.md here. */
const asIndex = (text) => text.replace(/\b(?<=[(/])README\.md(?=[)#])/g, 'index.md');

function copyPage(page) {
  const to = path.join(PAGES, page.replace(/README\.md$/, 'index.md'));
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.writeFileSync(to, asIndex(onSite(fs.readFileSync(path.join(ROOT, page), 'utf8'))));
}

/** The images that stand beside a page. */
function copyImages(folder) {
  for (const entry of fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory() && !['node_modules', 'site'].includes(entry.name)) copyImages(place);
    if (!/\.(svg|png)$/.test(entry.name)) continue;
    fs.mkdirSync(path.join(PAGES, folder), { recursive: true });
    fs.copyFileSync(path.join(ROOT, place), path.join(PAGES, place));
  }
}

function copyPages() {
  fs.rmSync(PAGES, { recursive: true, force: true });
  const pages = fs.readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  for (const page of [...OTHERS, ...pages.map((name) => `docs/${name}`)]) {
    if (fs.existsSync(path.join(ROOT, page))) copyPage(page);
  }
  for (const folder of ['docs', 'examples']) copyImages(folder);
  // Vue is looked for from the pages.
  fs.symlinkSync(path.join(SITE, 'node_modules'), path.join(PAGES, 'node_modules'), 'junction');
}

installPackages();
copyPages();
run(process.execPath, ['node_modules/typedoc/bin/typedoc', '--options', 'typedoc.config.js']);
run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'build', '.']);
const { version } = createRequire(import.meta.url)('vitepress/package.json');
process.stdout.write(
  `The site is in ${path.relative(process.cwd(), path.join(TARGET, 'site'))} (VitePress ${version}). To read it:\n\n` +
    '    npx --prefix docs/site vitepress preview docs/site\n\n',
);
