import { fileURLToPath } from 'node:url';

import { WorkerPool } from 'rust-workers';

const NAMES = { win32: 'native_task.dll', darwin: 'libnative_task.dylib' };
const file = NAMES[process.platform] ?? 'libnative_task.so';

const pool = new WorkerPool();
pool.use(fileURLToPath(new URL(`target/release/${file}`, import.meta.url)));

const size = { width: 300, height: 200 };
let rows = 0;
const pixels = await pool.run('mandelbrot', size, { onProgress: (done) => { rows = done.rows; } });
console.log(`mandelbrot: ${pixels.length} bytes`);

const inverted = await pool.run('invert', pixels);
console.log(`invert: ${inverted[0]} where it was ${pixels[0]}`);

const norms = await pool.run('norms', [2, Float64Array.of(3, 4, 5, 12)]);
console.log(`norms: ${norms.join(' ')}`);

const stop = new AbortController();
const never = pool.run('mandelbrot', { width: 1_000, height: 1e9 }, { signal: stop.signal });
setTimeout(() => stop.abort(), 20);
await never.catch((error) => console.log(`stopped: ${error.name}`));

await pool.run('mandelbrot', { width: 'wide', height: 1 }).catch((error) => console.log(error.message));
await pool.close();
