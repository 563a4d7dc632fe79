'use strict';

/** The kernels beside the same in JavaScript: with this CPU's vector instructions, with fewer, and with none. */

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { runNode } = require('../support/child');

for (const simd of ['all that the CPU has', 'avx2', 'baseline']) {
  describe(`with vector instructions: ${simd}`, { concurrency: false }, () => {
    for (const part of ['sort', 'sum', 'sumSqrt', 'histogram']) {
      test(part, async () => {
        const env = { RUST_WORKERS_TEST_SIMD: simd };
        const { code, stdout, stderr } = await runNode([require.resolve('../support/kernels'), part], { env });
        assert.equal(stderr, '');
        assert.equal(code, 0);
        const compared = Number(/^compared (\d+)\n$/.exec(stdout)?.[1]);
        assert.ok(compared > 50, stdout);
      });
    }
  });
}
