'use strict';

const { Thread, assert, rw, script } = require('../support');

const { MessageChannel, SharedValue, WorkerPool, share } = rw;

const TREE = {
  name: 'tree', list: [1, -0, 2.5, NaN, , null, 'ключ', { deep: true }], long: 'long '.repeat(5000), wide: '漢字'.repeat(5000),
  latin: 'é'.repeat(20_000), big: -(2n ** 70n), when: new Date(5), bytes: new Float64Array([1, 2]), ['__proto__']: 1,
};

/** What a thread reads. */
function report(there, handle) {
  const { value } = handle;
  return [
    handle instanceof there.SharedValue, value.name, value.list.length, value.list.indexOf(2.5), Object.keys(value).join(),
    value.long.length, value.wide.at(-1), value.latin.at(-1), String(value.big), value.when.getTime(), value.bytes[1],
    Array.isArray(value.list), JSON.stringify(value.list), value.list === value.list, Object.hasOwn(value.list, 4),
  ].join(' ');
}

const REPORT = [
  true, 'tree', 8, 2, Object.keys(TREE).join(), 25_000, '字', 'é', String(TREE.big), 5, 2, true, '[1,0,2.5,null,null,null,"ключ",{"deep":true}]',
  true, false,
].join(' ');

module.exports = {
  area: 'shared values',
  checks: {
    'views, copies and refusals': async () => {
      const handle = share(TREE);
      assert.equal(report(rw, handle), REPORT);
      assert.deepEqual(handle.copy(), structuredClone(TREE));
      assert.deepEqual(SharedValue.copyOf(handle.value.list), TREE.list);
      assert.throws(() => handle.value.list.push(1), TypeError);
      assert.throws(() => share({ a: [new Map()] }), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
    },
    'to a thread and back': async () => {
      const thread = new Thread();
      const handle = share(TREE);
      assert.equal(await thread.run(`(there, handle) => (${report})(there, handle)`, [handle]), REPORT);
      const made = await thread.run((there) => there.share({ made: 'x'.repeat(50_000) }));
      await thread.end();
      assert.equal(made.value.made.length, 50_000);
    },
    'the memory is the same in both threads': async () => {
      const thread = new Thread();
      const handle = share(new Int32Array(2));
      await thread.run((_, there) => { there.value[1] = 7; }, [handle]);
      assert.equal(handle.value[1], 7);
      await thread.end();
    },
    'ports': async () => {
      const { port1, port2 } = new MessageChannel();
      const handle = share(TREE);
      for (let i = 0; i < 3; i++) {
        port1.postMessage({ i, handle });
        const message = await port2.receive();
        assert.equal(message.i, i);
        assert.equal(report(rw, message.handle), REPORT);
      }
      port1.close();
    },
    'tasks of a script, and native ones': async () => {
      const pool = new WorkerPool(script('functions.cjs'), { maxThreads: 1 });
      const handle = share({ list: [1, 2], bytes: new Uint8Array(1000).fill(1) });
      const { got } = await pool.runTask({ handle });
      assert.deepEqual([...got.handle.value.list], [1, 2]);
      assert.equal(await pool.run('native:sum', handle.value.bytes), 1000);
      await pool.close();
    },
    'strings outlive their handle': async () => {
      const texts = [];
      for (let i = 0; i < 50; i++) texts.push(share(`${i}`.repeat(100_000)).value);
      for (let i = 0; i < 20; i++) (globalThis.gc ?? globalThis.Bun?.gc ?? (() => new Array(1e5).fill({})))(true);
      for (let i = 0; i < 50; i++) assert.equal(texts[i].slice(-4), `${i}`.repeat(4).slice(-4));
    },
  },
};
