'use strict';

// tracingChannel('rust-workers:task'): who subscribes learns of every call, in its async context.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { channel, tracingChannel } = require('node:diagnostics_channel');
const { after, describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { evaluate } = require('../support/child');
const { script: scriptPath } = require('../support/pools');
const { inTime } = require('../support/until');

const native = new WorkerPool({ maxThreads: 2 });
const script = new WorkerPool(scriptPath('flow.js'), 2);
after(() => Promise.all([native.close(), script.close()]));

const tasks = tracingChannel('rust-workers:task');
const NAMES = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];

/** Runs `body` while all events are noted: each as its name, its object, and the store that holds. */
async function noted(body, store = new AsyncLocalStorage()) {
  const events = [];
  const subscribers = Object.fromEntries(
    NAMES.map((name) => [name, (message) => events.push({ name, message, store: store.getStore() })]),
  );
  tasks.subscribe(subscribers);
  try {
    const result = await inTime(Promise.resolve(body()).then((value) => ({ value }), (error) => ({ error })), 'the body');
    return { events, ...result };
  } finally {
    tasks.unsubscribe(subscribers);
  }
}

const names = ({ events }) => events.map(({ name }) => name);
const DONE = ['start', 'end', 'asyncStart', 'asyncEnd'];
const FAILED = ['start', 'end', 'error', 'asyncStart', 'asyncEnd'];

for (const { name, pool, task, input, output, bad, code } of [
  { name: 'a native task', pool: native, task: 'fibonacci', input: 7, output: 13, bad: -1, code: 'ERR_RW_OUT_OF_RANGE' },
  { name: "a script's function", pool: script, task: 'act', input: { value: 5 }, output: 5, bad: { fails: true }, code: 'E_OWN' },
]) {
  describe(name, () => {
    test('a task that succeeds, and one that fails: one object for all events of it', async () => {
      for (const [given, order] of [[input, DONE], [bad, FAILED]]) {
        const seen = await noted(() => pool.run(task, given));
        assert.deepEqual(names(seen), order);
        const [{ message }] = seen.events;
        assert.ok(seen.events.every((event) => event.message === message));
        assert.equal(message.pool, pool);
        assert.deepEqual([message.method, message.task, message.input], ['run', task, given]);
        if (order === DONE) assert.deepEqual([message.result, seen.value, 'error' in message], [output, output, false]);
        else assert.deepEqual([message.error, message.error.code, 'result' in message], [seen.error, code, false]);
      }
    });

    test('what is refused, aborted, timed out or cannot be sent is told too', async () => {
      for (const [call, wanted] of [
        [() => pool.run(task, () => {}), /./],
        [() => pool.run(task, input, { signal: AbortSignal.abort() }), /abort/i],
        [() => pool.run(task, input, { nothing: 1 }), /nothing/],
        [() => pool.run(7, input), /must be the name/],
      ]) {
        const seen = await noted(call);
        assert.deepEqual(names(seen), FAILED);
        assert.match(seen.error.message, wanted);
        assert.equal(seen.events[0].message.error, seen.error);
      }
      const closed = new WorkerPool({ maxThreads: 1 });
      await closed.close();
      assert.deepEqual(names(await noted(() => closed.run('noop'))), FAILED);
    });

    test('many inputs: a map, forEach is one call; of a stream each input is one', async () => {
      async function* source() {
        yield input;
        yield input;
      }
      for (const call of [() => pool.map(task, [input, input]), () => pool.map(task, source()), () => pool.forEach(task, [input, input])]) {
        const seen = await noted(call);
        assert.deepEqual(names(seen), DONE);
        assert.ok(['map', 'forEach'].includes(seen.events[0].message.method));
      }
      const seen = await noted(async () => {
        for await (const value of pool.stream(task, [input, input, input])) assert.equal(value, output);
      });
      assert.equal(names(seen).filter((one) => one === 'start').length, 3);
      assert.ok(seen.events.every(({ message }) => message.method === 'run'));
      const sync = await noted(() => pool.runSync(task, input));
      assert.deepEqual(names(sync), ['start', 'end']);
      assert.equal(sync.events[0].message.result, output);
    });

    test('the async context is that of the call, also at the end', async () => {
      const store = new AsyncLocalStorage();
      const seen = await noted(
        () => Promise.all(['one', 'two'].map((value) => store.run(value, () => pool.run(task, input)))),
        store,
      );
      assert.equal(seen.events.length, 8);
      for (const value of ['one', 'two']) {
        const own = seen.events.filter((event) => event.store === value);
        assert.deepEqual(own.map((event) => event.name), DONE);
        assert.equal(new Set(own.map((event) => event.message)).size, 1);
      }
    });

    test('a store that is bound to `start` holds in the submission and at the end, and nowhere else', async () => {
      const spans = new AsyncLocalStorage();
      const inner = [];
      tasks.start.bindStore(spans, (message) => `span of ${message.task}`);
      try {
        const seen = await noted(() => pool.run(task, pool === native ? 7 : { get value() { inner.push(spans.getStore()); return 5; } }), spans);
        const wanted = `span of ${task}`;
        assert.ok(seen.events.every((event) => event.store === wanted), JSON.stringify(seen.events.map((event) => event.store)));
        if (pool === script) assert.deepEqual(inner, [wanted]);
        assert.equal(spans.getStore(), undefined);
      } finally {
        tasks.start.unbindStore(spans);
      }
    });

    test('one subscriber of one event is enough; without any nothing is told', async () => {
      for (const name of NAMES) {
        const events = [];
        const listener = (message, full) => events.push(full);
        channel(`tracing:rust-workers:task:${name}`).subscribe(listener);
        await pool.run(task, bad).catch(() => {});
        channel(`tracing:rust-workers:task:${name}`).unsubscribe(listener);
        assert.deepEqual(events, [`tracing:rust-workers:task:${name}`]);
        await pool.run(task, input);
        assert.equal(events.length, 1);
      }
    });
  });
}

test('a call from a getter of the input of a traced call is traced by itself', async () => {
  const seen = await noted(async () => {
    let other;
    await script.run('act', {
      get value() {
        other = native.run('fibonacci', 7);
        return 1;
      },
    });
    assert.equal(await other, 13);
  });
  assert.deepEqual(seen.events.filter(({ name }) => name === 'start').map(({ message }) => message.task), ['act', 'fibonacci']);
});

test('a rejection that nobody handles is still unhandled; a subscriber that throws is uncaught and costs no task', async () => {
  const program = (body) => `
    const { tracingChannel } = require('node:diagnostics_channel');
    const { WorkerPool } = require('rust-workers');
    const pool = new WorkerPool({ maxThreads: 1 });
    ${body}`;
  const unhandled = await evaluate(program(`
    process.on('unhandledRejection', (error) => { console.log('unhandled', error.code); pool.close(); });
    tracingChannel('rust-workers:task').subscribe({ start() {} });
    pool.run('fibonacci', -1);`));
  assert.equal(unhandled.stdout.trim(), 'unhandled ERR_RW_OUT_OF_RANGE');
  const throwing = await evaluate(program(`
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    tracingChannel('rust-workers:task').subscribe({ start() { throw new Error('own'); }, asyncEnd() { throw new Error('own'); } });
    pool.run('fibonacci', 7).then((value) => { console.log(value); pool.close(); });`));
  assert.deepEqual(throwing.stdout.trim().split('\n').sort(), ['13', 'uncaught own', 'uncaught own']);
});
