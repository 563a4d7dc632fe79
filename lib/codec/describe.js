'use strict';

// Describes a value that cannot be sent, and says how to change it.

const { types } = require('node:util');

const { isUncloneable, marks } = require('../runtime/clone-marks');

const { className, exoticName, platformName } = require('./object-kinds');
const { bufferOf, isView, kindOfView } = require('./bytes');

const ADVICE = 'pass plain data (numbers, strings, arrays, objects, Map, Set, Date, Error, typed arrays)';

function describe(value) {
  if (typeof value === 'function') return `a function: functions cannot cross to a task; ${ADVICE}`;
  if (typeof value === 'symbol') return `a symbol: symbols cannot cross to a task; ${ADVICE}`;
  if (types.isProxy(value)) return `a Proxy, which cannot cross to a task; ${ADVICE}`;
  if (isView(value)) {
    if (types.isSharedArrayBuffer(bufferOf(value))) return 'shared memory: pass a SharedBuffer over it';
    return kindOfView(value) < 0
      ? 'a view of a type this version of rust-workers does not know: pass a Uint8Array over its bytes'
      : 'a view of a detached or shrunk ArrayBuffer: its memory is gone';
  }
  if (types.isSharedArrayBuffer(value)) return 'shared memory: pass a SharedBuffer over it';
  if (types.isArrayBuffer(value)) return 'a detached ArrayBuffer: its memory has been given away';
  if (marks.some && isUncloneable(value)) return 'marked as uncloneable: it stays in its thread';
  return `${withArticle(exoticName(value) ?? platformName(value) ?? className(value))}, which cannot cross to a task; ${ADVICE}`;
}

const withArticle = (name) => `${/^[AEIOaeio]/.test(name) ? 'an' : 'a'} ${name}`;

module.exports = { describe };
