'use strict';

// rustAtomics beside the language's own Atomics: the same results, the same memory, the same classes of errors.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { rustAtomics } = require('../..');

const INTEGERS = [
  Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array,
];
const OTHERS = [Uint8ClampedArray, Float32Array, Float64Array];

let state = 0x2545f491n;
/** xorshift64*: the same sequence in every run. */
function random(below) {
  state ^= state >> 12n;
  state ^= (state << 25n) & 0xffffffffffffffffn;
  state ^= state >> 27n;
  return Number(((state * 0x2545f4914f6cdd1dn) & 0xffffffffffffffffn) % BigInt(below));
}
const pick = (list) => list[random(list.length)];

class Odd extends Error {}

/** Makers, so that each side gets an object of its own and sees as many calls. */
const VALUES = [
  () => 0, () => -0, () => 1, () => -1, () => 1.9, () => -1.9, () => NaN, () => Infinity, () => -Infinity,
  () => 2 ** 31, () => -(2 ** 31) - 1, () => 2 ** 32 + 5, () => 2 ** 53 + 2, () => -(2 ** 64) - 2 ** 12, () => 1e300,
  () => 255, () => 256, () => 65_537, () => undefined, () => null, () => true, () => '', () => '12', () => '0x10',
  () => ' 7 ', () => 'x', () => '1n', () => 0n, () => 1n, () => -1n, () => 2n ** 63n, () => -(2n ** 63n) - 1n,
  () => 2n ** 64n + 9n, () => 2n ** 200n, () => Symbol('s'), () => [], () => [3], () => [1, 2], () => ({}),
  () => new Date(5), () => ({ valueOf: () => 3 }), () => ({ valueOf: () => 3n }), () => ({ valueOf: () => '4' }),
  () => ({ valueOf: () => ({}), toString: () => '6' }), () => ({ [Symbol.toPrimitive]: (hint) => (hint === 'number' ? 9 : 1) }),
  () => ({ [Symbol.toPrimitive]: () => 9n }), () => ({ [Symbol.toPrimitive]: () => ({}) }),
  () => ({ [Symbol.toPrimitive]: 5 }), () => ({ valueOf() { throw new Odd('value'); } }), () => Object(5), () => Object(5n),
  () => () => 1, () => /x/,
];
const INDICES = [
  ...Array.from({ length: 8 }, (_, i) => () => i), () => -0, () => 2.7, () => -0.5, () => '3', () => NaN,
  () => undefined, () => null, () => true, () => -1, () => 8, () => 9, () => Infinity, () => -Infinity, () => 2 ** 53,
  () => 2 ** 32, () => 2 ** 32 + 1, () => 'x', () => 1n, () => Symbol('i'), () => ({ valueOf: () => 4 }), () => ({}),
  () => ({ valueOf() { throw new Odd('index'); } }), () => [2], () => '-1',
];
const TARGETS = [null, undefined, 5, 'x', {}, [], new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), new SharedArrayBuffer(8)];

/** What a message is about. How V8 shows values and functions in it differs from one of its versions to the next. */
function subjectOf(message) {
  const subjects = ['detached', 'is not a function', 'to a BigInt', 'to primitive value'];
  return subjects.find((subject) => message.includes(subject)) ?? message.replace(/^.*? is not an? (?=[^.]*typed array)/s, '');
}

function outcome(work) {
  try {
    return { value: work() };
  } catch (error) {
    return { error: error.constructor.name, about: subjectOf(error.message) };
  }
}

/** A pair of arrays with equal contents. */
function arrays(shared) {
  const Type = random(12) === 0 ? pick(OTHERS) : pick(INTEGERS);
  const bytes = Uint8Array.from({ length: 8 * Type.BYTES_PER_ELEMENT + 8 }, () => random(256));
  const offset = pick([0, 8]);
  return [0, 1].map(() => {
    const buffer = shared ? new SharedArrayBuffer(bytes.length + 8) : new ArrayBuffer(bytes.length + 8);
    new Uint8Array(buffer).set(bytes);
    return new Type(buffer, offset, 8);
  });
}

const describe = (call) => call.map((part) => (typeof part === 'function' ? String(part) : part)).join(' ');

const OPERANDS = { add: 1, sub: 1, and: 1, or: 1, xor: 1, exchange: 1, store: 1, load: 0, compareExchange: 2 };

