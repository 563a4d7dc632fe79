/**
 * Checks every link of the built site: the page, image or script that it names is there, and so is the anchor.
 *
 *     node docs/site/links.js
 *
 * Links to other hosts are left out: whether they answer says nothing about this repository. linkinator 7.6 was tried; it
 * passes over a missing anchor of a page that it has read before.
 */

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { Parser } from 'htmlparser2';

const BASE = process.env.RW_SITE_BASE ?? '/';

/** All files under a folder, as paths from it with `/`. */
function filesUnder(folder, place = '') {
  return fs.readdirSync(path.join(folder, place), { withFileTypes: true }).flatMap((entry) => {
    const inside = path.posix.join(place, entry.name);
    return entry.isDirectory() ? filesUnder(folder, inside) : [inside];
  });
}

/** The anchors of a page, and where its links lead. */
function read(html) {
  const anchors = new Set();
  const links = [];
  const parser = new Parser({
    onopentag(tag, { id, name, href, src }) {
      if (id !== undefined) anchors.add(id);
      if (tag === 'a' && name !== undefined) anchors.add(name);
      for (const link of [href, src]) if (link !== undefined) links.push(link);
    },
  });
  parser.end(html);
  return { anchors, links };
}

/**
 * @param {string} site the folder of the built site
 * @returns {{ checked: number, broken: string[] }}
 */
export function checkLinks(site) {
  const files = new Set(filesUnder(site));
  const pages = new Map(
    [...files]
      .filter((file) => file.endsWith('.html'))
      .map((file) => [file, read(fs.readFileSync(path.join(site, file), 'utf8'))]),
  );
  const broken = [];
  let checked = 0;
  for (const [page, { links }] of pages) {
    for (const link of links) {
      const url = new URL(link, `http://site${BASE}${page}`);
      if (url.host !== 'site') continue;
      checked += 1;
      const place = decodeURIComponent(url.pathname).slice(BASE.length);
      const file = place === '' || place.endsWith('/') ? `${place}index.html` : place;
      const anchor = decodeURIComponent(url.hash.slice(1));
      if (!url.pathname.startsWith(BASE) || !files.has(file)) broken.push(`${page}: ${link} leads to no file`);
      else if (anchor !== '' && !pages.get(file)?.anchors.has(anchor)) broken.push(`${page}: ${link} has no such anchor`);
    }
  }
  return { checked, broken };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const site = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'target', 'site');
  const { checked, broken } = checkLinks(site);
  if (checked < 1_000) broken.push(`only ${checked} links were found`);
  for (const complaint of broken) process.stdout.write(`${complaint}\n`);
  process.stdout.write(`${checked} links, ${broken.length} of them broken.\n`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
