import { fileURLToPath } from 'node:url';

import { WorkerPool } from 'rust-workers';

const pool = new WorkerPool();
pool.use(fileURLToPath(new URL('tasks.so', import.meta.url)));

const size = { width: 300, height: 200 };
let rows = 0;
const pixels = await pool.run('mandelbrot', size, { onProgress: (done) => { rows = done.rows; } });
console.log(`mandelbrot: ${pixels.length} bytes in ${rows} rows`);

const inverted = await pool.run('invert', pixels);
console.log(`invert: ${inverted[0]} where it was ${pixels[0]}`);

const norms = await pool.run('norms', { columns: 2, cells: Float64Array.of(3, 4, 5, 12) });
console.log(`norms: ${norms.join(' ')}`);

const stop = new AbortController();
const never = pool.run('mandelbrot', { width: 30_000, height: 30_000 }, { signal: stop.signal });
setTimeout(() => stop.abort(), 20);
await never.catch((error) => console.log(`stopped: ${error.name}`));

await pool.run('mandelbrot', { width: 'wide', height: 1 }).catch((error) => console.log(error.message));
await pool.close();
