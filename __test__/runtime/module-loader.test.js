'use strict';

// lib/runtime/module-loader.js: modules made of functions. With the whole package: ../bundle.test.js.

const assert = require('node:assert/strict');
const path = require('node:path');
const { afterEach, test } = require('node:test');

const { moduleLoader } = require('../../lib/runtime/module-loader');

const ROOT = path.join(__dirname, 'nowhere');

afterEach(() => {
  for (const file of Object.keys(require.cache)) if (file.startsWith(ROOT)) delete require.cache[file];
});

/** A loader of these modules, and the names that it left to `require`. */
function loaderOf(functions, parent = module) {
  const asked = [];
  const require = Object.assign((name) => void asked.push(name), { resolve: () => 'resolved' });
  const root = ROOT;
  const { load, put } = moduleLoader({
    root, has: (id) => functions[id] !== undefined, functionOf: (id) => functions[id], parent, require,
  });
  return { load, put, asked, root };
}

/** As a framework makes modules, which are of no class of Node's. */
const plainParent = { exports: {}, constructor: Object };

for (const [name, parent] of [['Node', module], ['a framework', plainParent]]) {
  test(`names are found as by \`require\`, in a module of ${name}`, () => {
    const { load, asked, root } = loaderOf({
      main: (exports, require, module) => {
        module.exports = [require('./a/b'), require('./a'), require('./c').over, require.resolve('x')];
        require('node:fs');
        require('./a/missing');
      },
      'a/index': (exports, require, module, file, folder) => {
        module.exports = [require('./b'), path.relative(root, file), path.relative(root, folder), module.filename === file];
      },
      'a/b': (exports, require) => { exports.over = require('../c').over; require('../../package.json'); },
      c: (exports) => { exports.over = {}; },
    }, parent);
    const [b, a, over, resolved] = load('main');
    assert.equal(load('c').over, over);
    assert.equal(b.over, over);
    assert.deepEqual(a, [b, path.join('a', 'index.js'), 'a', true]);
    assert.equal(a[0], b);
    assert.equal(resolved, 'resolved');
    assert.deepEqual(asked, [path.join(root, '..', 'package.json'), 'node:fs', path.join(root, 'a', 'missing')]);
    load('elsewhere');
    assert.equal(asked.at(-1), path.join(root, 'elsewhere.js'));
  });

  test(`what throws is run again, and what requires itself gets what there is, in a module of ${name}`, () => {
    let times = 0;
    const { load, root } = loaderOf({
      first: (exports, require) => {
        exports.early = true;
        exports.fromCircle = require('./second').early;
        if (++times === 1) throw new Error('once');
      },
      second: (exports, require) => { exports.early = require('./first').early; },
    }, parent);
    assert.throws(() => load('first'), /once/);
    assert.equal(require.cache[path.join(root, 'first.js')], undefined);
    assert.deepEqual(load('first'), { early: true, fromCircle: true });
    assert.equal(load('first'), load('first'));
  });
}

test("Node's registry has the same modules, also those that it had before", () => {
  const { load, put, root } = loaderOf({ a: (exports) => { exports.isMine = true; }, b: () => assert.fail('it is there') });
  const file = (id) => path.join(root, `${id}.js`);
  assert.equal(require.cache[file('a')], undefined);
  const a = load('a');
  assert.equal(require.cache[file('a')].exports, a);
  assert.equal(require.cache[file('a')].loaded, true);
  const there = {};
  put(file('b'), there);
  assert.equal(load('b'), there);
  // And keeps its own when the registry was cleared.
  delete require.cache[file('a')];
  assert.equal(load('a'), a);
});
