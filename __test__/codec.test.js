'use strict';

const assert = require('node:assert/strict');
const { test, describe } = require('node:test');
const { createContext, runInContext } = require('node:vm');
const { createCodec, LocalShapes } = require('../lib/codec');
const { TAGS: tags } = require('../lib/constants');
const { evaluate } = require('./support/child');
const { copiesOf } = require('./support/wire-parts');
const { build } = require('./support/wire-notation');
const { createRandom, randomValue, sameGraph } = require('./support/random-values');
const fixture = require('./fixtures/wire-vectors.json');

const newCodec = (options) => createCodec({ shapes: new LocalShapes(), ...options });

function send(codec, writer) {
  const written = writer.bytes.subarray(0, writer.length);
  const wire = Buffer.concat([Buffer.from('before'), written, Buffer.from('after')]);
  return codec.decode(wire, 6, wire.length - 5, copiesOf(writer.parts));
}
const viaValue = (value, codec = newCodec()) => send(codec, codec.encodeValue(value));
function viaMessage(value, codec = newCodec()) {
  const writer = codec.encodeMessage(value);
  assert.notEqual(writer, null, 'representable');
  return send(codec, writer);
}
const hexOf = (writer) => Buffer.from(writer.bytes.subarray(0, writer.length)).toString('hex');
const codeOf = (code, message) => (error) => {
  assert.equal(error.code, code);
  if (message) assert.match(error.message, message);
  return true;
};

describe('golden vectors', () => {
  assert.ok(fixture.vectors.length > 50 && fixture.malformed.length > 10);
  for (const vector of fixture.vectors) {
    test(vector.description, () => {
      const codec = newCodec({ shapes: new LocalShapes(vector.shapes ? 4096 : 0) });
      for (const keys of vector.shapes ?? []) {
        const object = build(['object', keys.map((key) => [['string', key], ['null']])]);
        for (let i = 0; i < 5; i++) codec.encodeValue(object);
      }
      const encode = vector.mode === 'message' ? codec.encodeMessage : codec.encodeValue;
      const writer = encode(build(vector.value));
      assert.equal(hexOf(writer), vector.wire);
      assert.deepEqual(writer.parts.map((part) => part.byteLength), vector.parts ?? []);
      const copy = send(codec, writer);
      // Node 20 finds an invalid Date unequal to itself.
      if (copy instanceof Date) assert.equal(copy.getTime(), build(vector.value).getTime());
      else assert.deepEqual(copy, build(vector.value));
    });
  }
  for (const { description, wire } of fixture.malformed) {
    test(`malformed: ${description}`, () => {
      const bytes = Buffer.from(wire, 'hex');
      assert.throws(() => newCodec().decode(bytes, 0, bytes.length, []), codeOf('ERR_RW_MALFORMED_VALUE'));
    });
  }
  test('every truncation is refused', () => {
    for (const { wire } of fixture.vectors) {
      const bytes = Buffer.from(wire, 'hex');
      const codec = newCodec();
      for (let end = 0; end < bytes.length; end++) {
        assert.throws(() => codec.decode(bytes, 0, end, []), codeOf('ERR_RW_MALFORMED_VALUE'));
      }
    }
  });
  test('bytes gone bad give a value or a typed error, and the codec works on', () => {
    const random = createRandom(7);
    const codec = newCodec();
    for (let round = 0; round < 20000; round++) {
      const bytes = Buffer.from(fixture.vectors[random(fixture.vectors.length)].wire, 'hex');
      for (let i = random(3); i >= 0; i--) bytes[random(bytes.length)] = random(256);
      try {
        codec.decode(bytes, 0, bytes.length, []);
      } catch (error) {
        assert.match(String(error.code), /^ERR_RW_(MALFORMED_VALUE|VALUE_TOO_DEEP)$/);
      }
    }
    assert.deepEqual(viaValue({ a: [1] }, codec), { a: [1] });
  });
});

