'use strict';

// pool.map over sources that misbehave, are slow, or end early: over async iterables, and for a script's function.

const assert = require('node:assert/strict');
const { after, describe, test } = require('node:test');

const { MessageChannel, WorkerPool, errors } = require('rust-workers');
const { runProgram } = require('../support/child');
const { Gate, script: scriptPath } = require('../support/pools');
const { block, blockUntil, inTime, until } = require('../support/until');

const SCRIPT_WITH_ECHO = 'data:text/javascript,await new Promise((go) => setTimeout(go, 20)); export const echo = (x) => x;';
const SCRIPT = scriptPath('mapping.js');

const native = new WorkerPool({ maxThreads: 2 });
const script = new WorkerPool(SCRIPT, 2);
after(() => Promise.all([native.close(), script.close()]));

/** What becomes of a map: its value or its error. */
const fate = (promise) => inTime(promise.then((value) => value, (error) => error), 'the map');

/** A source of `values` that then says nothing more; counts how often it is closed. */
function quiet(...values) {
  const source = {
    closed: 0,
    asked: 0,
    [Symbol.asyncIterator]: () => ({
      next() {
        source.asked++;
        return values.length > 0 ? Promise.resolve({ done: false, value: values.shift() }) : new Promise(() => {});
      },
      return() {
        source.closed++;
        return new Promise(() => {});
      },
    }),
  };
  return source;
}

