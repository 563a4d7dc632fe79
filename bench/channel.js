'use strict';

/** Our MessageChannel beside Node's: bursts in both directions, round trips, and memory. */

const { MessageChannel: NodeMessageChannel } = require('node:worker_threads');

const { Link, NODE, OURS, cases } = require('./rivals/channels');

const TRIPS = 2_000;
const UNREAD = 1_000_000;

const names = { [OURS]: 'rust-workers', [NODE]: "Node's MessagePort" };

const burst = (one, index, way) => ({
  title: `${one.name}, ${way}`,
  unit: 'messages/s',
  better: 'more',
  rounds: 15,
  warmups: 4,
  // One worker serves both, so both have the same threads.
  context: () => new Link(),
  rivals: [OURS, NODE].map((which) => ({
    name: names[which],
    open: ({ context: link }) => ({
      round: () => link[way](which, index),
      stop: which === NODE ? () => link.close() : undefined,
    }),
  })),
});

const trips = (extra) => ({
  unit: 'µs',
  better: 'less',
  rounds: 15,
  ...extra,
  rivals: [
    {
      name: 'rust-workers, both in their event loops',
      open: async () => {
        const link = new Link();
        await link.serve(OURS, 'serve');
        return { round: () => link.trips(OURS, TRIPS), stop: () => link.close() };
      },
    },
    {
      name: 'rust-workers, both by receiveSync',
      open: async () => {
        const link = new Link();
        await link.serve(OURS, 'serve in place');
        return { round: () => link.tripsInPlace(TRIPS), stop: () => link.close() };
      },
    },
    {
      name: names[NODE],
      open: async () => {
        const link = new Link();
        await link.serve(NODE, 'serve');
        return { round: () => link.trips(NODE, TRIPS), stop: () => link.close() };
      },
    },
  ],
});

/** MiB that the process grows by while nobody reads. */
function unread(MessageChannel, options, post) {
  globalThis.gc();
  const before = process.memoryUsage.rss();
  const { port1, port2 } = new MessageChannel(options);
  for (let i = 0; i < UNREAD; i++) post(port1, { id: i, name: 'name' });
  globalThis.gc();
  const grown = (process.memoryUsage.rss() - before) / 1024 ** 2;
  port2.close();
  return grown;
}

/** Memory that was once freed hides growth: each in a process of its own, once. */
const memory = (name, measure) => ({
  title: `memory for 1,000,000 small objects that nobody reads: ${name}`,
  unit: 'MiB',
  better: 'less',
  rounds: 1,
  warmups: 0,
  execArgv: ['--expose-gc'],
  rivals: [{ name, open: () => ({ round: measure }) }],
});

const ours = () => require('..').MessageChannel;

const contests = [
  ...cases.flatMap((one, index) => ['there', 'back'].map((way) => burst(one, index, way))),
  trips({ title: 'round trip, one at a time, bound to one core', pinned: true }),
  trips({ title: 'round trip, one at a time', note: 'Both cores free: bimodal.' }),
  memory('rust-workers', () => unread(ours(), undefined, (port, value) => port.postMessage(value))),
  memory("Node's MessagePort", () => unread(NodeMessageChannel, undefined, (port, value) => port.postMessage(value))),
  memory('rust-workers, capacity 1,000', () => unread(ours(), { capacity: 1000 }, (port, value) => port.trySend(value))),
];

module.exports = { title: 'MessageChannel', contests };