describe('inputs of tasks', () => {
  test('a view carries its own range alone, with its type', () => {
    const words = new Float64Array([1, 2, 3, 4]);
    assert.deepEqual(viaValue(words.subarray(1, 3)), new Float64Array([2, 3]));
    if (globalThis.Float16Array) assert.deepEqual(viaValue(new Float16Array([1.5])), new Float16Array([1.5]));
    const buffer = viaValue(Buffer.from('text'));
    assert.ok(Buffer.isBuffer(buffer));
    assert.equal(buffer.toString(), 'text');
    const large = new Uint8Array(5000).subarray(1000, 4000).fill(9);
    const { parts } = newCodec().encodeValue(large);
    assert.equal(parts[0], large, 'the view itself: no copy in JavaScript');
  });

  test('holes become undefined, class instances plain objects, null prototypes Object.prototype', () => {
    assert.deepEqual(viaValue([1, , 3]), [1, undefined, 3]); // eslint-disable-line no-sparse-arrays
    class Point { constructor() { this.x = 1; } get far() { return true; } }
    const point = viaValue(new Point());
    assert.deepEqual(point, { x: 1 });
    assert.equal(Object.getPrototypeOf(point), Object.prototype);
    assert.deepEqual(viaValue(Object.assign(Object.create(null), { y: 2 })), { y: 2 });
  });

  test('errors keep name, class, message, stack, cause and own properties', () => {
    const error = new RangeError('out', { cause: new Error('in') });
    Object.assign(error, { code: 'E_OUT', detail: { at: 3 } });
    const copy = viaValue(error);
    assert.ok(copy instanceof RangeError);
    assert.deepEqual([copy.message, copy.stack, copy.code], ['out', error.stack, 'E_OUT']);
    assert.deepEqual(copy.detail, { at: 3 });
    assert.equal(copy.cause.message, 'in');
    assert.ok(!Object.keys(copy).includes('cause'));
    class OwnError extends Error { get name() { return 'OwnError'; } }
    assert.equal(viaValue(new OwnError('x')).name, 'OwnError');
    const several = viaValue(new AggregateError([new TypeError('one')], 'all'));
    assert.ok(several instanceof AggregateError);
    assert.ok(several.errors[0] instanceof TypeError);
  });

  test('what cannot cross is refused by its key path', () => {
    const codec = newCodec();
    const refused = (value, message) =>
      assert.throws(() => codec.encodeValue(value), codeOf('ERR_RW_UNSUPPORTED_VALUE', message));
    refused({ items: [0, 1, 2, { callback() {} }] }, /^input\.items\[3\]\.callback is a function/);
    refused({ 'a b': Symbol('s') }, /^input\["a b"\] is a symbol/);
    refused(new Map([['k', Promise.resolve()]]), /^input\.get\("k"\) is a Promise/);
    refused(new Set([new WeakMap()]), /^input\.values\(\)\[0\] is a WeakMap/);
    refused([new Proxy({}, {})], /^input\[0\] is a Proxy/);
    refused([new WeakRef({})], /is a WeakRef/);
    refused([/x/], /is a RegExp/);
    refused([Object(1)], /is a boxed primitive/);
    refused([new Blob([])], /is a Blob/);
    refused([new SharedArrayBuffer(8)], /^input\[0\] is shared memory/);
    refused({ view: new Int32Array(new SharedArrayBuffer(8)) }, /^input\.view is shared memory/);
    refused(Object.assign(new Error('e'), { cause: () => {} }), /^input\.cause is a function/);
    refused((function () { return arguments; })(1), /an arguments object/);
    assert.throws(() => codec.encodeValue({ f() {} }, 'data'),
      codeOf('ERR_RW_UNSUPPORTED_VALUE', /^data\.f is/));
    assert.deepEqual(viaValue({ after: 1 }, codec), { after: 1 });
  });

  test('a detached ArrayBuffer and its views are refused', () => {
    for (const make of [(b) => b, (b) => new Uint8Array(b), (b) => new DataView(b)]) {
      const buffer = new ArrayBuffer(8);
      const value = make(buffer);
      structuredClone(buffer, { transfer: [buffer] });
      assert.throws(() => newCodec().encodeValue({ value }),
        codeOf('ERR_RW_UNSUPPORTED_VALUE', /^input\.value is/));
      assert.equal(newCodec().encodeMessage(value), null);
    }
    assert.equal(viaValue(new ArrayBuffer(0)).byteLength, 0);
  });

  test('cycles are refused by key path, deep or shallow', () => {
    const cyclic = { list: [{}] };
    cyclic.list[0].owner = cyclic;
    assert.throws(() => newCodec().encodeValue(cyclic),
      codeOf('ERR_RW_CYCLIC_VALUE', /^input\.list\[0\]\.owner refers back to input:/));
    const map = new Map();
    map.set('me', map);
    assert.throws(() => newCodec().encodeValue([map]),
      codeOf('ERR_RW_CYCLIC_VALUE', /^input\[0\]\.get\("me"\)/));
    let late = {};
    late.self = late;
    for (let i = 0; i < 50; i++) late = { late };
    assert.throws(() => newCodec().encodeValue(late),
      codeOf('ERR_RW_CYCLIC_VALUE', /^input(\.late){50}\.self /));
    const shared = { s: 1 };
    assert.deepEqual(viaValue([shared, shared]), [{ s: 1 }, { s: 1 }]);
  });

  test('depth and size are limited', () => {
    const nest = (levels) => { let value = 1; while (levels-- > 0) value = { in: value }; return value; };
    assert.deepEqual(viaValue(nest(256)), nest(256));
    assert.throws(() => newCodec().encodeValue(nest(257)),
      codeOf('ERR_RW_VALUE_TOO_DEEP', /^input(\.in){256} is/));
    const small = newCodec({ maxBytes: 1 << 16 });
    assert.throws(() => small.encodeValue(['x'.repeat(1 << 16)]), codeOf('ERR_RW_VALUE_TOO_LARGE'));
    assert.throws(() => small.encodeValue(new Array(1e9)), codeOf('ERR_RW_VALUE_TOO_LARGE'));
    assert.equal(viaValue('x'.repeat(1000), small).length, 1000);
  });

  test('a value may be deep in many places', () => {
    let value = Array.from({ length: 2000 }, (_, i) => [[i]]);
    for (let i = 0; i < 64; i++) value = [value];
    assert.deepEqual(viaValue(value), value);
  });

  test('bytes are read out of shared memory too', () => {
    const codec = newCodec();
    const writer = codec.encodeValue({ text: 'x'.repeat(100), bytes: new Uint8Array([1, 2]), n: 0.5 });
    const shared = Buffer.from(new SharedArrayBuffer(writer.length));
    shared.set(writer.bytes.subarray(0, writer.length));
    const copy = codec.decode(shared, 0, shared.length, []);
    assert.deepEqual(copy, { text: 'x'.repeat(100), bytes: new Uint8Array([1, 2]), n: 0.5 });
    assert.ok(copy.bytes.buffer instanceof ArrayBuffer);
  });

  test('strings of every kind and length', () => {
    for (const unit of ['a', 'é', '漢', '😀', '\ud800', 'ab\udc00']) {
      for (const times of [1, 23, 24, 25, 63, 64, 65, 1000, 20000]) {
        assert.equal(viaValue(unit.repeat(times)), unit.repeat(times));
      }
    }
  });
});

