'use strict';

// What a handle shows, beside the value that was shared and beside structured clone. SEED and ROUNDS play others.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { inspect, isDeepStrictEqual } = require('node:util');
const vm = require('node:vm');

const { SharedValue, errors, share } = require('../..');
const { createRandom, sameGraph } = require('../support/random-values');

const SEED = Number(process.env.SEED ?? 1);
const ROUNDS = Number(process.env.ROUNDS ?? 2000);

const NUMBERS = [0, -0, 1, -1, 127, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53, NaN, Infinity, -Infinity, 0.1, 5e-324, -5e-324];
const TEXTS = [
  '', 'a', 'é', 'ÿ', '漢字', '😀', '\ud800', 'x'.repeat(12), 'x'.repeat(13), 'é'.repeat(32), 'é'.repeat(33), '漢'.repeat(40),
  'long '.repeat(3000), 'lÿng '.repeat(3000), '漢字 '.repeat(6000), '\udc00'.repeat(9000),
];
const KEYS = ['a', 'b', 'c', '__proto__', 'constructor', 'toString', 'length', '0', '7', '01', '', 'ключ', '\ud800', 'then', 'get'];
const VIEWS = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array,
  BigInt64Array, BigUint64Array, DataView,
];

/** A value of what can be shared, without cycles if `isTree`. `log` is told by getters that they run. */
function randomValue(random, { isTree = true, log, act = () => {} } = {}) {
  const seen = [];
  const pick = (list) => list[random(list.length)];
  const keep = (object) => {
    seen.push(object);
    return object;
  };
  const set = (object, key, value) => {
    if (log !== undefined && random(4) === 0) {
      const get = () => {
        log.push(`${key}`);
        // A getter that removes itself and gives undefined is taken for a hole.
        if (value !== undefined) act(object, random);
        return value;
      };
      Object.defineProperty(object, key, { get, enumerable: true, configurable: true });
    } else {
      const enumerable = Array.isArray(object) || random(12) > 0;
      Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
    }
  };
  const make = (depth) => {
    switch (random(depth > 4 ? 8 : 16)) {
      case 0: return pick([undefined, null, true, false]);
      case 1:
      case 2: return random(2) ? pick(NUMBERS) : random(1000);
      case 3:
      case 4: return pick(TEXTS);
      case 5: return pick([0n, -1n, 2n ** 63n, 2n ** 64n, -(3n ** 100n)]);
      case 6: return !isTree && seen.length > 0 ? pick(seen) : null;
      case 7: return new Date(random(3) ? random(1e9) : NaN);
      case 8: {
        const View = pick(VIEWS);
        const size = View.BYTES_PER_ELEMENT ?? 1;
        const view = new View(new ArrayBuffer(size * random(40)));
        new Uint8Array(view.buffer).forEach((_, i, bytes) => (bytes[i] = random(256)));
        return keep(random(4) ? view : view.buffer);
      }
      case 9:
      case 10:
      case 11: {
        const array = keep([]);
        for (let i = random(8); i > 0; i--) {
          if (random(6) === 0) array.length++;
          else set(array, array.length, make(depth + 1));
        }
        return array;
      }
      default: {
        const object = keep(random(8) ? {} : Object.create(null));
        for (let i = random(8); i > 0; i--) set(object, pick(KEYS), make(depth + 1));
        return object;
      }
    }
  };
  return make(0);
}

test('random values: a copy is what structured clone makes, with its identities and cycles', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const seed = SEED * 100_000 + round;
    const value = randomValue(createRandom(seed), { isTree: false });
    const copy = share(value).copy();
    assert.ok(sameGraph(copy, structuredClone(value)), `SEED ${seed}: ${inspect(copy)} of ${inspect(value)}`);
  }
});

/** As a view shows it: no ArrayBuffers, but their bytes. */
function shown(value) {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) return value;
  const copy = Array.isArray(value) ? new Array(value.length) : {};
  for (const key of Object.keys(value)) {
    Object.defineProperty(copy, key, { value: shown(value[key]), enumerable: true, writable: true, configurable: true });
  }
  return copy;
}

