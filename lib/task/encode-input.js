'use strict';

/** Encodes the inputs of native tasks, in the cheapest form that fits (`INPUTS` of lib/constants.js). */

const { types } = require('node:util');

const {
  KIND_ARRAY_BUFFER, KIND_BUFFER, KIND_UINT8, bufferOf, bytesOf, copyOf, isBuffer, isResizable, isView, kindOfView, lengthOf,
  offsetOf, sizeOf, viewOver,
} = require('../codec/bytes');
const { arrayOf } = require('../runtime/intrinsics');
const { INPUTS, MEMORY } = require('../constants');
const nodeGlobals = require('../runtime/globals');
const { isPort } = require('../transfer/registry');
const { TaskTransfer } = require('../transfer/task-transfer');
const { packNumbers } = require('./map-numbers');

/**
 * Loaded when a pool is made, once the workers of its script have been started: they start on threads of their own meanwhile. Not
 * later, since by then the program may have changed the prototypes of the language.
 */
let values;
const loadCodec = () => (values ??= require('./values'));
const encodeValue = (value, name, given) => loadCodec().encodeValue(value, name, given);

/** Where the kind of bytes stands in a form. */
const { KIND_SHIFT } = INPUTS;
const { COPY: INPUT_COPY, DIRECT: INPUT_DIRECT, PIN: INPUT_PIN, WIRE: INPUT_WIRE } = INPUTS;

/**
 * From this size on a task that returns its input's memory gets memory of JavaScript's. It is copied once either way;
 * Rust's own would be copied again on its way back (src/node/memory.rs).
 */
const { LARGE } = MEMORY;

/** The last encoded input; used up before the next is encoded. */
const encoded = { form: INPUT_DIRECT, value: undefined, length: 0, parts: undefined, input: undefined };

function set(form, value, length, parts, input) {
  encoded.form = form;
  encoded.value = value;
  encoded.length = length;
  encoded.parts = parts;
  encoded.input = input;
  return encoded;
}

/**
 * @param {unknown} input
 * @param {ArrayBuffer[] | undefined} transfer buffers to transfer; they are detached when this returns
 * @param {boolean} [comesBack] whether the task's result is the memory of its input
 * @returns {{ form: number, value: unknown, length: number, parts: unknown[] | undefined, input: unknown }} good
 *   until the next call; `input` is the `input` of a refusal
 */
function encodeInput(input, transfer, comesBack = false) {
  if (transfer !== undefined) return encodeTransfer(input, new TaskTransfer(transfer), comesBack);
  switch (typeof input) {
    case 'number':
    case 'undefined':
    case 'boolean':
      return set(INPUT_DIRECT, input, 0, undefined, input);
    case 'object':
      if (input === null) return set(INPUT_DIRECT, input, 0, undefined, input);
      if (isView(input)) return encodeBytes(input, comesBack);
  }
  return encodeWire(input, undefined, comesBack);
}

/** Whether the memory is a plain ArrayBuffer's, of a fixed length and still there: the codec handles all others. */
function isPlain(buffer) {
  return types.isArrayBuffer(buffer) && sizeOf(buffer) > 0 && !isResizable(buffer);
}

function kindOf(view) {
  const kind = kindOfView(view);
  return kind === KIND_UINT8 && isBuffer(view) ? KIND_BUFFER : kind;
}

function encodeBytes(input, comesBack) {
  const kind = kindOf(input);
  if (kind < 0 || !isPlain(bufferOf(input))) return encodeWire(input, undefined, comesBack);
  const bytes = kind === KIND_UINT8 || kind === KIND_BUFFER ? input : bytesOf(input);
  if (comesBack && lengthOf(bytes) >= LARGE) {
    return set(INPUT_PIN | (kind << KIND_SHIFT), copyOf(bytes), 0, undefined, input);
  }
  return set(INPUT_COPY | (kind << KIND_SHIFT), bytes, 0, undefined, input);
}

function encodeWire(input, transfer, comesBack) {
  const { bytes, length, parts } = encodeValue(input, 'input', transfer);
  return set(INPUT_WIRE, bytes, length, parts.length > 0 ? pairs(parts, transfer, comesBack) : undefined, input);
}