describe('messages', () => {
  test('objects met again are found whatever their number, and whatever the message before', () => {
    const codec = newCodec();
    const random = createRandom(7);
    // A writer looks for them in one of two ways, by their number and by that of the message before.
    const sizes = [1, 15, 16, 17, 18, 126, 127, 128, 129, 130, 131, 400, 5000];
    for (let round = 0; round < 300; round++) {
      const objects = Array.from({ length: sizes[random(sizes.length)] }, (_, i) => (i % 3 === 0 ? [i] : { i }));
      for (let again = random(12); again > 0; again--) objects.push(objects[random(objects.length)]);
      if (random(3) === 0) objects.push(objects);
      const copy = viaMessage(objects, codec);
      assert.ok(sameGraph(copy, structuredClone(objects)), `round ${round}: ${objects.length} objects`);
    }
  });

  test('long texts are parts where that is wanted', () => {
    const codec = newCodec({ longText: 100 });
    const texts = ['x'.repeat(99), 'x'.repeat(100), '漢'.repeat(100), '\ud800'.repeat(500)];
    const value = { texts, [texts[3]]: texts[2], map: new Map([[texts[1], texts[2]]]) };
    const writer = codec.encodeMessage(value);
    assert.deepEqual(writer.parts, [texts[1], texts[2], texts[3], texts[3], texts[2], texts[1], texts[2]]);
    const wire = Buffer.from(writer.bytes.subarray(0, writer.length));
    assert.ok(sameGraph(codec.decode(wire, 0, wire.length, writer.parts), value));
    assert.deepEqual(codec.encodeValue(value).parts, [], 'tasks get it in the wire');
    const part = (index) => Buffer.from([tags.HEADER_TREE, tags.TEXT_PART, index, 0, 0, 0]);
    for (const parts of [[], [new ArrayBuffer(8)], ['text']]) {
      assert.throws(() => codec.decode(part(1), 0, 6, parts), codeOf('ERR_RW_MALFORMED_VALUE', /no text has the number 1/));
    }
    assert.equal(codec.decode(part(0), 0, 6, ['text']), 'text');
    assert.throws(() => codec.decode(part(0), 0, 6, [new ArrayBuffer(8)]), codeOf('ERR_RW_MALFORMED_VALUE'));
  });

  test('references and cycles keep their identity', () => {
    const shared = { n: 1 };
    const graph = { a: shared, b: [shared], self: null, m: new Map([[shared, new Set([shared])]]) };
    graph.self = graph;
    const copy = viaMessage(graph);
    assert.equal(copy.self, copy);
    assert.equal(copy.b[0], copy.a);
    assert.ok(copy.m.get(copy.a).has(copy.a));
    const many = Array.from({ length: 100 }, (_, i) => ({ i }));
    const twice = viaMessage([...many, ...many]);
    for (let i = 0; i < 100; i++) assert.equal(twice[i], twice[i + 100]);
  });

  test('views of one buffer go on sharing it, and a part of a buffer brings the whole', () => {
    const buffer = new ArrayBuffer(2048);
    const views = { a: new Uint8Array(buffer, 8, 8), b: new Int32Array(buffer), whole: buffer };
    const { a, b, whole } = viaMessage(views);
    b[2] = 7;
    assert.equal(a[0], 7);
    assert.equal(a.buffer, whole);
    assert.deepEqual([a.byteOffset, a.length, whole.byteLength], [8, 8, 2048]);
    const first = viaMessage([new Uint8Array(4), 0]);
    assert.equal(first[0].buffer.byteLength, 4);
    const bytes = viaMessage(Buffer.from('pooled'));
    assert.ok(!Buffer.isBuffer(bytes) && bytes instanceof Uint8Array);
  });

  test('getters run once, in order, and what they delete is left out', () => {
    const run = (clone) => {
      const calls = [];
      const object = {
        get a() { calls.push('a'); return 1; }, b: 2,
        get c() { calls.push('c'); delete this.d; return 3; }, d: 4, e: undefined,
      };
      return [clone(object), calls];
    };
    const codec = newCodec();
    for (let i = 0; i < 20; i++) {
      assert.deepEqual(run((value) => viaMessage(value, codec)), run(structuredClone));
    }
  });

  test('a Map or Set changed by a getter goes as it was', () => {
    const run = (clone) => {
      const map = new Map();
      map.set('a', { get x() { map.set('late', 1); map.delete('b'); return 1; } }).set('b', 2);
      return clone(map);
    };
    assert.deepEqual(run(viaMessage), run(structuredClone));
  });

  test('a getter that throws leaves the codec whole; one that encodes gets its own writer', () => {
    const codec = newCodec();
    const thrown = new Error('mine');
    assert.throws(() => codec.encodeMessage({ a: {}, get b() { throw thrown; } }),
      (error) => error === thrown);
    let inner;
    const encodes = () => { inner = viaMessage({ inside: true }, codec); return 2; };
    const outer = { before: 1, get nested() { return encodes(); }, after: 3 };
    assert.deepEqual(viaMessage(outer, codec), { before: 1, nested: 2, after: 3 });
    assert.deepEqual(inner, { inside: true });
  });

  test('array holes and properties, boxed primitives, regular expressions, dates', () => {
    const match = 'abc'.match(/b/);
    const long = Array.from({ length: 200 }, (_, i) => i);
    const tagged = Object.assign([...long], { extra: { deep: 1 } });
    const sparse = [];
    sparse[1e6] = 1;
    // The last index, and names beyond it.
    const beyond = Object.assign([1], { 4294967294: 'last', 4294967295: 'kept', 9007199254740991: 3, 1e21: 4 });
    const named = Object.assign([1], { 4294967295: 'kept', 9007199254740991: 3 });
    for (const value of [
      [, 1, , 2, ,], match, long, tagged, sparse, named, new Array(5), Object(1), Object('s'), Object(true),
      Object(5n), /a\/b/dgimsuy, new Date(86400000), Object.assign(/x/g, { lastIndex: 3 }), -0, [NaN],
      2n ** 200n,
    ]) {
      const copy = viaMessage(value);
      assert.deepEqual(copy, structuredClone(value));
      if (Array.isArray(value)) assert.deepEqual(Object.keys(copy), Object.keys(value));
    }
    // As long as an array can be: to compare it would take too long.
    const copy = viaMessage(beyond);
    assert.equal(copy.length, 2 ** 32 - 1);
    assert.deepEqual(Object.entries(copy), Object.entries(beyond));
  });

  test('errors come out as structured clone makes them', () => {
    class OwnError extends RangeError {
      constructor() { super('own'); this.name = 'OwnError'; this.code = 1; }
    }
    const bare = new Error();
    delete bare.stack;
    for (const error of [
      new Error('x', { cause: { a: 1 } }), new TypeError(''), new OwnError(), bare, new AggregateError([1],
      'm'), Object.defineProperty(new Error('e'), 'name', { value: 'SyntaxError' }),
    ]) {
      const copy = viaMessage(error);
      const cloned = structuredClone(error);
      assert.equal(Object.getPrototypeOf(copy), Object.getPrototypeOf(cloned));
      for (const key of ['name', 'message', 'stack', 'cause', 'code', 'errors']) {
        assert.deepEqual(copy[key], cloned[key], key);
        const mine = Object.getOwnPropertyDescriptor(copy, key);
        const theirs = Object.getOwnPropertyDescriptor(cloned, key);
        if (key === 'message' || key === 'cause') assert.deepEqual(mine, theirs, key);
      }
    }
  });

  test('an own __proto__ stays a property on every path, and no prototype is touched', () => {
    const codec = newCodec();
    const make = () => JSON.parse('{ "__proto__": { "polluted": 1 }, "b": 2 }');
    for (let i = 0; i < 30; i++) {
      const copies = [viaMessage(make(), codec), viaMessage([make()], codec)[0], viaValue(make(), codec)];
      for (const copy of copies) {
        assert.equal(Object.getPrototypeOf(copy), Object.prototype);
        assert.deepEqual(Object.getOwnPropertyDescriptor(copy, '__proto__').value, { polluted: 1 });
        assert.equal(copy.polluted, undefined);
      }
      const shared = make();
      assert.equal(Object.getPrototypeOf(viaMessage([shared, shared], codec)[1]), Object.prototype);
    }
  });

  test('what only Node can carry or refuse is not representable, and leaves nothing behind', () => {
    const codec = newCodec();
    const { MessageChannel } = require('node:worker_threads');
    const { port1, port2 } = new MessageChannel();
    const { createSecretKey } = require('node:crypto');
    let trapped = 0;
    const count = () => { trapped++; };
    const proxy = new Proxy({}, { get: count, ownKeys: count, getPrototypeOf: count, has: count });
    class Mine {}
    const foreign = runInContext('({})', createContext());
    const others = [
      () => {}, Symbol('x'), proxy, [proxy], new Proxy([], {}), new Blob([]), port1,
      createSecretKey(Buffer.from('k')), new Mine(), Promise.resolve(), new WeakMap(),
      new SharedArrayBuffer(1), new Uint8Array(new SharedArrayBuffer(1)), new DOMException('d'),
      new AbortController().signal, (function () { return arguments; })(1), foreign, Object(Symbol('s')),
      new WebAssembly.Module(Buffer.from('0061736d01000000', 'hex')), new ReadableStream(),
      function* () {}(), new ArrayBuffer(8, { maxByteLength: 16 }),
    ];
    for (const other of others) {
      assert.equal(codec.encodeMessage(other), null);
      assert.equal(codec.encodeMessage({ a: [1, 2, other] }), null);
    }
    assert.equal(trapped, 0);
    port1.close();
    port2.close();
    assert.deepEqual(viaMessage({ fine: [1] }, codec), { fine: [1] });
  });

  test('objects with inner slots are known whatever their prototype', () => {
    for (const value of [
      Object.setPrototypeOf(new Map([[1, 2]]), Object.prototype), Object.setPrototypeOf(new Date(5), null),
      Object.create(Map.prototype), Object.create(Array.prototype),
    ]) {
      const writer = newCodec().encodeMessage(value);
      if (writer !== null) assert.deepEqual(send(newCodec(), writer), structuredClone(value));
    }
    class List extends Array {}
    assert.deepEqual(viaMessage(List.of(1, 2)), [1, 2]);
  });

  test('very deep values are left to Node', () => {
    let value = null;
    for (let i = 0; i < 5000; i++) value = [value];
    assert.equal(newCodec().encodeMessage(value), null);
  });

  test('random values come out as structured clone makes them, identity and all', () => {
    const codec = newCodec();
    let compared = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const withErrors = seed % 2 === 0;
      const value = randomValue(createRandom(seed), withErrors);
      const copy = viaMessage(value, codec);
      let cloned;
      try {
        cloned = structuredClone(value);
      } catch (error) {
        // Node 20 cannot read back an error that is within its own cause.
        assert.match(error.message, /^Unable to deserialize/, `seed ${seed}`);
        continue;
      }
      if (!withErrors) assert.deepStrictEqual(copy, cloned, `seed ${seed}`);
      assert.ok(sameGraph(copy, cloned), `seed ${seed}`);
      compared++;
    }
    assert.ok(compared > 2900, `${compared} compared`);
  });
});