/** The same by each of the language's ways to look at an object. */
function assertAlike(view, plain) {
  if (plain instanceof Date) {
    assert.ok(view instanceof Date && Object.is(view.getTime(), plain.getTime()));
    return;
  }
  if (typeof plain !== 'object' || plain === null || ArrayBuffer.isView(plain)) {
    assert.deepEqual(view, plain);
    if (typeof plain === 'number') assert.ok(Object.is(view, plain));
    return;
  }
  assert.equal(Array.isArray(view), Array.isArray(plain));
  assert.equal(Object.getPrototypeOf(view), Object.getPrototypeOf(plain));
  assert.deepEqual(Reflect.ownKeys(view), Reflect.ownKeys(plain));
  assert.deepEqual(Object.keys(view), Object.keys(plain));
  const inLoop = [];
  for (const key in view) inLoop.push(key);
  assert.deepEqual(inLoop, Object.keys(plain));
  for (const key of [...Object.keys(plain), ...KEYS, 'nothing', '-1', '1.5', '4294967295', Symbol.iterator]) {
    assert.equal(key in view, key in plain, String(key));
    assert.equal(Object.hasOwn(view, key), Object.hasOwn(plain, key), String(key));
    if (Object.hasOwn(plain, key)) assertAlike(view[key], plain[key]);
    else assert.equal(view[key], plain[key], String(key));
  }
  if (Array.isArray(plain)) {
    assert.equal(view.length, plain.length);
    assert.deepEqual([...view].length, plain.length);
    assert.deepEqual(view.map((item) => typeof item), plain.map((item) => typeof item));
    assert.deepEqual(Object.keys(view.slice(1)), Object.keys(plain.slice(1)));
    view.slice(1).forEach((item, i) => assert.ok(item === view[i + 1] || item instanceof Date || item !== item));
    assert.equal(view.concat([1]).length, plain.length + 1);
  }
}

test('random values: a view looks like the value', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const seed = SEED * 100_000 + round;
    const value = randomValue(createRandom(seed));
    const { value: view } = share(value);
    const plain = shown(value instanceof ArrayBuffer ? value : structuredClone(value));
    try {
      assertAlike(view, plain);
      // What is printed of a DataView has its whole memory.
      const text = (of) => inspect(of, { depth: 9 }).replace(/DataView \{[^}]*\}\s*\}/g, 'DataView');
      assert.equal(text(view), text(plain));
    } catch (error) {
      throw new Error(`SEED ${seed}: ${inspect(value)}`, { cause: error });
    }
  }
});

