'use strict';

// The page that shows a pool: who may read it, what it says, and when it ends. How it looks: __test__/seeing/browser.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { runNode } = require('../support/child');
const { holdWorker, script, using } = require('../support/pools');
const { inTime, until } = require('../support/until');

const SCRIPT = script('times');

/** Makes a request, and reads all of the answer. */
async function ask(url, { method = 'GET', path = '/', host, headers = {} } = {}) {
  const request = http.request(url, { method, path, headers: { ...headers, ...(host !== undefined && { host }) }, agent: false });
  request.end();
  const [response] = await once(request, 'response');
  let body = '';
  for await (const piece of response.setEncoding('utf8')) body += piece;
  return { status: response.statusCode, headers: response.headers, body };
}

/** A page that looks: `next()` gives frames, `ended` settles when the server has ended the stream. */
async function look(url, headers = {}) {
  const request = http.get(new URL('events', url), { agent: false, headers });
  const [response] = await once(request, 'response');
  assert.equal(response.statusCode, 200);
  assert.match(response.headers['content-type'], /^text\/event-stream/);
  const frames = [];
  let text = '';
  response.setEncoding('utf8').on('data', (piece) => {
    text += piece;
    const events = text.split('\n\n');
    text = events.pop();
    for (const event of events) if (event.startsWith('data: ')) frames.push(JSON.parse(event.slice(6)));
  });
  response.on('error', () => {});
  const ended = new Promise((resolve) => response.once('close', resolve));
  return {
    ended,
    leave: () => request.destroy(),
    next: () => until(() => frames.shift(), 'a frame comes'),
    find: async (fits, what) => {
      for (;;) {
        const frame = await until(() => frames.shift(), what);
        if (fits(frame)) return frame;
      }
    },
  };
}

test('the page and its files, with headers that let nothing else in', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const monitor = await pool.monitor();
    assert.match(monitor.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const types = { '/': /^text\/html/, '/page.css': /^text\/css/, '/page.js': /^text\/javascript/ };
    for (const [path, type] of Object.entries(types)) {
      const { status, headers, body } = await ask(monitor.url, { path });
      assert.equal(status, 200);
      assert.match(headers['content-type'], type);
      assert.match(headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(headers['access-control-allow-origin'], undefined);
      assert.equal(headers['cache-control'], 'no-store');
      assert.ok(body.length > 500);
      // Nothing from elsewhere.
      assert.doesNotMatch(body.replace('http://www.w3.org/2000/svg', ''), /https?:\/\//);
      const head = await ask(monitor.url, { path, method: 'HEAD' });
      assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', String(Buffer.byteLength(body))]);
    }
    const events = await ask(monitor.url, { path: '/events', method: 'HEAD' });
    assert.deepEqual([events.status, events.body], [200, '']);
    for (const path of ['/nothing', '/../package.json', '/page/page.html', '/__proto__', '//etc/passwd', '/page.css/']) {
      assert.equal((await ask(monitor.url, { path })).status, 404, path);
    }
    await monitor.close();
  });
});

test('only GET and HEAD', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const { url } = await pool.monitor();
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      for (const path of ['/', '/events', '/nothing']) {
        const { status, headers } = await ask(url, { method, path });
        assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], `${method} ${path}`);
      }
    }
  });
});

test('only names that no other site can have: the Host header is checked, for every path', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const monitor = await pool.monitor({ allowedHosts: ['Monitor.Internal'] });
    const { port } = new URL(monitor.url);
    const fine = [`127.0.0.1:${port}`, 'localhost', `LOCALHOST:${port}`, '[::1]', '192.168.7.9:80', 'pool.localhost', `monitor.internal:${port}`];
    const refused = [
      'evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', 'evil-localhost', '[evil.example]', '[::1',
      '1.2.3', 'a b', 'localhost:80:80', '127.0.0.1@evil.example', 'xn--localhost', 'internal',
    ];
    for (const host of fine) assert.equal((await ask(monitor.url, { host })).status, 200, host);
    for (const host of refused) {
      for (const path of ['/', '/page.js', '/events']) {
        const { status, body } = await ask(monitor.url, { host, path });
        assert.deepEqual([status, /allowedHosts/.test(body)], [403, true], `${host} ${path}`);
      }
    }
    // Without one, as HTTP/1.0 allows.
    const socket = net.connect(port, '127.0.0.1');
    socket.end('GET / HTTP/1.0\r\n\r\n');
    let text = '';
    for await (const piece of socket.setEncoding('utf8')) text += piece;
    assert.match(text, /^HTTP\/1\.1 403 /);
  });
});