describe('shapes and extensions', () => {
  test('a shape is interned once it has been seen a few times, and then carries values alone', () => {
    const codec = newCodec();
    const make = (i) => ({ identifier: i, description: 'd' });
    const first = codec.encodeMessage(make(1)).length;
    for (let i = 0; i < 20; i++) assert.deepEqual(viaMessage(make(i), codec), make(i));
    assert.ok(codec.encodeMessage(make(1)).length < first / 2);
  });

  test('a full table, and objects used as dictionaries, cost speed and nothing else', () => {
    const shapes = new LocalShapes(3);
    const codec = newCodec({ shapes });
    for (let i = 0; i < 40000; i++) {
      const object = { [`key${i}`]: i, same: 1 };
      if (i % 1000 === 0) assert.deepEqual(viaMessage(object, codec), object);
      else codec.encodeMessage(object);
    }
    for (let i = 0; i < 20; i++) {
      for (const object of [{ a: 1 }, { b: 1 }, { c: 1 }, { d: 1 }, { e: { a: 1 } }]) {
        assert.deepEqual(viaMessage(object, codec), object);
      }
    }
  });

  test('extensions cross in both modes, under views too, and keep their identity', () => {
    const codec = newCodec();
    const table = [];
    codec.registerExtension({
      tag: tags.SHARED,
      test: (value) => value instanceof SharedArrayBuffer,
      write(value, writer) { writer.u32(table.push(value) - 1); writer.f64(0.5); },
      read(reader) { const id = reader.u32(); assert.equal(reader.f64(), 0.5); return table[id]; },
    });
    const memory = new SharedArrayBuffer(16);
    const copy = viaMessage({ memory, again: memory, view: new Int32Array(memory, 4, 2) }, codec);
    assert.equal(copy.memory, memory);
    assert.equal(copy.again, memory);
    assert.deepEqual([copy.view.buffer, copy.view.byteOffset, copy.view.length], [memory, 4, 2]);
    assert.equal(viaValue([new Uint8Array(memory)], codec)[0].buffer, memory);
    assert.throws(() => codec.registerExtension({ tag: tags.SHARED }), RangeError);
  });

  test('code generation from strings may be off', async () => {
    const script = `
      const { createCodec, LocalShapes } = require(${JSON.stringify(require.resolve('../lib/codec'))});
      const codec = createCodec({ shapes: new LocalShapes() });
      for (let i = 0; i < 50; i++) {
        const writer = codec.encodeMessage({ a: i, text: 'short', o: { b: [1] } });
        const copy = codec.decode(writer.bytes, 0, writer.length, writer.parts);
        require('node:assert').deepStrictEqual(copy, { a: i, text: 'short', o: { b: [1] } });
      }
      console.log('ok');`;
    const flags = ['--disallow-code-generation-from-strings'];
    assert.deepEqual(await evaluate(script, { flags }), { stdout: 'ok\n', stderr: '' });
  });
});