for (const [name, pool, of] of [
  ['a native task', native, { echo: 'echo', wait: 'sleep', fail: 'panic', failure: 'ERR_RW_TASK_PANICKED' }],
  ["a script's function", script, { echo: 'same', wait: 'wait', fail: 'fail', failure: 'E_OWN' }],
]) {
  describe(name, () => {
    test('a source that has gone quiet: abort, time limit and failure settle at once, and close it', async () => {
      const reason = new Error('enough');
      const stop = new AbortController();
      for (const values of [[], [1], [1, 1, 1]]) {
        const source = quiet(...values);
        const controller = new AbortController();
        const run = pool.map(of.echo, source, { signal: controller.signal });
        await until(() => source.asked > values.length, 'all its values are taken');
        controller.abort(reason);
        const error = await fate(run);
        assert.equal(error.name, 'AbortError');
        assert.equal(error.code, 'ERR_RW_TASK_CANCELLED');
        assert.equal(error.cause, reason);
        assert.equal(source.closed, 1);
      }
      const late = quiet(1);
      const error = await fate(pool.map(of.echo, late, { timeout: 30 }));
      assert.ok(error instanceof errors.TaskTimeoutError, String(error));
      assert.match(error.message, /longer than 30 ms/);
      assert.equal(late.closed, 1);
      const failing = quiet('p', 'q');
      assert.equal((await fate(pool.map(of.fail, failing))).code, of.failure);
      assert.equal(failing.closed, 1);
      stop.abort();
      const never = quiet(1);
      assert.equal((await fate(pool.map(of.echo, never, { signal: stop.signal }))).name, 'AbortError');
      assert.deepEqual([never.asked, never.closed], [0, 0], 'a source that was never begun');
    });

    test("the time limit is the call's", async () => {
      async function* slow() {
        for (let i = 0; i < 100; i++) yield 20;
      }
      const began = performance.now();
      assert.equal((await fate(pool.map(of.wait, slow(), { timeout: 150 }))).code, 'ERR_RW_TASK_TIMEOUT');
      assert.ok(performance.now() - began >= 149);
      assert.equal((await pool.map(of.echo, slow(), { timeout: 20_000 })).length, 100);
    });

    test('outputs come in the order of the inputs, few at a time, whatever each of them takes', async () => {
      let ahead = 0;
      let taken = 0;
      const settled = () => {
        const { completed } = pool.stats();
        return completed;
      };
      const before = settled();
      async function* source() {
        for (let i = 0; i < 60; i++) {
          taken++;
          ahead = Math.max(ahead, taken - (settled() - before));
          yield (i * 7) % 5;
        }
      }
      const inputs = Array.from({ length: 60 }, (_, i) => (i * 7) % 5);
      assert.deepEqual(await pool.map(of.echo, source()), inputs);
      assert.ok(ahead <= 2 * 4 + 1, `${ahead} ahead`);
    });

    test('the first error is the one, the rest is cancelled, the source closed', async () => {
      let closed = 0;
      async function* source() {
        try {
          for (let i = 0; ; i++) yield `${i}`;
        } finally {
          closed++;
        }
      }
      const error = await fate(pool.map(of.fail, source()));
      assert.equal(error.code, of.failure);
      await until(() => closed > 0, 'the source is closed');
      assert.equal(closed, 1);
    });

    const own = new Error('own');
    const throwing = (where) => ({
      [Symbol.asyncIterator]: () => {
        if (where === 'open') throw own;
        let count = 0;
        return {
          get next() {
            if (where === 'next getter') throw own;
            return () => {
              count++;
              if (where === 'next') throw own;
              if (where === 'rejects') return Promise.reject(own);
              if (where === 'no object') return Promise.resolve(5);
              if (where === 'done') return { get done() { throw own; } };
              if (where === 'value') return { done: false, get value() { throw own; } };
              if (where === 'then') return { get then() { throw own; } };
              if (where === 'second' && count === 2) throw own;
              return { done: false, value: 1 };
            };
          },
          return() {
            this.closed = true;
            throw new Error('not this one');
          },
        };
      },
    });

    for (const where of ['open', 'next getter', 'next', 'rejects', 'done', 'value', 'then', 'second', 'no object']) {
      test(`a source that throws: ${where}; as \`for await\` has it`, async () => {
        let expected;
        try {
          for await (const value of throwing(where)) void value;
        } catch (error) {
          expected = error;
        }
        const seen = await fate(pool.map(of.echo, throwing(where)));
        if (where === 'no object') assert.ok(seen instanceof TypeError && expected instanceof TypeError);
        else assert.equal(seen, expected);
      });
    }

    test('a source whose return() throws, rejects, never settles, or yields more: the first error counts', async () => {
      const endings = {
        throws: () => { throw new Error('return'); },
        rejects: () => Promise.reject(new Error('return')),
        hangs: () => new Promise(() => {}),
        goes: () => Promise.resolve({ done: false, value: 7 }),
        none: undefined,
      };
      const stray = [];
      const note = (error) => stray.push(error);
      process.on('unhandledRejection', note);
      for (const [ending, close] of Object.entries(endings)) {
        let asked = 0;
        const source = {
          [Symbol.asyncIterator]: () => ({ next: () => (asked++, Promise.resolve({ done: false, value: 'p' })), return: close }),
        };
        const error = await fate(pool.map(of.fail, source));
        assert.equal(error.code, of.failure, ending);
        const before = asked;
        // Another map begins and ends meanwhile.
        assert.deepEqual(await pool.map(of.echo, (async function* () { yield 1; yield 2; })()), [1, 2]);
        assert.equal(asked, before, 'nothing is asked for afterwards');
      }
      process.off('unhandledRejection', note);
      assert.deepEqual(stray, []);
    });

    test('a source that re-enters: aborts, maps itself, closes nothing twice', async () => {
      const stop = new AbortController();
      let closed = 0;
      const aborting = {
        [Symbol.asyncIterator]: () => ({
          next() {
            stop.abort();
            return Promise.resolve({ done: false, value: 1 });
          },
          return() {
            closed++;
            stop.abort();
            return pool.run(of.echo, 1);
          },
        }),
      };
      assert.equal((await fate(pool.map(of.echo, aborting, { signal: stop.signal }))).name, 'AbortError');
      assert.equal(closed, 1);
      async function* values() {
        for (let i = 0; i < 10; i++) yield i;
      }
      const once = values();
      const [one, other] = await Promise.all([pool.map(of.echo, once), pool.map(of.echo, once)]);
      assert.deepEqual([...one, ...other].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    test('sync iterables: generators, sets, one that throws midway, one that is used twice', async () => {
      function* counting(until) {
        for (let i = 0; i < until; i++) {
          if (i === 5) throw own;
          yield i;
        }
      }
      assert.deepEqual(await pool.map(of.echo, counting(3)), [0, 1, 2]);
      assert.equal(await fate(pool.map(of.echo, counting(9))), own);
      assert.deepEqual(await pool.map(of.echo, new Set(['a', 'b'])), ['a', 'b']);
      const once = counting(3);
      assert.deepEqual(await pool.map(of.echo, once), [0, 1, 2]);
      assert.deepEqual(await pool.map(of.echo, once), []);
      assert.deepEqual(await pool.map(of.echo, []), []);
    });

    test('an array that changes while it is mapped counts as it was', async () => {
      const inputs = [1, { get a() { inputs.length = 1; return 2; } }, 3, 4];
      assert.deepEqual(await pool.map(of.echo, inputs), [1, { a: 2 }, 3, 4]);
      const growing = [{ get a() { growing.push(5); return 1; } }, 2];
      assert.deepEqual(await pool.map(of.echo, growing), [{ a: 1 }, 2]);
      const sparse = [1, , 3]; // eslint-disable-line no-sparse-arrays
      assert.deepEqual(await pool.map(of.echo, sparse), [1, undefined, 3]);
      const odd = [1, 2, 3];
      let reads = 0;
      Object.defineProperty(odd, 1, { get: () => (reads++, 2), enumerable: true });
      assert.deepEqual(await pool.map(of.echo, odd), [1, 2, 3]);
      assert.equal(reads, 1);
    });

    test('transfer: each input gives away what of the list it holds', async () => {
      const blocks = Array.from({ length: 6 }, (_, i) => new Uint8Array(3_000).fill(i));
      async function* source() {
        for (const block of blocks) yield { block };
      }
      const list = blocks.slice(1).map((block) => block.buffer);
      const back = await pool.map(of.echo, source(), { transfer: list });
      back.forEach(({ block }, i) => assert.ok(block.length === 3_000 && block.every((byte) => byte === i)));
      assert.deepEqual(blocks.map((block) => block.length), [3_000, 0, 0, 0, 0, 0]);
      const twice = new ArrayBuffer(8);
      const bad = await fate(pool.map(of.echo, source(), { transfer: [twice, twice] }));
      assert.equal(bad.code, 'ERR_RW_INVALID_ARG_VALUE');
      assert.equal(twice.byteLength, 8);
    });
  });
}

test('a small maxQueue refuses none of its own inputs, also when others fill the queue', async () => {
  for (const [make, task, wait] of [
    [(options) => new WorkerPool(options), 'echo', 'sleep'],
    [(options) => new WorkerPool(SCRIPT, options), 'same', 'wait'],
  ]) {
    for (const maxQueue of [0, 1, 3]) {
      const pool = make({ maxThreads: 1, maxQueue });
      const others = Array.from({ length: 1 + maxQueue }, () => pool.run(wait, 20));
      async function* source() {
        for (let i = 0; i < 40; i++) yield i;
      }
      const run = pool.map(task, source());
      assert.deepEqual(await fate(run), Array.from({ length: 40 }, (_, i) => i), `${task} ${maxQueue}`);
      await Promise.all(others);
      await pool.close();
    }
  }
});

test('arrays for a script: bounded, refused by nothing, finished by a pool that closes', async () => {
  const pool = new WorkerPool(SCRIPT, { maxThreads: 1, maxQueue: 1 });
  const inputs = Array.from({ length: 50 }, (_, i) => i);
  const run = pool.map('same', inputs);
  assert.ok(pool.stats().submitted <= 2, 'not all at once');
  const closing = pool.close();
  await assert.rejects(pool.run('same', 1), { code: 'ERR_RW_POOL_CLOSED' });
  await assert.rejects(pool.runTask(1), { code: 'ERR_RW_POOL_CLOSED' });
  await assert.rejects(pool.map('same', [1]), { code: 'ERR_RW_POOL_CLOSED' });
  assert.deepEqual(await run, inputs);
  await closing;
  const forced = new WorkerPool(SCRIPT, 1);
  const cut = fate(forced.map('wait', Array(50).fill(50)));
  await forced.run('same', 1);
  await forced.destroy();
  assert.equal((await cut).code, 'ERR_RW_POOL_CLOSED');
});

test('a pool that closes takes no more from an async source, and closes it', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  let closed = false;
  async function* source() {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      closed = true;
    }
  }
  const run = fate(pool.map('echo', source()));
  await pool.run('echo', 1);
  await pool.close();
  assert.equal((await run).code, 'ERR_RW_POOL_CLOSED');
  assert.equal(closed, true);
});

test("onProgress and the function's name pass to each of a script's tasks", async () => {
  const told = [];
  const outputs = await script.map('report', [1, 2, 3], { onProgress: (value) => told.push(value) });
  assert.deepEqual(outputs, [1, 2, 3]);
  assert.deepEqual(told.sort(), [1, 2, 3]);
});

test('a time limit is kept though nothing else keeps the process alive', async () => {
  const { code, stdout } = await runProgram(process.execPath, async ({ load }) => {
    const { WorkerPool } = load();
    const pool = new WorkerPool({ maxThreads: 1 });
    const source = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    await pool.map('echo', source, { timeout: 50 }).catch((error) => console.log(error.code));
  });
  assert.deepEqual([code, stdout], [0, 'ERR_RW_TASK_TIMEOUT\n']);
});

for (const how of ['close', 'destroy']) {
  test(`a map of a quiet source settles when its pool is told to ${how}, after what has come so far where it may`, async () => {
    for (const [pool, name] of [[new WorkerPool({ maxThreads: 1 }), 'echo'], [new WorkerPool(SCRIPT, 1), 'same']]) {
      let closed = 0;
      let given = 0;
      const source = {
        [Symbol.asyncIterator]() {
          return this;
        },
        next: () => (given++ < 2 ? Promise.resolve({ value: 1, done: false }) : new Promise(() => {})),
        return() {
          closed++;
          return Promise.resolve({});
        },
      };
      await pool.run(name, 0);
      const run = fate(pool.map(name, source));
      await until(() => given === 3, 'the source has gone quiet');
      await pool[how]();
      assert.equal((await run).code, 'ERR_RW_POOL_CLOSED');
      assert.equal(closed, 1);
    }
  });
}

for (const inner of ['close', 'destroy']) {
  test(`a source that calls ${inner}() when the closing pool closes it: both promises are one, and settle`, async () => {
    for (const [pool, name] of [[new WorkerPool({ maxThreads: 1 }), 'echo'], [new WorkerPool(SCRIPT, 1), 'same']]) {
      let asked = false;
      let again;
      const source = {
        [Symbol.asyncIterator]() {
          return this;
        },
        next() {
          asked = true;
          return new Promise(() => {});
        },
        return() {
          assert.equal(pool.closed, true);
          again = pool[inner]();
          return Promise.resolve({});
        },
      };
      await pool.run(name, 0);
      const run = fate(pool.map(name, source));
      await until(() => asked, 'the source is asked');
      const closing = pool.close();
      assert.equal(again, closing);
      await inTime(closing, 'the end of the pool');
      assert.equal((await run).code, 'ERR_RW_POOL_CLOSED');
    }
  });
}

test('a pool that closes finishes a map whose source has ended', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  let ended = false;
  async function* source() {
    for (let i = 0; i < 3; i++) yield 5;
    ended = true;
  }
  const run = pool.map('sleep', source());
  await until(() => ended, 'the source has ended');
  await pool.close();
  assert.equal((await run).length, 3);
});

