'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { CODES, JS_ONLY_CODES, abortError, errorFromCode, publicClasses } = require('../lib/errors');

const source = fs.readFileSync(path.join(__dirname, '..', 'src', 'error.rs'), 'utf8');
const types = fs.readFileSync(path.join(__dirname, '..', 'index.d.ts'), 'utf8');

/** The codes of src/error.rs, in declaration order. */
function nativeCodes() {
  const [, list] = /^codes! \{$(.*?)^\}$/ms.exec(source);
  return [...list.matchAll(/^\s*\w+ = "(ERR_RW_\w+)",$/gm)].map(([, code]) => code);
}

test('the code list equals that of src/error.rs, plus the codes of JavaScript only', () => {
  const native = nativeCodes();
  assert.ok(native.length >= 18, `only ${native.length} codes were found in src/error.rs`);
  assert.deepEqual([...CODES].sort(), [...native, ...JS_ONLY_CODES].sort());
  assert.equal(new Set(CODES).size, CODES.length);
});

test('every class is public, and in index.d.ts with its code and its base class', () => {
  assert.deepEqual(
    Object.values(publicClasses)
      .map(({ code }) => code)
      .sort(),
    [...CODES].sort(),
  );
  for (const [name, Class] of Object.entries(publicClasses)) {
    assert.equal(Class.name, name);
    const base = Object.getPrototypeOf(Class).name;
    const declaration = `class ${name} extends ${base} {\n    static readonly code: '${Class.code}';`;
    assert.ok(types.includes(declaration), `index.d.ts lacks: ${declaration}`);
  }
});

test('an error from a code has the class, the code, the message and its own properties', () => {
  const input = new Uint8Array(2);
  const error = errorFromCode('ERR_RW_QUEUE_FULL', 'The queue is full', { input });
  assert.ok(error instanceof publicClasses.QueueFullError);
  assert.ok(error instanceof Error);
  assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
  assert.equal(error.name, 'QueueFullError');
  assert.equal(error.message, 'The queue is full');
  assert.equal(error.input, input);
  assert.match(error.stack, /^QueueFullError: The queue is full\n/);
});

test('the language’s own classes are the bases where it would throw them', () => {
  assert.ok(errorFromCode('ERR_RW_INVALID_ARG_TYPE', 'm') instanceof TypeError);
  assert.ok(errorFromCode('ERR_RW_INVALID_INPUT', 'm') instanceof TypeError);
  assert.ok(errorFromCode('ERR_RW_OUT_OF_RANGE', 'm') instanceof RangeError);
});

test('a code that no class has becomes an InternalError that names it', () => {
  const error = errorFromCode('ERR_RW_FROM_THE_FUTURE', 'Something');
  assert.equal(error.code, 'ERR_RW_INTERNAL');
  assert.match(error.message, /^Something .*ERR_RW_FROM_THE_FUTURE/);
});

test('an aborted task is an AbortError with the reason as its cause', () => {
  const reason = { why: 'the user left' };
  const error = abortError(AbortSignal.abort(reason));
  assert.equal(error.name, 'AbortError');
  assert.equal(error.code, 'ERR_RW_TASK_CANCELLED');
  assert.equal(error.cause, reason);
  assert.ok(error instanceof publicClasses.TaskCancelledError);
});

test('a timeout is called TimeoutError, as the web platform calls it', () => {
  const error = errorFromCode('ERR_RW_TASK_TIMEOUT', 'The task took longer than 5 ms');
  assert.equal(error.name, 'TimeoutError');
  assert.ok(error instanceof publicClasses.TaskTimeoutError);
});

test('a cause is there only when one was given, even an undefined one', () => {
  assert.ok(!('cause' in errorFromCode('ERR_RW_INTERNAL', 'm')));
  const error = errorFromCode('ERR_RW_INTERNAL', 'm', { cause: undefined });
  assert.ok(Object.hasOwn(error, 'cause'));
  assert.ok(!Object.keys(error).includes('cause'), 'as with any Error, the cause is not enumerable');
});
