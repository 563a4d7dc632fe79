/**
 * Bundles the service: node build.mjs <bundler> <isExternal> <output>. As a user would: three entries, of which each bundle is a
 * file beside the others; with rust-workers marked external, as lib/native/bundled.js says it, or not.
 */

const [, , name, external, outDir] = process.argv;
const isExternal = external === 'external';
const entries = Object.fromEntries(['main', 'task', 'worker'].map((entry) => [entry, `./service/${entry}.mjs`]));

const PARTS = ['rust-workers', 'rust-workers/bullmq'];

const bundlers = {
  async esbuild() {
    const { build } = await import('esbuild');
    await build({
      entryPoints: entries,
      outdir: outDir,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: isExternal ? ['rust-workers'] : [],
    });
  },

  async 'esbuild packages: external'() {
    const { build } = await import('esbuild');
    await build({
      entryPoints: entries,
      outdir: outDir,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: isExternal ? 'external' : 'bundle',
    });
  },

  async webpack() {
    const { default: webpack } = await import('webpack');
    const stats = await new Promise((resolve, reject) => {
      const config = {
        mode: 'production',
        target: 'node20',
        entry: entries,
        experiments: { outputModule: true },
        // Else it is the place of the source on the machine of the build.
        module: { parser: { javascript: { importMeta: false } } },
        output: { path: outDir, filename: '[name].mjs', module: true, chunkFormat: 'module', library: { type: 'module' } },
        externals: isExternal ? Object.fromEntries(PARTS.map((part) => [part, `node-commonjs ${part}`])) : {},
      };
      webpack(config, (error, result) => (error ? reject(error) : resolve(result)));
    });
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
  },

  async rollup() {
    const { rollup } = await import('rollup');
    const { default: commonjs } = await import('@rollup/plugin-commonjs');
    const { nodeResolve } = await import('@rollup/plugin-node-resolve');
    const bundle = await rollup({
      input: entries,
      external: isExternal ? [/^rust-workers/] : [],
      plugins: [nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs()],
      onwarn() {},
    });
    await bundle.write({ dir: outDir, format: 'es', entryFileNames: '[name].mjs' });
    await bundle.close();
  },

  /** A server's build: packages of node_modules are external anyway. */
  async 'vite ssr'() {
    await buildWithVite({
      ssr: isExternal ? { external: ['rust-workers'] } : { noExternal: ['rust-workers'] },
      build: { ssr: true, rollupOptions: { input: entries, output: { entryFileNames: '[name].mjs' } } },
    });
  },

  async 'vite library'() {
    const of = isExternal ? [/^rust-workers/, /^node:/] : [/^node:/];
    await buildWithVite({
      build: { target: 'node20', lib: { entry: entries, formats: ['es'], fileName: (_, entry) => `${entry}.mjs` }, rollupOptions: { external: of } },
    });
  },
};

async function buildWithVite({ build: options, ...rest }) {
  const { build } = await import('vite');
  await build({ ...rest, configFile: false, logLevel: 'error', build: { ...options, outDir, minify: true } });
}

if (name === undefined) console.log(JSON.stringify(Object.keys(bundlers)));
else await bundlers[name]();