/** Encodes transferred memory: a view or buffer as the whole input, or such ones inside it. */
function encodeTransfer(input, transfer, comesBack) {
  const isMemory = types.isArrayBuffer(input) || isView(input);
  const buffer = isMemory ? memoryOf(input) : undefined;
  const kind = !isMemory ? -1 : buffer === input ? KIND_ARRAY_BUFFER : kindOf(input);
  if (kind >= 0 && transfer.has(buffer) && isPlain(buffer)) {
    const { view } = transfer.take(placeOf(input));
    transfer.finish();
    const moved = buffer === input ? bufferOf(view) : viewOver(kind, bufferOf(view), offsetOf(view), lengthOf(view));
    return set(INPUT_PIN | (kind << KIND_SHIFT), view, 0, undefined, moved);
  }
  if (!isMemory && (typeof input !== 'object' || input === null)) {
    transfer.finish();
    return encodeInput(input, undefined);
  }
  const wire = encodeWire(input, transfer, comesBack);
  transfer.finish();
  return wire;
}

/** The buffer of a part. */
function memoryOf(part) {
  return isView(part) ? bufferOf(part) : part;
}

/** Where a part's bytes are. Called before anything is moved, since a view of moved memory no longer knows. */
function placeOf(part) {
  return isView(part)
    ? { buffer: bufferOf(part), byteOffset: offsetOf(part), byteLength: lengthOf(part) }
    : { buffer: part, byteOffset: 0, byteLength: sizeOf(part) };
}

/** A port leaves only with a transfer list that names it. */
function checkPort(port, transfer) {
  if (transfer?.has(port)) return;
  throw nodeGlobals.dataCloneError('Object that needs transfer was found in message but not listed in transferList');
}

/**
 * The parts as the native side takes them: each with whether Rust is to have its memory instead of a copy; with null
 * when it is shared memory; a port as `TaskTransfer` says.
 */
function pairs(parts, transfer, comesBack) {
  const places = arrayOf(parts.length);
  for (let i = 0; i < parts.length; i++) {
    if (isPort(parts[i])) checkPort(parts[i], transfer);
    else places[i] = placeOf(parts[i]);
  }
  const together = arrayOf(parts.length * 2);
  for (let i = 0; i < parts.length; i++) {
    if (places[i] !== 0) putMemory(together, i * 2, parts[i], places[i], transfer, comesBack);
  }
  // Last, when nothing can fail any more.
  for (let i = 0; i < parts.length; i++) if (places[i] === 0) putPort(together, i * 2, parts[i], transfer);
  return together;
}

function putMemory(together, at, part, place, transfer, comesBack) {
  const { buffer, byteOffset, byteLength } = place;
  if (types.isSharedArrayBuffer(buffer)) {
    // Aliased: see lib/shared-buffer/extension.js.
    together[at] = part;
    together[at + 1] = null;
  } else if (transfer?.has(buffer)) {
    const { view, alone } = transfer.take(place);
    together[at] = view;
    together[at + 1] = alone;
  } else {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const isOwn = comesBack && byteLength >= LARGE;
    together[at] = isOwn ? copyOf(bytes) : bytes;
    together[at + 1] = isOwn;
  }
}

function putPort(together, at, port, transfer) {
  const taken = transfer.takePort(port);
  together[at] = taken[0];
  together[at + 1] = taken[1];
}

/**
 * The inputs of one batch, as one value.
 *
 * @param {unknown[]} inputs
 * @param {ArrayBuffer[] | undefined} transfer
 * @param {boolean} [comesBack] whether the results are the memory of the inputs
 */
function encodeInputs(inputs, transfer, comesBack = false) {
  const numbers = transfer === undefined ? packNumbers(inputs) : undefined;
  if (numbers !== undefined) return set(numbers.form, numbers.value, 0, undefined, inputs);
  const given = transfer === undefined ? undefined : new TaskTransfer(transfer);
  const { bytes, length, parts } = encodeValue(inputs, 'inputs', given);
  const together = parts.length > 0 ? pairs(parts, given, comesBack) : undefined;
  given?.finish();
  return set(INPUT_WIRE, bytes, length, together, inputs);
}

module.exports = { encodeInput, encodeInputs, loadCodec };
