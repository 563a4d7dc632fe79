'use strict';

/** One large value for several threads: a shared value, and a message with a copy for each. */

const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { millis } = require('./harness/measure');

const READER = path.join(__dirname, 'rivals', 'share-reader.js');
const READERS = 4;

/** A tree of `size` small objects, ten to an array. */
function tree(size) {
  const leaf = (id) => ({ id, name: `node ${id}`, score: id / 7 });
  let level = Array.from({ length: size }, (_, id) => leaf(id));
  while (level.length > 1) {
    level = Array.from({ length: Math.ceil(level.length / 10) }, (_, at) => level.slice(at * 10, at * 10 + 10));
  }
  return level[0];
}

/** Milliseconds from before the value is sent until `count` threads have read from it, and the memory that it took. */
const reading = (name, count, send) => ({
  name,
  open: async ({ context: { value } }) => {
    const workers = Array.from({ length: count }, () => new Worker(READER));
    await Promise.all(workers.map((worker) => once(worker, 'online')));
    return {
      round: async () => {
        const before = process.memoryUsage.rss();
        const took = await millis(async () => {
          const answers = workers.map((worker) => once(worker, 'message'));
          send(workers, value);
          const found = new Set((await Promise.all(answers)).flat());
          if (found.size !== 1) throw new Error(`the readers found ${[...found].join(', ')}`);
        });
        return { value: took, 'MiB more': Math.max(0, process.memoryUsage.rss() - before) / 1024 ** 2 };
      },
      stop: () => Promise.all(workers.map((worker) => worker.terminate())),
    };
  },
});

const posted = (workers, value) => workers.forEach((worker) => worker.postMessage({ value }));
const shared = (workers, value) => {
  const { carry, share } = require('..');
  const handle = share(value);
  workers.forEach((worker) => worker.postMessage(...carry({ handle })));
};

const oneForAll = (what, make) => ({
  title: `${what} for ${READERS} readers`,
  unit: 'ms',
  better: 'less',
  rounds: 15,
  note: 'From before it is sent until each has read some of it.',
  context: () => ({ value: make() }),
  rivals: [
    reading('rust-workers, share()', READERS, shared),
    reading('postMessage to each', READERS, posted),
    reading('postMessage to one reader', 1, posted),
  ],
});

const contests = [
  oneForAll('a string of 10 MiB', () => 'x'.repeat(10 * 1024 * 1024)),
  oneForAll('a tree of 100,000 nodes', () => tree(100_000)),
];

module.exports = { title: 'One value for many threads', contests };
