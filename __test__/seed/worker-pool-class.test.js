'use strict';

// The seed's worker pool with our class in place of its own, run as a user would.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const FOLDER = path.join(__dirname, 'worker-pool-class');

for (const [where, cwd] of [
  ['from its own folder', FOLDER],
  ['from elsewhere: the script is found beside the caller', path.parse(FOLDER).root],
]) {
  test(`the seed's worker pool, started ${where}`, () => {
    const child = spawnSync(process.execPath, [path.join(FOLDER, 'main.js')], { cwd, encoding: 'utf8', timeout: 30_000 });
    assert.equal(child.stderr, '');
    assert.equal(child.status, 0);
    const [said, results] = child.stdout.trim().split('\n');
    assert.equal(said, 'All tasks completed');
    const expected = Array.from({ length: 100 }, (_, number) => ({ number, square: number * number }));
    assert.deepEqual(JSON.parse(results), expected);
  });
}
