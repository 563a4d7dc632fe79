'use strict';

// The service as its users and its operators meet it: a process, its port, its log, its end.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { start } = require('./service');

/** Takes longer than what is done meanwhile: something ends it. */
const ENDLESS = '/primes/10000000000';
const POOLS = ['native', 'script'];
/** Takes some tenths of a second, and the number of primes. */
const SLOW = { native: [300_000_000, 16_252_325], script: [50_000_000, 3_001_134] };

for (const WAY of ['inline', 'native', 'script', 'piscina']) {
  test(`${WAY}: the work, /health, and SIGTERM with nothing to do`, async (t) => {
    const service = await start(t, { WAY });
    assert.deepEqual(await service.json('/primes/1000000'), { limit: 1_000_000, primes: 78_498 });
    assert.deepEqual(await service.json('/health'), { ok: true });
    assert.equal((await service.get('/primes/1')).status, 400);
    service.kill('SIGTERM');
    assert.deepEqual(await service.ended(), { code: 0, signal: null, output: '' });
  });
}

for (const WAY of POOLS) {
  describe(WAY, () => {
    test('SIGTERM in the middle of requests: each gets its answer, then the process ends with 0', async (t) => {
      const service = await start(t, { WAY, THREADS: '1', TASK_TIMEOUT: '60000' });
      await service.get('/primes/2');
      const [limit, primes] = SLOW[WAY];
      const answers = [1, 2, 3].map(() => service.get(`/primes/${limit}`));
      await service.until(() => service.metrics(), (metrics) => metrics.get('rust_workers_submitted_total') === 4);
      service.kill('SIGTERM');
      await service.logged(({ msg }) => msg === 'closing');
      // Reset: the system had taken the connection in just before the service stopped listening.
      await assert.rejects(service.get('/health'), ({ code }) => code === 'ECONNREFUSED' || code === 'ECONNRESET');
      for (const { status, text } of await Promise.all(answers)) assert.deepEqual([status, JSON.parse(text)], [200, { limit, primes }]);
      assert.deepEqual(await service.ended(), { code: 0, signal: null, output: '' });
      const lines = service.log.map(({ msg }) => msg).filter((msg) => /^clos|completed/.test(msg));
      assert.deepEqual(lines.slice(lines.indexOf('closing')).slice(-2), ['request completed', 'closed'], 'answers came after the signal');
    });

    test('a full queue: 503 and when to come again; there is room again once tasks have ended', async (t) => {
      const service = await start(t, { WAY, THREADS: '1', MAX_QUEUE: '2', TASK_TIMEOUT: '60000' });
      await service.get('/primes/2');
      const accepted = [1, 2, 3].map(() => service.ask(ENDLESS));
      await service.until(() => service.metrics(), (metrics) => metrics.get('rust_workers_submitted_total') === 4);
      const { status, headers, text } = await service.get('/primes/100');
      assert.equal(status, 503);
      assert.match(headers['retry-after'], /^[1-9]\d*$/);
      assert.equal(JSON.parse(text).code, 'ERR_RW_QUEUE_FULL');
      assert.deepEqual(await service.json('/health'), { ok: true });
      for (const { request, answer } of accepted) {
        request.destroy();
        await assert.rejects(answer, { code: 'ECONNRESET' });
      }
      await service.until(() => service.metrics(), (metrics) => metrics.get('rust_workers_cancelled_total') === 3);
      assert.equal((await service.json('/primes/100')).primes, 25);
      assert.equal((await service.metrics()).get('rust_workers_completed_total'), 2);
    });

    test('a time limit of the service, and a shorter one of the request: 504; the pool goes on', async (t) => {
      const service = await start(t, { WAY, THREADS: '1', TASK_TIMEOUT: '100' });
      await service.get('/primes/2');
      for (const headers of [{}, { 'x-timeout-ms': '20' }]) {
        const { status, text } = await service.get(ENDLESS, headers);
        const limit = headers['x-timeout-ms'] ?? '100';
        assert.deepEqual([status, JSON.parse(text)], [504, { code: 'ERR_RW_TASK_TIMEOUT', message: `task 'primes' took longer than ${limit} ms` }]);
      }
      assert.equal((await service.json('/primes/100')).primes, 25);
      const line = await service.logged(({ code }) => code === 'ERR_RW_TASK_TIMEOUT');
      assert.deepEqual([line.level, line.msg, line.way], [40, 'task failed', WAY]);
    });

    test('a client that goes away: its task ends, and its thread takes the next', async (t) => {
      const service = await start(t, { WAY, THREADS: '1', TASK_TIMEOUT: '60000' });
      await service.get('/primes/2');
      const { request, answer } = service.ask(ENDLESS);
      await service.until(() => service.metrics(), (metrics) => metrics.get('rust_workers_running') === 1);
      request.destroy();
      await assert.rejects(answer, { code: 'ECONNRESET' });
      await service.logged(({ code }) => code === 'ERR_RW_TASK_CANCELLED');
      assert.equal((await service.json('/primes/100')).primes, 25);
      const metrics = await service.metrics();
      assert.equal(metrics.get('rust_workers_cancelled_total'), 1);
      assert.equal(metrics.get('rust_workers_running'), 0);
    });

    test('metrics: the counters of the pool, and the times of requests', async (t) => {
      const service = await start(t, { WAY, THREADS: '2' });
      const first = await service.metrics();
      for (const name of ['submitted_total', 'completed_total', 'failed_total', 'cancelled_total', 'wait_seconds_total', 'run_seconds_total']) {
        assert.equal(first.get(`rust_workers_${name}`), 0, name);
      }
      for (let i = 0; i < 5; i++) await service.get('/primes/1000000');
      const metrics = await service.metrics();
      assert.equal(metrics.get('rust_workers_submitted_total'), 5);
      assert.equal(metrics.get('rust_workers_completed_total'), 5);
      assert.ok(metrics.get('rust_workers_run_seconds_total') > 0);
      assert.ok(metrics.get('rust_workers_wait_seconds_total') > 0);
      assert.equal(metrics.get('rust_workers_queue_size'), 0);
      assert.ok(metrics.get(WAY === 'native' ? 'rust_workers_threads' : 'rust_workers_workers') > 0);
      assert.equal(metrics.get('http_request_duration_seconds_count{route="/primes/:limit",status="200"}'), 5);
      assert.ok(metrics.has('nodejs_eventloop_lag_p99_seconds'));
    });

    test('one span a task, in the trace of the request', async (t) => {
      const service = await start(t, { WAY, THREADS: '1', TRACES: 'memory' });
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const caller = 'b7ad6b7169203331';
      await service.get('/primes/1000', { traceparent: `00-${traceId}-${caller}-01` });
      await service.get(ENDLESS, { traceparent: `00-${traceId}-${caller}-01`, 'x-timeout-ms': '20' });
      const expected = WAY === 'script' ? 3 : 2;
      // A worker's span comes after its answer.
      const spans = await service.until(
        async () => (await service.json('/traces')).filter((span) => span.traceId === traceId),
        ({ length }) => length >= 2 * expected,
      );
      assert.equal(spans.length, 2 * expected);
      const byId = new Map(spans.map((span) => [span.spanId, span]));
      const roots = spans.filter((span) => span.parentSpanId === caller);
      const [tasks, runs] = ['task primes', 'run primes'].map((name) => spans.filter((span) => span.name === name));
      assert.deepEqual(roots.map(({ name }) => name), ['GET /primes/:limit', 'GET /primes/:limit']);
      assert.deepEqual(tasks.map((span) => byId.get(span.parentSpanId)), roots);
      for (const run of runs) {
        assert.ok(tasks.includes(byId.get(run.parentSpanId)));
        assert.ok(run.attributes['thread.id'] > 0, 'it ran in a worker');
      }
      assert.deepEqual(new Set(runs.map(({ parentSpanId }) => parentSpanId)).size, expected === 3 ? 2 : 0);
      assert.deepEqual(tasks.map(({ attributes }) => attributes['error.type']), [undefined, 'ERR_RW_TASK_TIMEOUT']);
      const line = await service.logged(({ code }) => code === 'ERR_RW_TASK_TIMEOUT');
      assert.equal(line.trace_id, traceId);
      service.kill('SIGTERM');
      assert.deepEqual(await service.ended(), { code: 0, signal: null, output: '' });
    });
  });
}

test('a setting that is none ends the service with what there is', async (t) => {
  for (const env of [{ WAY: 'other' }, { THREADS: 'many' }]) {
    await assert.rejects(start(t, env), /choose one of inline, native, script, piscina|give a whole number/);
  }
});