test('random values with getters: each runs once and in its turn, and what it changes counts', () => {
  const act = (object, random) => {
    switch (random(6)) {
      case 0: delete object[KEYS[random(3)]]; return;
      case 1: if (Array.isArray(object)) object.length = Math.min(object.length, 2); return;
      // An array that has, or had, holes shows what a getter puts there: see DESIGN.md.
      case 2: if (!Array.isArray(object)) Object.defineProperty(object, 'late', { value: 1, configurable: true, enumerable: true, writable: true }); return;
      case 3: share({ nested: [1, { deep: 'text' }], bytes: new Uint8Array(5000) }); return;
      default:
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    const seed = SEED * 100_000 + round;
    const one = [];
    const two = [];
    const cloned = structuredClone(randomValue(createRandom(seed), { log: one, act }));
    const copy = share(randomValue(createRandom(seed), { log: two, act })).copy();
    assert.deepEqual(two, one, `SEED ${seed}`);
    assert.ok(sameGraph(copy, cloned), `SEED ${seed}: ${inspect(copy, { maxStringLength: 20 })} for ${inspect(cloned, { maxStringLength: 20 })}`);
  }
});

describe('a view', () => {
  const original = { name: 'a', list: [1, [2], { deep: true }], nothing: undefined, none: null };
  const { value } = share(original);

  test('is deeply equal to what it stands for, and makes the same JSON', () => {
    assert.deepStrictEqual(value, original);
    assert.deepStrictEqual(original, value);
    assert.ok(isDeepStrictEqual(value.list, original.list) && !isDeepStrictEqual(value.list, [1, [2], { deep: false }]));
    assert.equal(JSON.stringify(value), JSON.stringify(original));
    assert.equal(JSON.stringify({ handle: share(original) }), JSON.stringify({ handle: original }));
    assert.deepStrictEqual({ ...value, name: 'b' }, { ...original, name: 'b' });
    assert.deepStrictEqual(structuredClone({ ...value }.nothing), undefined);
  });

  test('takes no change: TypeError in strict code, nothing in sloppy code', () => {
    const changes = {
      set: (view) => { view.name = 'b'; },
      add: (view) => { view.other = 1; },
      delete: (view) => { delete view.name; },
      define: (view) => Object.defineProperty(view, 'name', { value: 1 }),
      freeze: (view) => Object.freeze(view),
      setPrototypeOf: (view) => Object.setPrototypeOf(view, null),
      element: (view) => { view.list[0] = 5; },
      length: (view) => { view.list.length = 0; },
      push: (view) => view.list.push(1),
      sort: (view) => view.list.sort(),
      fill: (view) => view.list.fill(0),
      assign: (view) => Object.assign(view.list[2], { deep: 1 }),
    };
    for (const [name, change] of Object.entries(changes)) assert.throws(() => change(value), TypeError, name);
    new Function('view', 'view.name = 1; view.other = 2; delete view.name; view.list[0] = 1; view.list.length = 0;')(value);
    assert.deepStrictEqual(value, original);
    assert.equal(delete value.missing, true);
    assert.equal(Reflect.setPrototypeOf(value, Object.prototype), true);
  });

  test('is one object, however it is reached', () => {
    const part = { x: 1 };
    const loop = { part, parts: [part, part] };
    loop.self = loop;
    const { value: view } = share(loop);
    assert.equal(view.part, view.parts[1]);
    assert.equal(view.self.self, view);
    assert.equal(view.parts, view.parts);
  });

  test('is no Date: a Date is made anew each time, so that nobody else sees it changed', () => {
    const handle = share({ when: new Date(5), alone: [new Date(NaN)] });
    handle.value.when.setTime(9);
    assert.equal(handle.value.when.getTime(), 5);
    assert.ok(Number.isNaN(handle.value.alone[0].getTime()));
    assert.equal(share(new Date(7)).value.getTime(), 7);
  });

  test('can be copied, as can the whole', () => {
    const handle = share(original);
    const whole = handle.copy();
    assert.deepStrictEqual(whole, original);
    whole.list.push('mine');
    assert.deepStrictEqual(handle.value, original);
    assert.notEqual(handle.copy(), whole);
    const part = SharedValue.copyOf(handle.value.list);
    assert.deepStrictEqual(part, original.list);
    assert.deepStrictEqual(structuredClone(part), part);
    for (const not of [undefined, null, 'text', {}, [], handle]) {
      assert.throws(() => SharedValue.copyOf(not), { code: 'ERR_RW_INVALID_ARG_TYPE' });
    }
  });

  test('of a large dictionary, and of objects of many shapes', () => {
    const dictionary = {};
    for (let i = 0; i < 5000; i++) dictionary[`key ${i * 7919}`] = i;
    assert.deepStrictEqual(share(dictionary).value, dictionary);
    const many = Array.from({ length: 40_000 }, (_, i) => ({ [`a${i}`]: i, b: 1 }));
    const { value: view } = share(many);
    assert.deepStrictEqual(view[39_999], many[39_999]);
    assert.deepStrictEqual(share(many).copy(), many);
  });
});

describe('bytes', () => {
  test('are views of shared memory, of the class that they had', () => {
    for (const View of [...VIEWS, ...('Float16Array' in globalThis ? [globalThis.Float16Array] : [])]) {
      const size = View.BYTES_PER_ELEMENT ?? 1;
      const from = new View(new Uint8Array(16 * size).map((_, i) => i).buffer, size, 5);
      const { value } = share(from);
      assert.equal(value.constructor, View);
      assert.ok(value.buffer instanceof SharedArrayBuffer);
      assert.deepEqual(Buffer.from(value.buffer, value.byteOffset, value.byteLength), Buffer.from(from.buffer, from.byteOffset, from.byteLength));
    }
    const text = share(Buffer.from('bytes'));
    assert.ok(Buffer.isBuffer(text.value) && text.value.toString() === 'bytes');
    assert.ok(Buffer.isBuffer(text.copy()) && text.copy().buffer instanceof ArrayBuffer);
    const whole = share(new Uint8Array([1, 2, 3]).buffer);
    assert.ok(whole.value instanceof Uint8Array && whole.copy() instanceof ArrayBuffer);
    assert.deepEqual([...whole.value], [1, 2, 3]);
  });

  test('are copied when they are met, and only their own', () => {
    const pool = Buffer.from('0123456789');
    const bytes = pool.subarray(2, 5);
    const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7);
    const handle = share({ bytes, get change() { return bytes.fill(0).length; }, again: bytes, shared });
    shared.fill(0);
    assert.equal(handle.value.bytes.toString(), '234');
    assert.equal(handle.value.again, handle.value.bytes);
    assert.deepEqual([...handle.value.shared], [7, 7, 7, 7]);
    assert.ok(handle.value.bytes.buffer.byteLength < 64, 'the rest of the memory is not there');
  });

  test('without length, and without memory', () => {
    assert.equal(share(new Uint8Array(0)).value.length, 0);
    assert.equal(share([new Float64Array(0), new ArrayBuffer(0)]).value[1].length, 0);
    const gone = new Uint8Array(8);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    assert.throws(() => share({ gone }), { code: 'ERR_RW_UNSUPPORTED_VALUE', message: /^value\.gone is memory that is gone/ });
  });
});

