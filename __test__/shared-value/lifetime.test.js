'use strict';

// The memory of a shared value: there once, as long as a thread has a handle or a part of it, and no longer.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('the memory of shared values', (run) => {
  test('a text is there once, however many threads read it, and is freed after the last', async () => {
    const end = await run(async ({ load, once, say, start, until }) => {
      const { share } = load();
      const { binding } = require('./lib/native');
      const MIB = 2 ** 20;
      const rss = () => process.memoryUsage.rss() / MIB;
      const threads = Array.from({ length: 4 }, () => start(({ load: loadHere }) => {
        const { parentPort } = loadHere();
        let kept;
        parentPort.on('message', (handle) => {
          kept = handle?.value;
          if (handle === undefined) globalThis.gc();
          parentPort.postMessage(kept === undefined ? 0 : kept.length + kept.lastIndexOf('x'));
        });
      }));
      const { carry } = load();
      const ask = (message) => Promise.all(threads.map(async (thread) => {
        const answer = once(thread, 'message');
        thread.postMessage(...carry(message));
        return (await answer)[0];
      }));
      await ask(undefined);
      globalThis.gc();
      const before = rss();
      let handle = share('x'.repeat(200 * MIB));
      globalThis.gc();
      say((await ask(handle)).every((length) => length === 400 * MIB - 1));
      say(binding.externalStringCount());
      globalThis.gc();
      const with4 = rss() - before;
      say(with4 > 190 && with4 < 380 ? 'once' : `not once: ${with4} MiB`);
      handle = undefined;
      await until(async () => {
        await ask(undefined);
        globalThis.gc();
        return binding.externalStringCount() === 0;
      }, 'the strings are collected');
      await until(async () => (globalThis.gc(), await ask(undefined), rss() - before < 100), 'the memory is freed');
      say('freed');
      await Promise.all(threads.map((thread) => thread.terminate()));
    }, { execArgv: ['--expose-gc'], timeout: 120_000 });
    assert.deepEqual(end, quietly('true', '4', 'once', 'freed'));
  });

  test('a part of it outlives the handle, and the thread that made it', async () => {
    const end = await run(async ({ load, once, say, start, until }) => {
      const { SharedValue } = load();
      const { Worker } = load();
      const maker = new Worker(
        `const { parentPort, share } = require(${JSON.stringify(process.cwd())});
        parentPort.postMessage(share({ text: 'long '.repeat(100_000), list: [{ name: 'part' }], bytes: new Uint8Array(1000).fill(7) }));`,
        { eval: true },
      );
      let handle = (await once(maker, 'message'))[0];
      await maker.terminate();
      const alive = new WeakRef(handle);
      const { text, list: [part], bytes } = handle.value;
      handle = undefined;
      await until(() => (globalThis.gc(), alive.deref() === undefined), 'the handle is collected');
      for (let i = 0; i < 5; i++) globalThis.gc();
      say(text.length, text.endsWith('long '), part.name, bytes[999], SharedValue.copyOf(part).name);
    }, { execArgv: ['--expose-gc'] });
    assert.deepEqual(end, quietly('500000 true part 7 part'));
  });

  test('a thread that ends lets go of what it has, however it ends', async () => {
    const end = await run(async ({ load, say, until }) => {
      const { Worker, share } = load();
      const { binding } = require('./lib/native');
      let handle = share({ texts: Array.from({ length: 20 }, (_, i) => `${i}`.repeat(10_000)) });
      for (const ending of ['process.exit(0)', 'parentPort.close()', 'throw new Error("wanted")', 'setInterval(Object, 1000)']) {
        const worker = new Worker(
          `const { parentPort, workerData } = require(${JSON.stringify(process.cwd())});
          globalThis.kept = workerData.value.texts.map((text) => text);
          parentPort.postMessage(globalThis.kept.length);
          ${ending};`,
          { eval: true, workerData: handle },
        );
        worker.on('error', () => {});
        const exited = new Promise((resolve) => worker.once('exit', resolve));
        say(await new Promise((resolve) => worker.once('message', resolve)));
        if (ending.startsWith('setInterval')) await worker.terminate();
        await exited;
      }
      handle = undefined;
      await until(() => (globalThis.gc(), binding.externalStringCount() === 0), 'the strings are let go of');
      say('let go');
    }, { execArgv: ['--expose-gc'] });
    assert.deepEqual(end, quietly('20', '20', '20', '20', 'let go'));
  });

  test('the collector knows how much hangs on a handle: values that are dropped do not pile up', async () => {
    const end = await run(async ({ load, say }) => {
      const { share } = load();
      const bytes = new Uint8Array(32 * 2 ** 20);
      const before = process.memoryUsage.rss();
      let most = 0;
      for (let i = 0; i < 60; i++) {
        share(bytes);
        most = Math.max(most, process.memoryUsage.rss() - before);
        await new Promise(setImmediate);
      }
      say(most < 1024 * 2 ** 20 ? 'few at a time' : `${Math.round(most / 2 ** 20)} MiB`);
    });
    assert.deepEqual(end, quietly('few at a time'));
  });

  test('a message that nobody reads keeps the value, and its end lets it go', async () => {
    const end = await run(async ({ load, say, until }) => {
      const { MessageChannel, share } = load();
      const before = process.memoryUsage.rss();
      const rss = () => (process.memoryUsage.rss() - before) / 2 ** 20;
      const { port1, port2 } = new MessageChannel();
      port1.postMessage(share(new Uint8Array(300 * 2 ** 20).fill(1)));
      for (let i = 0; i < 5; i++) globalThis.gc();
      say(rss() > 290);
      port2.close();
      await until(() => (globalThis.gc(), rss() < 100), 'the message is let go of');
      say('let go');
    }, { execArgv: ['--expose-gc'] });
    assert.deepEqual(end, quietly('true', 'let go'));
  });

  test('a port keeps no value for messages to come', async () => {
    const end = await run(async ({ load, say, until }) => {
      const { MessageChannel, share } = load();
      const { port1, port2 } = new MessageChannel();
      const before = process.memoryUsage.rss();
      const rss = () => (process.memoryUsage.rss() - before) / 2 ** 20;
      let handle = share(new Uint8Array(300 * 2 ** 20).fill(1));
      for (let i = 0; i < 4; i++) {
        port1.postMessage({ handle });
        say(port2.receiveSync().handle.value[5]);
      }
      handle = undefined;
      await until(() => (globalThis.gc(), rss() < 100), 'the value is let go of');
      port1.postMessage('still open');
      say(port2.receiveSync());
      port1.close();
    }, { execArgv: ['--expose-gc'] });
    assert.deepEqual(end, quietly('1', '1', '1', '1', 'still open'));
  });
});