test('it listens where it is told to: on the loopback address, on all, on IPv6', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const all = await pool.monitor({ host: '0.0.0.0' });
    assert.match(all.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    assert.equal((await ask(all.url)).status, 200);
    const named = await pool.monitor({ host: 'localhost' });
    assert.match(named.url, /^http:\/\/localhost:\d+\/$/);
    assert.equal((await ask(named.url)).status, 200);
    const { port } = new URL(all.url);
    await assert.rejects(pool.monitor({ port: Number(port), host: '0.0.0.0' }), { code: 'EADDRINUSE' });
    await all.close();
    const again = await pool.monitor({ port: Number(port) });
    assert.equal(new URL(again.url).port, port);
  });
});

test('frames: counters, what native threads run, and times by task name', async () => {
  await using(new WorkerPool({ maxThreads: 2, name: 'shown' }), async (pool) => {
    await pool.run('noop');
    const { url } = await pool.monitor();
    const page = await look(url);
    const first = await page.next();
    assert.equal(first.pool, 'shown');
    assert.equal(first.stats.completed, 1);
    // What was before somebody looked is in the times, and no bar.
    assert.deepEqual(first.threads.flatMap(({ bars }) => bars), []);
    assert.deepEqual(first.times.byName.map(({ name, count }) => [name, count]), [['noop', 1]]);
    await Promise.all(Array.from({ length: 3_000 }, () => pool.run('noop')));
    const stop = new AbortController();
    const late = pool.run('sleep', 60_000, { signal: stop.signal }).catch(() => {});
    let noops = 0;
    const running = await page.find(({ threads, stats }) => {
      const bars = threads.flatMap((thread) => thread.bars);
      for (const [name, begin, end, count] of bars) {
        if (name !== 'noop') continue;
        assert.ok(begin <= end);
        noops += count;
      }
      return stats.running === 1 && bars.some(([name, , end]) => name === 'sleep' && end === null);
    }, 'the task under way');
    assert.match(running.threads[0].name, /^shown-\d$/);
    // Many short tasks are few bars.
    assert.equal(noops, 3_000);
    stop.abort();
    await late;
    await page.find(({ threads }) => threads.some(({ bars }) => bars.some(([name, , end, , state]) => name === 'sleep' && end !== null && state === 'cancelled')), 'it has ended');
    page.leave();
  });
});

test('frames: what workers run', async () => {
  await using(new WorkerPool(script('held'), { maxThreads: 1 }), async (pool) => {
    await pool.ready;
    const { url } = await pool.monitor();
    const page = await look(url);
    const { task, open } = await holdWorker(pool);
    const frame = await page.find(({ threads }) => threads.some(({ bars }) => bars.some(([name, , end]) => name === 'held' && end === null)), 'it runs');
    assert.equal(frame.threads.find(({ bars }) => bars.length > 0).name, 'worker 0');
    open();
    await task;
    const { times } = await page.find(({ times: told }) => told?.byName.length === 1, 'its times');
    assert.deepEqual(times.byName.map(({ name, kind, count }) => [name, kind, count]), [['held', 'script', 1]]);
    page.leave();
  });
});