describe('what cannot be shared', () => {
  class Instance { x = 1; }
  class List extends Array {}
  const values = {
    'a function': () => {},
    'a symbol': Symbol('x'),
    'of class Instance': new Instance(),
    'of class Map': new Map(),
    'of class Set': new Set(),
    'of class Error': new Error('x'),
    'of class RegExp': /x/,
    'a Proxy': new Proxy({}, {}),
    'an array of a class': List.from([1]),
    'or with properties': Object.assign([1], { named: 1 }),
    'of class Promise': Promise.resolve(),
    'of class SharedValue': share(1),
    'of class Boxed|of class boxed primitive|of class String': Object('text'),
    'arguments': (function () { return arguments; })(1),
    'Map': Object.setPrototypeOf(new Map(), Object.prototype),
    'a Proxy (views': share({}).value,
  };
  for (const [words, value] of Object.entries(values)) {
    test(words, () => {
      assert.throws(() => share({ deep: [0, value] }), (error) => {
        assert.ok(error instanceof errors.UnsupportedValueError);
        assert.ok(error.message.startsWith('value.deep[1] is '), error.message);
        assert.ok(words.split('|').some((some) => error.message.includes(some)), error.message);
        return true;
      });
    });
  }

  test('an array with holes and named properties', () => {
    const array = Object.assign([1, , 3], { named: 1 });
    assert.throws(() => share(array), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
    assert.deepStrictEqual(share([1, , 3]).value, [1, , 3]);
  });

  test('what is nested beyond the stack, and what there is no memory for', () => {
    let deep = [];
    for (let i = 0; i < 1_000_000; i++) deep = [deep];
    assert.throws(() => share(deep), { code: 'ERR_RW_VALUE_TOO_DEEP' });
    assert.throws(() => share({ sparse: new Array(4_000_000_000) }), { code: 'ERR_RW_VALUE_TOO_LARGE' });
  });

  test('an error of a getter goes to the caller, and the next value is written as ever', () => {
    const error = new RangeError('mine');
    assert.throws(() => share({ get x() { throw error; } }), (thrown) => thrown === error);
    assert.deepStrictEqual(share({ x: 1 }).value, { x: 1 });
  });

  test('a handle is made by share alone', () => {
    assert.throws(() => new SharedValue(), { code: 'ERR_RW_INVALID_ARG_TYPE' });
    assert.throws(() => new SharedValue({ memory: new SharedArrayBuffer(24) }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  });
});

test('objects and arrays of another realm are plain ones', () => {
  const foreign = vm.runInNewContext('({ list: [1, , { x: "text" }], bytes: new Uint8Array([1, 2]), when: new Date(5) })');
  const copy = share(foreign).copy();
  assert.deepStrictEqual(copy, { list: [1, , { x: 'text' }], bytes: new Uint8Array([1, 2]), when: new Date(5) });
  assert.throws(() => share(vm.runInNewContext('new (class Other {})')), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
});

test('the size is that of the memory, and small integers are small integers', () => {
  assert.equal(share(5).byteLength, 24);
  assert.ok(share('x'.repeat(100_000)).byteLength < 100_100);
  assert.ok(share('漢'.repeat(100_000)).byteLength < 200_100);
  assert.ok(share(new Uint8Array(100_000)).byteLength < 100_100);
  for (const value of [5, -1, 2 ** 30, -(2 ** 31)]) assert.equal(share([value]).value[0], value);
  assert.ok(Object.is(share(-0).value, -0));
});
