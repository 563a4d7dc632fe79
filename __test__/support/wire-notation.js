'use strict';

// The notation of __test__/fixtures/wire-vectors.json; src/value/wire_tests.rs reads the same.

/** Builds the JavaScript value that a notation describes. */
function build(notation, named = new Map()) {
  const [type, first, second, third, fourth] = notation;
  const list = (items) => items.map((item) => build(item, named));
  const pairs = (items) => items.map(([key, value]) => [build(key, named), build(value, named)]);
  switch (type) {
    case 'undefined': return undefined;
    case 'null': return null;
    case 'bool': return first;
    case 'number': return Number(first);
    case 'bigint': return BigInt(first);
    case 'string': return first;
    case 'repeat': return first.repeat(second);
    case 'utf16': return String.fromCharCode(...first);
    case 'date': return new Date(Number(first));
    case 'array': return list(first);
    case 'set': return new Set(list(first));
    case 'map': return new Map(pairs(first));
    case 'object': {
      const object = {};
      for (const [key, value] of pairs(first)) {
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      }
      return object;
    }
    case 'bytes': {
      const bytes = Uint8Array.from(Buffer.from(second, 'hex'));
      if (first === 'ArrayBuffer') return bytes.buffer;
      if (first === 'Buffer') return Buffer.from(bytes.buffer);
      return new globalThis[first](bytes.buffer);
    }
    case 'zeros': return new globalThis[first](second);
    case 'error': {
      const Class = globalThis[first] ?? Error;
      const error = new Class(second);
      if (error.name !== first) Object.defineProperty(error, 'name', { value: first });
      Object.defineProperty(error, 'stack', { value: third ?? undefined });
      for (const [key, value] of pairs(fourth)) {
        const enumerable = key !== 'cause';
        Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
      }
      return error;
    }
    // An array under a name, known while its items are built, and the same array again.
    case 'named': {
      const array = [];
      named.set(first, array);
      for (const item of second) array.push(build(item, named));
      return array;
    }
    case 'same': return named.get(first);
    default: throw new Error(`no notation ${type}`);
  }
}

module.exports = { build };
