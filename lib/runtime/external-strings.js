'use strict';

/**
 * Strings that V8 reads in memory which it did not allocate.
 *
 * Relies on: `node_api_create_external_string_latin1` and `_utf16` of Node-API, which are there from Node 20.4 on, and in Bun
 * and Deno, and whose finalizer these call when the string is collected or its thread has ended.
 * Without: the caller makes an ordinary string, which is a copy.
 * Test: __test__/runtime/external-strings.test.js.
 */

const { isNode } = require('./which');

/** @param {string} version of Node */
function isOldNode(version) {
  const [major, minor] = version.split('.').map(Number);
  return major < 20 || (major === 20 && minor < 4);
}

const hasExternalStrings = !(isNode && isOldNode(process.versions.node));

module.exports = { hasExternalStrings, isOldNode };