for (const shared of [true, false]) {
  test(`operations agree with Atomics on ${shared ? 'shared' : 'plain'} arrays`, () => {
    const seen = new Map();
    for (let round = 0; round < 40_000; round++) {
      const operation = pick(Object.keys(OPERANDS));
      const [mine, theirs] = arrays(shared);
      const index = random(3) === 0 ? pick(INDICES) : pick(INDICES.slice(0, 8));
      const values = Array.from({ length: OPERANDS[operation] }, () => pick(VALUES));
      const target = random(40) === 0 ? pick(TARGETS) : undefined;
      const run = (atomics, array) =>
        outcome(() => atomics[operation](target === undefined ? array : target, index(), ...values.map((make) => make())));
      const got = run(rustAtomics, mine);
      const wanted = run(Atomics, theirs);
      const what = describe([operation, mine.constructor.name, index, ...values]);
      assert.deepEqual(got, wanted, what);
      if ('value' in got) assert.ok(Object.is(got.value, wanted.value), `${what}: ${got.value} for ${wanted.value}`);
      assert.deepEqual(new Uint8Array(mine.buffer), new Uint8Array(theirs.buffer), what);
      const kind = got.error ?? 'value';
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    for (const kind of ['value', 'TypeError', 'RangeError', 'SyntaxError', 'Odd']) {
      assert.ok(seen.get(kind) > 50, `${kind} occurs: ${seen.get(kind)}`);
    }
  });
}

test('isLockFree agrees', () => {
  for (const make of [...VALUES, ...INDICES, () => 2, () => 4, () => 8, () => 3, () => '8']) {
    // V8 does not drop the fraction, as the language wants it.
    const wanted = outcome(() => Atomics.isLockFree(Math.trunc(+make())));
    assert.deepEqual(outcome(() => rustAtomics.isLockFree(make())), wanted, String(make));
  }
});

test('wait and notify check their arguments as Atomics do', () => {
  const timeouts = [() => 0, () => -1, () => -Infinity, () => -0, () => '0', () => null, () => ({ valueOf: () => 0 }),
    () => 0n, () => Symbol('t'), () => ({ valueOf() { throw new Odd('timeout'); } })];
  const counts = [() => 0, () => NaN, () => -5, () => 3, () => undefined, () => Infinity, () => '2', () => null, () => 1n,
    () => Symbol('c'), () => ({ valueOf() { throw new Odd('count'); } })];
  const seen = new Set();
  for (let round = 0; round < 20_000; round++) {
    const [mine, theirs] = arrays(random(6) !== 0);
    const operation = pick(['wait', 'notify', 'waitAsync']);
    const target = random(30) === 0 ? pick(TARGETS) : undefined;
    const index = random(3) === 0 ? pick(INDICES) : pick(INDICES.slice(0, 8));
    // What is there, so that the timeout matters, or anything.
    const here = random(3) === 0 ? undefined : random(2) === 0 ? mine[0] : mine[3];
    const value = here === undefined ? pick(VALUES) : () => here;
    const rest = operation === 'notify' ? [pick(counts)] : [value, pick(timeouts)];
    const run = (atomics, array) =>
      outcome(() => atomics[operation](target === undefined ? array : target, index(), ...rest.map((make) => make())));
    const got = run(rustAtomics, mine);
    assert.deepEqual(got, run(Atomics, theirs), describe([operation, mine.constructor.name, index, ...rest]));
    seen.add(got.error ?? got.value?.value ?? got.value);
  }
  for (const kind of ['not-equal', 'timed-out', 0, 'TypeError', 'RangeError', 'Odd']) assert.ok(seen.has(kind), kind);
});

test('an array that a coercion takes away or cuts off is a TypeError or a RangeError, as with Atomics', () => {
  for (const operation of ['add', 'store', 'exchange', 'and']) {
    const run = (atomics) => {
      const array = new Int32Array(4);
      const value = { valueOf: () => (structuredClone(array.buffer, { transfer: [array.buffer] }), 1) };
      return outcome(() => atomics[operation](array, 0, value));
    };
    assert.deepEqual(run(rustAtomics), run(Atomics), operation);
    const gone = new Int32Array(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    assert.deepEqual(outcome(() => rustAtomics[operation](gone, 0, 1)), outcome(() => Atomics[operation](gone, 0, 1)));
  }
});

test('the face is that of Atomics, property by property', () => {
  const without = ({ value, ...attributes }) => ({ ...attributes, type: typeof value });
  for (const key of Reflect.ownKeys(Atomics)) {
    const wanted = Object.getOwnPropertyDescriptor(Atomics, key);
    const got = Object.getOwnPropertyDescriptor(rustAtomics, key);
    assert.deepEqual(got && without(got), without(wanted), String(key));
    if (typeof wanted.value !== 'function') {
      assert.equal(got.value, wanted.value);
      continue;
    }
    const keys = Reflect.ownKeys(wanted.value);
    assert.deepEqual(new Set(Reflect.ownKeys(got.value)), new Set(keys), key);
    for (const name of keys) {
      assert.deepEqual(
        Object.getOwnPropertyDescriptor(got.value, name), Object.getOwnPropertyDescriptor(wanted.value, name), `${key}.${name}`,
      );
    }
    for (const construct of [(f) => new f(), (f) => Reflect.construct(Object, [], f), (f) => class extends f {}]) {
      assert.deepEqual(
        { ...outcome(() => construct(got.value)), about: undefined },
        { ...outcome(() => construct(wanted.value)), about: undefined }, key,
      );
    }
  }
  assert.equal(Object.getPrototypeOf(rustAtomics), Object.getPrototypeOf(Atomics));
  assert.equal(Object.isExtensible(rustAtomics), Object.isExtensible(Atomics));
  assert.equal(String(rustAtomics), String(Atomics));
});

test('pause takes nothing or an integer', () => {
  assert.equal(rustAtomics.pause.length, 0);
  for (const make of [...VALUES, ...INDICES]) {
    const isInteger = make() === undefined || Number.isInteger(make());
    const { error } = outcome(() => rustAtomics.pause(make()));
    assert.equal(error, isInteger ? undefined : 'TypeError', String(make));
    if (Atomics.pause !== undefined) assert.deepEqual(outcome(() => rustAtomics.pause(make())), outcome(() => Atomics.pause(make())));
  }
});
