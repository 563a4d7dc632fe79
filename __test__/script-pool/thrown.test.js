'use strict';

const assert = require('node:assert/strict');
const { createSecretKey } = require('node:crypto');
const { test, describe } = require('node:test');
const { runInNewContext } = require('node:vm');

const { MessageChannel, Mutex, SharedBuffer, errors } = require('../..');
const { decodeThrown, encodeThrown } = require('../../lib/task/thrown');

/** Where it arrives: the wire and its parts copied, what Node carries as it is. */
function arrived(thrown) {
  const { bytes, length, parts, carried } = encodeThrown(thrown);
  const wire = Buffer.from(bytes.subarray(0, length));
  const copies = parts.map((part) => new Uint8Array(part).buffer);
  return decodeThrown(wire, 0, wire.length, copies, carried);
}

const broken = (key, message = `no ${key}`) => ({
  configurable: true,
  enumerable: true,
  get() { throw new Error(message); },
});

describe('what a script throws', () => {
  test('class, name, message, stack, code, cause and own properties at any depth', () => {
    class HttpError extends TypeError {
      name = 'HttpError';
    }
    const cause = Object.assign(new RangeError('inner'), { code: 'E_INNER', at: { line: [1, { column: 2 }] } });
    const error = Object.assign(new HttpError('outer', { cause }), { code: 'E_OUTER', when: new Date(5), tags: new Set(['a']) });
    const copy = arrived(error);
    assert.ok(copy instanceof TypeError);
    assert.deepEqual([copy.name, copy.message, copy.stack, copy.code], ['HttpError', 'outer', error.stack, 'E_OUTER']);
    assert.deepEqual([copy.when, copy.tags], [new Date(5), new Set(['a'])]);
    assert.ok(copy.cause instanceof RangeError);
    assert.deepEqual([copy.cause.code, copy.cause.at], ['E_INNER', { line: [1, { column: 2 }] }]);
    assert.ok(!Object.keys(copy).includes('cause'));
  });

  test('cycles: of properties, of causes, among several errors', () => {
    const error = new Error('m');
    error.self = error;
    error.list = [error, { error }];
    const copy = arrived(error);
    assert.equal(copy.self, copy);
    assert.equal(copy.list[1].error, copy);
    const a = new Error('a');
    const b = new Error('b', { cause: a });
    a.cause = b;
    assert.equal(arrived(b).cause.cause.message, 'b');
    const several = arrived(new AggregateError([a, b], 'all'));
    assert.ok(several instanceof AggregateError);
    assert.equal(several.errors[0].cause, several.errors[1]);
  });

  test('each part that cannot cross has a stand-in, and nothing else is lost', () => {
    const { port1 } = new MessageChannel();
    const error = Object.assign(new Error('m'), {
      retry() {}, made: class Made {}, later: async () => {}, sign: Symbol('s'), promise: Promise.resolve(), weak: new WeakMap(),
      proxy: new Proxy({}, {}), signal: new AbortController().signal, port: port1, url: new URL('http://a.b/c?d'),
      response: { status: 404, request: { retry: [() => 1, 2] } }, generator: (function* () {})(), after: 'kept',
    });
    Object.defineProperty(error, 'broken', broken('broken', 'inside'));
    const copy = arrived(error);
    assert.deepEqual({ ...copy }, {
      retry: '[Function: retry]', made: '[class Made]', later: '[AsyncFunction: later]', sign: 'Symbol(s)', promise: '[Promise]',
      weak: '[WeakMap]', proxy: '[Proxy]', signal: '[AbortSignal]', port: '[MessagePort]', url: '[URL: http://a.b/c?d]',
      response: { status: 404, request: { retry: ['[Function (anonymous)]', 2] } }, generator: '[generator]', after: 'kept',
      broken: '[Getter: threw inside]',
    });
    port1.close();
  });

  test('a DOMException keeps its name and legacy code', () => {
    let reason;
    try {
      AbortSignal.abort().throwIfAborted();
    } catch (error) {
      reason = error;
    }
    for (const error of [reason, new DOMException('m', 'QuotaExceededError'), new DOMException('m', 'Own')]) {
      const copy = arrived(Object.assign(error, { extra: [1] }));
      assert.ok(copy instanceof DOMException);
      assert.deepEqual([copy.name, copy.code, copy.message, copy.extra], [error.name, error.code, error.message, [1]]);
    }
  });

  test('shared memory, objects of ours and what only Node copies are carried beside the wire, never sliced', () => {
    const memory = new Uint8Array(new SharedArrayBuffer(8));
    const [buffer, mutex, key, blob] = [new SharedBuffer(8), new Mutex(), createSecretKey(Buffer.from('k')), new Blob(['x'])];
    const { parts, carried } = encodeThrown(Object.assign(new Error('m'), { memory, buffer, mutex, key, blob, again: [memory] }));
    assert.deepEqual([parts.length, carried.length], [0, 5]);
    const copy = arrived(Object.assign(new Error('m'), { memory, buffer, mutex, key, blob, again: [memory] }));
    assert.equal(copy.memory, memory);
    assert.equal(copy.again[0], memory);
    assert.deepEqual([copy.buffer, copy.mutex, copy.key, copy.blob], [buffer, mutex, key, blob]);
  });

  test('bytes are those of the moment they were met, and large blocks ride beside', () => {
    const bytes = new Uint8Array(5000).fill(1);
    const error = Object.defineProperty(Object.assign(new Error('m'), { bytes, text: Buffer.from('abc') }), 'late', {
      enumerable: true,
      get: () => bytes.fill(2).length,
    });
    const copy = arrived(error);
    assert.equal(copy.bytes[0], 1);
    assert.ok(Buffer.isBuffer(copy.text));
    const gone = new ArrayBuffer(8);
    const view = new Uint8Array(gone);
    structuredClone(gone, { transfer: [gone] });
    assert.deepEqual({ ...arrived({ gone, view }) }, {
      gone: '[ArrayBuffer: its memory is gone]', view: '[Uint8Array: its memory is gone]',
    });
  });

  test('resizable memory is as it was when it was met, and stays resizable', () => {
    const resizable = new ArrayBuffer(24, { maxByteLength: 32 });
    const error = Object.assign(new Error('m'), { resizable, view: new Uint8Array(resizable, 8) });
    Object.defineProperty(error, 'late', { enumerable: true, get() { resizable.resize(8); return 1; } });
    const copy = arrived(error);
    assert.deepEqual([copy.resizable.byteLength, copy.resizable.maxByteLength, copy.view.length], [24, 32, 16]);
    assert.equal(copy.view.buffer, copy.resizable);
  });

  test('values of every type, and errors of other realms', () => {
    for (const value of [1, -0, 'text', '\ud800', undefined, null, 5n, true, { a: [1] }, [1, , 3], new Map([[1, { b: 2 }]])]) { // eslint-disable-line no-sparse-arrays
      assert.deepStrictEqual(arrived(value), value);
    }
    assert.equal(arrived(Symbol('s')), 'Symbol(s)');
    assert.equal(arrived(() => 1), '[Function (anonymous)]');
    const other = arrived(runInNewContext('Object.assign(new TypeError("m", { cause: new Error("c") }), { list: [1, new Map([[1, 2]])] })'));
    assert.ok(other instanceof TypeError && other.cause instanceof Error);
    assert.deepEqual([other.message, other.list], ['m', [1, new Map([[1, 2]])]]);
    class Point { x = 1; #y = 2; get far() { return this.#y; } }
    assert.deepEqual(arrived(new Point()), { x: 1 });
    assert.deepEqual(arrived(Object.setPrototypeOf(new Error('m'), null)).message, 'm');
  });

  test('errors of ours have their classes again, at any depth', () => {
    const error = new errors.TaskTimeoutError('late', { cause: new errors.QueueFullError('full'), task: 't' });
    const copy = arrived({ deep: [error] }).deep[0];
    assert.ok(copy instanceof errors.TaskTimeoutError && copy.cause instanceof errors.QueueFullError);
    assert.deepEqual([copy.name, copy.code, copy.task, Object.keys(copy)], [error.name, error.code, 't', Object.keys(error)]);
  });

  test('getters run once each, in order, and may throw what they like', () => {
    const runs = [];
    const counting = (key) => ({ configurable: true, enumerable: true, get: () => runs.push(key) });
    // The stack first: V8 makes the text of one that is replaced, of name and message.
    const keys = ['stack', 'name', 'message', 'x', 'cause'];
    const counted = Object.defineProperties(new Error('m'), Object.fromEntries(keys.map((key) => [key, counting(key)])));
    arrived(counted);
    assert.deepEqual(runs.sort(), [...keys].sort());
    for (const key of ['name', 'message', 'stack', 'cause', 'code', 'x']) {
      const copy = arrived(Object.defineProperty(Object.assign(new Error('m'), { kept: 1 }), key, broken(key)));
      assert.ok(copy instanceof Error, key);
      assert.equal(copy[key], `[Getter: threw no ${key}]`);
      assert.equal(copy.kept, 1);
    }
    const odd = { get message() { throw odd; }, toString() { throw odd; } };
    for (const thrown of [odd, Object.assign(new Error('m'), { message: odd }), Object.defineProperty(new Error('m'), 'x', { enumerable: true, get() { throw odd; } })]) {
      assert.ok(['object', 'string'].includes(typeof arrived(thrown)));
    }
    const messages = [{}, null, 5, Symbol('s'), [1]].map((message) => arrived(Object.assign(new Error('m'), { message })).message);
    assert.deepEqual(messages, ['[object Object]', 'null', '5', 'Symbol(s)', '1']);
  });

  test('no trap of a Proxy is called', () => {
    const trap = () => { throw new Error('trapped'); };
    const handler = Object.fromEntries(Reflect.ownKeys(Reflect).filter((key) => typeof key === 'string').map((key) => [key, trap]));
    const proxy = new Proxy(new Error('x'), handler);
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    assert.equal(arrived(proxy), '[Proxy]');
    assert.deepEqual(arrived([revoked, { proxy }]), ['[Proxy]', { proxy: '[Proxy]' }]);
    assert.deepEqual(arrived(Object.create(proxy, { a: { value: 1, enumerable: true } })), { a: 1 });
    const heir = arrived(Object.setPrototypeOf(Object.assign(new Error('m'), { a: 1 }), proxy));
    assert.equal(heir.a, 1);
  });

  test('what is too deep, too long or too many is cut, and told', () => {
    let error = new Error('innermost');
    for (let i = 0; i < 10_000; i++) error = new Error(`level ${i}`, { cause: error });
    let levels = 0;
    let at = arrived(error);
    for (; at instanceof Error; at = at.cause) levels++;
    assert.ok(levels >= 100);
    assert.match(at, /^\[Error: level \d+\]$/);
    let cyclic = error;
    while (cyclic.cause !== undefined) cyclic = cyclic.cause;
    cyclic.cause = error;
    assert.ok(arrived(error) instanceof Error);

    const many = arrived(Object.assign(new Error('m'), { list: new Array(200_000).fill(1), map: new Map(Array.from({ length: 200_000 }, (_, i) => [i, i])) }));
    assert.equal(many.list['…'], '100000 more');
    assert.equal(many.map, '[Map(200000)]');
    assert.equal(arrived(Object.assign(new Error('m'), { sparse: Object.assign([], { 4294967293: 1 }) })).sparse['…'], '4294967294 more');
  });

  test('a message of 20 million characters crosses', () => {
    const error = new Error('é'.repeat(20_000_000));
    assert.equal(arrived(error).message.length, 20_000_000);
  });

  test('what throws while it is read may throw something of its own meanwhile', () => {
    const outer = Object.defineProperty(new Error('outer'), 'inner', {
      enumerable: true,
      get: () => arrived(Object.assign(new Error('inner'), { block: new Uint8Array(3000) })).message,
    });
    assert.deepEqual([arrived(outer).message, arrived(outer).inner], ['outer', 'inner']);
  });
});
