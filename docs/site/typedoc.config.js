/** The API reference, as Markdown pages for VitePress. A warning fails the build. */
export default {
  entryPoints: ['../../index.d.ts'],
  tsconfig: 'tsconfig.json',
  plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
  out: '../../target/site-pages/api',
  docsRoot: '../../target/site-pages',
  readme: 'none',
  name: 'API reference',
  // What stands in @types/node is described there.
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  treatWarningsAsErrors: true,
  // Types that only serve to write others are not exported, on purpose.
  validation: { notExported: false, invalidLink: true, invalidPath: true, rewrittenLink: true },
  hidePageHeader: true,
  parametersFormat: 'table',
  tableColumnSettings: { hideInherited: true, hideOverrides: true, hideSources: true },
  useCodeBlocks: true,
  sanitizeComments: true,
};
