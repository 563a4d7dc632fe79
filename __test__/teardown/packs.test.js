'use strict';

// How a worker thread and a process end while native tasks of a pack of the user's own run and wait, light JavaScript with them, and
// submissions of another addon, at random moments.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');
const { compile, compileAddon, noAddons, noCompiler } = require('../support/packs');

const ENGINE = path.join(__dirname, '..', 'fixtures', 'engine', 'addon.c');

/** RW_ROUNDS=100 to be sure. */
const ROUNDS = Number(process.env.RW_ROUNDS ?? 6);

const HEADER = path.join(__dirname, '..', '..', 'include', 'rust_workers.h');

/** One that runs until it is told to stop, one that does not ask for some milliseconds, one that reports, one that answers at once. */
const SOURCE = `
#include "${HEADER}"
#include <time.h>

static int32_t until_told(const rw_host *host, rw_call *call, const rw_value *input, void *data) {
  (void)input; (void)data;
  while (host->stop_reason(call) == RW_RUN_ON) {}
  return RW_STOPPED;
}
static int32_t deaf(const rw_host *host, rw_call *call, const rw_value *input, void *data) {
  (void)input; (void)data;
  struct timespec time = {0, 3000000};
  nanosleep(&time, NULL);
  return rw_return_number(host, call, 1);
}
static int32_t reports(const rw_host *host, rw_call *call, const rw_value *input, void *data) {
  (void)data;
  while (host->stop_reason(call) == RW_RUN_ON) host->progress(call, input);
  return RW_STOPPED;
}
static int32_t answers(const rw_host *host, rw_call *call, const rw_value *input, void *data) {
  (void)data;
  host->set_result(call, input);
  return RW_OK;
}
RW_PACK("ends", "1.0.0", RW_TASK("untilTold", 0, until_told), RW_TASK("deaf", 0, deaf), RW_TASK("reports", 0, reports),
        RW_TASK("answers", 0, answers))
`;

const underWay = ({ load, parentPort, addon = ADDON }) => {
  const { WorkerPool } = load();
  const silent = () => {};
  for (let count = 0; count < 3; count++) {
    const pool = new WorkerPool({ maxThreads: 2 }).use('PACK');
    for (let i = 0; i < 200; i++) {
      const input = new Uint8Array(2_000);
      pool.run('answers', input).catch(silent);
      pool.run('deaf').catch(silent);
      if (i % 40 === 0) pool.run(i % 80 === 0 ? 'untilTold' : 'reports', 1, { timeout: 1 + (i % 7), onProgress: silent }).catch(silent);
    }
    pool.run('untilTold').catch(silent);
    const light = pool.light({ loops: '() => { for (;;); }', adds: '(a, b) => a + b' }, { timeout: 5 });
    for (let i = 0; i < 20; i++) light.adds(i, 1).catch(silent);
    light.loops().catch(silent);
    if (addon !== undefined) {
      // 0: answers at once; 1: spins until it is told to stop; 2: sleeps.
      const { submit } = require(addon);
      submit(pool.engine, 0, 50);
      submit(pool.engine, 1, 1, 0, 5);
      submit(pool.engine, 2, 2, 1_000);
    }
    if (count === 1) pool.close({ force: true });
  }
  setInterval(Object, 1_000);
  parentPort?.postMessage('go');
};

const skip = noCompiler;

if (!skip) {
  const addon = noAddons ? undefined : compileAddon(ENGINE);
  const text = String(underWay).replace("'PACK'", JSON.stringify(compile(SOURCE))).replace('ADDON', `${JSON.stringify(addon)}`);

  onEachNode('the end with packs', (run) => {
    test('terminate() of a worker with tasks of a pack in flight', async () => {
      const program = async ({ once, say, start, after }, workerText, rounds) => {
        for (let round = 0; round < rounds; round++) {
          const worker = start(workerText);
          await once(worker, 'message');
          await after(Math.floor(Math.random() * 8));
          say('ended with', await worker.terminate());
        }
      };
      const end = await run(program, { args: [text, ROUNDS] });
      assert.deepEqual(end, quietly(...Array.from({ length: ROUNDS }, () => 'ended with 1')));
    });

    test('process.exit(), and an uncaught error, with tasks of a pack in flight', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const program = async (tools, workText, isError) => {
          new Function(`return (${workText})`)()({ load: tools.load });
          await tools.after(Math.floor(Math.random() * 8));
          if (isError) setImmediate(() => { throw new Error('on purpose'); });
          else process.exit(7);
        };
        const isError = round % 2 === 1;
        const { code, signal, stderr } = await run(program, { args: [text, isError] });
        assert.deepEqual([code, signal], [isError ? 1 : 7, null], stderr);
      }
    });
  });
} else {
  test('the end with packs', { skip }, () => {});
}