test('an array counts as it is at the call, its elements too, for a script as for a native task', async () => {
  const { port1, port2 } = new MessageChannel();
  const pool = new WorkerPool(SCRIPT, 1);
  await pool.run('same', 0);
  for (const name of ['same', 'native:echo']) {
    const items = Array.from({ length: 20 }, (_, value) => ({ value }));
    const bytes = new Uint8Array(4).fill(1);
    const runs = [pool.map(name, items), pool.map(name, Array(20).fill(bytes))];
    items.forEach((item) => (item.value = 'late'));
    items.length = 3;
    bytes.fill(9);
    const [values, all] = await Promise.all(runs);
    assert.deepEqual(values.map(({ value }) => value), Array.from({ length: 20 }, (_, i) => i));
    assert.ok(all.every((copy) => copy[0] === 1), name);
  }
  // What is given away goes with its own input, however late that has its turn.
  const buffers = Array.from({ length: 20 }, (_, i) => new Uint8Array(100).fill(i));
  const moved = pool.map('same', buffers, { transfer: buffers.map(({ buffer }) => buffer) });
  assert.ok(buffers.every(({ byteLength }) => byteLength === 0));
  assert.deepEqual((await moved).map(([first]) => first), Array.from({ length: 20 }, (_, i) => i));
  const cells = Array.from({ length: 12 }, () => new Int32Array(new SharedArrayBuffer(4)));
  const seen = await pool.map('same', cells);
  seen.forEach((view, i) => (view[0] = i));
  assert.deepEqual(cells.map(([first]) => first), Array.from({ length: 12 }, (_, i) => i));
  const refused = pool.map('same', [...Array(19).fill({}), { f() {} }]);
  await assert.rejects(refused, { name: 'DataCloneError' });
  const ports = await pool.map('same', [...Array(15).fill(1), { port: port2 }], { transfer: [port2] }).catch((error) => error);
  // The script gives the port back on no list.
  assert.ok(ports instanceof Error);
  port1.close();
  await pool.close();
});

