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
  const { load } = moduleLoader({
    root, ids: Object.keys(functions), functionOf: (id) => functions[id], parent, require,
  });
  return { load, asked, root };
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
    const { load } = loaderOf({
      first: (exports, require) => {
        exports.early = true;
        exports.fromCircle = require('./second').early;
        if (++times === 1) throw new Error('once');
      },
      second: (exports, require) => { exports.early = require('./first').early; },
    }, parent);
    assert.throws(() => load('first'), /once/);
    assert.deepEqual(load('first'), { early: true, fromCircle: true });
    assert.equal(load('first'), load('first'));
  });
}

test("Node's registry has the same modules, before they ran, and those that it had before", () => {
  const file = (id) => path.join(ROOT, `${id}.js`);
  const there = new module.constructor(file('b'), module);
  require.cache[file('b')] = there;
  const ran = [];
  const { load } = loaderOf({
    a: (exports) => { ran.push('a'); exports.isMine = true; },
    b: () => assert.fail('it is there'),
    c: (exports, require, module) => { ran.push('c'); module.exports = [require('./a'), require('./b')]; },
  });
  assert.equal(load('b'), there.exports);
  const [a, c] = [require.cache[file('a')], require.cache[file('c')]];
  assert.deepEqual([a.loaded, c.loaded, ran], [true, true, []]);
  assert.equal(a.exports, load('a'));
  // And the loader keeps its own when the registry was cleared.
  for (const id of 'abc') delete require.cache[file(id)];
  assert.deepEqual(load('c'), [a.exports, there.exports]);
  assert.equal(load('c')[0], a.exports);
  assert.equal(c.exports, load('c'));
  assert.deepEqual(ran, ['a', 'c']);
});
