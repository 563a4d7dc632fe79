'use strict';

/** How a task's input goes to the native side: the cheapest form that fits (see forms.js). */

const { types } = require('node:util');

const { kindOfView, viewOver, KIND_ARRAY_BUFFER, KIND_BUFFER, KIND_UINT8 } = require('./codec/bytes');
const { INPUT_COPY, INPUT_DIRECT, INPUT_PIN, INPUT_WIRE } = require('./forms');
const nodeGlobals = require('./node-globals');
const { Transfer } = require('./transfer');
const { kindOf: kindOfObject } = require('./travel/registry');
const { encodeValue } = require('./values');

const KIND_FLOAT64 = 11;

/** The last prepared input; used up before the next is prepared. */
const prepared = { form: INPUT_DIRECT, value: undefined, length: 0, parts: undefined, input: undefined };

function set(form, value, length, parts, input) {
  prepared.form = form;
  prepared.value = value;
  prepared.length = length;
  prepared.parts = parts;
  prepared.input = input;
  return prepared;
}

/**
 * @param {unknown} input
 * @param {ArrayBuffer[] | undefined} transfer buffers to give away; they are detached when this returns
 * @returns {{ form: number, value: unknown, length: number, parts: unknown[] | undefined, input: unknown }} good
 *   until the next call; `input` is what a refusal gives back
 */
function prepareInput(input, transfer) {
  switch (typeof input) {
    case 'number':
    case 'undefined':
    case 'boolean':
      if (transfer !== undefined) new Transfer(transfer).finish();
      return set(INPUT_DIRECT, input, 0, undefined, input);
    case 'object':
      if (input === null) return set(INPUT_DIRECT, input, 0, undefined, input);
      if (transfer !== undefined) return prepareTransfer(input, new Transfer(transfer));
      if (ArrayBuffer.isView(input)) return prepareBytes(input);
  }
  return prepareWire(input);
}

/** Whether the memory is a plain ArrayBuffer's, of a fixed length and still there: the codec tells the others apart. */
function isPlain(buffer) {
  return types.isArrayBuffer(buffer) && buffer.byteLength > 0 && buffer.resizable !== true;
}

/** A `Uint8Array` over the memory of a view, or of a place. */
function bytesOf({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function kindOf(view) {
  const kind = kindOfView(view);
  return kind === KIND_UINT8 && Buffer.isBuffer(view) ? KIND_BUFFER : kind;
}

function prepareBytes(input) {
  const kind = kindOf(input);
  if (kind < 0 || !isPlain(input.buffer)) return prepareWire(input);
  const bytes = kind === KIND_UINT8 || kind === KIND_BUFFER ? input : bytesOf(input);
  return set(INPUT_COPY | (kind << 8), bytes, 0, undefined, input);
}

function prepareWire(input) {
  const { bytes, length, parts } = encodeValue(input);
  return set(INPUT_WIRE, bytes, length, parts.length > 0 ? pairs(parts, undefined) : undefined, input);
}

/** What gives memory away: a view or buffer as the whole input, or such ones inside it. */
function prepareTransfer(input, transfer) {
  const isBuffer = types.isArrayBuffer(input);
  const buffer = isBuffer ? input : ArrayBuffer.isView(input) ? input.buffer : undefined;
  const kind = isBuffer ? KIND_ARRAY_BUFFER : buffer === undefined ? -1 : kindOf(input);
  if (kind >= 0 && transfer.has(buffer) && isPlain(buffer)) {
    const { view } = transfer.take(placeOf(input));
    transfer.finish();
    const moved = isBuffer ? view.buffer : viewOver(kind, view.buffer, view.byteOffset, view.byteLength);
    return set(INPUT_PIN | (kind << 8), view, 0, undefined, moved);
  }
  const { bytes, length, parts } = encodeValue(input);
  const together = parts.length > 0 ? pairs(parts, transfer) : undefined;
  transfer.finish();
  return set(INPUT_WIRE, bytes, length, together, input);
}

/** Whether a part is one of our ports. */
function isPort(part) {
  return kindOfObject(part)?.toTask !== undefined;
}

/** Where a part's bytes are; told before anything is moved, for then a view has forgotten it. */
function placeOf(part) {
  const { byteLength } = part;
  return types.isArrayBuffer(part)
    ? { buffer: part, byteOffset: 0, byteLength }
    : { buffer: part.buffer, byteOffset: part.byteOffset, byteLength };
}

/** A port, as the native side takes it: its handle, and how many messages of its last batch were used. */
function givenPort(port, transfer) {
  if (transfer?.has(port)) return transfer.takePort(port);
  throw new nodeGlobals.DOMException(
    'Object that needs transfer was found in message but not listed in transferList',
    'DataCloneError',
  );
}

/**
 * The parts as the native side takes them: each with whether Rust is to have its memory instead of a copy; with null
 * when it is shared memory; a port as `givenPort` says.
 */
function pairs(parts, transfer) {
  const together = [];
  const places = parts.map((part) => (isPort(part) ? undefined : placeOf(part)));
  for (const [index, part] of parts.entries()) {
    const place = places[index];
    if (place === undefined) {
      together.push(...givenPort(part, transfer));
      continue;
    }
    if (types.isSharedArrayBuffer(place.buffer)) {
      // Aliased: see lib/shared-buffer/extension.js.
      together.push(part, null);
      continue;
    }
    if (transfer?.has(place.buffer)) {
      const { view, alone } = transfer.take(place);
      together.push(view, alone);
    } else {
      together.push(bytesOf(place), false);
    }
  }
  return together;
}

/**
 * The inputs of one batch, as one value.
 *
 * @param {unknown[]} inputs
 * @param {ArrayBuffer[] | undefined} transfer
 */
function prepareInputs(inputs, transfer) {
  if (transfer === undefined && inputs.every((input) => typeof input === 'number')) {
    return set(INPUT_COPY | (KIND_FLOAT64 << 8), bytesOf(Float64Array.from(inputs)), 0, undefined, inputs);
  }
  const given = transfer === undefined ? undefined : new Transfer(transfer);
  const { bytes, length, parts } = encodeValue(inputs, 'inputs');
  const together = parts.length > 0 ? pairs(parts, given) : undefined;
  given?.finish();
  return set(INPUT_WIRE, bytes, length, together, inputs);
}

module.exports = { prepareInput, prepareInputs };
