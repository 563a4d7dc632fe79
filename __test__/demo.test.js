'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { blake3 } = require('../examples/demo/blake3');
const { renderChart, sparkline } = require('../examples/demo/chart');
const { forEachBounded } = require('../examples/demo/files');
const { watchLoop } = require('../examples/demo/loop-delay');
const { createProgress } = require('../examples/demo/output');
const { wordCount } = require('../examples/demo/word-count');

const DEMO = path.join(__dirname, '..', 'examples', 'demo.js');
const TOO_LARGE_TO_READ = 2 ** 31 + 1;

describe('the demo', () => {
  let folder;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-demo-'));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  function demo(...args) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [DEMO, ...args], { encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  function makeFolder(name, files) {
    const place = path.join(folder, name);
    fs.mkdirSync(place);
    for (const [file, content] of Object.entries(files)) fs.writeFileSync(path.join(place, file), content);
    return place;
  }

  test('goes through a folder, with loops and odd files in it, and finds both ways equal', () => {
    const place = makeFolder('mixed', {
      empty: '',
      'größe.txt': 'zwölf Boxkämpfer\njagen\tViktor\n',
      binary: Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256)),
    });
    fs.mkdirSync(path.join(place, 'inside'));
    fs.writeFileSync(path.join(place, 'inside', 'deep.txt'), 'deep\n');
    fs.symlinkSync(place, path.join(place, 'inside', 'loop'), 'junction');

    const { status, stdout, stderr } = demo(place);
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.match(stdout, /^4 files, 70\.0 kB, in /);
    assert.match(stdout, /^plain JS 100% {2}4\/4 files/m);
    assert.match(stdout, /^files +4 +4$/m);
    assert.match(stdout, /^speed-up +1\.0x +\d+\.\dx$/m);
    assert.match(stdout, /^event-loop delay p99 +\d/m);
    assert.match(stdout, /^BLAKE3, SHA-256 and counts of both ways are equal for every file\.$/m);
    assert.match(stdout, /^ {2}plain JS {2}[▁▂▃▄▅▆▇█]{1,48}\n {2}pool {6}[▁▂▃▄▅▆▇█]{1,48}\n {12}▁ below 1 ms {3}█ 64 ms and more$/m);
    assert.match(stdout, /\n\nNext: .*npm run demo -- <folder>.*docs\/getting-started\.md\.\n$/);
    assert.ok(!stdout.includes('\r'), 'no bar when there is no terminal');
  });

  test('says in one line that a path is missing', () => {
    const { status, stdout, stderr } = demo(path.join(folder, 'nowhere'));
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^demo: .*nowhere: no such file or folder\n$/);
  });

  test('says in one line that there is no file in a folder', () => {
    const { status, stderr } = demo(makeFolder('bare', {}));
    assert.equal(status, 1);
    assert.match(stderr, /^demo: .*bare: no file to read\n$/);
  });

  test('skips what cannot be read, and says so at the end', () => {
    const place = makeFolder('partly', { small: 'small', large: '' });
    fs.truncateSync(path.join(place, 'large'), TOO_LARGE_TO_READ);
    const { status, stdout } = demo(place);
    assert.equal(status, 0);
    assert.match(stdout, /\n1 skipped:\n {2}.*large: larger than Node reads in one piece\n\nNext: .*\n$/);
  });
});

test('on a terminal there is a bar, which is drawn in place and ends with a new line', () => {
  const written = [];
  const progress = createProgress({ isTTY: true, write: (text) => written.push(text) }, 'pool', { files: 2, bytes: 10 });
  progress.add(4);
  progress.add(6);
  progress.finish();
  assert.ok(written.every((text) => text === '\n' || text.startsWith('\rpool ')), written.join('|'));
  assert.match(written.at(-2), /^\rpool █{30}100% {2}2\/2 files, 10 B/);
  assert.equal(written.at(-1), '\n');
});

test('the chart has a block for each part of the time: its mean delay, on a scale of powers of two', () => {
  assert.equal(sparkline([0, 0.9, 1, 2, 4, 8, 16, 32, 63, 64, 5000]), '▁▁▂▃▄▅▆▇▇██');
  assert.equal(sparkline([0, 0, 20, 20], 2), '▁▆');
  assert.equal(sparkline([0, 0, 0, 0, 0, 0, 0, 32], 1), '▄');
  assert.equal(sparkline(new Array(1000).fill(0)).length, 48);
  assert.deepEqual(renderChart([{ label: 'a', course: [0] }, { label: 'bcd', course: [100] }]).split('\n'), [
    'How long the event loop was held up, on average, from the start to the end:',
    '  a    ▁',
    '  bcd  █',
    '       ▁ below 1 ms   █ 64 ms and more',
  ]);
});

test('the loop that is held up is seen, for as long as it is', async () => {
  const watch = watchLoop();
  await new Promise(setImmediate);
  const until = performance.now() + 60;
  while (performance.now() < until);
  const { max, p50, course } = watch.stop();
  assert.ok(max >= 55, `max ${max}`);
  assert.ok(p50 <= max);
  assert.ok(course.filter((delay) => delay >= 55).length >= 55, course.join(' '));
});

test('the BLAKE3 in JavaScript gives the published digests', () => {
  // test_vectors.json of the BLAKE3 team: the input is 0, 1, …, 250, 0, 1, …
  const known = {
    0: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
    1: '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
    64: '4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98',
    65: 'de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee',
    1024: '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7',
    1025: 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444',
    3073: '7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3',
    5120: '9cadc15fed8b5d854562b26a9536d9707cadeda9b143978f319ab34230535833',
    31744: '62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47',
    102400: 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085',
  };
  for (const [length, digest] of Object.entries(known)) {
    const input = Uint8Array.from({ length: Number(length) }, (_, i) => i % 251);
    assert.equal(blake3(input).toString('hex'), digest, `${length} bytes`);
  }
});

test('the counts in JavaScript are those of wc', () => {
  const count = (text) => Object.values(wordCount(Buffer.from(text)));
  assert.deepEqual(count(''), [0, 0, 0, 0]);
  assert.deepEqual(count('one'), [0, 1, 3, 3]);
  assert.deepEqual(count(' a\tb\n\nc\u000b\f\r '), [2, 3, 11, 11]);
  // A no-break space is not white space of C, and has two bytes in UTF-8.
  assert.deepEqual(count('ä\u00a0b\n'), [1, 1, 4, 6]);
});

test('only a bounded number of files is worked on at once, and a large one alone', async () => {
  const sizes = [...new Array(100).fill(1), 2 ** 30, ...new Array(10).fill(2 ** 24)];
  let running = 0;
  let most = 0;
  const besideLarge = [];
  await forEachBounded(
    sizes.map((size) => ({ size })),
    async ({ size }) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      if (size === 2 ** 30) besideLarge.push(running);
      running -= 1;
    },
  );
  assert.equal(most, 32);
  assert.deepEqual(besideLarge, [1]);
});

test('the first failure ends the whole, once what runs has ended', async () => {
  let started = 0;
  let ended = 0;
  const files = new Array(1000).fill({ size: 1 });
  const work = async (_, index) => {
    started += 1;
    await new Promise(setImmediate);
    ended += 1;
    if (index === 40) throw new Error('the 40th');
  };
  await assert.rejects(forEachBounded(files, work), /the 40th/);
  assert.equal(ended, started);
  assert.ok(started < 200, `${started} were started`);
});