test('where others fill the queue, the inputs of a script still are what they were at the call, each getter runs once, and what is given away arrives', async () => {
  for (const [maxQueue, isAsync] of [[0, false], [1, false], [1, true]]) {
    const pool = new WorkerPool(SCRIPT, { maxThreads: 1, maxQueue });
    await pool.run('same', 1);
    const others = [pool.run('wait', 20), pool.run('wait', 5).catch(() => {})];
    const log = [];
    const items = Array.from({ length: 6 }, (_, i) => ({ i, bytes: new Uint8Array(2000).fill(i), get x() { log.push(i); return i; } }));
    async function* source() { yield* items; }
    const buffers = items.map(({ bytes }) => bytes.buffer);
    const run = pool.map('same', isAsync ? source() : items, { transfer: buffers });
    if (!isAsync) {
      for (const item of items) item.i = 'late';
      assert.ok(buffers.every(({ byteLength }) => byteLength === 0));
    }
    const outputs = await run;
    assert.deepEqual(outputs.map(({ i, bytes, x }) => [i, bytes.length, bytes[1999], x]), [0, 1, 2, 3, 4, 5].map((i) => [i, 2000, i, i]));
    assert.deepEqual(log, [0, 1, 2, 3, 4, 5]);
    await Promise.all(others);
    await pool.close();
  }
});

