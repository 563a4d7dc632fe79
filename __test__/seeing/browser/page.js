'use strict';

// The page that shows a pool, in a real browser: light, dark, and as wide as a phone.

const assert = require('node:assert/strict');

const { until } = require('../../support/until');
const { atWork } = require('./work');

const VIEWS = {
  light: { colorScheme: 'light', viewport: { width: 1180, height: 800 } },
  dark: { colorScheme: 'dark', viewport: { width: 1180, height: 800 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 },
  still: { colorScheme: 'dark', viewport: { width: 800, height: 600 }, reducedMotion: 'reduce' },
};
const LIMIT = { timeout: 30_000 };

/** What goes wrong on a page, from now on. A violation of its policy is told on the console too. */
function watch(page) {
  const faults = [];
  page.on('console', (message) => {
    // That of `coloursOfLanes` below, which is the test's.
    if (message.text().includes('willReadFrequently')) return;
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && new URL(request.url()).hostname !== '127.0.0.1') faults.push(`asks ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
  });
  return faults;
}

/** Runs in the page: the least contrast of a text with what is behind it. */
function leastContrast() {
  const channels = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one !== null; one = one.parentElement) {
      const { backgroundColor } = getComputedStyle(one);
      if (!/^rgba\(.*, 0\)$|^transparent$/.test(backgroundColor)) return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  };
  let least = Infinity;
  for (const element of document.querySelectorAll('h1, h2, p, dt, dd, li, th, td, small')) {
    if (element.textContent.trim() === '') continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    least = Math.min(least, (one + 0.05) / (other + 0.05));
  }
  return least;
}

/** Runs in the page: how many colours of bars the lanes have. */
function coloursOfLanes() {
  const canvas = document.getElementById('lanes');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Map();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 255) continue;
    // Not the greys of text and lines.
    if (Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) < 60) continue;
    const colour = `${data[i]},${data[i + 1]},${data[i + 2]}`;
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  return [...colours.values()].filter((pixels) => pixels > 50).length;
}

const numberIn = (page, id) => page.evaluate((name) => Number(document.getElementById(name).textContent.replaceAll(',', '')), id);

async function lookAt(browser, url, view, figure) {
  const context = await browser.newContext(VIEWS[view]);
  const page = await context.newPage();
  const faults = watch(page);
  await page.goto(url);
  await page.locator('#state[data-state="live"]').waitFor(LIMIT);
  await page.waitForFunction(() => document.querySelectorAll('#tasks tr').length === 6, undefined, LIMIT);
  await page.waitForFunction(() => Number(document.getElementById('per-second').textContent) > 0, undefined, LIMIT);
  await until(async () => (await page.evaluate(coloursOfLanes)) >= 4, `the lanes show in ${view} what runs`);
  const { title, pool, wide, threads, names } = await page.evaluate(() => ({
    title: document.title,
    pool: document.getElementById('pool').textContent,
    wide: document.documentElement.scrollWidth - window.innerWidth,
    threads: document.getElementById('summary').textContent,
    names: [...document.querySelectorAll('#legend li')].map((item) => item.textContent).sort(),
  }));
  assert.deepEqual([title, pool], ['images · rust-workers', 'images']);
  assert.match(threads, /3 workers, \d+ % used/);
  assert.deepEqual(names, ['fibonacci', 'parse', 'render', 'resize', 'sha256', 'thumbnail']);
  assert.ok(wide <= 1, `${view} is ${wide} px wider than its window`);
  const contrast = await page.evaluate(leastContrast);
  assert.ok(contrast >= 4.5, `${view}: a text has the contrast ${contrast}`);
  // The table's order, by the mouse and by the keyboard.
  const column = (at) => page.evaluate((index) => [...document.querySelectorAll(`#tasks td:nth-child(${index})`)].map((cell) => cell.firstChild.data), at);
  await page.getByRole('button', { name: 'Runs' }).click();
  const runs = (await column(2)).map((text) => Number(text.replaceAll(',', '')));
  assert.deepEqual(runs, [...runs].sort((a, b) => b - a));
  await page.getByRole('button', { name: 'Name' }).focus();
  await page.keyboard.press('Enter');
  const sorted = await column(1);
  assert.deepEqual(sorted, [...sorted].sort());
  if (figure !== undefined) {
    await page.getByRole('button', { name: 'p99' }).click();
    // The lanes are full.
    await page.waitForTimeout(10_500);
    await page.screenshot({ path: figure });
  }
  const before = await numberIn(page, 'per-second');
  await page.waitForFunction((value) => Number(document.getElementById('per-second').textContent) !== value, before, LIMIT);
  assert.deepEqual(faults, [], view);
  return { page, context, faults };
}

async function refusesOtherNames(chromium, launch, url) {
  const args = [...launch.args, '--host-resolver-rules=MAP evil.example 127.0.0.1'];
  const browser = await chromium.launch({ ...launch, args });
  try {
    const page = await browser.newPage();
    const response = await page.goto(url.replace('127.0.0.1', 'evil.example'));
    assert.equal(response.status(), 403);
    assert.match(await page.textContent('body'), /This host name is not allowed/);
  } finally {
    await browser.close();
  }
}

/** @param {string} [figure] where the picture of the page goes */
async function checkPage(chromium, launch, figure) {
  const { pool, stop } = await atWork();
  const browser = await chromium.launch(launch);
  try {
    const { url } = await pool.monitor();
    const open = [];
    for (const view of Object.keys(VIEWS)) open.push(await lookAt(browser, url, view, view === 'light' ? figure : undefined));
    // A name that some site could have is refused; the browser is told that it leads here.
    await refusesOtherNames(chromium, launch, url);
    await stop();
    await pool.close();
    for (const { page: each, faults } of open) {
      await each.locator('#state[data-state="closed"]').waitFor(LIMIT);
      assert.deepEqual(faults, []);
    }
  } finally {
    await browser.close();
    await pool.destroy();
  }
}

module.exports = { checkPage };