test('several look at once, each to the end, and nothing is recorded while nobody does', async () => {
  await using(new WorkerPool(SCRIPT, 1), async (pool) => {
    await pool.run('echo', 1);
    const monitor = await pool.monitor();
    const pages = await Promise.all([1, 2, 3].map(() => look(monitor.url)));
    for (const page of pages) await page.next();
    pages[0].leave();
    for (const page of pages.slice(1)) assert.equal((await page.next()).closed, undefined);
    for (const page of pages) page.leave();
    // A later one gets nothing of the time when nobody looked.
    await until(async () => {
      for (const page of pages) await page.ended;
      return true;
    }, 'all have left');
    for (let i = 0; i < 20; i++) await pool.run('echo', i);
    const late = await look(monitor.url);
    const frame = await late.next();
    assert.deepEqual(frame.threads.flatMap(({ bars }) => bars), []);
    await monitor.close();
    await inTime(late.ended, 'the stream ends');
    assert.equal(monitor.close(), monitor.close());
    await assert.rejects(ask(monitor.url), { code: 'ECONNREFUSED' });
  });
});

test('more pages than there may be are refused', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const monitor = await pool.monitor();
    const pages = await Promise.all(Array.from({ length: 50 }, () => look(monitor.url)));
    assert.equal((await ask(monitor.url, { path: '/events' })).status, 503);
    assert.equal((await ask(monitor.url)).status, 200);
    pages[0].leave();
    await until(async () => {
      const request = http.get(new URL('events', monitor.url), { agent: false });
      const [response] = await once(request, 'response');
      const { statusCode } = response;
      response.on('error', () => {});
      request.destroy();
      return statusCode === 200;
    }, 'there is room again');
    await monitor.close();
    for (const page of pages.slice(1)) await inTime(page.ended, 'it ends');
  });
});

test('it closes with the pool, and tells the pages so', async () => {
  for (const make of [() => new WorkerPool({ maxThreads: 1 }), () => new WorkerPool(SCRIPT, 1)]) {
    for (const how of ['close', 'destroy']) {
      const pool = make();
      const monitor = await pool.monitor();
      const page = await look(monitor.url);
      await page.next();
      await pool[how]();
      assert.equal((await page.find(({ closed }) => closed, 'the last frame')).closed, true);
      await inTime(page.ended, 'the stream ends');
      await until(() => ask(monitor.url).then(() => false, ({ code }) => code === 'ECONNREFUSED'), 'the server has ended');
      await assert.rejects(pool.monitor(), errors.PoolClosedError);
    }
  }
});

test('neither it nor a page that is open keeps the process alive', async () => {
  const { code, stdout } = await runNode(['-e', `
    const { WorkerPool } = require('rust-workers');
    const http = require('node:http');
    (async () => {
      const pool = new WorkerPool({ maxThreads: 1 });
      const { url } = await pool.monitor();
      await new Promise((resolve) => {
        const request = http.get(url + 'events', { agent: false }, (response) => response.once('data', resolve));
        request.on('socket', (socket) => socket.unref());
        request.on('error', () => {});
        // The request itself is waited for.
        const keep = setInterval(() => {}, 1000);
        request.once('response', (response) => response.once('data', () => clearInterval(keep)));
      });
      await pool.run('noop');
      console.log('done');
    })();
  `]);
  assert.deepEqual([code, stdout.trim()], [0, 'done']);
});

test('await using closes it', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    const monitor = await pool.monitor();
    await monitor[Symbol.asyncDispose]();
    await assert.rejects(ask(monitor.url), { code: 'ECONNREFUSED' });
  });
});

test('options that cannot be are refused', async () => {
  await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    await assert.rejects(pool.monitor({ prot: 80 }), /did you mean 'port'/i);
    await assert.rejects(pool.monitor({ host: '' }), errors.InvalidArgValueError);
    for (const port of [-1, 65_536, 1.5]) await assert.rejects(pool.monitor({ port }), errors.OutOfRangeError);
    for (const options of [null, 8080, { port: '80' }, { host: 5 }, { allowedHosts: 'a' }, { allowedHosts: [5] }]) {
      await assert.rejects(pool.monitor(options), errors.InvalidArgTypeError);
    }
  });
});