test('what was taken for a map that ends early is let go of, also by a getter of the input at hand', async () => {
  for (const how of ['abort', 'destroy', 'getter']) {
    const pool = new WorkerPool(SCRIPT, { maxThreads: 1, maxQueue: 1 });
    await pool.run('same', 1);
    const stop = new AbortController();
    const other = fate(pool.run('wait', 50));
    const channels = Array.from({ length: 8 }, () => new MessageChannel());
    const closed = channels.map(({ port1 }) => new Promise((resolve) => port1.on('close', resolve)));
    const inputs = channels.map(({ port2 }, i) => ({ get x() { if (how === 'getter' && i === 6) stop.abort(); return i; }, port: port2 }));
    const run = fate(pool.map('same', inputs, { transfer: channels.map(({ port2 }) => port2), signal: stop.signal }));
    await null;
    if (how === 'abort') stop.abort();
    if (how === 'destroy') pool.destroy();
    assert.ok((await run) instanceof Error);
    // The last one was not read any more where a getter ended it.
    if (how === 'getter') channels[7].port2.close();
    await inTime(Promise.all(closed), 'the ports close');
    await other;
    await pool.close();
  }
});

test("a script's map keeps its time limit by when its tasks ended, though its owner was busy", async () => {
  const pool = new WorkerPool(SCRIPT, 1);
  await pool.run('same', 1);
  await new Promise(setImmediate);
  await until(async () => {
    const ended = () => pool.stats().completed + pool.stats().cancelled;
    const before = ended();
    const began = performance.now();
    const run = fate(pool.map('same', [1, 2, 3], { timeout: 100 }));
    blockUntil(() => ended() === before + 3, 'its tasks have ended');
    const wereInTime = performance.now() - began < 90;
    block(120);
    // Where others keep the machine busy this may take some attempts.
    if (wereInTime) assert.deepEqual(await run, [1, 2, 3]);
    return wereInTime;
  }, 'its tasks end in time');
  await pool.close();
});

