'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const validators = require('../lib/validators');

/** Asserts that `check` throws that code with exactly that message. */
function refuses(check, code, message) {
  assert.throws(check, (error) => {
    assert.deepEqual({ code: error.code, message: error.message }, { code, message });
    return true;
  });
}

test('what fits is given back as it is', () => {
  const bag = { a: 1 };
  const { signal } = new AbortController();
  assert.equal(validators.validateInteger(4, 'n', 1, 4), 4);
  assert.equal(validators.validateInteger(-7, 'n'), -7);
  assert.equal(validators.validateNumber(0.5, 'n', 0), 0.5);
  assert.equal(validators.validateNumber(Infinity, 'n', 0), Infinity);
  assert.equal(validators.validateString('', 's'), '');
  assert.equal(validators.validateObject(bag, 'o'), bag);
  assert.equal(validators.validateAbortSignal(signal, 's'), signal);
});

test('a wrong type is an ERR_RW_INVALID_ARG_TYPE that shows what came', () => {
  const code = 'ERR_RW_INVALID_ARG_TYPE';
  const name = 'options.maxThreads';
  const start = `The "${name}" argument must be an integer between 1 and 1024. Received `;
  const shown = [
    ['x', "'x'"],
    ['y'.repeat(50), `'${'y'.repeat(40)}'...`],
    [undefined, 'undefined'],
    [null, 'null'],
    [12n, '12n'],
    [Symbol('s'), 'Symbol(s)'],
    [[1], 'an instance of Array'],
    [Object.create(null), '[Object: null prototype] {}'],
    [function named() {}, 'function named'],
    [() => {}, 'an anonymous function'],
  ];
  for (const [value, text] of shown) {
    refuses(() => validators.validateInteger(value, name, 1, 1024), code, start + text);
  }
});

test('a number in the wrong place is an ERR_RW_OUT_OF_RANGE', () => {
  const code = 'ERR_RW_OUT_OF_RANGE';
  const between = 'The "n" argument must be an integer between 1 and 8. Received ';
  for (const value of [0, 9, 1.5, NaN, Infinity]) {
    refuses(() => validators.validateInteger(value, 'n', 1, 8), code, between + String(value));
  }
  const atLeast = 'The "ms" argument must be a number of at least 0. Received ';
  refuses(() => validators.validateNumber(-1, 'ms', 0), code, `${atLeast}-1`);
  refuses(() => validators.validateNumber(NaN, 'ms', 0), code, `${atLeast}NaN`);
  const unsafe = 'The "n" argument must be an integer of at least 0. Received 9007199254740992';
  refuses(() => validators.validateInteger(2 ** 53, 'n', 0), code, unsafe);
});

test('other shapes are told apart', () => {
  const code = 'ERR_RW_INVALID_ARG_TYPE';
  const { validateAbortSignal, validateIterable, validateObject, validateString } = validators;
  refuses(() => validateString(1, 's'), code, 'The "s" argument must be a string. Received 1');
  refuses(
    () => validateObject([], 'o'),
    code,
    'The "o" argument must be an object. Received an instance of Array',
  );
  refuses(() => validateObject(null, 'o'), code, 'The "o" argument must be an object. Received null');
  refuses(
    () => validateAbortSignal({}, 's'),
    code,
    'The "s" argument must be an AbortSignal. Received an instance of Object',
  );
  refuses(
    () => validateIterable('abc', 'i'),
    code,
    'The "i" argument must be an iterable or an async iterable. Received \'abc\'',
  );
});

test('iterables and async iterables of any kind pass', () => {
  async function* later() {}
  for (const value of [[], new Set(), new Map().keys(), later(), new Uint8Array(1)]) {
    assert.equal(validators.validateIterable(value, 'i'), value);
  }
});

test('what cannot be looked at without harm is still refused by the right error', () => {
  const throws = () => {
    throw new Error('looked at');
  };
  const values = [
    [{ get constructor() { return throws(); } }, 'an object'],
    [{ constructor: { get name() { return throws(); } } }, 'an object'],
    [{ constructor: { name: Symbol('s') }, [require('node:util').inspect.custom]: throws }, 'an object'],
    [new Proxy({}, { get: throws }), 'an object'],
    [Object.defineProperty(() => {}, 'name', { get: throws }), 'a function'],
  ];
  for (const [value, text] of values) {
    const message = `The "n" argument must be an integer. Received ${text}`;
    refuses(() => validators.validateInteger(value, 'n'), 'ERR_RW_INVALID_ARG_TYPE', message);
  }
});
