'use strict';

/** A program: compares one of the kernels with the same in JavaScript, and prints how often. See `pool/kernels.test.js`. */

const assert = require('node:assert/strict');

const { SharedBuffer, WorkerPool } = require('../..');
const { createRandom } = require('./random-values');

const below = createRandom(12);
const random = () => below(2 ** 32) / 2 ** 32;
const LENGTHS = [...Array(301).keys(), 1_000, 4_097, 65_537, 300_001];
const INTEGERS = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array,
];
const FLOATS = [Float32Array, Float64Array];

const pool = new WorkerPool({ maxThreads: 3 });
let compared = 0;

/** Fills an array with random bits, then some elements with those that are easily got wrong. */
function fill(array, odd) {
  const words = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let i = 0; i < words.length; i++) words[i] = below(256);
  if (odd && array instanceof Float64Array) {
    const bits = new BigUint64Array(array.buffer, array.byteOffset, array.length);
    const special = [
      0n, 1n << 63n, 0x7ff0n << 48n, 0xfff0n << 48n, 0x7ff8n << 48n, 0xfff8n << 48n, (0x7ff0n << 48n) | 1n,
      (0xfff0n << 48n) | 77n, 1n, (1n << 63n) | 1n, 0x000f_ffff_ffff_ffffn, 0x7fef_ffff_ffff_ffffn,
    ];
    for (let i = 0; i < bits.length; i++) if (below(3) === 0) bits[i] = special[below(special.length)];
  }
  return array;
}

/** A view in the middle of its memory, private or shared. */
function view(Type, length, shared) {
  const offset = Type.BYTES_PER_ELEMENT * (1 + below(3));
  const bytes = offset + Type.BYTES_PER_ELEMENT * (length + 2);
  return new Type(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes), offset, length);
}

function same(found, wanted, what) {
  assert.equal(found.length, wanted.length, what);
  for (let i = 0; i < wanted.length; i++) {
    if (!Object.is(found[i], wanted[i])) assert.fail(`${what}: element ${i} is ${found[i]} and not ${wanted[i]}`);
  }
  compared++;
}