test('a getter that closes the pool costs a map over an array nothing, whoever turns out to run it', async () => {
  const script = `data:text/javascript,${encodeURIComponent(`
    await new Promise((resolve) => setTimeout(resolve, 30));
    export const render = (input) => input;`)}`;
  for (const name of ['echo', 'render']) {
    const pool = new WorkerPool(script, 1);
    let closing;
    const outputs = await pool.map(name, [{ get x() { closing ??= pool.close(); return 1; } }, { x: 2 }]);
    assert.deepEqual(outputs.map(({ x }) => x), [1, 2]);
    await closing;
  }
});

test('maps of a name that both have, on a pool that knows no exports yet: what is given away arrives, what is changed later does not', async () => {
  for (const transfers of [true, false]) {
    const pool = new WorkerPool(SCRIPT_WITH_ECHO, { maxThreads: 1, maxQueue: 1 });
    const make = () => [1, 2, 3, 4, 5].map((v) => ({ v, bytes: new Uint8Array([v, v]) }));
    const both = [make(), make()];
    const runs = both.map((items) => pool.map('echo', items, transfers ? { transfer: items.map(({ bytes }) => bytes.buffer) } : {}));
    for (const items of both) for (const item of items) item.v = 'late';
    for (const outputs of await Promise.all(runs)) {
      assert.deepEqual(outputs.map(({ v, bytes }) => [v, ...bytes]), [1, 2, 3, 4, 5].map((v) => [v, v, v]));
    }
    await pool.close();
  }
  const broken = new WorkerPool("data:text/javascript,throw new Error('broken')", 1);
  broken.on('error', () => {});
  await assert.rejects(broken.map('echo', [1, 2]), { code: 'ERR_RW_SCRIPT_LOAD' });
  await broken.close();
});

test('what a full queue refuses is untouched, whatever was to be given away with it', async () => {
  const pool = new WorkerPool(SCRIPT, { maxThreads: 1, maxQueue: 0 });
  await pool.run('same', 1);
  const gate = new Gate();
  const stop = new AbortController();
  const others = [pool.run('held', gate.cells), pool.run('native:sleep', 60_000, { signal: stop.signal }).catch(() => {})];
  for (const name of ['same', 'native:echo']) {
    for (const wrap of [(bytes) => bytes, (bytes) => ({ bytes }), (bytes) => ({ bytes, r: 1n })]) {
      const bytes = new Uint8Array([7, 7]);
      const input = wrap(bytes);
      const error = await pool.run(name, input, { transfer: [bytes.buffer] }).catch((refusal) => refusal);
      assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
      assert.equal(error.input, input);
      assert.deepEqual([...bytes], [7, 7]);
    }
  }
  gate.open();
  stop.abort();
  await Promise.all(others);
  await pool.close();
});

test("the inputs of a script's map overlap on one worker, as those of `run` do", async () => {
  const pool = new WorkerPool(SCRIPT, { maxThreads: 1, concurrentTasksPerWorker: 4 });
  await pool.run('same', 1);
  const gate = new Gate();
  const run = pool.map('held', Array(8).fill(gate.cells));
  await until(() => gate.begun === 4, 'four are held at once');
  assert.equal(pool.stats().running, 4);
  gate.open();
  assert.equal((await run).length, 8);
  assert.equal(gate.begun, 8);
  await pool.close();
});
