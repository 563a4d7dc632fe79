// share, handles, and what they show.

import rustWorkers = require('rust-workers');
import type { Shared } from 'rust-workers';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

const { SharedValue, share } = rustWorkers;

interface Tree {
  name: string;
  list: { x: number; when: Date }[];
  pair: [string, number];
  bytes: Float64Array;
  raw: ArrayBuffer;
  nothing?: null;
}

declare const tree: Tree;
const handle: rustWorkers.SharedValue<Tree> = share(tree);
const x: number = handle.value.list[0]!.x;
const when: Date = handle.value.list[0]!.when;
const [first, second] = handle.value.pair;
const bytes: Float64Array = handle.value.bytes;
const raw: Uint8Array = handle.value.raw;
const size: number = handle.byteLength;
const plain: Tree = handle.copy();
expect<Equal<typeof first, string>>();
expect<Equal<typeof second, number>>();
expect<Equal<Shared<string>, string>>();
const text: string = share('text').value;
const list = SharedValue.copyOf(handle.value.list);
list.push({ x: 1, when: new Date() });
const sizes: number[] = handle.value.list.map((one) => one.x);
// @ts-expect-error nothing can be written
handle.value.name = 'other';
// @ts-expect-error nothing can be written
handle.value.list.push({ x: 1, when: new Date() });
// @ts-expect-error a handle is made by share
new SharedValue();

export { x, when, bytes, raw, size, plain, text, list, sizes };
