'use strict';

// lib/runtime/loop-end.js: 'beforeExit' in Workers. What it is for is tested in ../script-pool/loading.test.js too.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

/** What keeps an event loop alive, and calls `done` at its end; `process.getActiveResourcesInfo` does not name all of them. */
const WORK = {
  'a timer': `setTimeout(done, 20)`,
  'an immediate': `setImmediate(done)`,
  'a file that is read': `require('node:fs').readFile(process.execPath, done)`,
  'a file that is read, promised': `require('node:fs/promises').readFile(process.execPath).then(done)`,
  'a stream of a file': `require('node:fs').createReadStream('./package.json').on('close', done).resume()`,
  'an address that is looked up': `require('node:dns').lookup('localhost', done)`,
  'a key that is derived': `require('node:crypto').pbkdf2('a', 'b', 50_000, 20, 'sha1', done)`,
  'a digest of WebCrypto': `require('node:crypto').webcrypto.subtle.digest('SHA-256', Buffer.alloc(2 ** 22)).then(done)`,
  'zlib': `require('node:zlib').deflate(Buffer.alloc(2 ** 22), done)`,
  'a child process': `require('node:child_process').execFile(process.execPath, ['-v'], done)`,
  'a Worker': `new (require('node:worker_threads').Worker)('', { eval: true }).on('exit', done)`,
  'a request': `fetch('http://127.0.0.1:9/').catch(done)`,
  'a message': `const { port1, port2 } = new MessageChannel(); port1.on('message', () => (port1.close(), done())); port2.postMessage(1)`,
  'a module that is imported': `import('./lib/index.mjs').then(done)`,
  'a native task': `new (require('./').WorkerPool)({ maxThreads: 1 }).run('sleep', 20).then(done)`,
};

onEachNode('the end of an event loop', (run) => {
  for (const [place, thread] of [['the main thread', '(program) => program(prelude)'], ['a Worker', 'start']]) {
    test(`of ${place} comes after all that is under way`, async () => {
      for (const [what, begin] of Object.entries(WORK)) {
        const end = await run(`(prelude) => {
          const { start } = prelude;
          (${thread})(({ say }) => {
            const { onLoopEnd } = require('./lib/runtime/loop-end');
            const takeBack = onLoopEnd(() => {
              say('nothing left');
              takeBack();
            });
            const done = () => say('done');
            ${begin};
          });
        }`);
        assert.deepEqual(end, quietly('done', 'nothing left'), what);
      }
    });
  }

  test('is told until it is taken back, and the loop goes on for a turn each time', async () => {
    const end = await run(({ start }) => {
      start(({ say }) => {
        const { onLoopEnd } = require('./lib/runtime/loop-end');
        const first = onLoopEnd(() => {
          say('first');
          first();
        });
        let left = 2;
        const second = onLoopEnd(() => {
          say('second');
          if (--left === 0) second();
        });
        process.on('exit', () => say(process.listenerCount('beforeExit')));
      });
    });
    assert.deepEqual(end, quietly('first', 'second', 'second', '0'));
  });

  const script = `data:text/javascript,
    const { emit } = process;
    process.emit = function (name, ...rest) { return name !== 'beforeExit' && emit.call(this, name, ...rest); };
    export const named = () => 'named';`;

  test('without the event, a task that waits for a listener ends with its worker', async () => {
    const end = await run(async ({ load, say }, url) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool(new URL(url), 1);
      await pool.runTask(1).catch(({ code }) => say(code));
      say(await pool.run('named'));
      await pool.close();
    }, { args: [script.replace(/\n\s*/g, ' ')] });
    assert.deepEqual(end, quietly('ERR_RW_WORKER_EXITED', 'named'));
  });
});
