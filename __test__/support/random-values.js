'use strict';

// Random values for property tests: every type that structured clone takes, nested, shared and cyclic.

/** A seeded generator: `random(n)` returns an integer in 0…n-1. */
function createRandom(seed) {
  let state = (seed * 0x9e3779b1) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const numbers = [0, -0, 1, -1, 127, 128, 2 ** 31, -(2 ** 31), 2 ** 53, NaN, Infinity, 0.1, 1e-300];
const texts = [
  '', 'a', 'key', 'é', '漢字', '😀', '\ud800x', 'x'.repeat(70), 'y'.repeat(300), '__proto__', '0', '7',
];
const views = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array,
  Float64Array, BigInt64Array, BigUint64Array, DataView,
];

/** A value, with or without errors in it; `seen` are objects that may be referred to again. */
function randomValue(random, errors = true, depth = 0, seen = []) {
  const pick = (list) => list[random(list.length)];
  const inner = () => randomValue(random, errors, depth + 1, seen);
  const keep = (object) => {
    seen.push(object);
    return object;
  };
  const kind = random(depth > 4 ? 7 : 20);
  switch (kind) {
    case 0: return pick([undefined, null, true, false]);
    case 1:
    case 2: return random(2) ? pick(numbers) : random(1000);
    case 3:
    case 4: return pick(texts);
    case 5: return pick([0n, -1n, 2n ** 64n, -(3n ** 100n)]);
    case 6: return seen.length > 0 ? pick(seen) : null;
    case 7: return keep(new Date(random(1e9)));
    case 8: return keep(pick([/a/, /b\/c/gi, /\u{1F600}/u]));
    case 9: return keep(Object(pick([1, -0, 'text', true, 5n])));
    case 10: {
      const buffer = keep(new ArrayBuffer(8 * random(6)));
      new Uint8Array(buffer).forEach((_, i, bytes) => { bytes[i] = random(256); });
      return buffer;
    }
    case 11:
    case 12: {
      const buffers = seen.filter((object) => object instanceof ArrayBuffer);
      const old = buffers.length > 0 && random(2) > 0;
      const buffer = old ? pick(buffers) : keep(new ArrayBuffer(random(3) ? 32 : 4096));
      const View = pick(views);
      if (random(3) === 0) return keep(new View(buffer));
      const size = View.BYTES_PER_ELEMENT ?? 1;
      const offset = buffer.byteLength >= 8 ? 8 * random(2) : 0;
      return keep(new View(buffer, offset, Math.floor((buffer.byteLength - offset) / 2 / size)));
    }
    case 13: {
      if (!errors) return null;
      const Class = pick([Error, TypeError, RangeError, SyntaxError, EvalError, URIError, ReferenceError]);
      const error = keep(new Class(pick(texts)));
      if (random(2)) error.cause = inner();
      if (random(2)) error.dropped = 1;
      return error;
    }
    case 14: {
      const map = keep(new Map());
      for (let i = random(5); i > 0; i--) map.set(inner(), inner());
      return map;
    }
    case 15: {
      const set = keep(new Set());
      for (let i = random(5); i > 0; i--) set.add(inner());
      return set;
    }
    case 16: {
      const array = keep([]);
      for (let i = random(6); i > 0; i--) {
        if (random(6) === 0) array.length++;
        else array.push(inner());
      }
      if (random(4) === 0) array[pick(['named', '-1', '01', '0.5'])] = inner();
      return array;
    }
    default: {
      const object = keep(random(8) ? {} : Object.create(null));
      for (let i = random(6); i > 0; i--) {
        const value = inner();
        Object.defineProperty(object, pick([...texts, 'b', 'c', 'd']), {
          value, writable: true, enumerable: random(20) > 0, configurable: true,
        });
      }
      return object;
    }
  }
}

function* childrenOf(value) {
  if (ArrayBuffer.isView(value)) {
    yield value.buffer;
    return;
  }
  if (value instanceof Map) for (const [key, item] of value) yield* [key, item];
  else if (value instanceof Set) yield* value;
  else if (value instanceof Error) yield value.cause;
  if (!(value instanceof ArrayBuffer)) for (const key of Object.keys(value)) yield value[key];
}

const toString = (value) => Object.prototype.toString.call(value);

/** An object without its children, as a text. */
function ownFacts(value) {
  const facts = [toString(value), ...Object.keys(value)];
  if (ArrayBuffer.isView(value)) facts.push(value.byteOffset, value.byteLength);
  else if (value instanceof ArrayBuffer) facts.push(Buffer.from(value).toString('hex'));
  else if (value instanceof Date) facts.push(value.getTime());
  else if (value instanceof RegExp) facts.push(value.source, value.flags, value.lastIndex);
  else if (value instanceof Map || value instanceof Set) facts.push(value.size);
  else if (Array.isArray(value)) facts.push(value.length);
  else if (value instanceof Error) {
    facts.push(value.name, value.message, value.stack);
    facts.push(Object.hasOwn(value, 'message'), Object.hasOwn(value, 'cause'));
  } else if (/Number|String|Boolean|BigInt/.test(toString(value))) {
    facts.push(Object.is(value.valueOf(), -0) ? '-0' : String(value.valueOf()));
  }
  return JSON.stringify(facts);
}

/**
 * True when two values are equal in everything, and also share and repeat their objects at the same places,
 * buffers included. (Node's deepStrictEqual knows no identity, and from 22 on runs out of stack on an error
 * within its own cause.)
 */
function sameGraph(left, right) {
  const pairs = new Map();
  const mirrored = new Map();
  const stack = [[left, right]];
  while (stack.length > 0) {
    const [a, b] = stack.pop();
    if (typeof a !== 'object' || a === null) {
      if (!Object.is(a, b)) return false;
      continue;
    }
    if (pairs.has(a) || mirrored.has(b)) {
      if (pairs.get(a) !== b || mirrored.get(b) !== a) return false;
      continue;
    }
    pairs.set(a, b);
    mirrored.set(b, a);
    if (typeof b !== 'object' || b === null || ownFacts(a) !== ownFacts(b)) return false;
    const as = [...childrenOf(a)];
    const bs = [...childrenOf(b)];
    if (as.length !== bs.length || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    as.forEach((child, i) => stack.push([child, bs[i]]));
  }
  return true;
}

module.exports = { createRandom, randomValue, sameGraph };
