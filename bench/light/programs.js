'use strict';

/** What tenants run: the text of one function each. */

/** About a microsecond of V8's time, most of which is the way there and back: what a rule costs beside its own work. */
const RULE = "(order) => order.total > 100 && order.country === 'DE' ? order.total * 0.1 : 0";
const COUNTRIES = ['DE', 'FR', 'US', 'JP'];
const order = (index) => ({ id: index, total: (index * 37) % 400, country: COUNTRIES[index & 3] });
const rule = ({ total, country }) => (total > 100 && country === 'DE' ? total * 0.1 : 0);

/** What is built by the first call, so that the second one is in a loop of the engine's own from its beginning. */
const prepared = (build, work) =>
  `(prepare) => { globalThis.built ??= ${build}; return prepare === undefined ? (${work})(built) : 0; }`;

/** What never ends by itself, and loops of the engine's own, which end after some time. */
const RUNAWAYS = {
  'for (;;)': '(prepare) => { while (prepare === undefined); return 0; }',
  'a regular expression that backtracks': prepared("'a'.repeat(28) + '!'", '(text) => /^(a+)+$/.test(text)'),
  'a sort of 300,000 texts': prepared(
    'Array.from({ length: 3e5 }, (_, i) => String((i * 7919) % 300007))',
    '(list) => list.slice().sort().length',
  ),
  'a join of a million numbers': prepared('Array.from({ length: 1e6 }, (_, i) => i / 2)', "(list) => list.join('-').length"),
  'digits of a BigInt of 500,000 bits': prepared('(1n << 500000n) - 1n', '(big) => big.toString().length'),
};

/** Plain computing, by name: a function of nothing, and what it gives. */
const COMPUTING = {
  'fibonacci(25), recursive': ['() => { const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); return fib(25); }', 75_025],
  'a sum of a million numbers': [
    '() => { let sum = 0; for (let i = 0; i < 1e6; i++) sum += i % 7; return sum; }',
    2_999_997,
  ],
  'a text of 100,000 pieces': [
    "() => { let text = ''; for (let i = 0; i < 1e5; i++) text += i % 10; return text.length; }",
    100_000,
  ],
  'JSON of 2,000 objects, written and read': [
    `() => {
      const list = Array.from({ length: 2000 }, (_, id) => ({ id, name: 'n' + id, tags: ['a', 'b'], price: id / 4 }));
      return JSON.parse(JSON.stringify(list)).length;
    }`,
    2_000,
  ],
};

module.exports = { COMPUTING, RULE, RUNAWAYS, order, rule };