const PARTS = {
  async sort() {
    const shapes = [
      (array) => fill(array, false),
      (array) => fill(array, true),
      (array) => fill(array, true).sort(),
      (array) => fill(array, true).sort().reverse(),
      (array) => array.map((_, i) => (typeof array[0] === 'bigint' ? BigInt(i % 17) : i % 17)),
    ];
    for (const Type of [...INTEGERS, ...FLOATS]) {
      for (const length of LENGTHS) {
        // What sorts the most elements differently is the same for all types of a size.
        if (length > 70_000 && Type !== Float64Array && Type !== Int32Array) continue;
        const shape = length > 300 ? shapes : [shapes[length % shapes.length]];
        for (const make of shape) {
          const input = view(Type, length, false);
          input.set(make(Type.from({ length }, () => (Type.name.startsWith('Big') ? 0n : 0))));
          const wanted = Type.from(input).sort();
          same(await pool.run('sort', input), wanted, `${Type.name} ${length}`);
          if (length % 5 && length <= 300) continue;
          for (const parallel of [false, true]) {
            const shared = view(Type, length, true);
            shared.set(input);
            assert.equal(await pool.run('sort', shared, { parallel }), shared);
            same(shared, wanted, `${Type.name} ${length}, shared, parallel ${parallel}`);
          }
        }
      }
    }
  },

  async sum() {
    const pairs = (sums) => (sums.length === 1 ? sums[0] : pairs(sums.filter((_, i) => i % 2 === 0).map((sum, i) => sum + sums[2 * i + 1])));
    const interleaved = (terms) => {
      let total = 0;
      for (let first = 0; first < terms.length; first += 2 ** 18) {
        const sums = new Array(16).fill(0);
        const end = Math.min(first + 2 ** 18, terms.length);
        for (let i = first; i < end; i++) sums[(i - first) % 16] += terms[i];
        total += pairs(sums);
      }
      return total;
    };
    const sequential = (terms) => {
      let sum = 0;
      for (let i = 0; i < terms.length; i++) sum += terms[i];
      return sum;
    };
    for (const Type of FLOATS) {
      for (const length of [...LENGTHS, 2 ** 18 - 1, 2 ** 18, 2 ** 18 + 1, 600_011]) {
        const input = view(Type, length, false).map(() => (random() - 0.5) * 10 ** below(20));
        if (length % 7 === 3) input[below(length)] = [NaN, Infinity, -Infinity, -0, 5e-324][below(5)];
        const shared = view(Type, length, true);
        shared.set(input);
        for (const [order, wanted] of [[undefined, interleaved(input)], ['interleaved', interleaved(input)], ['sequential', sequential(input)]]) {
          const what = `${Type.name} ${length} ${order}`;
          same([await pool.run('sum', { data: input, order })], [wanted], what);
          for (const parallel of [false, true]) {
            same([await pool.run('sum', { data: shared, order, parallel })], [wanted], `${what}, shared, parallel ${parallel}`);
          }
        }
      }
    }
    for (const Type of INTEGERS) {
      for (const length of LENGTHS) {
        const input = fill(view(Type, length, false), false);
        const exact = input.reduce((sum, element) => sum + BigInt(element), 0n);
        const wanted = Type.name.startsWith('Big') ? exact : Number(exact);
        const shared = view(Type, length, true);
        shared.set(input);
        same([await pool.run('sum', input)], [wanted], `${Type.name} ${length}`);
        same([await pool.run('sum', shared, { parallel: true })], [wanted], `${Type.name} ${length}, shared`);
      }
    }
  },

  async sumSqrt() {
    const loop = (n, iterations) => {
      let sum = 0;
      for (let i = 0; i < iterations; i++) sum += Math.sqrt(i) * n;
      return sum;
    };
    const interleaved = (n, iterations) => {
      const s = new Array(16).fill(0);
      for (let i = 0; i < iterations; i++) s[i % 16] += Math.sqrt(i) * n;
      return (((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])))
        + (((s[8] + s[9]) + (s[10] + s[11])) + ((s[12] + s[13]) + (s[14] + s[15])));
    };
    for (const iterations of [...Array(40).keys(), 65_535, 65_536, 65_537, 1_000_000]) {
      for (const n of [1, -0.1, 1e300, NaN]) {
        const what = `${n}, ${iterations}`;
        same([await pool.run('sumSqrt', { n, iterations })], [interleaved(n, iterations)], what);
        same([await pool.run('sumSqrt', { n, iterations, order: 'sequential' })], [loop(n, iterations)], what);
      }
    }
  },

  async histogram() {
    const wantedOf = (data, { bins, min, max }) => {
      const counts = new Float64Array(bins);
      for (const element of data) {
        const value = Number(element);
        if (value >= min && value <= max) counts[Math.min(Math.trunc(((value - min) / (max - min)) * bins), bins - 1)]++;
      }
      return counts;
    };
    for (const Type of [...INTEGERS, ...FLOATS]) {
      for (const length of [0, 1, 7, 1_023, 1_024, 1_025, 70_001]) {
        const input = fill(view(Type, length, false), true);
        const middle = Number(input[length >> 1] ?? 0) || 0;
        const ranges = [
          { bins: 1, min: -1, max: 1 }, { bins: 100, min: -50, max: 50.5 }, { bins: 7, min: middle - 1, max: middle + 1 },
          { bins: 4_096, min: -1e9, max: 1e9 }, { bins: 65_536, min: 0, max: 255 }, { bins: 3, min: -1e300, max: 1e300 },
        ];
        const shared = view(Type, length, true);
        shared.set(input);
        for (const range of ranges.filter(({ min, max }) => Number.isFinite(max - min) && min < max)) {
          const wanted = wantedOf(input, range);
          same(await pool.run('histogram', { data: input, ...range }), wanted, `${Type.name} ${length}`);
          same(await pool.run('histogram', { data: shared, ...range, parallel: true }), wanted, `${Type.name} ${length}, shared`);
        }
        const bytes = new Float64Array(256);
        for (const byte of new Uint8Array(input.buffer, input.byteOffset, input.byteLength)) bytes[byte]++;
        same(await pool.run('histogram', input), bytes, `${Type.name} ${length}, bytes`);
        same(await pool.run('histogram', new SharedBuffer(16), { parallel: true }), Float64Array.from({ length: 256 }, (_, i) => (i ? 0 : 16)), 'bytes');
      }
    }
  },
};

PARTS[process.argv[2]]().then(async () => {
  await pool.close();
  console.log(`compared ${compared}`);
});
