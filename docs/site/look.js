/**
 * Looks at the built site in chromium:
 *
 *     node docs/site/look.js [folder]     with a folder: leaves screenshots there
 *
 * Every page named below is opened in light, in dark, and as wide as a phone. It fails on an error in the console, a request that
 * fails, a page wider than its window, and a search that does not find what is there.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const SITE = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'target', 'site');
const CHROMIUM = process.env.RW_CHROMIUM ?? '/usr/bin/chromium';
/** typedoc's folder is that of the kind of declaration. */
const apiPage = (name) =>
  ['classes', 'interfaces'].map((kind) => `/api/${kind}/${name}.html`).find((page) => fs.existsSync(path.join(SITE, page)));
const PAGES = {
  index: '/',
  page: '/docs/script-pools.html',
  errors: '/docs/errors.html',
  comparison: '/docs/comparison.html',
  docs: '/docs/',
  bench: '/bench/',
  design: '/DESIGN.html',
  api: apiPage('WorkerPool'),
  options: apiPage('ScriptPoolOptions'),
};
const VIEWS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 },
};
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

/** Serves the built files, and nothing above them. */
function serve() {
  return http.createServer((request, response) => {
    const name = path.normalize(decodeURIComponent(new URL(request.url, 'http://site').pathname));
    const file = path.join(SITE, name.endsWith('/') ? `${name}index.html` : name);
    if (!file.startsWith(SITE) || !fs.existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
    fs.createReadStream(file).pipe(response);
  });
}

/** What goes wrong on a page, from now on. */
function watch(page) {
  const faults = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
  });
  return faults;
}

async function lookAt(browser, base, view, screenshots) {
  const context = await browser.newContext(VIEWS[view]);
  const page = await context.newPage();
  const faults = watch(page);
  for (const [name, place] of Object.entries(PAGES)) {
    await page.goto(base + place, { waitUntil: 'networkidle' });
    const { wide, title } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - window.innerWidth,
      title: document.querySelector('h1')?.textContent,
    }));
    assert.ok(title, `${place} has a title`);
    assert.ok(wide <= 1, `${place} in ${view} is ${wide} px wider than its window`);
    if (screenshots) await page.screenshot({ path: path.join(screenshots, `${name}-${view}.png`) });
  }
  const isDark = await page.evaluate(() => document.documentElement.classList.contains('dark'));
  assert.equal(isDark, view === 'dark');
  await context.close();
  assert.deepEqual(faults, [], view);
}

async function search(browser, base, screenshots) {
  const context = await browser.newContext(VIEWS.light);
  const page = await context.newPage();
  const faults = watch(page);
  await page.goto(base, { waitUntil: 'networkidle' });
  await page.getByRole('button', { name: 'Search' }).first().click();
  await page.locator('#localsearch-input').fill('poisoned');
  const result = page.locator('.VPLocalSearchBox .result[href*="/docs/locks.html"]').first();
  await result.waitFor();
  if (screenshots) await page.screenshot({ path: path.join(screenshots, 'search-light.png') });
  await result.click();
  await page.waitForURL(/\/docs\/locks\.html/);
  await context.close();
  assert.deepEqual(faults, [], 'search');
}

const [screenshots] = process.argv.slice(2);
if (screenshots) fs.mkdirSync(screenshots, { recursive: true });
const server = serve();
await once(server.listen(0, '127.0.0.1'), 'listening');
const base = `http://127.0.0.1:${server.address().port}`;
// A container's root has no sandbox of its own to give.
const browser = await chromium.launch({ executablePath: CHROMIUM, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
try {
  for (const view of Object.keys(VIEWS)) await lookAt(browser, base, view, screenshots);
  await search(browser, base, screenshots);
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
}
process.stdout.write(`Looked at ${Object.keys(PAGES).length} pages in ${Object.keys(VIEWS).join(', ')}, and searched.\n`);
