'use strict';

// pool.profile: one profile of all workers, in the format that Chrome loads.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { evaluate } = require('../support/child');
const { Gate, script: scriptPath, using } = require('../support/pools');
const { inTime, until } = require('../support/until');

const SCRIPT = scriptPath('burns.js');

/** Fails where a profile breaks a rule of the format (the type `Profile` of the domain Profiler). */
function checkFormat({ nodes, samples, timeDeltas, startTime, endTime }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  assert.equal(byId.size, nodes.length, 'ids differ');
  const parents = new Map();
  for (const { id, callFrame, children = [] } of nodes) {
    assert.ok(Number.isInteger(id) && id > 0);
    assert.deepEqual(
      Object.fromEntries(Object.entries(callFrame).slice(0, 5).map(([key, value]) => [key, typeof value])),
      { functionName: 'string', scriptId: 'string', url: 'string', lineNumber: 'number', columnNumber: 'number' },
    );
    for (const child of children) {
      assert.ok(byId.has(child), 'a child is a node');
      assert.ok(!parents.has(child), 'a node has one parent');
      parents.set(child, id);
    }
  }
  const roots = nodes.filter(({ id }) => !parents.has(id));
  assert.deepEqual(roots.map(({ callFrame }) => callFrame.functionName), ['(root)']);
  for (const { id } of nodes) {
    let at = id;
    for (let steps = 0; parents.has(at); steps++) {
      assert.ok(steps <= nodes.length, 'no circle');
      at = parents.get(at);
    }
  }
  assert.equal(samples.length, timeDeltas.length);
  assert.ok(samples.every((sample) => byId.has(sample)));
  assert.ok(timeDeltas.every((delta) => Number.isInteger(delta) && delta >= 0));
  const total = timeDeltas.reduce((sum, delta) => sum + delta, 0);
  assert.ok(startTime === 0 && total <= endTime, `${total} of ${endTime}`);
  return { byId, parents };
}

/** How often each thread's samples were in a function, by the thread's name. */
function samplesIn(profile, functionName) {
  const { byId, parents } = checkFormat(profile);
  const counts = {};
  for (const sample of profile.samples) {
    const names = [];
    for (let at = sample; at !== undefined; at = parents.get(at)) names.push(byId.get(at).callFrame.functionName);
    const thread = names.at(-2);
    counts[thread] ??= 0;
    if (names.includes(functionName)) counts[thread]++;
  }
  return counts;
}

for (const task of ['burn', 'burnInTurns']) {
  test(`${task}: each worker's work is found under its name, and this thread's beside it`, async () => {
    await using(new WorkerPool(SCRIPT, { maxThreads: 2, minThreads: 2, name: 'burner' }), async (pool) => {
      const gate = new Gate();
      const runs = [pool.run(task, gate.cells), pool.run(task, gate.cells)];
      await until(() => gate.begun === 2, 'both work');
      const profile = await inTime(pool.profile(250), 'the profile');
      gate.open();
      await Promise.all(runs);
      const counts = samplesIn(profile, 'burnRecursively');
      assert.deepEqual(Object.keys(counts).sort(), ['burner-0', 'burner-1', 'main']);
      assert.ok(counts['burner-0'] > 0 && counts['burner-1'] > 0, JSON.stringify(counts));
      assert.equal(counts.main, 0);
      assert.deepEqual(profile.threads.map(({ name, workerId }) => [name, workerId]), [['main', undefined], ['burner-0', 0], ['burner-1', 1]]);
      assert.equal(profile.threads.reduce((sum, { profile: own }) => sum + own.samples.length, 0), profile.samples.length);
    });
  });
}

describe('a profile', () => {
  test('is a file that has nothing but the format', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-profile-'));
    try {
      await using(new WorkerPool(SCRIPT, 1), async (pool) => {
        await pool.ready;
        const profile = await pool.profile(20, { thisThread: false });
        const file = path.join(folder, 'pool.cpuprofile');
        await profile.save(file);
        const read = JSON.parse(fs.readFileSync(file, 'utf8'));
        assert.deepEqual(Object.keys(read).sort(), ['endTime', 'nodes', 'samples', 'startTime', 'timeDeltas']);
        assert.deepEqual(Object.keys(samplesIn(read, '')), ['rust-workers-0']);
      });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  test('of a pool without workers is that of this thread; several at once do not harm each other', async () => {
    await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
      const profile = await pool.profile(10);
      assert.deepEqual(profile.threads.map(({ name }) => name), ['main']);
      checkFormat(profile);
      const none = await pool.profile(0, { thisThread: false });
      assert.deepEqual([none.samples, none.endTime], [[], 0]);
      checkFormat(none);
    });
    await using(new WorkerPool(SCRIPT, 1), async (pool) => {
      await pool.ready;
      for (const profile of await inTime(Promise.all([pool.profile(20), pool.profile(40)]), 'both')) {
        assert.equal(profile.threads.length, 2);
        checkFormat(profile);
      }
    });
  });

  test('ends early by its signal, and with a pool that is destroyed', async () => {
    const pool = new WorkerPool(SCRIPT, 1);
    await pool.ready;
    await assert.rejects(pool.profile(60_000, { signal: AbortSignal.timeout(10) }), { name: 'AbortError' });
    await assert.rejects(pool.profile(60_000, { signal: AbortSignal.abort('why') }), { name: 'AbortError', cause: 'why' });
    const profile = pool.profile(50);
    await pool.destroy();
    const { threads } = await inTime(profile, 'the profile of a pool that has gone');
    assert.deepEqual(threads.map(({ name }) => name), ['main'], 'what its worker did is lost with it');
  });

  test('arguments that do not fit are refused', async () => {
    await using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
      await assert.rejects(pool.profile('5'), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      await assert.rejects(pool.profile(), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      await assert.rejects(pool.profile(-1), { code: 'ERR_RW_OUT_OF_RANGE' });
      await assert.rejects(pool.profile(1, { thisTread: false }), /thisThread/);
      await assert.rejects(pool.profile(1, { thisThread: 0 }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
      await assert.rejects(pool.profile(1, { signal: 5 }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
    });
  });

  test('keeps the process alive until it is there', async () => {
    const program = `
      const { WorkerPool } = require('rust-workers');
      const pool = new WorkerPool(${JSON.stringify(SCRIPT)}, 1);
      pool.ready.then(() => pool.profile(20)).then(({ threads }) => { console.log(threads.length); return pool.close(); });
      setTimeout(() => {}, 300);`;
    assert.equal((await evaluate(program)).stdout, '2\n');
  });
});
