'use strict';

/**
 * Messages between a Worker and its parent, ours beside Node's: random values (with objects of ours, or what stands in for
 * them), forgeries of the protocol, getters that count and meddle, transfer lists, threads that load the package late or
 * take messages by hand, and workers that are terminated in the middle.
 *
 * RW_SEED and RW_ROUNDS set the first seed and how many programs run.
 */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');

const { createRandom } = require('../support/random-values');
const { forgeriesOf, sampleMessage } = require('./fixtures/forgeries');
const sides = require('./fixtures/sides');
const { Maker, describe } = require('./fixtures/values');

const PEER = path.join(__dirname, 'fixtures/peer.js');
const FIRST = Number(process.env.RW_SEED ?? Date.now() % 1e6);
const ROUNDS = Number(process.env.RW_ROUNDS ?? 25);
const STEPS = 12;

const sample = sampleMessage();
const forgeries = forgeriesOf(sample);

/** Plain values, for what a thread may get before it has loaded the package. */
const withoutOurs = (side) => ({ ...side, shared: (id) => `no shared ${id}`, port: () => new ArrayBuffer(4) });

/** Plays one program on one side, and tells all that was seen. */
async function play(seed, side, which) {
  const random = createRandom(seed);
  const seen = [];
  const late = random(4) === 0;
  let loaded = !late;
  const maker = () => new Maker(random(1e9), loaded ? side : withoutOurs(side), forgeries);
  const attempt = (what, run) => {
    try {
      return run();
    } catch (error) {
      seen.push(`${what} threw ${error.name}: ${error.message}`);
      return undefined;
    }
  };

  const data = maker();
  const options = { argv: [which, late ? 'late' : 'early', JSON.stringify(sample)], workerData: data.make(), transferList: data.transfer };
  // What only a getter tells cannot be told from other data before Node clones it.
  const environment = new Maker(random(1e9), { ...side, getters: false }, forgeries).make();
  if (!late && random(3) === 0) attempt('environment', () => side.threads.setEnvironmentData('compared', environment));
  const worker = attempt('worker', () => new side.threads.Worker(PEER, options));
  side.threads.setEnvironmentData('compared', undefined);
  seen.push(`reads ${data.reads}`);
  if (worker === undefined) return seen;

  let answered = () => {};
  worker.on('message', (message) => {
    if (typeof message === 'string' && message.startsWith('!!')) answered(message.slice(2));
    else seen.push(`up ${describe(message, side)}`);
  });
  worker.on('messageerror', (error) => seen.push(`up messageerror ${error.name}: ${error.message}`));
  worker.on('error', (error) => answered(JSON.stringify([`error ${error.stack}`])));
  const ask = async () => {
    worker.postMessage('!!seen');
    return new Promise((resolve) => { answered = resolve; });
  };

  const end = random(STEPS * 2);
  for (let step = 0; step < STEPS; step++) {
    if (step === end) {
      // What the thread had not done is not done; what was read here is the same.
      const value = maker();
      attempt('last', () => worker.postMessage(value.make(), value.transfer));
      seen.push(`reads ${value.reads}`);
      await worker.terminate();
      attempt('after', () => worker.postMessage(maker().make()));
      return seen;
    }
    switch (random(6)) {
      case 0:
        if (loaded) worker.postMessage(`!!post ${random(1e9)}`);
        break;
      case 1:
        worker.postMessage('!!load');
        loaded = true;
        break;
      case 2:
        worker.postMessage('!!take');
        worker.postMessage('taken by hand');
        break;
      default: {
        const value = maker();
        const message = value.make();
        const { transfer } = value;
        // As a list, as an option, as an iterator, with a duplicate.
        const list = [transfer, { transfer }, transfer.values(), [...transfer, ...transfer.slice(0, 1)]][random(4)];
        attempt('post', () => worker.postMessage(message, list));
        seen.push(`reads ${value.reads}, left ${value.transfer.map((item) => item.byteLength)}`);
      }
    }
    seen.push(`there ${await ask()}`);
    if (random(3) === 0) side.closeKept();
  }
  const exit = once(worker, 'exit');
  await worker.terminate();
  seen.push(`exit ${(await exit)[0]}`);
  side.closeKept();
  return seen;
}

test(`${ROUNDS} random programs from seed ${FIRST}`, { timeout: 600_000 }, async () => {
  const ours = sides.ours();
  const nodes = sides.nodes();
  for (let seed = FIRST; seed < FIRST + ROUNDS; seed++) {
    const [was, expected] = await Promise.all([play(seed, ours, 'ours'), play(seed, nodes, 'nodes')]);
    assert.deepEqual(was, expected, `RW_SEED=${seed} RW_ROUNDS=1`);
  }
});
