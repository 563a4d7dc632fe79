'use strict';

/** The views by which the native side keeps shared memory. */

const { hostCopy } = require('./runtime/host-realm');
const nodeGlobals = require('./runtime/globals');

/**
 * A view that the native side may keep for as long as it likes: of memory in a realm that may end (host-realm.js), one
 * over a SharedArrayBuffer of this realm that is the same memory.
 */
const makeView = (buffer) => new Uint8Array(buffer instanceof SharedArrayBuffer ? buffer : nodeGlobals.structuredClone(buffer));

let host;

/**
 * A view over all of a SharedArrayBuffer: the native side knows a region by where it begins.
 *
 * @param {SharedArrayBuffer} buffer
 * @returns {Uint8Array}
 */
const regionView = (buffer) => (host ??= hostCopy(module)).makeView(buffer);

module.exports = { makeView, regionView };
