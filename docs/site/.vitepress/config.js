import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const PAGES = path.join(ROOT, 'target', 'site-pages');

/** The sections and links of docs/README.md, which is the index of the pages. */
function sidebarOfPages() {
  const groups = [];
  for (const line of fs.readFileSync(path.join(ROOT, 'docs', 'README.md'), 'utf8').split('\n')) {
    const [, title] = /^## (.*)$/.exec(line) ?? [];
    if (title !== undefined) groups.push({ text: title, items: [] });
    const [, text, page] = /^- \[([^\]]*)\]\(([\w-]+)\.md\)/.exec(line) ?? [];
    if (page !== undefined) groups.at(-1).items.push({ text, link: `/docs/${page}` });
  }
  return groups;
}

/** Two arrows that run side by side. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#c2410c"/>' +
  '<path d="M7 11h13m-4-4 4 4-4 4M7 21h18m-4-4 4 4-4 4" fill="none" stroke="#fff" stroke-width="2.6"/></svg>';

/** The class of pools has two pages: its methods, and its constructors. */
const sidebarOfApi = JSON.parse(fs.readFileSync(path.join(PAGES, 'api', 'typedoc-sidebar.json'), 'utf8'), (_, entry) =>
  entry?.link === '/api/variables/WorkerPool.md' ? { ...entry, text: 'new WorkerPool()' } : entry,
);

export default defineConfig({
  title: 'rust-workers',
  description: 'Parallel work for Node.js: JavaScript on worker threads and native tasks in Rust, from one queue',
  lang: 'en',
  base: process.env.RW_SITE_BASE ?? '/',
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  srcDir: '../../target/site-pages',
  outDir: '../../target/site',
  cacheDir: '../../target/site-cache',
  cleanUrls: false,
  markdown: {
    // The anchors that GitHub makes, so that a link holds in both places.
    anchor: { slugify: (text) => slug(text) },
    toc: { slugify: (text) => slug(text) },
    headers: { slugify: (text) => slug(text) },
  },
  // The index of the search is one large file, which is loaded when somebody searches.
  vite: { build: { chunkSizeWarningLimit: 4000 } },
  themeConfig: {
    nav: [
      { text: 'Documentation', link: '/docs/', activeMatch: '^/docs/' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
      { text: 'Benchmarks', link: '/bench/' },
      { text: 'Design', link: '/DESIGN' },
      { text: 'Changes', link: '/CHANGELOG' },
    ],
    sidebar: { '/api/': [{ text: 'API', items: sidebarOfApi }], '/': sidebarOfPages() },
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
