'use strict';

/**
 * BLAKE3 in plain JavaScript: what the demonstration compares the pool with.
 *
 * After the specification (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020), hash mode, 32 bytes of output.
 * Numbers are 32-bit integers throughout and the compression function keeps its state in local variables,
 * which is what makes V8 turn it into plain machine arithmetic.
 */

const BLOCK_BYTES = 64;
const CHUNK_BYTES = 1024;
const BLOCK_WORDS = 16;
const ROUNDS = 7;

const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const ROOT = 8;

const IV = Int32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** Where each round takes its message words from: the one permutation, applied again and again. */
const SCHEDULE = (() => {
  const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
  const schedule = new Uint8Array(ROUNDS * BLOCK_WORDS);
  let order = permutation.map((_, index) => index);
  for (let round = 0; round < ROUNDS; round += 1) {
    schedule.set(order, round * BLOCK_WORDS);
    order = permutation.map((from) => order[from]);
  }
  return schedule;
})();

const rounds = compileRounds();

/**
 * The seven rounds as straight code: 112 mixing steps, each with its message word by name. Written out by
 * this function and not by hand, as the schedule is the same every time.
 *
 * @returns {(cv: Int32Array, m: Int32Array, counter: number, bytes: number, flags: number) => void}
 *   compresses the block `m` into the chaining value `cv`
 */
function compileRounds() {
  const half = (a, b, c, d, word, turnD, turnB) =>
    `v${a} = (v${a} + v${b} + m${word}) | 0;
     v${d} ^= v${a}; v${d} = (v${d} >>> ${turnD}) | (v${d} << ${32 - turnD});
     v${c} = (v${c} + v${d}) | 0;
     v${b} ^= v${c}; v${b} = (v${b} >>> ${turnB}) | (v${b} << ${32 - turnB});`;
  const mixes = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
  ];
  const lines = ['"use strict";'];
  for (let i = 0; i < BLOCK_WORDS; i += 1) lines.push(`const m${i} = m[${i}];`);
  for (let i = 0; i < 8; i += 1) lines.push(`let v${i} = cv[${i}];`);
  for (let i = 0; i < 4; i += 1) lines.push(`let v${8 + i} = ${IV[i]};`);
  lines.push('let v12 = counter | 0, v13 = (counter / 4294967296) | 0, v14 = bytes, v15 = flags;');
  for (let round = 0; round < ROUNDS; round += 1) {
    mixes.forEach(([a, b, c, d], index) => {
      const at = round * BLOCK_WORDS + 2 * index;
      lines.push(half(a, b, c, d, SCHEDULE[at], 16, 12), half(a, b, c, d, SCHEDULE[at + 1], 8, 7));
    });
  }
  for (let i = 0; i < 8; i += 1) lines.push(`cv[${i}] = v${i} ^ v${8 + i};`);
  return new Function('cv', 'm', 'counter', 'bytes', 'flags', lines.join('\n'));
}

const bigEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 0;

/** Reads up to 64 bytes as little-endian words; what is missing is zero. */
function loadBlock(block, blockBytes, bytes, start, end) {
  if (end - start < BLOCK_BYTES) blockBytes.fill(0);
  blockBytes.set(bytes.subarray(start, end));
  if (bigEndian) Buffer.from(blockBytes.buffer).swap32();
  return block;
}

/** The chaining value of one chunk (up to 1024 bytes, number `index` of the input) into `cv`. */
function hashChunk(cv, block, blockBytes, bytes, start, end, index, rootFlag) {
  cv.set(IV);
  let flags = CHUNK_START;
  let at = start;
  for (; end - at > BLOCK_BYTES; at += BLOCK_BYTES) {
    rounds(cv, loadBlock(block, blockBytes, bytes, at, at + BLOCK_BYTES), index, BLOCK_BYTES, flags);
    flags = 0;
  }
  rounds(cv, loadBlock(block, blockBytes, bytes, at, end), index, end - at, flags | CHUNK_END | rootFlag);
}

/** Two chaining values into their parent's. */
function joinPair(left, right, block, rootFlag) {
  block.set(left, 0);
  block.set(right, 8);
  left.set(IV);
  rounds(left, block, 0, BLOCK_BYTES, PARENT | rootFlag);
  return left;
}

/**
 * @param {Uint8Array} bytes the whole message
 * @returns {Buffer} its 32 bytes of BLAKE3
 */
function blake3(bytes) {
  const block = new Int32Array(BLOCK_WORDS);
  const blockBytes = new Uint8Array(block.buffer);
  const chunks = Math.max(1, Math.ceil(bytes.length / CHUNK_BYTES));
  // Left siblings that wait for their right one, as the bits of the number of chunks so far say.
  const waiting = [];
  let cv;
  for (let index = 0; index < chunks; index += 1) {
    const start = index * CHUNK_BYTES;
    const end = Math.min(bytes.length, start + CHUNK_BYTES);
    cv = new Int32Array(8);
    hashChunk(cv, block, blockBytes, bytes, start, end, index, chunks === 1 ? ROOT : 0);
    if (index === chunks - 1) break;
    for (let done = index + 1; done % 2 === 0; done /= 2) cv = joinPair(waiting.pop(), cv, block, 0);
    waiting.push(cv);
  }
  while (waiting.length > 0) cv = joinPair(waiting.pop(), cv, block, waiting.length === 0 ? ROOT : 0);
  const digest = Buffer.from(cv.buffer, cv.byteOffset, cv.byteLength);
  return bigEndian ? digest.swap32() : digest;
}

module.exports = { blake3 };
