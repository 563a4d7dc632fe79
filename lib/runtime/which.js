'use strict';

/**
 * Which runtime this is. Only files of this folder ask: each capability decides once, when it is loaded.
 *
 * Relies on: `process.versions.bun` and `process.versions.deno`, which these two document.
 * Without: a runtime counts as Node.
 * Test: __test__/runtimes/.
 */

const { bun, deno } = process.versions;

const isBun = bun !== undefined;
const isDeno = deno !== undefined;

module.exports = { isBun, isDeno, isNode: !isBun && !isDeno };
